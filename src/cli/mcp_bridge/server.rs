//! The server behind the bridge: its address, the key, whom the bridge trusts, and what to say when it can't be reached.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs, io};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Response, Url};
use rustls::CertificateError;

use super::failure::BridgeFailure;
use super::message::Message;
use crate::cli::CommandError;
use crate::cli::output::hint;
use crate::config::KEY_VARIABLE;
use crate::core::model::api_key::PlainKey;
use crate::error::with_causes;
use crate::file_mode;
use crate::transport::tls::{read_authorities, system};

const ENDPOINT: &str = "/mcp";
const USER_AGENT: &str = concat!("rasterd-mcp/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be silent before its other end is asked for a sign of life.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Shorter than the time after which the server closes a connection that nobody uses.
const IDLE: Duration = Duration::from_secs(4);
const EXPECTED: &str = "expected the address of the server, such as https://assets.example.org";

/// The server.
pub(super) struct RemoteServer {
    http: Client,
    endpoint: Url,
    /// The revision of the protocol that the last handshake agreed on.
    agreed: Mutex<Option<String>>,
}

impl RemoteServer {
    /// The server at an address. Sends nothing.
    ///
    /// # Errors
    /// When the address, the authority or the key can't be used.
    pub fn new(url: &str, ca: Option<&Path>, key_file: Option<&Path>) -> Result<Self, CommandError> {
        let endpoint = endpoint(url)?;
        let (ca, key_file) = (ca.map(in_home), key_file.map(in_home));
        let key = key(key_file.as_deref())?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", key.reveal()))?;
        authorization.set_sensitive(true);
        let headers = [
            (AUTHORIZATION, authorization),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (ACCEPT, HeaderValue::from_static("application/json, text/event-stream")),
        ];
        // reqwest panics without a default provider; an error means that one is already installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers.into_iter().collect::<HeaderMap>())
            .https_only(true)
            .tls_certs_only(authorities(ca.as_deref())?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(KEEPALIVE)
            .pool_idle_timeout(IDLE)
            .build()?;
        Ok(Self { http, endpoint, agreed: Mutex::new(None) })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the server can't be reached.
    pub async fn post(&self, message: &Message) -> Result<Response, BridgeFailure> {
        let headers = message.headers(self.agreed().as_deref());
        let request = self.http.post(self.endpoint.clone()).headers(headers).body(message.text().to_owned());
        request.send().await.map_err(|error| BridgeFailure::unreachable(broken(&self.address(), error)))
    }

    /// Its address as a person knows it.
    pub fn address(&self) -> String {
        self.endpoint.origin().ascii_serialization()
    }

    /// Remembers the revision that a handshake agreed on.
    pub fn agree_on(&self, revision: Option<&str>) {
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = revision.map(str::to_owned);
    }

    fn agreed(&self) -> Option<String> {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A path as the configuration of a client has it, where no shell has replaced `~`.
fn in_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), env::home_dir()) {
        (Ok(below), Some(home)) => home.join(below),
        (Err(_), _) | (_, None) => path.to_owned(),
    }
}

/// The address of `/mcp`, from that of the server or its own.
fn endpoint(text: &str) -> Result<Url, CommandError> {
    let wrong = |problem: &str| CommandError(format!("--url {text}: {problem}"));
    let Some((scheme, _)) = text.split_once("://") else {
        return Err(wrong(&format!("{EXPECTED}, with https://")));
    };
    if scheme.eq_ignore_ascii_case("http") {
        return Err(wrong("plain http would show the key to everybody on the way. Use https://"));
    }
    let mut url = Url::parse(text).map_err(|error| wrong(&format!("{error}; {EXPECTED}")))?;
    if url.scheme() != "https" || !url.has_host() {
        return Err(wrong(EXPECTED));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(CommandError(
            "--url: leave out what is before the @; the key comes from --key-file or RASTERD_API_KEY"
                .to_owned(),
        ));
    }
    match url.path() {
        "/" | "/mcp" | "/mcp/" if url.query().is_none() && url.fragment().is_none() => {}
        _ => return Err(wrong(&format!("{EXPECTED}, or its /mcp, and nothing after that"))),
    }
    url.set_path(ENDPOINT);
    Ok(url)
}

/// The API key in a file, or in the variable.
fn key(file: Option<&Path>) -> Result<PlainKey, CommandError> {
    let (text, place) = match file {
        Some(file) => (text_of(file)?, file.display().to_string()),
        None => (env::var(KEY_VARIABLE).unwrap_or_default(), format!("the variable {KEY_VARIABLE}")),
    };
    let text = text.trim();
    if text.is_empty() && file.is_none() {
        return Err(CommandError(format!(
            "there is no API key: set the variable {KEY_VARIABLE}, or give a file that has it with --key-file"
        )));
    }
    PlainKey::parse(text).ok_or_else(|| {
        let problem = match text {
            "" => "there is no key in it".to_owned(),
            text if text.starts_with("pk_") => {
                format!("its key has {} characters and is not one that a server made; copy it to its last character", text.chars().count())
            }
            _ => "what is in it is not an API key, which begins with pk_".to_owned(),
        };
        CommandError(format!("{place}: {problem}"))
    })
}

fn text_of(file: &Path) -> Result<String, CommandError> {
    let unreadable =
        |error: &dyn std::fmt::Display| CommandError(format!("--key-file {}: {error}", file.display()));
    let bytes = fs::read(file).map_err(|error| unreadable(&format!("it can't be read: {error}")))?;
    if file_mode::is_open_to_others(file).unwrap_or_default() {
        let path = file.display();
        hint(&format!(
            "rasterd mcp: warning: every user of this machine can read the key in {path}: chmod 600 {path}"
        ));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(&"what is in it is not text"))
}

/// Whom the bridge trusts: the authorities in a file, or those of this machine.
fn authorities(file: Option<&Path>) -> Result<Vec<Certificate>, CommandError> {
    let found = match file {
        Some(file) => read_authorities(file).map_err(|error| CommandError(format!("--ca {error}")))?,
        None => system::authorities(),
    };
    if found.is_empty() {
        return Err(CommandError(
            "this machine has no list of authorities, so no server can be trusted; give that of the server with --ca"
                .to_owned(),
        ));
    }
    // What the machine trusts may have what rustls does not read.
    Ok(found.iter().filter_map(|der| Certificate::from_der(der).ok()).collect())
}

/// Why a request did not reach the server at `address`, or its answer did not arrive, and what to do.
pub(super) fn broken(address: &str, error: reqwest::Error) -> String {
    let is_connecting = error.is_connect();
    let error = error.without_url();
    match certificate_problem(&error) {
        // The signature is bad when an authority was made again and has the name of the former one.
        Some(CertificateError::UnknownIssuer | CertificateError::BadSignature) => format!(
            "The certificate of {address} is not from an authority that this program trusts. Give the server's authority with --ca; owners download it under Settings › Connect."
        ),
        Some(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => format!(
            "The certificate of the server is not for {address}. Use the address that the server calls itself (server.public_url)."
        ),
        Some(other) => format!("The certificate of {address} can't be accepted: {other}."),
        None if is_connecting => format!(
            "The server at {address} can't be reached: {}. Is it running, and is this its address? The next request tries again.",
            first_cause(&error)
        ),
        None => format!("The connection to {address} ended before the answer: {}.", with_causes(&error)),
    }
}

fn certificate_problem(error: &(dyn StdError + 'static)) -> Option<CertificateError> {
    causes(error).find_map(|cause| match cause.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(problem)) => Some(problem.clone()),
        Some(_) | None => None,
    })
}

/// The first cause of an error, as a person understands it without those that only say where it happened.
fn first_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

/// An error and what caused it. An error of input and output that wraps another one does not name that as its source.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}
