//! Fetches files from urls. Only public addresses are allowed, and every redirect is checked again.
//!
//! The HTTP client resolves names with a resolver that returns public addresses or fails, so the checked address is the one
//! that is connected to: there is no second lookup that could differ. Writes nothing to disk and limits no sizes.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ipnet::IpNet;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, HeaderValue, LOCATION};
use reqwest::{Client, Response, StatusCode};
use tokio::time::timeout;
use url::{Host, Url};

use crate::error::{Code, Error, Result, excerpt};

mod file_name;
mod public;
mod resolver;

use public::is_public;
use resolver::Resolver;

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest accepted url, in bytes, similar to the limits of browsers and servers.
const MAX_URL_BYTES: usize = 8 << 10;
/// The `User-Agent` of requests.
const USER_AGENT: &str = concat!("rasterd/", env!("CARGO_PKG_VERSION"));
/// The one reason for every name and address that is not public or does not exist. Different reasons would reveal which
/// names exist in the server's private network.
const NOT_PUBLIC: &str = "it does not resolve to a public address";
/// Air-gapped machines often have no root certificates. Only https needs them.
const NO_ROOTS: &str = "this server has no certificates to check https with; its administrator can install them, \
                        on Debian with the package ca-certificates";

/// Whether files are fetched, and from where.
#[derive(Debug, Clone, Default)]
pub struct FetchSettings {
    /// Whether uploads from urls are turned on.
    pub enabled: bool,
    /// Whether the whole server is offline, which turns them off, too.
    pub offline: bool,
    /// Address ranges that are allowed although they are not public.
    pub allow: Vec<IpNet>,
    /// Whether only those ranges are allowed, and no name is looked up but that of this machine: then nothing is sent to
    /// any other one.
    pub only_allowed: bool,
}

impl FetchSettings {
    /// Whether the administrator allowed this address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|range| range.contains(&address))
    }

    /// Whether a connection to this address may be made.
    fn may_connect(&self, address: IpAddr) -> bool {
        !self.offline && self.is_reachable(address)
    }

    fn is_reachable(&self, address: IpAddr) -> bool {
        self.allows(address) || (!self.only_allowed && is_public(address))
    }

    /// Whether the addresses of this name may be looked up.
    fn may_look_up(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if self.offline {
            return false;
        }
        !self.only_allowed || name == "localhost" || name.ends_with(".localhost")
    }
}

/// The limits of one fetch.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// The total time, from the first connection to the last byte.
    pub time: Duration,
    /// How many redirects are followed.
    pub redirects: usize,
}

/// Fetches files for uploads.
pub struct Fetcher {
    settings: FetchSettings,
    limits: FetchLimits,
    resolver: Resolver,
    plain: OnceLock<Client>,
    secure: OnceLock<Client>,
}

impl Fetcher {
    /// A fetcher with these limits. Opens no connection and reads no file yet.
    #[must_use]
    pub fn new(settings: FetchSettings, limits: FetchLimits) -> Self {
        let resolver = Resolver::system(settings.clone());
        Self::with_resolver(resolver, settings, limits)
    }

    fn with_resolver(resolver: Resolver, settings: FetchSettings, limits: FetchLimits) -> Self {
        Self { settings, limits, resolver, plain: OnceLock::new(), secure: OnceLock::new() }
    }

    /// Checks what can be checked without connecting: the scheme, the syntax, and a literal address.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the url and the reason; `FORBIDDEN` when fetching is turned off.
    pub fn check(&self, url: &str) -> Result<()> {
        self.parse(url).map(|_| ())
    }

    /// Connects, follows redirects, and returns when the body begins.
    ///
    /// # Errors
    /// Those of [`Fetcher::check`], also when the server does not answer with a file.
    pub async fn open(&self, url: &str) -> Result<Download> {
        let mut target = self.parse(url)?;
        let deadline = Deadline { url: url.to_owned(), started: Instant::now(), limit: self.limits.time };
        for _ in 0..=self.limits.redirects {
            let request = self.client(&target, url)?.get(target.clone()).header(ACCEPT_ENCODING, "identity");
            let response = deadline.run(request.send()).await?.map_err(|error| not_reached(url, error))?;
            let Some(location) = redirect_target(&response) else {
                return Download::begin(deadline, response);
            };
            let next = target
                .join(&location)
                .map_err(|_| failed(url, "it redirects to something that is not a url"))?;
            self.check_target(&next)
                .map_err(|reason| failed(url, &format!("a redirect is refused: {reason}")))?;
            target = next;
        }
        Err(failed(url, &format!("it redirects more than {} times", self.limits.redirects)))
    }

    fn parse(&self, url: &str) -> Result<Url> {
        if self.settings.offline {
            let message = "This server is offline: it opens no connections, so it fetches nothing from urls. Upload the file itself.";
            return Err(Error::new(Code::Forbidden, message));
        }
        if !self.settings.enabled {
            return Err(Error::new(Code::Forbidden, "Uploads from urls are turned off on this server."));
        }
        if url.len() > MAX_URL_BYTES {
            return Err(Error::bad_input(format!("A url to fetch has at most {MAX_URL_BYTES} bytes.")));
        }
        let target = Url::parse(url).map_err(|error| failed(url, &format!("it is not a url ({error})")))?;
        self.check_target(&target).map_err(|reason| failed(url, reason))?;
        Ok(target)
    }

    /// Checks one hop: the requested url, or a redirect target.
    fn check_target(&self, url: &Url) -> Result<(), &'static str> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("only http and https are fetched");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it has a user name or a password in it");
        }
        let address = match url.host() {
            None => return Err("it has no host"),
            // Names are checked when they are resolved, which is when the connection is made.
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
        };
        if self.settings.may_connect(address) { Ok(()) } else { Err(NOT_PUBLIC) }
    }

    fn client(&self, target: &Url, url: &str) -> Result<&Client> {
        let is_secure = target.scheme() == "https";
        let slot = if is_secure { &self.secure } else { &self.plain };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let built = self.build_client(is_secure).map_err(|error| failed(url, NO_ROOTS).caused_by(error))?;
        Ok(slot.get_or_init(|| built))
    }

    fn build_client(&self, is_secure: bool) -> reqwest::Result<Client> {
        // reqwest panics without a default provider; an error means that one is already installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .dns_resolver(self.resolver.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            // A reused connection would skip the check of the address.
            .pool_max_idle_per_host(0);
        if is_secure {
            return builder.build();
        }
        // Otherwise it would load the system's root certificates, and fail where there are none.
        builder.tls_certs_only([]).build()
    }
}

/// A file that is being fetched.
pub struct Download {
    deadline: Deadline,
    response: Response,
    file_name: String,
    announced_bytes: Option<u64>,
}

impl Download {
    fn begin(deadline: Deadline, response: Response) -> Result<Self> {
        if response.status() != StatusCode::OK {
            return Err(failed(&deadline.url, &format!("its server answered {}", response.status())));
        }
        let disposition = response.headers().get(CONTENT_DISPOSITION).map(HeaderValue::as_bytes);
        let file_name = file_name::file_name(disposition, response.url());
        let announced_bytes = response.content_length();
        Ok(Self { deadline, response, file_name, announced_bytes })
    }

    /// The file's name, from `Content-Disposition` or the url's path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// The size that the server announced.
    #[must_use]
    pub fn announced_bytes(&self) -> Option<u64> {
        self.announced_bytes
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the transfer breaks off or takes longer than allowed. The caller limits the size.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.deadline.run(self.response.chunk()).await?.map_err(|error| {
            failed(&self.deadline.url, "the transfer broke off").caused_by(error.without_url())
        })
    }
}

/// The deadline of a whole fetch: connecting, redirects and the body.
struct Deadline {
    url: String,
    started: Instant,
    limit: Duration,
}

impl Deadline {
    async fn run<T>(&self, step: impl Future<Output = T>) -> Result<T> {
        let left = self.limit.saturating_sub(self.started.elapsed());
        timeout(left, step)
            .await
            .map_err(|_| failed(&self.url, &format!("it took longer than {} s", self.limit.as_secs())))
    }
}

/// The target of a redirect, if the response is one.
fn redirect_target(response: &Response) -> Option<String> {
    let is_redirect = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

fn not_reached(url: &str, error: reqwest::Error) -> Error {
    let reason = if error.is_dns() {
        NOT_PUBLIC
    } else if error.is_timeout() {
        "its server did not accept a connection in time"
    } else if error.is_connect() {
        "its server can't be reached, or its certificate is not trusted"
    } else {
        "its server did not send a valid HTTP response"
    };
    failed(url, reason).caused_by(error.without_url())
}

fn failed(url: &str, reason: &str) -> Error {
    Error::bad_input(format!("The url {} could not be fetched: {reason}.", excerpt(url)))
}

#[cfg(test)]
mod tests;
