//! The transports, and the sockets on which they answer.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_server::ServerBuilder;
use actix_web::web;

use super::listener::{Application, Listening};
use super::metrics::{MetricsEndpoint, MetricsOptions, MonitoringMounts};
use super::unix_socket::{SocketFile, UnixSocket};
use super::{ServerOptions, health};
use crate::core::Core;
use crate::telemetry::traces::Traces;
use crate::transport::allowed_addresses::AllowedAddresses;
use crate::transport::cors::Cors;
use crate::transport::mcp::running::RunningRequests;
use crate::transport::mcp::{self, McpOptions, McpServer};
use crate::transport::test_control::{self, TestControlOptions};
use crate::transport::{self, Observers, StrictTransportSecurity, cdn, docs, graphql, rest, uploads};
use crate::webapp;

/// The transports with their options; each worker mounts them.
#[derive(Clone)]
struct Mounts {
    core: Core,
    security: StrictTransportSecurity,
    draining: Arc<AtomicBool>,
    addresses: AllowedAddresses,
    documents: rest::Documents,
    docs: docs::RenderedDocs,
    mcp: McpOptions,
    mcp_server: McpServer,
    running: RunningRequests,
    graphql: graphql::GraphQlOptions,
    webapp: webapp::WebappOptions,
    test_control: Option<TestControlOptions>,
    traces: Option<Traces>,
    /// Where they are on the main listener.
    metrics: Option<MetricsEndpoint>,
}

/// The sockets, and what answers on them. The sockets stand by themselves: a copy of one would keep its port open while
/// requests finish, and new clients would wait for an answer that never comes.
pub(super) struct Listeners {
    main: TcpListener,
    mounts: Mounts,
    monitoring: Option<(TcpListener, MonitoringMounts)>,
}

impl Listeners {
    /// Splits the options.
    pub fn new(
        options: ServerOptions,
        addresses: AllowedAddresses,
        core: Core,
        security: StrictTransportSecurity,
        metrics: MetricsEndpoint,
    ) -> Self {
        let ServerOptions {
            listener,
            authority,
            mcp_hosts,
            graphql_introspection,
            graphql_cost,
            test_control,
            metrics: MetricsOptions { listener: own_listener, token },
            traces,
            ..
        } = options;
        let graphql = graphql::GraphQlOptions {
            introspection: graphql_introspection,
            cost: graphql_cost,
            mcp_hosts: mcp_hosts.clone(),
        };
        let mcp = McpOptions { addresses: addresses.clone(), mcp_hosts };
        let webapp = webapp::WebappOptions { authority, certificates: Arc::clone(&metrics.certificates) };
        let mcp_server = McpServer::new(core.clone());
        let (documents, docs) =
            (rest::Documents::new(core.settings()), docs::RenderedDocs::new(core.settings()));
        let running = RunningRequests::default();
        let monitoring =
            own_listener.map(|listener| (listener, MonitoringMounts::new(metrics.clone(), security)));
        // Without a token, they are nowhere but on a listener of their own.
        let is_on_main = token.is_some() && monitoring.is_none();
        let mounts = Mounts {
            core,
            security,
            draining: Arc::clone(&metrics.draining),
            addresses,
            documents,
            docs,
            mcp,
            mcp_server,
            running,
            graphql,
            webapp,
            test_control,
            traces,
            metrics: is_on_main.then_some(metrics),
        };
        Self { main: listener, mounts, monitoring }
    }

    /// Adds them to the server. The file of the Unix socket is removed when it is dropped.
    pub fn add_to(
        self,
        builder: ServerBuilder,
        listening: Listening,
        monitor: Listening,
        unix_socket: Option<UnixSocket>,
    ) -> std::io::Result<(ServerBuilder, Option<SocketFile>)> {
        let Self { main, mounts, monitoring } = self;
        let on_port = mounts.clone();
        let mut builder =
            listening.clone().add_port(builder, "https", main, move || on_port.application())?;
        let mut socket_file = None;
        if let Some((listener, file)) = unix_socket.map(UnixSocket::split) {
            let application = move || mounts.application();
            builder = listening.add_unix_socket(builder, "https on a Unix socket", listener, application)?;
            socket_file = Some(file);
        }
        if let Some((listener, mounts)) = monitoring {
            builder = monitor.add_port(builder, "metrics", listener, move || mounts.application())?;
        }
        Ok((builder, socket_file))
    }
}

impl Mounts {
    fn application(&self) -> impl Application + use<> {
        let mounts = self.clone();
        let cors = Cors::new(self.addresses.clone());
        let application = actix_web::App::new()
            .app_data(web::Data::new(self.core.clone()))
            .configure(move |routes| mounts.mount(routes))
            .default_service(web::to(transport::no_such_path));
        let followed = self.test_control.is_some().then(|| self.core.clone());
        let observers =
            Observers { metrics: Arc::clone(self.core.metrics()), traces: self.traces.clone(), followed };
        transport::wrap(application, cors, Arc::clone(self.core.budget()), observers, self.security)
    }

    /// The transports, in one place.
    fn mount(&self, routes: &mut web::ServiceConfig) {
        health::configure(routes, &self.core, &self.draining);
        self.metrics.iter().for_each(|metrics| metrics.configure(routes));
        cdn::configure(routes, &self.core);
        uploads::configure(routes);
        rest::configure(routes, self.documents.clone());
        docs::configure(routes, &self.docs);
        mcp::configure(routes, &self.core, self.mcp_server.clone(), self.mcp.clone(), self.running.clone());
        graphql::configure(routes, &self.core, &self.graphql);
        webapp::configure(routes, &self.core, &self.webapp);
        if let Some(options) = &self.test_control {
            test_control::configure(routes, &self.core, options);
        }
    }
}
