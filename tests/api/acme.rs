//! Certificates from an ACME server: pebble, which is made for such tests, with a DNS that leads every name to 127.0.0.1.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use rasterd::testing::TestServer;
use rasterd::transport::server::AcmeOptions;
use rasterd::transport::tls::challenges::{CHALLENGE_PROTOCOL, Challenges};
use rasterd::transport::tls::development::{self, DevelopmentCertificate};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use x509_parser::parse_x509_certificate;

use crate::support::ports::unused_port;
use crate::support::program::{Exit, Program, TestDir, poll};
use crate::support::raw::Raw;
use crate::support::{Client, trusting};

const NAMES: [&str; 2] = ["assets.example.org", "img.example.org"];

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when it has already exited, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An installation whose certificate comes from an ACME server, which is not started yet.
struct Site {
    test_dir: TestDir,
    ports: Ports,
    /// The certificate of the ACME server itself.
    own: DevelopmentCertificate,
}

struct Ports {
    server: u16,
    http: u16,
    acme: u16,
    management: u16,
    dns: u16,
}

impl Ports {
    fn unused() -> Self {
        let [server, http, acme, management, dns] = [(); 5].map(|()| unused_port());
        Self { server, http, acme, management, dns }
    }
}

impl Site {
    fn new(challenge: &str) -> Self {
        let (test_dir, ports) = (TestDir::new(), Ports::unused());
        let own = development::ensure(&test_dir.path().join("pebble"), &[], SystemTime::now()).unwrap();
        let root = own.ca_file.display().to_string();
        let test_dir = test_dir
            .with("RASTERD__SERVER__BIND", &format!("127.0.0.1:{}", ports.server))
            .with("RASTERD__SERVER__PUBLIC_URL", &format!("https://{}:{}", NAMES[0], ports.server))
            .with("RASTERD__TLS__ACME__DOMAINS", &NAMES.join(","))
            .with("RASTERD__TLS__ACME__EMAIL", "ada@example.org")
            .with("RASTERD__TLS__ACME__DIRECTORY", &format!("https://localhost:{}/dir", ports.acme))
            .with("RASTERD__TLS__ACME__CHALLENGE", challenge)
            .with("RASTERD__TLS__ACME__HTTP_BIND", &format!("127.0.0.1:{}", ports.http))
            .with("RASTERD__TLS__ACME__ACCEPT_TERMS", "true")
            .with("RASTERD__TLS__ACME__ROOT_FILE", &root);
        Self { test_dir, ports, own }
    }

    /// Starts the ACME server, whose certificates are valid for some seconds.
    fn start_acme_server(&self, validity_seconds: u64) -> [Running; 2] {
        let local = |port: u16| format!("127.0.0.1:{port}");
        let config = serde_json::json!({ "pebble": {
            "listenAddress": local(self.ports.acme),
            "managementListenAddress": local(self.ports.management),
            "certificate": self.own.cert_file,
            "privateKey": self.own.key_file,
            "httpPort": self.ports.http,
            "tlsPort": self.ports.server,
            "certificateValidityPeriod": validity_seconds,
        }});
        let file = self.test_dir.path().join("pebble.json");
        fs::write(&file, config.to_string()).unwrap();
        let dns = local(self.ports.dns);
        let dns_server = self
            .test_dir
            .command_of("pebble-challtestsrv")
            .args(["-dns01", &dns, "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", ""])
            .args(["-defaultIPv6", ""])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pebble-challtestsrv, in Debian's package pebble");
        let acme_server = self
            .test_dir
            .command_of("pebble")
            .arg("-config")
            .arg(&file)
            .args(["-dnsserver", &dns])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(fs::File::create(self.test_dir.path().join("pebble.log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .expect("pebble, in Debian's package pebble");
        let running = [Running(dns_server), Running(acme_server)];
        poll("the ACME server listens", || TcpStream::connect(("127.0.0.1", self.ports.management)).ok());
        running
    }

    /// What the ACME server lists for its administrator.
    async fn management(&self, path: &str) -> String {
        let ca_pem = fs::read_to_string(&self.own.ca_file).unwrap();
        let client = Client::of(&format!("https://localhost:{}", self.ports.management), &ca_pem);
        String::from_utf8(client.get(path).await.body).unwrap()
    }

    fn start(&self) -> Program {
        self.test_dir.serve()
    }

    /// A connection to a name of the server by a client that trusts `root`.
    fn connect(&self, name: &str, root: &str) -> std::io::Result<Raw> {
        Raw::to_name(name, self.ports.server, trusting(root))
    }

    /// The certificate that clients of a name get, if they trust `root`.
    fn served(&self, name: &str, root: &str) -> std::io::Result<Vec<u8>> {
        let connection = self.connect(name, root)?;
        Ok(connection.tls().peer_certificates().unwrap()[0].to_vec())
    }

    /// Waits until clients of every name that trust `root` are served, and returns the serial number.
    fn wait_until_trusted(&self, root: &str) -> String {
        let certificate = poll("clients of both names trust the certificate", || {
            // It may be renewed between the two.
            let [one, other] = NAMES.map(|name| self.served(name, root).ok());
            one.filter(|one| Some(one) == other.as_ref())
        });
        parse_x509_certificate(&certificate).unwrap().1.raw_serial_as_string()
    }

    fn folder(&self) -> PathBuf {
        self.test_dir.data_dir().join("acme")
    }

    /// The files of accounts, with their content.
    fn accounts(&self) -> Vec<(PathBuf, String)> {
        let entries = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        let accounts =
            entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("account-"));
        accounts.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
    }
}

/// Believes every certificate, as an ACME server does before it looks at it.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rasterd::transport::tls::provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A client that offers these protocols.
fn offering(protocols: &[&[u8]]) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(rasterd::transport::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

#[test]
fn only_who_asks_for_a_proof_gets_it_and_then_nothing_else() {
    let challenges = Challenges::default();
    let shown = challenges.clone();
    let server = TestServer::start_with(move |_, options| {
        options.acme = Some(AcmeOptions { challenges: shown.clone(), http: None });
    });
    let proof = challenges.show_certificate(NAMES[0], &[7; 32]).unwrap();
    let connect = |name: &str, protocols: &[&[u8]]| Raw::to_name(name, server.port(), offering(protocols));
    let certificate_of = |connection: &Raw| connection.tls().peer_certificates().unwrap()[0].to_vec();
    let own = certificate_of(&connect("localhost", &[]).unwrap());

    let mut asked = connect(NAMES[0], &[CHALLENGE_PROTOCOL]).unwrap();
    assert_ne!(certificate_of(&asked), own);
    // The server may have closed before this arrives.
    let _sent = asked.try_send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(asked.read_to_end(), "");

    let http: &[u8] = b"http/1.1";
    for protocols in [vec![], vec![http], vec![http, CHALLENGE_PROTOCOL]] {
        let mut usual = connect(NAMES[0], &protocols).unwrap();
        assert_eq!(certificate_of(&usual), own);
        usual.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(usual.answer().starts_with("HTTP/1.1 200"));
    }
    assert!(connect(NAMES[1], &[CHALLENGE_PROTOCOL]).is_err(), "there is no proof for this name");
    drop(proof);
    assert!(connect(NAMES[0], &[CHALLENGE_PROTOCOL]).is_err(), "there is none any more");
}

#[tokio::test]
async fn a_certificate_is_proved_in_a_handshake_kept_and_used_again_after_a_restart() {
    let site = Site::new("tls-alpn-01");
    let _acme_server = site.start_acme_server(7_776_000);
    let root = site.management("/roots/0").await;
    let program = site.start();
    assert!(
        program.greeting().contains("made by this server, until https://localhost:"),
        "{}",
        program.greeting()
    );
    let serial = site.wait_until_trusted(&root);
    program.wait_for_log("got a certificate");
    for entry in fs::read_dir(site.folder()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    assert_eq!(fs::metadata(site.folder()).unwrap().permissions().mode() & 0o777, 0o700);
    let accounts = site.accounts();
    assert_eq!(accounts.len(), 1);
    program.stop();

    let program = site.start();
    assert!(
        program.greeting().contains("assets.example.org, img.example.org by Pebble"),
        "{}",
        program.greeting()
    );
    assert_eq!(site.wait_until_trusted(&root), serial);
    assert_eq!(site.accounts(), accounts);
    assert!(!program.log().contains("asking for a certificate"), "{}", program.log());
    let doctor = site.test_dir.run(&["doctor", "--quick"]).stdout;
    assert!(doctor.contains("The certificate can be used"), "{doctor}");
    assert!(site.test_dir.done(&["health"]).starts_with("ready"));
    program.stop();
}

#[tokio::test]
async fn a_certificate_is_proved_over_plain_http_which_answers_nothing_else() {
    let site = Site::new("http-01");
    let _acme_server = site.start_acme_server(7_776_000);
    let root = site.management("/roots/0").await;
    let program = site.start();
    site.wait_until_trusted(&root);
    let asked = |path: &str| {
        let url = format!("http://127.0.0.1:{}{path}", site.ports.http);
        let mut command = site.test_dir.command_of("curl");
        Exit::of(command.args(["-s", "--max-time", "20", "-w", "\n%{http_code}", &url])).stdout
    };
    assert_eq!(asked("/.well-known/acme-challenge/no-such-token"), "\n404");
    for path in ["/", "/app", "/.well-known/", "/.well-known/acme-challeng"] {
        let answer = asked(path);
        assert!(answer.contains("HTTPS_REQUIRED") && answer.ends_with("403"), "{path}: {answer}");
    }
    program.stop();
}

#[tokio::test]
async fn a_certificate_is_renewed_while_connections_stay_open() {
    let site = Site::new("tls-alpn-01");
    let _acme_server = site.start_acme_server(12);
    let root = site.management("/roots/0").await;
    let program = site.start();
    let first = site.wait_until_trusted(&root);
    let mut open = site.connect(NAMES[0], &root).unwrap();
    poll("another certificate is served", || (site.wait_until_trusted(&root) != first).then_some(()));
    assert_eq!(site.accounts().len(), 1);
    open.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(open.answer().starts_with("HTTP/1.1 200"));
    program.stop();
}

#[tokio::test]
async fn a_server_without_a_certificate_starts_and_asks_again() {
    let site = Site::new("tls-alpn-01");
    let program = site.start();
    let line = program.wait_for_log("no certificate: ");
    assert!(line.contains("can't be reached") && line.contains("/dir"), "{line}");
    let doctor = site.test_dir.run(&["doctor", "--quick"]).stdout;
    assert!(doctor.contains("there is no certificate for assets.example.org"), "{doctor}");
    assert!(doctor.contains("can't be reached"), "{doctor}");
    let made = fs::read_to_string(site.test_dir.certificates().join("ca.pem")).unwrap();
    site.served("localhost", &made).expect("the one that the server made itself");

    let acme_server = site.start_acme_server(7_776_000);
    let root = site.management("/roots/0").await;
    site.wait_until_trusted(&root);
    let accounts = site.accounts();
    let doctor = site.test_dir.run(&["doctor", "--quick"]).stdout;
    assert!(doctor.contains("The certificate can be used"), "{doctor}");
    program.stop();
    // The ACME server forgets everything when it is started again, and does not know the account any more.
    drop(acme_server);
    fs::remove_file(site.folder().join("certificate.pem")).unwrap();
    let _acme_server = site.start_acme_server(7_776_000);
    let root = site.management("/roots/0").await;
    let program = site.start();
    site.wait_until_trusted(&root);
    assert_ne!(site.accounts(), accounts);
    program.stop();
}

#[tokio::test]
async fn a_name_that_does_not_lead_to_the_server_is_reported_in_words() {
    let site = Site::new("tls-alpn-01");
    let _acme_server = site.start_acme_server(7_776_000);
    // Nothing listens where the ACME server looks.
    let other = Ports::unused().server;
    let mut command = site.test_dir.command_of(crate::support::program::RASTERD);
    command.args(["serve", "--bind", &format!("127.0.0.1:{other}")]);
    let program = site.test_dir.serve_by(command);
    let line = program.wait_for_log("no certificate: ");
    assert!(line.contains("example.org: the ACME server says: "), "{line}");
    assert!(line.contains("its port 443 to server.bind"), "{line}");
    program.stop();
}
