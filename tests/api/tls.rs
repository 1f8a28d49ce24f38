//! TLS: versions and certificates, and what clients without TLS get.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use rasterd::core::model::Access;
use rasterd::testing::TestServer;
use rasterd::transport::tls::development;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ProtocolVersion};

use crate::support::raw::{DEADLINE, Raw, closes_within, read_to_end, tcp};
use crate::support::{Client, roots, tls_config};

const SVG: &[u8] = br#"<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>"#;

fn only(server: &TestServer, version: &'static rustls::SupportedProtocolVersion) -> ClientConfig {
    ClientConfig::builder_with_provider(rasterd::transport::tls::provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots(&server.ca_pem()))
        .with_no_client_auth()
}

#[test]
fn tls_1_3_and_1_2_are_supported_with_authenticated_encryption() {
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
fn alpn_selects_http_1_1_and_not_http_2() {
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
fn a_connection_that_is_neither_tls_nor_http_is_closed_without_an_answer() {
    let server = TestServer::start();
    let mut other = tcp(&server);
    other.write_all(&[0x80, 0x2E, 0x01, 0x00]).unwrap();
    assert_eq!(read_to_end(&mut other), "");
}

#[tokio::test]
async fn a_key_sent_over_plain_http_is_deleted_if_configured() {
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
        let left = server.core().list_keys(&server.administrator(), None).unwrap().len();
        assert_eq!(left, usize::from(!revoke));
    }
}

#[tokio::test]
async fn a_key_over_plain_http_is_found_wherever_it_is() {
    for field in [
        "Authorization: Bearer KEY",
        "authorization:bearer KEY",
        "Authorization : Bearer KEY",
        "Authorization:\tBearer\tKEY",
        "Authorization: Bearer\r\n KEY",
        "Authorization:\r\n Bearer KEY",
        "X-Api-Key: KEY",
        "Authorization: KEY",
        "Cookie: key=KEY",
        "\u{1}: KEY",
    ] {
        for (head, line) in
            [("", "GET /me HTTP/1.1"), ("\r\n", "GET /me HTTP/1.1"), ("", "GET /me?key=KEY HTTP/1.0")]
        {
            let server = TestServer::start_with(|settings, _| settings.revoke_exposed_keys = true);
            let organization = server.organization("Acme").await;
            let key = server.key(&organization, &[]).await;
            let mut plain = tcp(&server);
            let request = format!("{head}{line}\r\nHost: localhost\r\n{field}\r\n\r\n");
            plain.write_all(request.replace("KEY", &key.token).as_bytes()).unwrap();
            assert!(read_to_end(&mut plain).starts_with("HTTP/1.1 403"), "{request:?}");
            let left = server.core().list_keys(&server.administrator(), None).unwrap().len();
            assert_eq!(left, 0, "{request:?}");
        }
    }
}

#[tokio::test]
async fn every_answer_has_hsts_except_with_a_development_certificate() {
    for is_own in [true, false] {
        let server = TestServer::start_with(move |_, options| {
            if is_own {
                options.development = None;
            }
        });
        let organization = server.organization("Acme").await;
        let library = server.library(&organization, "Photos").await;
        let key = server.key(&organization, &[(&library, Access::Write)]).await;
        let asset = server.upload(&key, &organization, &library, "a.svg", SVG).await;
        let (client, keyed) = (Client::new(&server), Client::new(&server).with_key(&key.token));
        let expected = if is_own { "max-age=31536000" } else { "" };
        let cdn = format!("/cdn/{organization}/{library}/{asset}");
        for path in [
            "/healthz",
            "/me",
            "/nowhere",
            "/openapi.json",
            "/docs",
            "/docs/rest",
            "/graphql",
            "/app",
            "/app/sign-in",
            "/app/nowhere",
            &cdn,
            "/cdn/o/l/a",
            "/mcp",
            "/",
        ] {
            let reply = client.get(path).await;
            assert_eq!(reply.header("strict-transport-security"), expected, "{path} {}", reply.status);
        }
        for (path, body) in [
            ("/mcp", serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })),
            ("/graphql", serde_json::json!({ "query": "{ __typename }" })),
        ] {
            let reply = keyed.post_json(path, &body).await;
            assert_eq!(reply.header("strict-transport-security"), expected, "{path}");
        }
        let mut malformed = Raw::open(&server);
        malformed.send("GET /healthz HTTP/1.1\nHost: localhost\n\n");
        let answer = malformed.read_to_end();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert_eq!(answer.contains("Strict-Transport-Security: max-age=31536000\r\n"), is_own, "{answer}");
    }
}

#[test]
fn a_development_certificate_is_renewed_while_the_server_runs() {
    for days in [368, 375, 400] {
        let server = TestServer::start();
        let mut open = Raw::open(&server);
        server.clock().advance(std::time::Duration::from_hours(24 * days));
        // The client's clock stays, so it refuses a certificate for later, and the error shows that.
        let started = Instant::now();
        let refused = loop {
            if let Err(error) = Raw::open_with(&server, tls_config(&server)) {
                break error.to_string();
            }
            assert!(started.elapsed() < DEADLINE, "no new certificate is served after {days} days");
        };
        assert!(refused.to_lowercase().contains("not valid yet"), "{refused}");
        let file = CertificateDer::from_pem_file(&server.certificate().cert_file).unwrap();
        let certificate = x509_parser::parse_x509_certificate(&file).unwrap().1;
        let now = i64::try_from(server.clock().now() / 1000).unwrap();
        assert!(certificate.validity().not_before.timestamp() <= now);
        assert!(certificate.validity().not_after.timestamp() > now);
        open.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(open.answer().starts_with("HTTP/1.1 200"));
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
    development::ensure(server.certificate().cert_file.parent().unwrap(), &[], SystemTime::now()).unwrap();
    server.control().reload();
    let started = Instant::now();
    while served(&server) == before {
        assert!(started.elapsed() < DEADLINE, "the new certificate is not served");
    }
    open.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(open.answer().starts_with("HTTP/1.1 200"));
}

#[test]
fn a_changed_certificate_is_found_without_a_signal() {
    let server = TestServer::start();
    let before = served(&server);
    fs::remove_file(&server.certificate().cert_file).unwrap();
    development::ensure(server.certificate().cert_file.parent().unwrap(), &[], SystemTime::now()).unwrap();
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
    // Signals are handled one after the other: once a good pair is served, the bad one was tried, and every handshake
    // until then got the first pair.
    development::ensure(server.certificate().cert_file.parent().unwrap(), &[], SystemTime::now()).unwrap();
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
fn only_the_owner_can_read_development_keys_and_certificates_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let files_made = development::ensure(directory.path(), &[], SystemTime::now()).unwrap();
    for key in ["ca-key.pem", "server-key.pem"] {
        let mode = fs::metadata(directory.path().join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    let files = |names: &[&str]| {
        names.iter().map(|name| fs::read(directory.path().join(name)).unwrap()).collect::<Vec<_>>()
    };
    let (ca, server) = (files(&["ca.pem", "ca-key.pem"]), files(&["server.pem", "server-key.pem"]));
    development::ensure(directory.path(), &[], SystemTime::now()).unwrap();
    assert_eq!(
        (files(&["ca.pem", "ca-key.pem"]), files(&["server.pem", "server-key.pem"])),
        (ca.clone(), server.clone())
    );
    development::ensure(directory.path(), &["box.lan".into(), "192.168.1.2".into()], SystemTime::now())
        .unwrap();
    assert_eq!(files(&["ca.pem", "ca-key.pem"]), ca);
    assert_ne!(files(&["server.pem"]), server);
    development::ensure(directory.path(), &["media.example.org".into()], SystemTime::now()).unwrap();
    assert_eq!(files(&["ca.pem", "ca-key.pem"]), ca, "the authority stays, whatever name is new");
    assert!(files_made.ca_file.ends_with("ca.pem"));
}

#[test]
fn a_certificate_is_valid_for_the_names_of_the_machine() {
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
        TestServer::start_with(|_, options| options.timeouts.head = std::time::Duration::from_millis(200));
    let mut silent = tcp(&server);
    assert!(closes_within(&mut silent, DEADLINE));
    let mut halting = tcp(&server);
    halting.write_all(&[0x16, 0x03, 0x01]).unwrap();
    assert!(closes_within(&mut halting, DEADLINE));
}

#[test]
fn files_that_can_not_be_used_are_named_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let one = development::ensure(&directory.path().join("one"), &[], SystemTime::now()).unwrap();
    let other = development::ensure(&directory.path().join("other"), &[], SystemTime::now()).unwrap();
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let missing = directory.path().join("missing.pem");
    for (cert, key, file, reason) in [
        (&one.cert_file, &other.key_file, &other.key_file, "not the key of the certificate"),
        (&empty, &one.key_file, &empty, "no certificate in it"),
        (&one.cert_file, &empty, &empty, "no private key in it"),
        (&missing, &one.key_file, &missing, "can't be read"),
    ] {
        let error = rasterd::transport::tls::Certificates::load(cert, key).unwrap_err().to_string();
        assert!(error.starts_with(&file.display().to_string()) && error.contains(reason), "{error}");
    }
}
