//! `rasterd bundle`: writes the bundle with which a desktop client connects to the configured server.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::client_connection::ClientConnection;
use super::output::{hint, print};
use super::{CommandError, absolute_path};
use crate::client_setup::bundle;
use crate::config::Config;
use crate::file_mode;

#[derive(Args)]
pub(super) struct BundleArgs {
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = bundle::FILE_NAME)]
    output: PathBuf,
}

pub(super) fn run(config: &Config, args: &BundleArgs) -> Result<(), CommandError> {
    let connection = ClientConnection::of(config)?;
    let authority = connection.authority_pem()?;
    let bytes = bundle::bundle(&connection.public_url, authority.as_deref())?;
    let output = absolute_path(&args.output)?;
    // Everybody may read it, whatever this user's umask is: there is no key in it.
    let written = fs::write(&output, bytes).and_then(|()| file_mode::set_mode(&output, 0o644));
    written.map_err(|error| CommandError(format!("{} can't be written: {error}", output.display())))?;
    hint(&format!(
        "Open it with Claude Desktop, or another client that installs MCP bundles. It connects to {}, and asks for a key.",
        connection.public_url
    ));
    print(&output.display().to_string())
}
