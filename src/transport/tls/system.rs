//! The certificate authorities that this machine trusts, from where its distribution keeps them.

use std::env;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls_native_certs::{load_certs_from_paths, load_native_certs};

/// The authorities of this machine; empty where it has no list.
///
/// The list that `SSL_CERT_FILE` names is read last: it may be the one that we wrote, or our authority alone.
#[must_use]
pub fn authorities() -> Vec<CertificateDer<'static>> {
    let file = match env::var_os(openssl_probe::ENV_CERT_FILE) {
        Some(_) => None,
        None => openssl_probe::probe().cert_file,
    };
    let folders = openssl_probe::candidate_cert_dirs();
    let from_file = file.iter().map(|file| authorities_in(Some(file), None));
    let from_folders = folders.map(|folder| authorities_in(None, Some(folder)));
    from_file
        .chain(from_folders)
        .find(|found| !found.is_empty())
        .unwrap_or_else(|| only_authorities(load_native_certs().certs))
}

/// The authorities in a PEM file, or in the files of a folder. Everything else there is ignored.
fn authorities_in(file: Option<&Path>, folder: Option<&Path>) -> Vec<CertificateDer<'static>> {
    only_authorities(load_certs_from_paths(file, folder).certs)
}

/// Without the server certificates that such folders also hold.
fn only_authorities(certificates: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    let is_authority = |der: &CertificateDer<'_>| {
        x509_parser::parse_x509_certificate(der).is_ok_and(|(_, certificate)| certificate.is_ca())
    };
    certificates.into_iter().filter(is_authority).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::SystemTime;

    use super::*;
    use crate::transport::tls::development;

    #[test]
    fn only_authorities_are_found_in_a_file_and_in_a_folder() {
        let temp = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| {
            let dir = temp.path().join(name);
            development::ensure(&dir, &[], SystemTime::now()).unwrap()
        });
        let pem = |path: &Path| fs::read_to_string(path).unwrap();
        let file = temp.path().join("bundle.crt");
        fs::write(&file, format!("# one\n{}# other\n{}", pem(&one.ca_file), pem(&other.ca_file))).unwrap();
        assert_eq!(authorities_in(Some(&file), None).len(), 2);
        let folder = temp.path().join("folder");
        fs::create_dir(&folder).unwrap();
        fs::copy(&one.ca_file, folder.join("0a1b2c3d.0")).unwrap();
        fs::copy(&one.cert_file, folder.join("localhost.crt")).unwrap();
        fs::write(folder.join("README"), "no certificate").unwrap();
        assert_eq!(authorities_in(None, Some(&folder)).len(), 1);
        assert!(authorities_in(None, Some(&temp.path().join("nowhere"))).is_empty());
        assert!(authorities_in(Some(&temp.path().join("nowhere.pem")), None).is_empty());
    }
}
