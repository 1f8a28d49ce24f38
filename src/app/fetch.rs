//! Files from urls: public addresses only, each redirect checked again, the checked address is the one connected to.
//!
//! Names are resolved inside the connection by a resolver that answers with public addresses or not at all, so
//! there is no second look-up that could have another answer. Writes nothing to disk and counts no bytes.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, HeaderValue, LOCATION};
use reqwest::{Client, Response, StatusCode};
use tokio::time::timeout;
use url::{Host, Url};

use super::settings::{FetchSettings, Limits};
use crate::error::{Code, Error, Result};

mod file_name;
mod public;
mod resolver;

use public::is_public;
use resolver::Resolver;

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest url that is taken, in bytes; browsers and servers stop at about the same.
const LONGEST_URL: usize = 8 << 10;
/// What a server that answers sees of us.
const USER_AGENT: &str = concat!("rasterd/", env!("CARGO_PKG_VERSION"));
/// The one reason for every name and address that is not public, or not there: the difference would tell a
/// stranger which names exist on the network behind this server.
const NOT_PUBLIC: &str = "it does not resolve to a public address";
/// Air-gapped machines often have none; only https needs them.
const NO_ROOTS: &str = "this server has no certificates to check https with; its administrator can install them, \
                        on Debian with the package ca-certificates";

/// Fetches files for uploads.
pub struct Fetcher {
    settings: FetchSettings,
    time_limit: Duration,
    most_redirects: usize,
    resolver: Resolver,
    plain: OnceLock<Client>,
    secure: OnceLock<Client>,
}

impl Fetcher {
    /// A fetcher under these limits. Opens no connection and reads no file yet.
    #[must_use]
    pub fn new(settings: FetchSettings, limits: &Limits) -> Self {
        let resolver = Resolver::system(settings.clone());
        Self::resolving_by(resolver, settings, limits)
    }

    fn resolving_by(resolver: Resolver, settings: FetchSettings, limits: &Limits) -> Self {
        Self {
            settings,
            time_limit: Duration::from_secs(limits.url_seconds),
            most_redirects: limits.url_redirects,
            resolver,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// Checks what can be checked without connecting: the scheme, the syntax, an address that is not public.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the url and the reason; `FORBIDDEN` when fetching is turned off.
    pub fn check(&self, url: &str) -> Result<()> {
        self.parse(url).map(|_| ())
    }

    /// Connects, follows redirects, and returns when the body begins.
    ///
    /// # Errors
    /// As [`Fetcher::check`], also when the server behind it does not answer with a file.
    pub async fn open(&self, url: &str) -> Result<Download> {
        let mut target = self.parse(url)?;
        let clock = Countdown { url: url.to_owned(), started: Instant::now(), limit: self.time_limit };
        for _ in 0..=self.most_redirects {
            let request = self.client(&target, url)?.get(target.clone()).header(ACCEPT_ENCODING, "identity");
            let response = clock.run(request.send()).await?.map_err(|error| not_reached(url, error))?;
            let Some(location) = redirect_target(&response) else {
                return Download::begin(clock, response);
            };
            let next = target
                .join(&location)
                .map_err(|_| failed(url, "it redirects to something that is no url"))?;
            self.check_target(&next)
                .map_err(|reason| failed(url, &format!("a redirect is refused: {reason}")))?;
            target = next;
        }
        Err(failed(url, &format!("it redirects more than {} times", self.most_redirects)))
    }

    fn parse(&self, url: &str) -> Result<Url> {
        if !self.settings.enabled {
            return Err(Error::new(Code::Forbidden, "Uploads from urls are turned off on this server."));
        }
        if url.len() > LONGEST_URL {
            return Err(Error::bad_input(format!("A url to fetch has at most {LONGEST_URL} bytes.")));
        }
        let target = Url::parse(url).map_err(|error| failed(url, &format!("it is not a url ({error})")))?;
        self.check_target(&target).map_err(|reason| failed(url, reason))?;
        Ok(target)
    }

    /// Checks one hop: the url that was sent, or one that it redirects to.
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
        if is_public(address) || self.settings.allows(address) { Ok(()) } else { Err(NOT_PUBLIC) }
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
        // reqwest takes the process's provider and would panic without one; an error means that there is one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .dns_resolver(self.resolver.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            // A kept connection would spare a hand-shake now and then, and skip the check of the address.
            .pool_max_idle_per_host(0);
        if is_secure {
            return builder.build();
        }
        // Without roots of its own it would look for the system's, and fail where there are none.
        builder.tls_certs_only([]).build()
    }
}

/// A file on its way.
pub struct Download {
    clock: Countdown,
    response: Response,
    file_name: String,
    announced_bytes: Option<u64>,
}

impl Download {
    fn begin(clock: Countdown, response: Response) -> Result<Self> {
        if response.status() != StatusCode::OK {
            return Err(failed(&clock.url, &format!("its server answered {}", response.status())));
        }
        let disposition = response.headers().get(CONTENT_DISPOSITION).map(HeaderValue::as_bytes);
        let file_name = file_name::file_name(disposition, response.url());
        let announced_bytes = response.content_length();
        Ok(Self { clock, response, file_name, announced_bytes })
    }

    /// The file's name, from `Content-Disposition` or the url's path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// How many bytes are announced.
    #[must_use]
    pub fn announced_bytes(&self) -> Option<u64> {
        self.announced_bytes
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the transfer breaks off or takes longer than allowed. Counting bytes is the caller's.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.clock
            .run(self.response.chunk())
            .await?
            .map_err(|error| failed(&self.clock.url, "the transfer broke off").caused_by(error.without_url()))
    }
}

/// The time that is left for a fetch as a whole: connecting, redirects and the body.
struct Countdown {
    url: String,
    started: Instant,
    limit: Duration,
}

impl Countdown {
    async fn run<T>(&self, step: impl Future<Output = T>) -> Result<T> {
        let left = self.limit.saturating_sub(self.started.elapsed());
        timeout(left, step)
            .await
            .map_err(|_| failed(&self.url, &format!("it took longer than {} s", self.limit.as_secs())))
    }
}

/// Where a response sends us, if it does.
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
        "no connection to its server came about, or its certificate is not trusted"
    } else {
        "its server did not answer as a web server does"
    };
    failed(url, reason).caused_by(error.without_url())
}

fn failed(url: &str, reason: &str) -> Error {
    Error::bad_input(format!("The url {url} could not be fetched: {reason}."))
}

#[cfg(test)]
mod tests;
