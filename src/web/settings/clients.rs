//! What each client is told, as pages show it.

use super::Owner;
use super::authority::Authority;
use crate::setups::{self, Connection, Secret, Setup, setups};

/// The set-ups of a page.
pub struct Clients {
    /// One for each client.
    pub setups: Vec<Setup>,
    /// The authority that they have to trust first, if there is one.
    pub authority: Option<Authority>,
}

impl Clients {
    /// With this key in them.
    #[must_use]
    pub fn with(owner: &Owner, key: Secret<'_>, authority: Option<Authority>) -> Self {
        let connection = Connection {
            public_url: &owner.signed.app.settings().public_url,
            key,
            authority: authority.as_ref().map(|_| setups::Authority::AtHome(Authority::FILE)),
        };
        Self { setups: setups(connection), authority }
    }
}
