//! The certificates that are created, and when they are renewed, seen by clients at different times.

use std::collections::HashSet;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};

use super::*;

const YEAR: Duration = DAY.saturating_mul(365);

/// A folder with certificates in it, and what is in that now.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn ensure(&self, names: &[&str], now: SystemTime) -> DevelopmentCertificate {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        ensure(self.0.path(), &names, now).unwrap()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    fn der(&self, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.text(name).as_bytes()).unwrap()
    }

    /// Whether a client that trusts `authority` takes the server's certificate for this name at this time.
    fn is_trusted_by(&self, authority: &CertificateDer<'_>, name: &str, now: SystemTime) -> bool {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.clone()).unwrap();
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
            roots.into(),
            crate::transport::tls::provider(),
        );
        let verifier = verifier.build().unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let server = self.der("server.pem");
        rustls::client::danger::ServerCertVerifier::verify_server_cert(
            &*verifier,
            &server,
            &[],
            &name,
            &[],
            UnixTime::since_unix_epoch(since),
        )
        .is_ok()
    }
}

fn parsed<'a>(der: &'a CertificateDer<'_>) -> X509Certificate<'a> {
    inspect::parse(der).unwrap()
}

fn seconds(time: SystemTime) -> i64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// What a certificate has besides the extensions that its shape is made of.
fn kinds_of_extensions(certificate: &X509Certificate<'_>) -> Vec<&'static str> {
    let kind = |extension: &ParsedExtension<'_>| match extension {
        ParsedExtension::BasicConstraints(_) => "basic constraints",
        ParsedExtension::KeyUsage(_) => "key usage",
        ParsedExtension::ExtendedKeyUsage(_) => "extended key usage",
        ParsedExtension::SubjectAlternativeName(_) => "names",
        ParsedExtension::SubjectKeyIdentifier(_) => "subject key",
        ParsedExtension::AuthorityKeyIdentifier(_) => "authority key",
        _ => "another",
    };
    let mut kinds: Vec<_> =
        certificate.iter_extensions().map(|extension| kind(extension.parsed_extension())).collect();
    kinds.sort_unstable();
    kinds
}

fn is_critical(certificate: &X509Certificate<'_>) -> Vec<bool> {
    let is_constraint =
        |extension: &ParsedExtension<'_>| matches!(extension, ParsedExtension::BasicConstraints(_));
    let is_usage = |extension: &ParsedExtension<'_>| matches!(extension, ParsedExtension::KeyUsage(_));
    certificate
        .iter_extensions()
        .filter(|extension| {
            is_constraint(extension.parsed_extension()) || is_usage(extension.parsed_extension())
        })
        .map(|extension| extension.critical)
        .collect()
}

#[test]
fn the_authority_has_the_extensions_that_every_client_accepts() {
    let (folder, now) = (Folder::new(), SystemTime::now());
    folder.ensure(&["box.lan", "192.168.1.2"], now);
    let der = folder.der("ca.pem");
    let ca = parsed(&der);
    // No name constraints: BoringSSL refuses those on addresses, and names are added later.
    assert_eq!(kinds_of_extensions(&ca), ["basic constraints", "key usage", "subject key"]);
    assert_eq!(is_critical(&ca), [true, true]);
    let basic = ca.basic_constraints().unwrap().unwrap().value;
    assert_eq!((basic.ca, basic.path_len_constraint), (true, Some(0)));
    let usage = ca.key_usage().unwrap().unwrap().value;
    assert!(usage.key_cert_sign() && usage.crl_sign() && !usage.digital_signature());
    assert_eq!(ca.subject(), ca.issuer());
    ca.verify_signature(None).unwrap();
    let validity = ca.validity();
    assert_eq!(validity.not_before.timestamp(), seconds(now - BACKDATED));
    assert_eq!(validity.not_after.timestamp(), seconds(now - BACKDATED + CA_LIFETIME));
}

#[test]
fn the_servers_certificate_has_the_extensions_that_every_client_accepts() {
    let (folder, now) = (Folder::new(), SystemTime::now());
    folder.ensure(&["Box.lan", "192.168.1.2", "2001:db8::1"], now);
    let (der, ca_der) = (folder.der("server.pem"), folder.der("ca.pem"));
    let (server, ca) = (parsed(&der), parsed(&ca_der));
    assert_eq!(
        kinds_of_extensions(&server),
        ["authority key", "basic constraints", "extended key usage", "key usage", "names", "subject key"]
    );
    assert_eq!(is_critical(&server), [true, true]);
    assert!(!server.basic_constraints().unwrap().unwrap().value.ca);
    let usage = server.key_usage().unwrap().unwrap().value;
    assert!(usage.digital_signature() && !usage.key_cert_sign());
    let extended = server.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.server_auth && !extended.client_auth && !extended.any);
    assert_eq!(inspect::authority_key(&server), inspect::subject_key(&ca));
    assert_ne!(inspect::subject_key(&server), inspect::subject_key(&ca));
    assert_eq!(server.issuer(), ca.subject());
    server.verify_signature(Some(ca.public_key())).unwrap();
    assert!(ca.validity().not_after.timestamp() >= server.validity().not_after.timestamp());
    // Browsers accept 398 days.
    let life = server.validity().not_after.timestamp() - server.validity().not_before.timestamp();
    assert!(life <= seconds(SystemTime::UNIX_EPOCH + DAY * 398), "{life}");
    let names = server.subject_alternative_name().unwrap().unwrap().value;
    let names: Vec<String> = names
        .general_names
        .iter()
        .map(|name| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::IPAddress(bytes) if bytes.len() == 4 => {
                IpAddr::from(<[u8; 4]>::try_from(*bytes).unwrap()).to_string()
            }
            GeneralName::IPAddress(bytes) => IpAddr::from(<[u8; 16]>::try_from(*bytes).unwrap()).to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    for name in ["localhost", "127.0.0.1", "::1", "box.lan", "192.168.1.2", "2001:db8::1"] {
        assert_eq!(names.iter().filter(|has| *has == name).count(), 1, "{name} in {names:?}");
    }
}

#[test]
fn every_certificate_of_an_authority_has_its_own_serial_number() {
    let (folder, now) = (Folder::new(), SystemTime::now());
    let mut seen = HashSet::new();
    for years in 0..4 {
        let now = now + YEAR * (years * 10);
        folder.ensure(&[], now);
        for file in ["ca.pem", "server.pem"] {
            let der = folder.der(file);
            let serial = parsed(&der).raw_serial().to_vec();
            assert!(serial.len() <= 20 && serial[0] & 0x80 == 0, "{serial:?}");
            assert!(seen.insert(serial));
        }
    }
}

/// An authority as it was made before: it limits names and addresses.
fn put_constrained_authority(folder: &Folder, now: SystemTime) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + CA_LIFETIME).into();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "rasterd development authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                std::net::Ipv6Addr::LOCALHOST.octets(),
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    let certificate = params.self_signed(&key).unwrap();
    fs::write(folder.0.path().join("ca.pem"), certificate.pem()).unwrap();
    let key_file = folder.0.path().join("ca-key.pem");
    fs::write(&key_file, key.serialize_pem()).unwrap();
    crate::file_mode::set_mode(&key_file, 0o600).unwrap();
}

#[test]
fn an_authority_that_limits_names_gets_a_new_certificate_with_the_same_key() {
    let (folder, now) = (Folder::new(), SystemTime::now());
    put_constrained_authority(&folder, now);
    let (before, key) = (folder.der("ca.pem"), folder.text("ca-key.pem"));
    let made = folder.ensure(&[], now);
    assert_eq!(made.reissued, Some(Reissue::Constrained));
    assert_eq!(folder.text("ca-key.pem"), key);
    let after = folder.der("ca.pem");
    assert!(!inspect::has_name_constraints(&parsed(&after)));
    assert_eq!(inspect::subject_key(&parsed(&before)), inspect::subject_key(&parsed(&after)));
    for name in ["localhost", "127.0.0.1"] {
        assert!(folder.is_trusted_by(&after, name, now), "{name}");
    }
    assert_eq!(folder.ensure(&[], now).reissued, None);
    assert_eq!(folder.der("ca.pem"), after);
}

#[test]
fn the_authority_stays_when_the_names_change() {
    let (folder, now) = (Folder::new(), SystemTime::now());
    folder.ensure(&[], now);
    let (ca, key) = (folder.text("ca.pem"), folder.text("ca-key.pem"));
    for name in ["assets.example.org", "203.0.113.7", "2001:db8::7", "another-container"] {
        let before = folder.text("server.pem");
        assert_eq!(folder.ensure(&[name], now).reissued, None);
        assert_ne!(folder.text("server.pem"), before, "{name}");
        assert!(folder.is_trusted_by(&folder.der("ca.pem"), name, now), "{name}");
        assert_eq!((folder.text("ca.pem"), folder.text("ca-key.pem")), (ca.clone(), key.clone()), "{name}");
    }
}

/// What happens to the certificates that were made at one time when the server looks at another.
#[test]
fn after_a_clock_jump_the_certificates_are_renewed_with_the_same_key() {
    let now = SystemTime::now();
    for (made, looked, reissued, is_renewed) in [
        (now, now, None, false),
        // A month before its end.
        (now, now + DAY * 365, None, false),
        (now, now + DAY * 367, None, true),
        // After its end.
        (now, now + DAY * 375, None, true),
        (now, now + DAY * 400, None, true),
        // Made while the clock was fast, or slow.
        (now + DAY * 2, now, Some(Reissue::NotValidNow), true),
        (now + YEAR * 5, now, Some(Reissue::NotValidNow), true),
        (now - YEAR * 2, now, None, true),
        (now - YEAR * 40, now, Some(Reissue::NotValidNow), true),
        // The authority's own end.
        (now, now + YEAR * 9 + DAY, Some(Reissue::ExpiresSoon), true),
        (now, now + YEAR * 11, Some(Reissue::NotValidNow), true),
    ] {
        let folder = Folder::new();
        folder.ensure(&[], made);
        let (key, ca, server) = (folder.text("ca-key.pem"), folder.text("ca.pem"), folder.text("server.pem"));
        let after = folder.ensure(&[], looked);
        let case = format!("made {made:?}, looked at {looked:?}");
        assert_eq!(after.reissued, reissued, "{case}");
        assert_eq!(folder.text("ca.pem") != ca, reissued.is_some(), "{case}");
        assert_eq!(folder.text("server.pem") != server, is_renewed, "{case}");
        assert_eq!(folder.text("ca-key.pem"), key, "{case}");
        assert!(folder.is_trusted_by(&folder.der("ca.pem"), "localhost", looked), "{case}");
        // A client's copy of the previous certificate fits, too, since the key is the same; rustls does not check its dates.
        let before = CertificateDer::from_pem_slice(ca.as_bytes()).unwrap();
        assert!(folder.is_trusted_by(&before, "localhost", looked), "{case}");
    }
}

#[test]
fn a_damaged_authority_is_not_replaced_silently() {
    let (one, other, now) = (Folder::new(), Folder::new(), SystemTime::now());
    one.ensure(&[], now);
    other.ensure(&[], now);
    let refused = |folder: &Folder| ensure(folder.0.path(), &[], now).unwrap_err().to_string();
    fs::copy(other.0.path().join("ca-key.pem"), one.0.path().join("ca-key.pem")).unwrap();
    let said = refused(&one);
    assert!(said.contains("ca-key.pem: not the key of the certificate in ca.pem"), "{said}");
    fs::remove_file(one.0.path().join("ca-key.pem")).unwrap();
    let said = refused(&one);
    assert!(said.contains("ca-key.pem: can't be read") && said.contains("remove both"), "{said}");
}
