//! How each client is configured, as pages show it.

use super::OwnerRequest;
use super::authority::TrustedAuthority;
use crate::client_setup::bundle;
use crate::client_setup::{
    ClientRoute, ClientSetup, ConnectionDetails, SetupFormat, SetupKey, SetupMethod, client_setups,
};

/// The configurations on a page.
pub struct Clients {
    /// One for each client.
    pub setups: Vec<ClientSetup>,
    /// The authority that they have to trust first, if there is one.
    pub authority: Option<TrustedAuthority>,
    /// The address of the bundle.
    pub bundle: String,
}

impl Clients {
    /// With this key in them.
    #[must_use]
    pub fn with(owner: &OwnerRequest, key: SetupKey<'_>, authority: Option<TrustedAuthority>) -> Self {
        let connection = ConnectionDetails {
            public_url: &owner.user.core.settings().public_url,
            key,
            authority: authority.as_ref().map(TrustedAuthority::at_home),
            through: ClientRoute::Network,
        };
        let bundle = owner.path(&["connect", bundle::FILE_NAME]).to_string();
        Self { setups: client_setups(connection), authority, bundle }
    }

    /// The id of the text of a way on a page.
    #[must_use]
    pub fn id(setup: &ClientSetup, way: &SetupMethod) -> String {
        format!("setup-{}-{}", setup.name, way.how.name())
    }

    /// The command that starts the client afterwards; the same whichever way it was set up.
    #[must_use]
    pub fn start(setup: &ClientSetup) -> Option<&str> {
        setup.ways.first()?.start.as_deref()
    }

    /// What the text of a way is called where it is copied.
    #[must_use]
    pub fn label(setup: &ClientSetup, way: &SetupMethod) -> String {
        let kind = match way.how {
            SetupFormat::Command => "Command",
            SetupFormat::File(_) => "Configuration",
            SetupFormat::Link => "Link",
            SetupFormat::Bundle => "Bundle",
        };
        format!("{kind} for {}", setup.client)
    }

    /// Whether a way is to open a link, which the page shows as one.
    #[must_use]
    pub fn is_link(way: &SetupMethod) -> bool {
        way.how == SetupFormat::Link
    }

    /// Whether a way is to open the bundle, which the page gives as a download.
    #[must_use]
    pub fn is_bundle(way: &SetupMethod) -> bool {
        way.how == SetupFormat::Bundle
    }
}
