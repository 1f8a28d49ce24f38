//! Where the server's certificate comes from.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::acme;
use super::layers::Layers;
use super::values::Values;
use crate::acme::AcmeSettings;
use crate::core::data_dir::CERTIFICATES;

/// The folder of the development certificate in earlier versions, relative to where the server was started.
const FORMER_CERTIFICATES: &str = "certs";

/// Where the server's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// Created by the server.
    Development {
        /// Its folder.
        dir: PathBuf,
        /// The default folder of earlier versions.
        former: Option<PathBuf>,
    },
    /// Configured, as PEM files.
    Files {
        /// The chain, the server's own certificate first.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// From an ACME server; until there is one, the server has one that it made itself.
    Acme {
        /// Which certificate, and from whom.
        settings: Box<AcmeSettings>,
        /// Where the server listens for an ACME server that asks over plain HTTP, if it does.
        http_bind: Option<SocketAddr>,
        /// The folder of the one that it made itself.
        dir: PathBuf,
    },
}

/// Where the certificate comes from. Adds what is wrong with it to the layers' problems.
pub(super) fn certificate(values: &Values, layers: &mut Layers) -> Option<Certificate> {
    let tls = &values.tls;
    if let Some((settings, http_bind)) = acme::settings(values, layers) {
        return Some(Certificate::Acme { settings: Box::new(settings), http_bind, dir: folder(values) });
    }
    let (cert, key) = (tls.cert_file.as_os_str(), tls.key_file.as_os_str());
    if cert.is_empty() && key.is_empty() {
        let former = tls.dir.is_none().then(|| std::path::absolute(FORMER_CERTIFICATES).ok()).flatten();
        return Some(Certificate::Development { dir: folder(values), former });
    }
    if cert.is_empty() || key.is_empty() {
        let (given, missing) = if key.is_empty() {
            ("tls.cert_file", "tls.key_file")
        } else {
            ("tls.key_file", "tls.cert_file")
        };
        layers.problems.push(format!(
            "{}: {given} is set and {missing} is not; set both, or neither for a development certificate",
            layers.origin(given)
        ));
        return None;
    }
    Some(Certificate::Files { cert: tls.cert_file.clone(), key: tls.key_file.clone() })
}

/// The folder of the development certificate, and of what clients need to trust another one.
pub(super) fn folder(values: &Values) -> PathBuf {
    values.tls.dir.clone().unwrap_or_else(|| values.data.dir.join(CERTIFICATES))
}
