//! The section `tls.acme`: what has to be true before an ACME server is asked for anything.

use std::net::SocketAddr;

use super::layers::Layers;
use super::values::Values;
use crate::acme::{AcmeSettings, ChallengeKind};
use crate::core::data_dir::ACME;

/// What is configured, if any domains are. Adds what is wrong to the layers' problems.
pub(super) fn settings(values: &Values, layers: &mut Layers) -> Option<(AcmeSettings, Option<SocketAddr>)> {
    let acme = &values.tls.acme;
    if acme.domains.is_empty() {
        return None;
    }
    let origin = |key: &str| layers.origin(key);
    let mut problems = Vec::new();
    if values.network.offline {
        problems.push(format!(
            "{}: network.offline and tls.acme.domains are set, but a certificate is asked for at {}. Remove one of \
             them; without a way out, use tls.cert_file or the built-in authority",
            origin("network.offline"),
            acme.directory
        ));
    }
    if !acme.accept_terms {
        problems.push(format!(
            "{}: tls.acme.domains needs tls.acme.accept_terms = true, with which you agree to the terms of service of {}",
            origin("tls.acme.domains"),
            acme.directory
        ));
    }
    for key in ["tls.cert_file", "tls.key_file"] {
        let is_set = if key == "tls.cert_file" { &values.tls.cert_file } else { &values.tls.key_file };
        if !is_set.as_os_str().is_empty() {
            problems.push(format!(
                "{}: {key} and tls.acme.domains are set; a certificate comes from files or from an ACME server, so \
                 remove one of them",
                origin(key)
            ));
        }
    }
    layers.problems.extend(problems);
    let root_file = Some(&acme.root_file).filter(|file| !file.as_os_str().is_empty());
    let settings = AcmeSettings {
        domains: acme.domains.clone(),
        email: acme.email.clone(),
        directory: acme.directory.clone(),
        challenge: acme.challenge,
        root_file: root_file.cloned(),
        dir: values.data.dir.join(ACME),
    };
    Some((settings, (acme.challenge == ChallengeKind::Http).then_some(acme.http_bind)))
}
