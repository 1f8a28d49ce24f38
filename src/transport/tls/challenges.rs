//! What the server shows an ACME server to prove that a domain is its own: certificates in handshakes (TLS-ALPN-01), and
//! texts over plain HTTP (HTTP-01). Knows no ACME server.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{Certificates, provider};

/// The protocol that an ACME server asks for in a handshake: RFC 8737.
pub const CHALLENGE_PROTOCOL: &[u8] = b"acme-tls/1";

/// The proofs that are expected now. Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
pub struct Challenges(Arc<Mutex<Proofs>>);

#[derive(Default)]
struct Proofs {
    certificates: HashMap<String, Arc<CertifiedKey>>,
    texts: HashMap<String, String>,
}

/// Takes a proof back when dropped.
#[must_use]
pub struct ShownProof {
    challenges: Challenges,
    name: String,
}

impl Challenges {
    /// Shows a certificate for `domain` with the SHA-256 of a key authorization to every client that asks for it in a handshake.
    ///
    /// # Errors
    /// When no certificate can be made for this name.
    pub fn show_certificate(&self, domain: &str, digest: &[u8; 32]) -> Result<ShownProof, rcgen::Error> {
        let mut params = CertificateParams::new([domain.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key =
            provider().key_provider.load_private_key(key).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        // Unchecked: the extension is critical, as it has to be, and no check knows it.
        let certified = CertifiedKey::new(vec![certificate.der().clone()], key);
        let name = domain.to_ascii_lowercase();
        self.proofs().certificates.insert(name.clone(), Arc::new(certified));
        Ok(ShownProof { challenges: self.clone(), name })
    }

    /// Shows a key authorization under its token over plain HTTP.
    pub fn show_text(&self, token: &str, authorization: &str) -> ShownProof {
        self.proofs().texts.insert(token.to_owned(), authorization.to_owned());
        ShownProof { challenges: self.clone(), name: token.to_owned() }
    }

    /// The text under a token.
    #[must_use]
    pub fn text(&self, token: &str) -> Option<String> {
        self.proofs().texts.get(token).cloned()
    }

    fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.proofs().certificates.get(&name.to_ascii_lowercase()).cloned()
    }

    fn proofs(&self) -> MutexGuard<'_, Proofs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges").finish_non_exhaustive()
    }
}

impl Drop for ShownProof {
    fn drop(&mut self) {
        let mut proofs = self.challenges.proofs();
        proofs.certificates.remove(&self.name);
        proofs.texts.remove(&self.name);
    }
}

/// Gives clients the server's certificate, and an ACME server the one that it asks for.
#[derive(Debug)]
pub(super) struct ChallengeResolver {
    pub certificates: Arc<Certificates>,
    pub challenges: Challenges,
}

impl ResolvesServerCert for ChallengeResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let is_challenge = hello.alpn().is_some_and(|mut offered| {
            offered.next() == Some(CHALLENGE_PROTOCOL) && offered.next().is_none()
        });
        if is_challenge {
            return self.challenges.certificate(hello.server_name()?);
        }
        self.certificates.resolve(hello)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_shown_until_it_is_dropped() {
        let challenges = Challenges::default();
        let text = challenges.show_text("token", "token.thumbprint");
        let certificate = challenges.show_certificate("Assets.example.org", &[7; 32]).unwrap();
        assert_eq!(challenges.text("token").as_deref(), Some("token.thumbprint"));
        assert_eq!(challenges.text("other"), None);
        let shown = challenges.certificate("assets.EXAMPLE.org").unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(&shown.cert[0]).unwrap();
        let identifier =
            parsed.extensions().iter().find(|one| one.oid.to_id_string() == "1.3.6.1.5.5.7.1.31");
        let identifier = identifier.expect("the extension of RFC 8737");
        assert!(identifier.critical && identifier.value.ends_with(&[7; 32]));
        assert!(challenges.certificate("example.org").is_none());
        drop(text);
        drop(certificate);
        assert!(challenges.text("token").is_none() && challenges.certificate("assets.example.org").is_none());
    }
}
