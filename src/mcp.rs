//! MCP: tools and resources over the same operations as the other transports, and the mount of their endpoint.
//!
//! The protocol is rmcp's; the transport's checks, identity, limits and answers to people are ours. Every request
//! stands for itself: who calls is read from its own `Authorization`, and no session is kept.

use actix_web::guard::{Guard, GuardContext};
use actix_web::http::header::HOST;
use actix_web::web;
use serde_json::Value;

use crate::app::App;
use crate::app::settings::Limits;
use crate::edge;

mod answer;
mod arguments;
mod completion;
pub mod direct;
mod discovery;
pub mod endpoint;
mod gate;
mod json;
mod progress;
mod resources;
mod schema;
mod server;
mod tools;

use endpoint::{Endpoint, EndpointOptions};
use gate::host_name;
use server::{Admitted, Server};

/// Where the endpoint is, and who may reach it.
#[derive(Debug, Clone)]
pub struct McpOptions {
    /// Host names (without port) that it answers to.
    pub allowed_hosts: Vec<String>,
    /// Origins (scheme, host, port) whose pages may call; `*` is all.
    pub allowed_origins: Vec<String>,
    /// Host names where it is at `/`, too; they need not be among `allowed_hosts`.
    pub mcp_hosts: Vec<String>,
}

/// Mounts `/mcp`, `/` on the MCP host names, and the documents that lead there.
pub fn configure(config: &mut web::ServiceConfig, app: &App, options: McpOptions) {
    let McpOptions { mut allowed_hosts, allowed_origins, mcp_hosts } = options;
    allowed_hosts.extend(mcp_hosts.iter().cloned());
    let options =
        EndpointOptions { allowed_hosts, allowed_origins, body_limit: app.settings().limits.mcp_bytes };
    let admitting = app.clone();
    let endpoint = Endpoint::new(Server::new(app.clone()), options, move |request| {
        edge::authenticate(&admitting, request).map(|caller| Admitted::new(caller, edge::request_id()))
    });
    discovery::configure(config, &app.settings().public_url);
    config.service(endpoint.resource("/mcp"));
    if !mcp_hosts.is_empty() {
        config.service(endpoint.resource("/").guard(OnHost(mcp_hosts)));
    }
}

/// The list of tools as `tools/list` shows it, under the default limits.
#[must_use]
pub fn tools_document() -> Value {
    tools::Tools::new(&Limits::default()).document()
}

/// Lets requests through that are for one of these host names.
struct OnHost(Vec<String>);

impl Guard for OnHost {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        let host = context.head().headers().get(HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.0.iter().any(|name| name.eq_ignore_ascii_case(host_name(host))))
    }
}
