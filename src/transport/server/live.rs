//! What can be changed while the server runs, and what the program around it does when its state changes.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::ServerOptions;
use crate::core::settings::Timeouts;
use crate::transport::allowed_addresses::{AddressLists, AllowedAddresses};
use crate::transport::tls::Certificates;

/// The parts of a running server that can be replaced. Cheap to clone.
#[derive(Clone)]
pub struct LiveOptions {
    pub(super) certificates: Arc<Certificates>,
    pub(super) addresses: AllowedAddresses,
    mcp_hosts: Vec<String>,
    pub(super) timeouts: Arc<ArcSwap<Timeouts>>,
}

impl LiveOptions {
    /// Takes them out of the options of a server.
    pub(super) fn taken_from(options: &mut ServerOptions, certificates: &Arc<Certificates>) -> Self {
        let [hosts, origins] = [&mut options.allowed_hosts, &mut options.allowed_origins].map(std::mem::take);
        Self {
            certificates: Arc::clone(certificates),
            addresses: AllowedAddresses::new(allowed(hosts, &options.mcp_hosts, origins)),
            mcp_hosts: options.mcp_hosts.clone(),
            timeouts: Arc::new(ArcSwap::from_pointee(options.timeouts.clone())),
        }
    }

    /// The certificate that new connections get.
    #[must_use]
    pub fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    /// Answers for these host names and to pages of these origins from now on. The MCP host names stay.
    pub fn allow(&self, hosts: Vec<String>, origins: Vec<String>) {
        self.addresses.replace(allowed(hosts, &self.mcp_hosts, origins));
    }

    /// Uses these limits for new connections. How long an idle connection is kept, and how long stopping may take, stay.
    pub fn set_timeouts(&self, timeouts: &Timeouts) {
        let now = self.timeouts.load();
        self.timeouts.store(Arc::new(Timeouts { idle: now.idle, drain: now.drain, ..timeouts.clone() }));
    }
}

/// The lists of a server that also answers for its MCP host names.
fn allowed(mut hosts: Vec<String>, mcp_hosts: &[String], origins: Vec<String>) -> AddressLists {
    hosts.extend(mcp_hosts.iter().cloned());
    AddressLists { hosts, origins }
}

/// What the program around a server does when the server's state changes.
pub trait Lifecycle {
    /// The server was asked to reload.
    fn reload(&self, live: &LiveOptions);

    /// The server was asked to stop, and accepts no new connections.
    fn stopping(&self);
}

/// Reads the certificate again, and does nothing else.
pub struct CertificateOnly;

impl Lifecycle for CertificateOnly {
    fn reload(&self, live: &LiveOptions) {
        live.certificates.reload_and_log();
    }

    fn stopping(&self) {}
}
