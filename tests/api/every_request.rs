//! What is true for every request, whatever its path.

use std::time::Duration;

use rasterd::testing::TestServer;
use reqwest::Method;

use crate::support::program::poll;
use crate::support::raw::{DEADLINE, Raw, closes_within, tcp};
use crate::support::{Client, send};

const SHORT: Duration = Duration::from_millis(200);
const GET_HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn health_needs_no_key() {
    let server = TestServer::start();
    let client = Client::new(&server);
    for path in ["/healthz", "/readyz"] {
        let reply = client.get(path).await;
        assert_eq!((reply.status, reply.body.as_slice()), (200, br#"{"status":"ok"}"#.as_slice()), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_in_the_envelope_with_and_without_a_key() {
    let server = TestServer::start();
    let client = Client::new(&server);
    for client in [client.with_key("pk_nobody"), client] {
        for path in ["/nowhere", "/", "/healthz/", "/cdn/a", "/%ff", "/.well-known/nothing"] {
            let reply = client.get(path).await;
            assert_eq!((reply.status, reply.error_code().as_str()), (404, "ENDPOINT_NOT_FOUND"), "{path}");
            assert_eq!(reply.header("vary"), "Api-Version");
            assert_eq!(reply.header("cache-control"), "private, no-store");
        }
        let reply = client.post_json("/nowhere", &serde_json::json!({"any": "body"})).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (404, "ENDPOINT_NOT_FOUND"));
    }
}

#[tokio::test]
async fn another_method_is_405_and_lists_the_accepted_ones() {
    let server = TestServer::start();
    for path in ["/healthz", "/cdn/o/l/a", "/cdn/o/l/a/v"] {
        let reply = send(Client::new(&server).request(Method::POST, path)).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (405, "METHOD_NOT_ALLOWED"));
        assert_eq!(reply.header("allow"), "GET, HEAD");
    }
}

#[tokio::test]
async fn every_request_gets_an_id_from_the_server() {
    let server = TestServer::start();
    let client = Client::new(&server);
    let mut seen = std::collections::HashSet::new();
    for path in ["/healthz", "/nowhere", "/cdn/o/l/a"] {
        let reply = send(client.request(Method::GET, path).header("X-Request-Id", "theirs")).await;
        let id = reply.header("x-request-id").to_owned();
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        assert!(seen.insert(id));
    }
}

#[tokio::test]
async fn pages_of_allowed_origins_may_call_and_others_may_not() {
    let server =
        TestServer::start_with(|_, options| options.allowed_origins = vec!["https://one.example".into()]);
    let client = Client::new(&server);
    let asked = |method: Method, origin: &str| {
        let request = client.request(method, "/healthz").header("Origin", origin);
        send(request.header("Access-Control-Request-Method", "GET"))
    };
    let reply = asked(Method::OPTIONS, "https://one.example").await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), "https://one.example");
    assert_eq!(reply.header("access-control-allow-methods"), "GET, POST, PATCH, DELETE");
    for header in ["Authorization", "Api-Version", "Content-Type", "Apollo-Require-Preflight"] {
        assert!(reply.header("access-control-allow-headers").contains(header), "{header}");
    }
    let reply = asked(Method::GET, "https://one.example").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, "https://one.example"));
    let vary: Vec<_> = reply.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["Origin", "Api-Version"]);
    for method in [Method::GET, Method::OPTIONS] {
        let reply = asked(method, "https://two.example").await;
        assert_eq!(reply.header("access-control-allow-origin"), "");
    }
}

/// Sends a malformed request; it must be refused in the envelope, and the connection closed.
fn is_refused(server: &TestServer, request: &str) {
    let mut connection = Raw::open(server);
    connection.send(request);
    let answer = connection.read_to_end();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{request:?}: {answer:?}"));
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{request:?}: {head}");
    assert!(head.contains("X-Request-Id: ") && head.contains("Connection: close"), "{head}");
    let body: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{request:?}: {body}"));
    assert_eq!(body["error"]["code"], "BAD_USER_INPUT", "{request:?}");
}

#[test]
fn requests_that_two_parsers_could_read_differently_are_refused() {
    let server = TestServer::start();
    for request in [
        "GET /healthz HTTP/1.1\nHost: localhost\n\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET https://elsewhere.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\nabc",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "no http at all\r\n\r\n",
    ] {
        is_refused(&server, request);
    }
    is_refused(&server, &format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(20_000)));
    is_refused(&server, &format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "a: b\r\n".repeat(200)));
}

#[test]
fn the_request_before_a_refused_one_is_still_answered() {
    let server = TestServer::start();
    let mut connection = Raw::open(&server);
    connection.send(format!("{GET_HEALTH}GET /healthz HTTP/1.1\r\n\r\n{GET_HEALTH}"));
    let answers = connection.read_to_end();
    let statuses: Vec<_> =
        answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "400"], "{answers}");
}

#[test]
fn requests_in_one_packet_and_in_single_bytes_are_answered_alike() {
    let server = TestServer::start();
    let chunked = "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let sized = "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
    for request in [GET_HEALTH, chunked, sized] {
        let mut connection = Raw::open(&server);
        connection.send(request);
        let at_once = connection.answer();
        let mut connection = Raw::open(&server);
        for byte in request.bytes() {
            connection.send([byte]);
        }
        assert_eq!(connection.answer().lines().next(), at_once.lines().next());
    }
    let mut connection = Raw::open(&server);
    connection.send(format!("{GET_HEALTH}{GET_HEALTH}{GET_HEALTH}"));
    for _ in 0..3 {
        assert!(connection.answer().starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn a_head_that_does_not_arrive_in_time_is_refused() {
    let server = TestServer::start_with(|_, options| options.timeouts.head = SHORT);
    // A busy machine may be too slow for a step that has to be in time: it is tried again.
    let open = || Raw::open_with(&server, crate::support::tls_config(&server)).ok();
    let mut silent = poll("a handshake is in time", open);
    assert!(silent.closes_within(DEADLINE));
    poll("half a head is refused", || {
        let mut first = open()?;
        first.try_send("GET /healthz HTTP/1.1\r\nHo").ok()?;
        first.read_to_end().starts_with("HTTP/1.1 400").then_some(())
    });
    poll("a second head is too late after a first in time", || {
        let mut second = open()?;
        second.try_send(GET_HEALTH).ok()?;
        second.try_send("GET /healthz HTTP/1.1\r\nHo").ok()?;
        let answers = second.read_to_end();
        let statuses: Vec<_> =
            answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect();
        (statuses == ["200", "400"]).then_some(())
    });
}

#[test]
fn an_idle_connection_is_closed() {
    let server = TestServer::start_with(|_, options| options.timeouts.idle = SHORT);
    let mut connection = Raw::open(&server);
    connection.send(GET_HEALTH);
    assert!(connection.answer().starts_with("HTTP/1.1 200"));
    assert!(connection.closes_within(DEADLINE));
}

#[test]
fn more_connections_than_allowed_are_closed_and_the_others_keep_working() {
    for (all, of_one) in [(2, 10), (10, 2)] {
        let server = TestServer::start_with(move |_, options| {
            options.timeouts.connections = all;
            options.timeouts.connections_per_address = of_one;
        });
        let mut open = [Raw::open(&server), Raw::open(&server)];
        assert!(closes_within(&mut tcp(&server), DEADLINE));
        for connection in &mut open {
            connection.send(GET_HEALTH);
            assert!(connection.answer().starts_with("HTTP/1.1 200"));
        }
        drop(open);
        let started = std::time::Instant::now();
        while Raw::open_with(&server, crate::support::tls_config(&server)).is_err() {
            assert!(started.elapsed() < DEADLINE, "the places were not given back");
        }
    }
}

#[test]
fn a_server_that_stops_closes_idle_connections_and_accepts_no_new_ones() {
    let mut server = TestServer::start();
    let mut idle = Raw::open(&server);
    idle.send(GET_HEALTH);
    assert!(idle.answer().starts_with("HTTP/1.1 200"));
    let (port, trust) = (server.port(), crate::support::tls_config(&server));
    server.stop();
    assert!(idle.closes_within(DEADLINE));
    // Another server may use the port by now; it does not have the certificate.
    assert!(Raw::to(port, trust).is_err());
}

#[tokio::test]
async fn a_restarted_server_keeps_its_data() {
    let mut server = TestServer::start();
    let organization = server.organization("Acme").await;
    server.restart();
    assert_eq!(Client::new(&server).get("/healthz").await.status, 200);
    let by = server.administrator();
    let kept = server.core().list_organizations(&by).unwrap();
    assert_eq!(kept[0].slug.as_str(), organization);
}
