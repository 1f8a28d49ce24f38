//! The certificate from an ACME server, as a server uses it: which file, where proofs are shown, who renews it.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::CommandError;
use crate::acme::{Acme, AcmeFolder, AcmeSettings};
use crate::core::clock::Clock;
use crate::transport::server::AcmeOptions;
use crate::transport::tls::Certificates;
use crate::transport::tls::challenges::Challenges;

/// What gets the certificate.
pub(super) struct AcmeCertificate {
    settings: AcmeSettings,
    challenges: Challenges,
    http_bind: Option<SocketAddr>,
}

impl AcmeCertificate {
    pub fn new(settings: AcmeSettings, http_bind: Option<SocketAddr>) -> Self {
        Self { settings, challenges: Challenges::default(), http_bind }
    }

    /// The file with the certificate and its key, if there is one that can be used.
    pub fn file(&self) -> Option<PathBuf> {
        let folder = AcmeFolder::new(&self.settings.dir);
        folder.usable_certificate(&self.settings, SystemTime::now()).map(|_| folder.certificate_file())
    }

    /// The message to a person when the server begins with the certificate in `file`, which it made itself.
    pub fn missing(&self, file: &Path) -> Option<String> {
        let is_there = AcmeFolder::new(&self.settings.dir).certificate_file() == file;
        let AcmeSettings { domains, directory, .. } = &self.settings;
        (!is_there).then(|| {
            format!(
                "made by this server, until {directory} gives one for {}; the log says how that goes",
                domains.join(", ")
            )
        })
    }

    /// Where the server shows the proofs.
    pub fn options(&self) -> Result<AcmeOptions, CommandError> {
        let listen = |address| {
            TcpListener::bind(address).map_err(|error| {
                CommandError(format!(
                    "can't listen on {address}: {error}. Choose another address with tls.acme.http_bind"
                ))
            })
        };
        Ok(AcmeOptions { challenges: self.challenges.clone(), http: self.http_bind.map(listen).transpose()? })
    }

    /// Gets and renews the certificate.
    pub fn renewal(&self, clock: &Clock) -> Acme {
        Acme::new(self.settings.clone(), self.challenges.clone(), clock.clone())
    }
}

/// Gets and renews the certificate, if it comes from an ACME server. Runs as long as it is polled.
pub(super) async fn renew(acme: Option<&Acme>, certificates: &Certificates) -> Infallible {
    match acme {
        Some(acme) => acme.run(certificates).await,
        None => std::future::pending().await,
    }
}
