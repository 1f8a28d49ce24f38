//! TLS: what is spoken, with which certificate, and what those get who come without.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Instant;

use rasterd::app::access::Administrator;
use rasterd::app::model::Access;
use rasterd::testing::TestServer;
use rasterd::tls::development;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ProtocolVersion};

use crate::support::raw::{DEADLINE, Raw, closes_within, read_to_end, tcp};
use crate::support::{Client, roots, tls_config};

fn only(server: &TestServer, version: &'static rustls::SupportedProtocolVersion) -> ClientConfig {
    ClientConfig::builder_with_provider(rasterd::tls::provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots(&server.ca_pem()))
        .with_no_client_auth()
}

#[test]
fn tls_1_3_and_1_2_are_spoken_with_authenticated_encryption() {
    let server = TestServer::start();
    for (version, is) in [
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
    ] {
        let connection = Raw::open_with(&server, only(&server, version)).unwrap();
        assert_eq!(connection.tls().protocol_version(), Some(is));
        let suite = format!("{:?}", connection.tls().negotiated_cipher_suite().unwrap().suite());
        assert!(suite.contains("GCM") || suite.contains("POLY1305"), "{suite}");
    }
}

#[test]
fn http_1_1_is_agreed_on_and_http_2_is_not() {
    let server = TestServer::start();
    let agreed = |protocols: &[&str]| {
        let mut config = tls_config(&server);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Raw::open_with(&server, config).map(|raw| raw.tls().alpn_protocol().map(<[u8]>::to_vec))
    };
    assert_eq!(agreed(&["h2", "http/1.1"]).unwrap(), Some(b"http/1.1".to_vec()));
    assert_eq!(agreed(&[]).unwrap(), None);
    assert!(agreed(&["h2"]).is_err());
}

#[test]
fn a_second_connection_resumes_the_session_of_the_first() {
    let server = TestServer::start();
    let config = tls_config(&server);
    for is_resumed in [false, true] {
        let mut connection = Raw::open_with(&server, config.clone()).unwrap();
        connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert!(connection.read_to_end().starts_with("HTTP/1.1 200"));
        let kind = connection.tls().handshake_kind().unwrap();
        assert_eq!(kind == rustls::HandshakeKind::Resumed, is_resumed, "{kind:?}");
    }
}

#[tokio::test]
async fn plain_http_is_answered_403_and_closed() {
    let server = TestServer::start();
    for head in
        ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /mcp HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"]
    {
        let mut plain = tcp(&server);
        plain.write_all(head.as_bytes()).unwrap();
        let answer = read_to_end(&mut plain);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{head}");
        for field in ["Vary: Api-Version", "Cache-Control: private, no-store", "Connection: close"] {
            assert!(head.contains(field), "{field} in {head}");
        }
        assert!(head.contains("X-Request-Id: "));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["code"], "HTTPS_REQUIRED");
    }
    assert_eq!(Client::new(&server).get("/healthz").await.status, 200);
}

#[test]
fn what_is_neither_tls_nor_http_is_closed_without_a_word() {
    let server = TestServer::start();
    let mut other = tcp(&server);
    other.write_all(&[0x80, 0x2E, 0x01, 0x00]).unwrap();
    assert_eq!(read_to_end(&mut other), "");
}

#[tokio::test]
async fn a_key_sent_in_the_clear_is_deleted_when_so_configured() {
    for revoke in [false, true] {
        let server = TestServer::start_with(move |settings, _| settings.revoke_exposed_keys = revoke);
        let organization = server.organization("Acme").await;
        let library = server.library(&organization, "Photos").await;
        let key = server.key(&organization, &[(&library, Access::Read)]).await;
        let mut plain = tcp(&server);
        let head =
            format!("GET /me HTTP/1.1\r\nHost: localhost\r\nAuthorization: bearer {}\r\n\r\n", key.token);
        plain.write_all(head.as_bytes()).unwrap();
        assert!(read_to_end(&mut plain).starts_with("HTTP/1.1 403"));
        let left = server.app().list_keys(&Administrator::of_this_box(), None).unwrap().len();
        assert_eq!(left, usize::from(!revoke));
    }
}

/// The certificate that a new connection gets.
fn served(server: &TestServer) -> Vec<u8> {
    Raw::open(server).tls().peer_certificates().unwrap()[0].to_vec()
}

#[test]
fn a_changed_certificate_is_served_without_dropping_connections() {
    let server = TestServer::start();
    let mut open = Raw::open(&server);
    let before = served(&server);
    fs::remove_file(&server.certificate().cert_file).unwrap();
    development::ensure(server.certificate().cert_file.parent().unwrap(), &[]).unwrap();
    server.control().reload();
    let started = Instant::now();
    while served(&server) == before {
        assert!(started.elapsed() < DEADLINE, "the new certificate is not served");
    }
    open.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(open.answer().starts_with("HTTP/1.1 200"));
}

#[test]
fn a_changed_certificate_is_found_without_being_told() {
    let server = TestServer::start();
    let before = served(&server);
    fs::remove_file(&server.certificate().cert_file).unwrap();
    development::ensure(server.certificate().cert_file.parent().unwrap(), &[]).unwrap();
    let started = Instant::now();
    while served(&server) == before {
        assert!(started.elapsed() < DEADLINE, "the new certificate is not served");
        std::thread::yield_now();
    }
}

#[test]
fn a_pair_that_can_not_be_used_changes_nothing() {
    let server = TestServer::start();
    let before = served(&server);
    fs::write(&server.certificate().cert_file, "no certificate").unwrap();
    server.control().reload();
    assert_eq!(served(&server), before);
    // Orders are carried out one after the other: once a good pair is served, the bad one was tried, and every
    // handshake until then got the first.
    development::ensure(server.certificate().cert_file.parent().unwrap(), &[]).unwrap();
    let renewed = CertificateDer::from_pem_file(&server.certificate().cert_file).unwrap().to_vec();
    server.control().reload();
    let started = Instant::now();
    loop {
        let now = served(&server);
        if now == renewed {
            return;
        }
        assert!(now == before && started.elapsed() < DEADLINE, "the new certificate is not served");
    }
}

#[test]
fn development_keys_are_for_their_owner_alone_and_certificates_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let files_made = development::ensure(directory.path(), &[]).unwrap();
    for key in ["ca-key.pem", "server-key.pem"] {
        let mode = fs::metadata(directory.path().join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    let files = |names: &[&str]| {
        names.iter().map(|name| fs::read(directory.path().join(name)).unwrap()).collect::<Vec<_>>()
    };
    let (ca, server) = (files(&["ca.pem", "ca-key.pem"]), files(&["server.pem", "server-key.pem"]));
    development::ensure(directory.path(), &[]).unwrap();
    assert_eq!(
        (files(&["ca.pem", "ca-key.pem"]), files(&["server.pem", "server-key.pem"])),
        (ca.clone(), server.clone())
    );
    development::ensure(directory.path(), &["box.lan".into(), "192.168.1.2".into()]).unwrap();
    assert_eq!(files(&["ca.pem", "ca-key.pem"]), ca, "the authority may vouch for names at home");
    assert_ne!(files(&["server.pem"]), server);
    development::ensure(directory.path(), &["media.example.org".into()]).unwrap();
    assert_ne!(files(&["ca.pem"]), ca, "an authority that may not vouch for a name is replaced");
    assert!(files_made.ca_file.ends_with("ca.pem"));
}

#[test]
fn a_certificate_is_valid_for_the_names_of_the_box() {
    let server = TestServer::start();
    let config = Arc::new(tls_config(&server));
    for name in ["localhost", "127.0.0.1", "::1"] {
        let name = rustls::pki_types::ServerName::try_from(name).unwrap();
        let mut tls = rustls::ClientConnection::new(Arc::clone(&config), name.clone()).unwrap();
        let mut tcp = tcp(&server);
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).unwrap_or_else(|error| panic!("{name:?}: {error}"));
        }
    }
}

#[test]
fn a_client_that_does_not_finish_its_handshake_is_closed() {
    let server =
        TestServer::start_with(|_, options| options.patience.head = std::time::Duration::from_millis(200));
    let mut silent = tcp(&server);
    assert!(closes_within(&mut silent, DEADLINE));
    let mut halting = tcp(&server);
    halting.write_all(&[0x16, 0x03, 0x01]).unwrap();
    assert!(closes_within(&mut halting, DEADLINE));
}

#[test]
fn files_that_can_not_be_used_are_named_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let one = development::ensure(&directory.path().join("one"), &[]).unwrap();
    let other = development::ensure(&directory.path().join("other"), &[]).unwrap();
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let missing = directory.path().join("missing.pem");
    for (cert, key, file, reason) in [
        (&one.cert_file, &other.key_file, &other.key_file, "not the key of the certificate"),
        (&empty, &one.key_file, &empty, "no certificate in it"),
        (&one.cert_file, &empty, &empty, "no private key in it"),
        (&missing, &one.key_file, &missing, "can't be read"),
    ] {
        let error = rasterd::tls::Certificates::load(cert, key).unwrap_err().to_string();
        assert!(error.starts_with(&file.display().to_string()) && error.contains(reason), "{error}");
    }
}
