//! Traces: what a collector gets of each request, and what it never gets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rasterd::telemetry::traces::Traces;
use rasterd::testing::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rest::{NEW, Scene};
use crate::support::mcp::tool;
use crate::support::ports::unused_port;
use crate::support::program::TestDir;
use crate::support::send;

/// A collector that accepts everything, and keeps it.
#[derive(Clone, Default)]
struct Collector {
    /// The head and the body of each request.
    received: Arc<Mutex<Vec<(String, String)>>>,
}

impl Collector {
    /// Starts one, and returns its address, too.
    fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let this = Self::default();
        let collector = this.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let collector = collector.clone();
                std::thread::spawn(move || collector.receive(&mut connection.unwrap()));
            }
        });
        (this, url)
    }

    fn receive(&self, connection: &mut TcpStream) {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .to_lowercase()
                    .split_once("content-length: ")
                    .map_or(0, |(_, rest)| rest.lines().next().unwrap().trim().parse().unwrap());
                if body.len() >= length {
                    self.received.lock().unwrap().push((head.to_owned(), body.to_owned()));
                    let answer =
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                    connection.write_all(answer).unwrap();
                    bytes.clear();
                    continue;
                }
            }
            match connection.read(&mut piece) {
                Ok(0) | Err(_) => return,
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
            }
        }
    }

    fn text(&self) -> String {
        let received = self.received.lock().unwrap();
        received.iter().flat_map(|(head, body)| [head.as_str(), body]).collect::<Vec<_>>().join("\n")
    }

    /// All spans, in the order in which they came.
    fn spans(&self) -> Vec<Value> {
        let mut spans = Vec::new();
        for (head, body) in self.received.lock().unwrap().iter() {
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
            let sent: Value = serde_json::from_str(body).unwrap();
            for of_resource in sent["resourceSpans"].as_array().unwrap() {
                let about = &of_resource["resource"]["attributes"];
                assert_eq!(attribute(about, "service.name"), "rasterd");
                for of_scope in of_resource["scopeSpans"].as_array().unwrap() {
                    spans.extend(of_scope["spans"].as_array().unwrap().iter().cloned());
                }
            }
        }
        spans
    }
}

/// The value of an attribute; empty if there is none.
fn attribute(attributes: &Value, name: &str) -> String {
    let found = attributes.as_array().unwrap().iter().find(|attribute| attribute["key"] == name);
    match found.map(|attribute| &attribute["value"]) {
        Some(value) => {
            value["stringValue"].as_str().or(value["intValue"].as_str()).unwrap_or_default().to_owned()
        }
        None => String::new(),
    }
}

async fn traced() -> (Scene, Collector) {
    let (collector, url) = Collector::start();
    let server =
        TestServer::start_with(move |_, options| options.traces = Some(Traces::start(&url).unwrap()));
    (Scene::on(server).await, collector)
}

#[tokio::test]
async fn each_request_is_a_span_with_its_operation_and_status() {
    let (mut scene, collector) = traced().await;
    let (writer, anyone) = (scene.writer.clone(), scene.anyone.clone());
    let id = writer.uploaded("a-name-of-an-asset").await;
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let continued =
        writer.request(Method::GET, "/me").header("traceparent", format!("00-{trace}-{parent}-01"));
    send(continued.header("tracestate", format!("k={}", scene.writer_key.token))).await;
    let unsampled = writer.request(Method::GET, "/organizations/acme/libraries");
    send(unsampled.header("traceparent", format!("00-{trace}-{parent}-00"))).await;
    send(tool(&writer.client, "list_assets", &json!({ "organizationId": "acme", "libraryId": "nowhere" })))
        .await;
    anyone.get("/nowhere?key=secret").await;
    anyone.get("/livez").await;
    // What waits is sent when the server stops.
    scene.server.stop();
    let spans = collector.spans();
    let of = |operation: &str, status: &str| {
        let fits = |span: &&Value| {
            attribute(&span["attributes"], "rasterd.operation") == operation
                && attribute(&span["attributes"], "http.response.status_code") == status
        };
        spans.iter().filter(fits).cloned().collect::<Vec<Value>>()
    };
    let [me] = of("whoami", "200").try_into().unwrap();
    assert_eq!(
        (&me["traceId"], &me["parentSpanId"], &me["name"]),
        (&trace.into(), &parent.into(), &"whoami".into())
    );
    assert_eq!(
        (&me["kind"], attribute(&me["attributes"], "rasterd.transport").as_str()),
        (&2.into(), "rest")
    );
    let time = |name: &str| me[name].as_str().unwrap().parse::<u64>().unwrap();
    assert!(time("startTimeUnixNano") < time("endTimeUnixNano"));
    assert!(of("list_libraries", "200").is_empty(), "a trace that its client does not sample is not sent");
    let [missing] = of("list_assets", "404").try_into().unwrap();
    assert_eq!(attribute(&missing["attributes"], "rasterd.transport"), "mcp");
    let [nowhere] = of("", "404").try_into().unwrap();
    assert_eq!(
        (&nowhere["name"], nowhere["parentSpanId"].as_str().unwrap_or_default()),
        (&"other".into(), "")
    );
    let text = collector.text();
    let key = &scene.writer_key;
    for secret in [&key.token, key.id.as_str(), "acme", "photos", "a-name-of", &id, "secret", "livez", NEW] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_disturbs_nobody() {
    let endpoint = format!("http://127.0.0.1:{}", unused_port());
    let test_dir = TestDir::new().with("RASTERD__TELEMETRY__OTLP_ENDPOINT", &endpoint);
    let program = test_dir.serve();
    let client = program.client_of(program.first_key());
    let me = send(client.request(Method::GET, "/me").header("Api-Version", NEW)).await;
    assert_eq!(me.status, 200);
    program.wait_for_log("traces could not be sent");
    program.stop();
}

#[test]
fn what_can_not_be_is_refused() {
    let test_dir = TestDir::new();
    for (settings, expected) in [
        (&["telemetry.otlp_endpoint=localhost:4318"][..], "telemetry.otlp_endpoint must be a url such as"),
        (&["telemetry.otlp_endpoint=ftp://localhost"], "telemetry.otlp_endpoint must be a url such as"),
        (
            &["telemetry.otlp_endpoint=http://localhost:4318", "network.offline=true"],
            "telemetry.otlp_endpoint is http://localhost:4318/, and network.offline is set",
        ),
    ] {
        let flags: Vec<&str> = settings.iter().flat_map(|setting| ["--set", *setting]).collect();
        for (command, code) in [(&["serve"][..], 78), (&["config", "check"], 1)] {
            let stderr = test_dir.run(&[command, &flags].concat()).failed(code);
            assert!(stderr.contains(expected), "{settings:?}: {stderr}");
        }
    }
    assert!(!test_dir.data_dir().exists());
}
