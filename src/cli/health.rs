//! `rasterd health`: checks whether the server at the configured address is ready. For containers, which have no curl. The
//! server must have the configured certificate. A running server asks itself in the same way.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::output::print;
use super::{CommandError, data_owner, guide_pointers};
use crate::acme::AcmeFolder;
use crate::config::{Certificate, Config, copy_of_service};
use crate::core::settings::ProxySettings;
use crate::transport::tls::{self, development};

/// How long the answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of the answer is read.
const MAX_ANSWER: u64 = 16 * 1024;

/// What `/readyz?verbose` answers.
#[derive(Deserialize)]
struct Report {
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    name: String,
    status: String,
    reason: Option<String>,
}

pub(super) fn run(config: &Config) -> Result<(), CommandError> {
    let address = reachable(config.bind)?;
    expect_admission(config, address.ip())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pointer = guide_pointers::line(guide_pointers::NO_START);
    let not_ready = |why: String| CommandError(format!("not ready at {address}: {why}\n{pointer}"));
    if let Certificate::Development { dir, .. } = &config.certificate {
        data_owner::expect_entry_for(dir, &config.data_dir)?;
    }
    let trust = Trust::Files(certificate_files(&config.certificate));
    let asking = async { timeout(TIMEOUT, ask(address, trust, &config.proxies)).await };
    let answer = runtime.block_on(asking);
    let answer = answer.map_err(|_| not_ready(format!("no answer within {} s", TIMEOUT.as_secs())))?;
    let answer = answer.map_err(|error| not_ready(in_words(&error)))?;
    let head = answer.lines().next().unwrap_or_default();
    if head.split(' ').nth(1) == Some("200") {
        return print(&format!("ready at {address}"));
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).trim();
    Err(not_ready(match failed_checks(body) {
        Some(failed) => failed,
        None if body.is_empty() => head.to_owned(),
        None => body.to_owned(),
    }))
}

/// Whether the server that listens on `bound` makes a TLS handshake with this process in time, which needs its acceptor and
/// a worker. An answer is also that it closes the connection: one that has as many connections as it may is alive.
/// Without a request, so that the log has no line about each sign of life.
pub(super) async fn is_alive(bound: SocketAddr, proxies: &ProxySettings, within: Duration) -> bool {
    let Ok(address) = reachable(bound) else { return true };
    match timeout(within, connect(address, Trust::Any, proxies)).await {
        Ok(Ok(_tls)) => true,
        Ok(Err(error)) => error.kind() != ErrorKind::ConnectionRefused,
        Err(_) => false,
    }
}

/// Why there was no answer. What the check of the certificate says stands for itself.
fn in_words(error: &std::io::Error) -> String {
    match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::General(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => error.to_string(),
    }
}

/// The address at which this machine reaches a server that listens on `bound`.
fn reachable(bound: SocketAddr) -> Result<SocketAddr, CommandError> {
    if bound.port() == 0 {
        return Err(CommandError(
            "server.bind has port 0, so the server's port is not known; set a port".to_owned(),
        ));
    }
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, bound.port()))
}

/// With the PROXY protocol, the server accepts only connections of its proxies.
fn expect_admission(config: &Config, address: IpAddr) -> Result<(), CommandError> {
    // Connections to an address of this machine come from the same one.
    if !config.proxies.protocol || config.proxies.trusted.iter().any(|range| range.contains(&address)) {
        return Ok(());
    }
    Err(CommandError(format!(
        "server.proxy_protocol is on, so the server accepts only connections of server.trusted_proxies, and this check comes from {address}; add that"
    )))
}

async fn connect(
    address: SocketAddr,
    trust: Trust,
    proxies: &ProxySettings,
) -> std::io::Result<TlsStream<TcpStream>> {
    let client = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .map_err(std::io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_no_client_auth();
    let mut tcp = TcpStream::connect(address).await?;
    if proxies.protocol {
        tcp.write_all(b"PROXY UNKNOWN\r\n").await?;
    }
    let connector = TlsConnector::from(Arc::new(client));
    connector.connect(ServerName::IpAddress(address.ip().into()), tcp).await
}

async fn ask(address: SocketAddr, trust: Trust, proxies: &ProxySettings) -> std::io::Result<String> {
    let mut tls = connect(address, trust, proxies).await?;
    let request = format!("GET /readyz?verbose HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    tls.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    match tls.take(MAX_ANSWER).read_to_end(&mut answer).await {
        // How the connection ends does not matter.
        Ok(_) => {}
        Err(_) if !answer.is_empty() => {}
        Err(error) => return Err(error),
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The checks that failed, each with its reason.
fn failed_checks(body: &str) -> Option<String> {
    let report: Report = serde_json::from_str(body).ok()?;
    let failed = report.checks.into_iter().filter(|check| check.status != "ok");
    let failed: Vec<String> =
        failed.map(|check| format!("{}: {}", check.name, check.reason.unwrap_or(check.status))).collect();
    (!failed.is_empty()).then(|| failed.join("; "))
}

/// The files with the certificates that the server may have.
fn certificate_files(certificate: &Certificate) -> Vec<PathBuf> {
    match certificate {
        // A service has what was there when it started.
        Certificate::Files { cert, .. } => [cert.clone()].into_iter().chain(copy_of_service(cert)).collect(),
        Certificate::Development { dir, .. } => vec![development::cert_file(dir)],
        Certificate::Acme { settings, dir, .. } => {
            vec![AcmeFolder::new(&settings.dir).certificate_file(), development::cert_file(dir)]
        }
    }
}

/// Which certificate the server may have, whatever its names and dates are.
#[derive(Debug)]
enum Trust {
    /// One in these files.
    Files(Vec<PathBuf>),
    /// Any: nothing is sent that is not public, and nothing is believed.
    Any,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let general = |text: String| rustls::Error::General(text);
        let Self::Files(files) = self else { return Ok(ServerCertVerified::assertion()) };
        let mut problems = Vec::new();
        for file in files {
            match tls::read_chain(file) {
                Ok(chain) if chain.first() == Some(end_entity) => return Ok(ServerCertVerified::assertion()),
                Ok(_) => problems.push(format!("the server has another certificate than {}", file.display())),
                Err(error) => problems.push(error.to_string()),
            }
        }
        Err(general(problems.join("; ")))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &tls::provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &tls::provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        tls::provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a server that treats its first connection so is alive.
    async fn is_alive_if(treated: impl AsyncFnOnce(TcpStream)) -> bool {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bound = listener.local_addr().unwrap();
        let accepting = async { treated(listener.accept().await.unwrap().0).await };
        let proxies = ProxySettings::default();
        tokio::select! {
            alive = is_alive(bound, &proxies, Duration::from_millis(200)) => alive,
            () = async { accepting.await; std::future::pending().await } => false,
        }
    }

    #[tokio::test]
    async fn a_server_is_alive_when_it_answers_or_closes_and_not_when_it_does_nothing() {
        assert!(is_alive_if(async |tcp| drop(tcp)).await);
        assert!(is_alive_if(async |mut tcp| tcp.write_all(b"no TLS").await.unwrap()).await);
        assert!(!is_alive_if(async |_open| std::future::pending().await).await);
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(!is_alive(closed, &ProxySettings::default(), Duration::from_secs(5)).await);
    }

    #[test]
    fn a_server_on_every_address_is_reached_on_the_loopback_address() {
        for (bound, asked) in [
            ("0.0.0.0:443", "127.0.0.1:443"),
            ("[::]:443", "[::1]:443"),
            ("192.0.2.7:8443", "192.0.2.7:8443"),
        ] {
            let found = reachable(bound.parse().unwrap()).unwrap_or_else(|failure| panic!("{failure}"));
            assert_eq!(found, asked.parse().unwrap());
        }
        assert!(reachable("127.0.0.1:0".parse().unwrap()).is_err());
    }

    #[test]
    fn only_the_checks_that_failed_are_printed() {
        let body = r#"{"status":"failed","checks":[{"name":"store","status":"ok"},
            {"name":"disk","status":"failed","reason":"its disk is full"},{"name":"queue","status":"failed"}]}"#;
        assert_eq!(failed_checks(body).as_deref(), Some("disk: its disk is full; queue: failed"));
        assert_eq!(failed_checks(r#"{"error":{"code":"X"}}"#), None);
    }
}
