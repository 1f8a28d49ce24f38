//! How to reach a server for tests: the line that it prints when it is ready.

use serde::{Deserialize, Serialize};

use crate::cli::CommandError;
use crate::core::test_control::TestOrganization;
use crate::transport::CONTROL_PATH;
use crate::transport::tls::development::DevelopmentCertificate;

/// Everything that a test needs.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Description {
    /// The origin of the server.
    pub url: String,
    pub mcp_url: String,
    pub graphql_url: String,
    pub app_url: String,
    /// The authority that clients have to trust.
    pub ca_file: String,
    pub ca_pem: String,
    #[serde(flatten)]
    pub first: TestOrganization,
    pub pid: u32,
    pub control: ControlAddress,
}

/// How to open the control endpoint.
#[derive(Serialize, Deserialize)]
pub(super) struct ControlAddress {
    pub url: String,
    pub token: String,
}

impl Description {
    pub(super) fn new(
        url: &str,
        certificate: &DevelopmentCertificate,
        first: TestOrganization,
        token: &str,
    ) -> Result<Self, CommandError> {
        Ok(Self {
            url: url.to_owned(),
            mcp_url: format!("{url}/mcp"),
            graphql_url: format!("{url}/graphql"),
            app_url: format!("{url}/app"),
            ca_file: certificate.ca_file.to_string_lossy().into_owned(),
            ca_pem: std::fs::read_to_string(&certificate.ca_file)?,
            first,
            pid: std::process::id(),
            control: ControlAddress { url: format!("{url}{CONTROL_PATH}"), token: token.to_owned() },
        })
    }
}
