//! How each client is configured, as pages show it.

use super::OwnerRequest;
use super::authority::Authority;
use crate::client_setup::{ClientSetup, ConnectionDetails, SetupKey, client_setups};

/// The configurations on a page.
pub struct Clients {
    /// One for each client.
    pub setups: Vec<ClientSetup>,
    /// The authority that they have to trust first, if there is one.
    pub authority: Option<Authority>,
}

impl Clients {
    /// With this key in them.
    #[must_use]
    pub fn with(owner: &OwnerRequest, key: SetupKey<'_>, authority: Option<Authority>) -> Self {
        let connection = ConnectionDetails {
            public_url: &owner.user.core.settings().public_url,
            key,
            authority: authority.as_ref().map(Authority::at_home),
        };
        Self { setups: client_setups(connection), authority }
    }
}
