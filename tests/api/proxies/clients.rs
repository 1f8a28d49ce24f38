//! Whose address counts: nobody can claim another one, and the limits of one client are not those of all.

use std::net::IpAddr;

use rasterd::core::model::Access;
use rasterd::core::model::audit::{Event, EventFilter};
use rasterd::core::settings::ForwardedHeader;
use rasterd::testing::{TestKey, TestServer};
use reqwest::Method;
use reqwest::header::HeaderName;
use serde_json::json;

use super::{Visitor, forwarded, headers, server_behind_a_proxy};
use crate::support::mcp::tool;
use crate::support::raw::Raw;
use crate::support::waiting::fill;
use crate::support::{Client, send};

/// Who may not be spoofed, and whom a client tries to be.
const VICTIM: &str = "198.51.100.1";
const CLIENT: &str = "203.0.113.7";

/// A request as it arrives.
struct Attempt {
    what: &'static str,
    /// The address from which the connection comes.
    from: &'static str,
    lines: &'static [(&'static str, &'static str)],
    /// Whose it is.
    expected: &'static str,
}

const XFF: &str = "x-forwarded-for";
const ATTEMPTS: &[Attempt] = &[
    Attempt { what: "no header", from: "127.0.0.1", lines: &[], expected: "127.0.0.1" },
    Attempt { what: "by the proxy", from: "127.0.0.1", lines: &[(XFF, CLIENT)], expected: CLIENT },
    Attempt {
        what: "the client's own entry, and the proxy's after it",
        from: "127.0.0.1",
        lines: &[(XFF, "198.51.100.1, 203.0.113.7")],
        expected: CLIENT,
    },
    Attempt {
        what: "a line of the client, and one of the proxy",
        from: "127.0.0.1",
        lines: &[(XFF, VICTIM), (XFF, CLIENT)],
        expected: CLIENT,
    },
    Attempt {
        what: "the header that the proxy passes on",
        from: "127.0.0.1",
        lines: &[("forwarded", "for=198.51.100.1"), (XFF, CLIENT)],
        expected: CLIENT,
    },
    Attempt {
        what: "only the header that the proxy passes on",
        from: "127.0.0.1",
        lines: &[("forwarded", "for=198.51.100.1")],
        expected: "127.0.0.1",
    },
    Attempt {
        what: "other headers that name a client",
        from: "127.0.0.1",
        lines: &[("x-real-ip", VICTIM), ("cf-connecting-ip", VICTIM), ("true-client-ip", VICTIM)],
        expected: "127.0.0.1",
    },
    Attempt {
        what: "a proxy that the client claims to be",
        from: "127.0.0.1",
        lines: &[(XFF, "198.51.100.1, 127.0.0.1, 203.0.113.7")],
        expected: CLIENT,
    },
    Attempt {
        what: "no address",
        from: "127.0.0.1",
        lines: &[(XFF, "198.51.100.1, unknown")],
        expected: "127.0.0.1",
    },
    Attempt {
        what: "an untrusted peer",
        from: "127.0.0.9",
        lines: &[(XFF, VICTIM), ("forwarded", "for=198.51.100.1")],
        expected: "127.0.0.9",
    },
];

impl Attempt {
    fn lines(&self) -> Vec<(HeaderName, String)> {
        self.lines.iter().map(|(name, value)| (name.parse().unwrap(), (*value).to_owned())).collect()
    }

    fn client(&self, server: &TestServer) -> Client {
        Client::bound_to(self.from.parse().unwrap(), server.url(), &server.ca_pem())
    }
}

async fn events(server: &TestServer) -> Vec<Event> {
    let filter = EventFilter { most: 1000, ..EventFilter::default() };
    let page = server.core().list_events(server.administrator(), "acme", filter).await.unwrap();
    page.events.into_iter().map(|(_, event)| event).collect()
}

async fn stocked(server: &TestServer) -> TestKey {
    server.organization("Acme").await;
    server.library("acme", "Photos").await;
    server.key("acme", &[("photos", Access::Write)]).await
}

#[tokio::test]
async fn the_audit_log_has_the_address_of_the_client_on_every_interface() {
    let server = server_behind_a_proxy(|_, _| ());
    let key = stocked(&server).await;
    for (n, attempt) in ATTEMPTS.iter().enumerate() {
        let client = attempt.client(&server).with_key(&key.token);
        let name = |interface: &str| format!("{interface} {n}");
        let rest = client
            .request(Method::POST, "/organizations/acme/libraries")
            .header("Api-Version", "2026-07-08")
            .header("Content-Type", "application/json")
            .body(json!({ "name": name("REST") }).to_string());
        let mutation =
            "mutation($name: String!) { createLibrary(organizationId: \"acme\", name: $name) { id } }";
        let graphql = client
            .request(Method::POST, "/graphql")
            .header("Content-Type", "application/json")
            .body(json!({ "query": mutation, "variables": { "name": name("GraphQL") } }).to_string());
        let mcp = tool(&client, "create_library", &json!({ "organizationId": "acme", "name": name("MCP") }));
        for request in [rest, graphql, mcp] {
            let reply = send(request.headers(headers(&attempt.lines()))).await;
            assert!(reply.status < 300, "{}: {}", attempt.what, String::from_utf8_lossy(&reply.body));
        }
        let events = events(&server).await;
        for interface in ["REST", "GraphQL", "MCP"] {
            let target = name(interface).to_lowercase().replace(' ', "-");
            let event = events.iter().find(|event| event.target == target || event.target == name(interface));
            let address =
                event.unwrap_or_else(|| panic!("no event about {target}: {events:?}")).actor.address;
            assert_eq!(address, Some(ip(attempt.expected)), "{}: {interface}", attempt.what);
        }
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn each_client_has_its_own_attempts_to_sign_in() {
    let server = server_behind_a_proxy(|_, _| ());
    let proxy = Client::new(&server);
    let visitor = Visitor::open(&proxy, server.url()).await;
    // One client uses up its own attempts, and nobody else's.
    visitor.guess_all("mallory", &forwarded("192.0.2.66")).await;
    assert!(visitor.is_locked_out(&forwarded("192.0.2.66")).await);
    for attempt in ATTEMPTS {
        let visitor = Visitor::open(&attempt.client(&server), server.url()).await;
        let status = visitor.guess("ada", &attempt.lines()).await;
        assert_eq!(status, 422, "{}: locked out by another client", attempt.what);
    }
}

#[tokio::test]
async fn whatever_header_a_client_sends_it_gets_no_further_attempts() {
    for attempt in ATTEMPTS.iter().filter(|attempt| attempt.expected != "127.0.0.1") {
        let server = server_behind_a_proxy(|_, _| ());
        let visitor = Visitor::open(&attempt.client(&server), server.url()).await;
        let honest = if attempt.from == "127.0.0.1" { forwarded(attempt.expected) } else { Vec::new() };
        visitor.guess_all("mallory", &honest).await;
        assert!(visitor.is_locked_out(&attempt.lines()).await, "{}", attempt.what);
        // And the one whose address it claimed can still sign in.
        let proxy = Visitor::open(&Client::new(&server), server.url()).await;
        assert_eq!(proxy.guess("victim", &forwarded(VICTIM)).await, 422, "{}", attempt.what);
    }
}

#[tokio::test]
async fn a_long_list_and_many_lines_are_read_to_the_proxy_that_was_last() {
    let server = server_behind_a_proxy(|_, _| ());
    let visitor = Visitor::open(&Client::new(&server), server.url()).await;
    let long = format!("{},{CLIENT}", vec!["10.0.0.1"; 1500].join(","));
    let mut lines = forwarded(&long);
    visitor.guess_all("long", &lines).await;
    assert!(visitor.is_locked_out(&forwarded(CLIENT)).await);
    lines = (0..60).flat_map(|n| forwarded(&format!("10.0.0.{n}"))).collect();
    lines.extend(forwarded(CLIENT));
    assert!(visitor.is_locked_out(&lines).await);
}

#[tokio::test]
async fn the_standard_header_counts_where_it_is_configured_and_the_other_does_not() {
    let server = server_behind_a_proxy(|_, options| options.proxies.header = ForwardedHeader::Forwarded);
    let visitor = Visitor::open(&Client::new(&server), server.url()).await;
    let standard =
        |address: &str| (HeaderName::from_static("forwarded"), format!("for={address};proto=https"));
    visitor.guess_all("mallory", &[standard(CLIENT)]).await;
    let mut lines = vec![standard(VICTIM), standard(CLIENT)];
    lines.extend(forwarded(VICTIM));
    assert!(visitor.is_locked_out(&lines).await);
    assert_eq!(visitor.guess("victim", &[standard(VICTIM)]).await, 422);
}

#[tokio::test]
async fn waiting_bytes_count_for_the_client() {
    let server = server_behind_a_proxy(|settings, _| settings.limits.address_buffered_bytes = 150_000);
    let key = stocked(&server).await;
    let half_sent = |address: &str| {
        let mut connection = Raw::open(&server);
        connection.send(format!(
            "POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nX-Forwarded-For: {address}\r\n\
             Content-Type: application/json\r\nContent-Length: 120000\r\n\r\n{}",
            key.token,
            " ".repeat(100_000)
        ));
        connection
    };
    let whole = async |address: &str| {
        let body = format!("{}{}", " ".repeat(90_000), json!({ "query": "{ viewer { organizationId } }" }));
        let request = Client::new(&server).with_key(&key.token).request(Method::POST, "/graphql");
        let request =
            request.headers(headers(&forwarded(address))).header("Content-Type", "application/json");
        send(request.body(body)).await.status
    };
    let victim = format!("{CLIENT}, {VICTIM}");
    let _waiting = fill(|| half_sent(VICTIM), async || whole(&victim).await == 429).await;
    assert_eq!(whole(&format!("{VICTIM}, {CLIENT}")).await, 200);
}

#[tokio::test]
async fn a_proxy_has_more_connections_than_a_client() {
    let server = server_behind_a_proxy(|_, options| options.timeouts.connections_per_address = 2);
    let client = |address: &str| Client::bound_to(ip(address), server.url(), &server.ca_pem());
    let proxied: Vec<Raw> = (0..5).map(|_| Raw::open(&server)).collect();
    assert_eq!(client("127.0.0.1").get("/healthz").await.status, 200);
    let from_elsewhere = |n: usize| (0..n).map(|_| client("127.0.0.9")).collect::<Vec<_>>();
    let clients = from_elsewhere(3);
    assert_eq!(clients[0].get("/healthz").await.status, 200);
    assert_eq!(clients[1].get("/healthz").await.status, 200);
    assert!(clients[2].request(Method::GET, "/healthz").send().await.is_err(), "a third connection");
    drop(proxied);
}

#[tokio::test]
async fn browsers_are_told_to_use_only_https_where_they_see_the_certificate_of_the_proxy() {
    let server = server_behind_a_proxy(|_, _| ());
    let strict = async |address: &str| {
        let client = Client::bound_to(ip(address), server.url(), &server.ca_pem());
        client.get("/healthz").await.header("strict-transport-security").to_owned()
    };
    assert_eq!(strict("127.0.0.1").await, "max-age=31536000");
    assert_eq!(strict("127.0.0.9").await, "", "a development certificate");
    // Also where no handler answers.
    for request in [
        "POST /organizations/a/libraries/b/assets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let mut connection = Raw::open(&server);
        connection.send(request);
        let answer = connection.read_to_end().to_ascii_lowercase();
        assert!(answer.contains("strict-transport-security: max-age=31536000\r\n"), "{answer}");
    }
}
