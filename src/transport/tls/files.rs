//! Reads the files of a certificate chain and its key, and says what is wrong with them and what to do.

use std::path::Path;
use std::{fs, io};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::{TlsError, provider};

/// Every reason why a server can't use these files.
#[must_use]
pub fn problems(cert_file: &Path, key_file: &Path) -> Vec<TlsError> {
    match (read_chain(cert_file), read_key(key_file)) {
        (Ok(chain), Ok(key)) => pair(cert_file, key_file, chain, &key).err().into_iter().collect(),
        (chain, key) => [chain.err(), key.err()].into_iter().flatten().collect(),
    }
}

/// The chain with its key.
pub(super) fn read_pair(cert_file: &Path, key_file: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = read_chain(cert_file)?;
    let key = read_key(key_file)?;
    pair(cert_file, key_file, chain, &key)
}

fn pair(
    cert_file: &Path,
    key_file: &Path,
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
) -> Result<CertifiedKey, TlsError> {
    let is_key_of = |der: &CertificateDer<'static>| {
        CertifiedKey::from_der(vec![der.clone()], key.clone_key(), &provider()).is_ok()
    };
    let position = chain.iter().position(is_key_of);
    CertifiedKey::from_der(chain, key.clone_key(), &provider()).map_err(|error| match (error, position) {
        (rustls::Error::InconsistentKeys(_), Some(position)) => TlsError::new(
            cert_file,
            format_args!(
                "the certificates are in the wrong order: that of the key in {} is number {} in the file. Put the \
                 server's own certificate first, then each one that signed the one before it",
                key_file.display(),
                position + 1
            ),
        ),
        (rustls::Error::InconsistentKeys(_), None) => TlsError::new(
            key_file,
            format_args!("this is not the key of the certificate in {}", cert_file.display()),
        ),
        (other, _) => TlsError::new(key_file, format_args!("the key can't be used: {other}")),
    })
}

/// A chain, the server's own certificate first.
///
/// # Errors
/// When the file can't be read or holds something else.
pub fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates_in(file, &read(file)?, "expected the server's certificate and then its chain, as PEM")
}

/// The authorities that clients have to trust.
///
/// # Errors
/// When the file can't be read, or holds something else.
pub fn read_authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(file)?;
    let expected = "expected the certificate of the authority that signed the one that clients see, as PEM";
    if contains(&text, "PRIVATE KEY-----") {
        return Err(TlsError::new(
            file,
            format_args!(
                "there is a private key in it, and every client gets this file; {expected} and nothing else"
            ),
        ));
    }
    let found = certificates_in(file, &text, expected)?;
    match found.iter().position(is_of_a_server) {
        Some(position) => Err(TlsError::new(
            file,
            format_args!(
                "certificate number {} in it is a server's, not an authority's; {expected}",
                position + 1
            ),
        )),
        None => Ok(found),
    }
}

/// Whether another certificate signed this one, which may not sign any itself.
fn is_of_a_server(der: &CertificateDer<'_>) -> bool {
    x509_parser::parse_x509_certificate(der)
        .is_ok_and(|(_, found)| !found.is_ca() && found.issuer() != found.subject())
}

/// Certificates as PEM.
#[must_use]
pub fn pem_of<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> String {
    let line_feeds = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
    certificates
        .into_iter()
        .map(|der| ::pem::encode_config(&::pem::Pem::new("CERTIFICATE", der.as_ref()), line_feeds))
        .collect()
}

fn certificates_in(
    file: &Path,
    text: &[u8],
    expected: &str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let chain = match found {
        Ok(chain) if !chain.is_empty() => chain,
        Ok(_) => return Err(TlsError::new(file, no_certificate(file, text, expected))),
        Err(error) => {
            return Err(TlsError::new(file, format_args!("not readable as PEM: {}", pem_problem(&error))));
        }
    };
    let is_damaged = |der: &CertificateDer<'_>| x509_parser::parse_x509_certificate(der).is_err();
    match chain.iter().position(is_damaged) {
        Some(position) => {
            Err(TlsError::new(file, format_args!("certificate number {} in it is damaged", position + 1)))
        }
        None => Ok(chain),
    }
}

fn no_certificate(file: &Path, text: &[u8], expected: &str) -> String {
    if is_der(text) {
        let path = file.display();
        return format!(
            "no certificate in it as PEM, but something binary; {expected}. If it is one certificate: openssl x509 -inform DER -in {path} -out {path}.pem"
        );
    }
    if contains(text, "PRIVATE KEY-----") {
        return format!("no certificate in it, but a private key; {expected}");
    }
    format!("no certificate in it; {expected}")
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(file)?;
    // Checked before parsing: an encrypted key in the traditional form has a header, which the PEM parser rejects.
    if contains(&text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") || contains(&text, "Proc-Type: 4,ENCRYPTED") {
        let path = file.display();
        return Err(TlsError::new(
            file,
            format_args!(
                "the key is encrypted, and nobody can type its password when the server starts. Save it \
                 without one: openssl pkey -in {path} -out {path}.plain, then chmod 600 {path}.plain"
            ),
        ));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::new(file, no_key(file, &text)),
        other => TlsError::new(file, format_args!("not readable as PEM: {}", pem_problem(&other))),
    })
}

fn no_key(file: &Path, text: &[u8]) -> String {
    let expected = "expected one as PEM, without a password";
    let path = file.display();
    if is_der(text) {
        return format!(
            "no private key in it as PEM, but something binary; {expected}. If it is a key: openssl pkey -inform DER -in {path} -out {path}.pem"
        );
    }
    if contains(text, "-----BEGIN OPENSSH PRIVATE KEY-----") {
        return format!(
            "no private key in it that TLS can use, but one of SSH; {expected}. To convert it: ssh-keygen -p -m PKCS8 -f {path}"
        );
    }
    if contains(text, "-----BEGIN CERTIFICATE-----") {
        return format!("no private key in it, but a certificate; {expected}");
    }
    format!("no private key in it; {expected}")
}

fn contains(text: &[u8], words: &str) -> bool {
    text.windows(words.len()).any(|part| part == words.as_bytes())
}

/// Whether it begins like a certificate, a key or a container of them in binary form.
fn is_der(text: &[u8]) -> bool {
    text.starts_with(&[0x30])
}

/// What is wrong with PEM, in words.
fn pem_problem(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a line -----END …----- is missing".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a line -----BEGIN …----- is damaged".to_owned(),
        pem::Error::Base64Decode(_) => {
            "what is between -----BEGIN …----- and -----END …----- is damaged".to_owned()
        }
        other => other.to_string(),
    }
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(file).map_err(|error| TlsError::new(file, unreadable(&error)))
}

pub(super) fn unreadable(error: &io::Error) -> String {
    format!("can't be read: {error}")
}
