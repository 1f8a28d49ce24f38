//! MCP: tools and resources over the same operations as the other transports, and the mount of their endpoint.
//!
//! rmcp implements the protocol; checks, authentication, limits and error messages are ours. Every request is
//! authenticated by its own `Authorization`, and no session is kept.

use actix_web::guard::{Guard, GuardContext};
use actix_web::http::header::HOST;
use actix_web::web;
use serde_json::Value;

use crate::core::Core;
use crate::transport;
use crate::transport::allowed_addresses::AllowedAddresses;
use crate::transport::wire::configured::Configured;

mod address_check;
mod completion;
pub mod direct;
mod discovery;
pub mod endpoint;
mod inspection;
mod json;
mod narrowing;
mod outcome;
mod progress;
mod resources;
mod result;
pub mod running;
mod schema;
mod server;
mod tools;

use address_check::host_name;
use endpoint::{EndpointOptions, McpEndpoint};
use running::{RequestSender, RunningRequests};
use server::AdmittedCaller;
pub use server::McpServer;

/// Where the endpoint is, and who may reach it.
#[derive(Debug, Clone)]
pub struct McpOptions {
    /// The host names that it answers to, the MCP host names among them, and the origins whose pages may call.
    pub addresses: AllowedAddresses,
    /// Host names where it is at `/`, too.
    pub mcp_hosts: Vec<String>,
}

/// Mounts `/mcp`, `/` on the MCP host names, and the discovery documents. `server` and `running` are the same for every
/// worker.
pub fn configure(
    config: &mut web::ServiceConfig,
    core: &Core,
    server: McpServer,
    options: McpOptions,
    running: RunningRequests,
) {
    let McpOptions { addresses, mcp_hosts } = options;
    let options = EndpointOptions { addresses, body_limit: core.settings().limits.mcp_bytes };
    let admitting = core.clone();
    let endpoint = McpEndpoint::new(server, options, running, move |request, cancellation| {
        let caller = transport::authenticate(&admitting, request)?.until(cancellation);
        let caller = caller.narrowed(&narrowing::of_query(request.query_string())?);
        let sender = RequestSender { client: caller.client_id(), address: transport::client_address() };
        Ok((AdmittedCaller::new(caller, transport::request_id()), Some(sender)))
    });
    discovery::configure(config, &core.settings().public_url);
    config.service(endpoint.resource("/mcp")).service(endpoint.resource("/mcp/"));
    if !mcp_hosts.is_empty() {
        config.service(endpoint.resource("/").guard(OnHost(mcp_hosts)));
    }
}

/// The list of tools as `tools/list` shows it where this is configured.
#[must_use]
pub fn tools_document(configured: &Configured) -> Value {
    tools::ToolRegistry::new(configured).document()
}

/// Lets requests through that are for one of these host names.
struct OnHost(Vec<String>);

impl Guard for OnHost {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        let host = context.head().headers().get(HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.0.iter().any(|name| name.eq_ignore_ascii_case(host_name(host))))
    }
}
