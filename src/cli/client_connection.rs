//! How clients connect to the configured server, whether it runs or not: its address, and whom they have to trust first.

use super::{CommandError, data_owner};
use crate::client_setup::AuthorityFiles;
use crate::config::{Certificate, Config};
use crate::transport::tls::development::{self, Bundle};
use crate::transport::tls::{ClientAuthority, pem_of};

/// What clients need to know of the configured server.
pub(super) struct ClientConnection {
    /// The server's origin.
    pub public_url: String,
    authority: Option<ClientAuthority>,
    /// Whether only the server's user, which is not the one of the client, can read the files of the authority.
    is_hidden: bool,
}

impl ClientConnection {
    /// That of the configured server. Writes nothing.
    ///
    /// # Errors
    /// When the port is not known before a start, or there is no authority yet.
    pub fn of(config: &Config) -> Result<Self, CommandError> {
        let public_url = config.addresses(config.bind).public_url;
        if public_url.ends_with(":0") {
            return Err(CommandError(
                "server.bind has port 0, so the server's address is not known; set server.public_url"
                    .to_owned(),
            ));
        }
        let authority = authority(config);
        let is_in_data_dir =
            authority.as_ref().is_some_and(|authority| authority.file.starts_with(&config.data_dir));
        let is_hidden = is_in_data_dir && data_owner::other_owner(&config.data_dir).is_some();
        let connection = Self { public_url, authority, is_hidden };
        if let Some(authority) = &connection.authority {
            data_owner::expect_entry_for(&authority.file, &config.data_dir)?;
        }
        // What is printed names this file, or has it inside.
        connection.authority_pem()?;
        Ok(connection)
    }

    /// The files of the authority, if clients have to trust one: those on this machine, or copies in the home folder where
    /// only the server's user can read them.
    pub fn files(&self) -> Option<AuthorityFiles<'_>> {
        let authority = self.authority.as_ref()?;
        Some(if self.is_hidden {
            AuthorityFiles::in_home_folder(authority)
        } else {
            AuthorityFiles::on_this_machine(authority)
        })
    }

    /// The commands that write the files of [`ClientConnection::files`], where these are copies.
    pub fn commands(&self) -> Option<String> {
        let export = |file| format!("sudo rasterd ca export{file}");
        let certificate = export(format!(" > ~/{}", AuthorityFiles::CERTIFICATE_NAME));
        let bundle = export(format!(" --bundle > ~/{}", AuthorityFiles::BUNDLE_NAME));
        self.is_hidden.then(|| format!("  {certificate}\n  {bundle}"))
    }

    /// The certificate of the authority, if clients have to trust one.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn authority_pem(&self) -> Result<Option<String>, CommandError> {
        let Some(authority) = &self.authority else { return Ok(None) };
        let certificates = authority.certificates().map_err(|error| {
            CommandError(if authority.is_development {
                format!(
                    "{error}. `rasterd serve` and `rasterd certs` create the authority; set its folder with tls.dir or \
                     --data-dir"
                )
            } else {
                format!("tls.authority_file: {error}")
            })
        })?;
        Ok(Some(pem_of(&certificates)))
    }
}

/// The same authority that a start would name.
fn authority(config: &Config) -> Option<ClientAuthority> {
    if let Some(file) = &config.authority_file {
        return Some(ClientAuthority::expected(file, &config.certificates_dir));
    }
    match &config.certificate {
        Certificate::Development { dir, .. } if !config.is_behind_a_proxy() => {
            let bundle = Bundle::expected(development::bundle_file(dir));
            Some(ClientAuthority { file: development::ca_file(dir), bundle, is_development: true })
        }
        Certificate::Development { .. } | Certificate::Files { .. } | Certificate::Acme { .. } => None,
    }
}
