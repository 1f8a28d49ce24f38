//! Behind reverse proxies: whose address counts, how connections come in, and what clients are told to trust.

use std::net::{IpAddr, Ipv4Addr};

use rasterd::core::settings::{PasswordCost, Settings};
use rasterd::testing::TestServer;
use rasterd::transport::server::ServerOptions;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};

use crate::support::{Client, send};

mod clients;
mod protocol;
mod setups;
mod socket;
mod through;

/// Where the trusted proxy of these tests connects from.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// How many wrong passwords an address may send at once.
const SIGN_INS: usize = 30;

/// A server behind a proxy at [`PROXY`].
fn server_behind_a_proxy(
    change: impl Fn(&mut Settings, &mut ServerOptions) + Send + Sync + 'static,
) -> TestServer {
    TestServer::start_with(move |settings, options| {
        settings.members.password_cost = PasswordCost::LEAST;
        options.proxies.trusted = vec![PROXY.into()];
        change(settings, options);
    })
}

/// The header `X-Forwarded-For` with this value.
fn forwarded(value: &str) -> Vec<(HeaderName, String)> {
    vec![(HeaderName::from_static("x-forwarded-for"), value.to_owned())]
}

fn headers(lines: &[(HeaderName, String)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

/// A browser before signing in, with the token of the form.
struct Visitor {
    client: Client,
    origin: String,
    cookie: String,
    token: String,
}

impl Visitor {
    async fn open(client: &Client, origin: &str) -> Self {
        let page = client.get("/app/sign-in").await;
        let cookie = page.headers.get(SET_COOKIE).unwrap().to_str().unwrap().split(';').next().unwrap();
        let text = String::from_utf8(page.body.clone()).unwrap();
        let token = text.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap();
        Self {
            client: client.clone(),
            origin: origin.to_owned(),
            cookie: cookie.to_owned(),
            token: token.to_owned(),
        }
    }

    /// The status of the answer to a wrong password for a new account each time.
    async fn guess(&self, account: &str, lines: &[(HeaderName, String)]) -> u16 {
        let form = format!("csrf={}&email={account}@example.org&password=wrong", self.token);
        let request = self
            .client
            .request(Method::POST, "/app/sign-in")
            .headers(headers(lines))
            .header(COOKIE, &self.cookie)
            .header(ORIGIN, &self.origin)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        send(request).await.status
    }

    /// Guesses as often as an address may.
    async fn guess_all(&self, prefix: &str, lines: &[(HeaderName, String)]) {
        for n in 0..SIGN_INS {
            assert_eq!(self.guess(&format!("{prefix}{n}"), lines).await, 422, "{n}");
        }
    }

    /// Whether no more guesses are accepted. There is another one every few seconds, and the test may be slow; an address
    /// that has not guessed before has more than are tried here.
    async fn is_locked_out(&self, lines: &[(HeaderName, String)]) -> bool {
        for n in 0..SIGN_INS / 2 {
            if self.guess(&format!("more{n}"), lines).await == 429 {
                return true;
            }
        }
        false
    }
}
