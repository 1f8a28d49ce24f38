//! What a real server answers, through each bridge: every revision, every kind of request, progress, several requests at
//! once, cancellation, and how a bridge ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use rasterd::core::model::Access;
use rasterd::testing::{TestKey, TestServer};
use serde_json::{Value, json};

use super::{BOTH, Bridge, Kind, handshake, stateless};
use crate::rest::picture;
use crate::support::mcp::base64_source;
use crate::support::raw::DEADLINE;

/// A server with a library, which may fetch from this machine, and a key.
struct World {
    server: TestServer,
    key: TestKey,
}

impl World {
    async fn new() -> Self {
        let server = TestServer::start_with(|settings, _| {
            settings.fetch.enabled = true;
            settings.fetch.allow = vec!["127.0.0.0/8".parse().unwrap()];
            settings.limits.mcp_bytes = 100_000;
        });
        server.organization("Acme").await;
        server.library("acme", "Photos").await;
        let key = server.key("acme", &[("photos", Access::Write)]).await;
        Self { server, key }
    }

    fn bridge(&self, kind: Kind) -> Bridge {
        Bridge::start(kind, self.server.url(), &self.server.ca_pem(), &self.key.token)
    }
}

/// The params of a call that uploads from a url.
fn upload(url: &str) -> Value {
    let source = json!({ "kind": "url", "url": url });
    let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "source": source });
    json!({ "name": "upload_asset", "arguments": arguments })
}

/// How many assets are in the library, as the bridge's client sees it.
fn stored(bridge: &mut Bridge, id: &str) -> usize {
    let arguments = json!({ "organizationId": "acme", "libraryId": "photos" });
    let answer = bridge.ask(id, "tools/call", &json!({ "name": "list_assets", "arguments": arguments }));
    answer["result"]["structuredContent"]["assets"].as_array().unwrap().len()
}

/// A web server that sends half of a file, and the rest when it is told to.
struct SlowFile {
    url: String,
    /// A connection, once half of the file is sent.
    begun: Receiver<TcpStream>,
    rest: Vec<u8>,
}

impl SlowFile {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/slow.png", listener.local_addr().unwrap());
        let file = picture("slow");
        let (first, rest) = file.split_at(file.len() / 2);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", file.len());
        let beginning = [head.as_bytes(), first].concat();
        let (news, begun): (Sender<TcpStream>, _) = channel();
        // The thread ends with the test's process.
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                connection.set_read_timeout(Some(DEADLINE)).unwrap();
                assert_ne!(connection.read(&mut [0; 4096]).unwrap(), 0);
                connection.write_all(&beginning).unwrap();
                if news.send(connection).is_err() {
                    return;
                }
            }
        });
        Self { url, begun, rest: rest.to_vec() }
    }

    /// The next connection, of which half is sent.
    fn begun(&self) -> TcpStream {
        self.begun.recv_timeout(DEADLINE).unwrap()
    }
}

/// Whether the other end closes the connection. Waits for it.
fn is_closed(connection: &mut TcpStream) -> bool {
    match connection.read(&mut [0; 16]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[tokio::test]
async fn every_revision_and_every_kind_of_request_is_carried() {
    let world = World::new().await;
    for kind in BOTH {
        for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
            let mut bridge = world.bridge(kind);
            let begun = bridge.ask(0, "initialize", &handshake(revision));
            assert_eq!(begun["result"]["protocolVersion"], revision, "{kind:?}: {begun}");
            bridge.notify("notifications/initialized", &json!({}));
            for (id, method, params, result) in requests() {
                let answer = bridge.ask(id, method, &params);
                let found = answer["result"].pointer(result);
                assert!(found.is_some(), "{kind:?} {revision} {method}: no {result} in {answer}");
            }
            bridge.close();
            let (status, messages, errors) = bridge.ended();
            assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "{kind:?}");
            assert_eq!(messages.len(), requests().len() + 1, "the notification has no answer");
        }
    }
}

/// Requests with params, and where their results have something.
fn requests() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let resource = json!({ "uri": "raster://organizations/acme/libraries" });
    let completed = json!({
        "ref": { "type": "ref/resource", "uri": "raster://organizations/{orgId}/libraries/{libraryId}/assets" },
        "argument": { "name": "orgId", "value": "a" },
    });
    vec![
        ("ping", "ping", json!({}), ""),
        ("tools", "tools/list", json!({}), "/tools/0/name"),
        (
            "call",
            "tools/call",
            json!({ "name": "whoami", "arguments": {} }),
            "/structuredContent/organizationId",
        ),
        ("resources", "resources/list", json!({}), "/resources/0/uri"),
        ("templates", "resources/templates/list", json!({}), "/resourceTemplates/0/uriTemplate"),
        ("read", "resources/read", resource, "/contents/0/text"),
        ("prompts", "prompts/list", json!({}), "/prompts"),
        ("complete", "completion/complete", completed, "/completion/values/0"),
    ]
}

#[tokio::test]
async fn the_revision_without_a_handshake_gets_its_headers() {
    let world = World::new().await;
    for kind in BOTH {
        let mut bridge = world.bridge(kind);
        let discovered = bridge.ask(1, "server/discover", &stateless(&json!({})));
        let versions = discovered["result"]["supportedVersions"].as_array().unwrap();
        assert!(versions.contains(&json!("2026-07-28")), "{kind:?}: {discovered}");
        let call = stateless(&json!({ "name": "whoami", "arguments": {} }));
        let answer = bridge.ask(2, "tools/call", &call);
        assert_eq!(answer["result"]["resultType"], "complete", "{kind:?}: {answer}");
        let read = stateless(&json!({ "uri": "raster://organizations/acme/libraries" }));
        assert!(bridge.ask(3, "resources/read", &read)["result"]["contents"].is_array(), "{kind:?}");
        // A name that no header can have as it is.
        for (id, name) in [(4, "naïve\r\ntool"), (5, " whoami")] {
            let answer = bridge.ask(id, "tools/call", &stateless(&json!({ "name": name, "arguments": {} })));
            assert_eq!(answer["error"]["code"], -32602, "{kind:?}: {answer}");
            assert!(answer["error"]["message"].as_str().unwrap().starts_with("Unknown tool"), "{answer}");
        }
    }
}

#[tokio::test]
async fn progress_comes_before_the_answer() {
    let world = World::new().await;
    for kind in BOTH {
        let slow = SlowFile::start();
        let mut bridge = world.bridge(kind);
        bridge.ask(0, "initialize", &handshake("2025-11-25"));
        let mut params = upload(&slow.url);
        params["_meta"] = json!({ "progressToken": "token" });
        bridge.request(1, "tools/call", &params);
        let mut connection = slow.begun();
        let progress = bridge.wait_for(|message| message["method"] == "notifications/progress");
        assert_eq!(progress["params"]["progressToken"], "token", "{kind:?}");
        connection.write_all(&slow.rest).unwrap();
        let answer = bridge.answer(1);
        assert_eq!(answer["result"]["isError"], false, "{kind:?}: {answer}");
        let methods: Vec<bool> =
            bridge.messages().iter().skip(1).map(|message| message.get("method").is_some()).collect();
        assert_eq!(methods.last(), Some(&false), "{kind:?}: nothing follows the answer");
    }
}

#[tokio::test]
async fn a_slow_request_holds_up_no_other_and_its_answer_arrives_after_the_input_has_ended() {
    let world = World::new().await;
    for kind in BOTH {
        let slow = SlowFile::start();
        let mut bridge = world.bridge(kind);
        bridge.request("slow", "tools/call", &upload(&slow.url));
        let mut connection = slow.begun();
        let ids: Vec<String> = (0..20).map(|number| format!("fast {number}")).collect();
        for id in &ids {
            bridge.request(id.as_str(), "ping", &json!({}));
        }
        for id in &ids {
            assert_eq!(bridge.answer(id.as_str())["result"], json!({}), "{kind:?}");
        }
        bridge.close();
        connection.write_all(&slow.rest).unwrap();
        let (status, messages, errors) = bridge.ended();
        assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "{kind:?}");
        let last = messages.last().unwrap();
        assert_eq!(
            (&last["id"], &last["result"]["isError"]),
            (&json!("slow"), &json!(false)),
            "{kind:?}: {last}"
        );
        assert_eq!(messages.len(), 21, "{kind:?}");
    }
}

#[tokio::test]
async fn a_cancelled_request_ends_at_the_server_and_has_no_answer() {
    let world = World::new().await;
    for kind in BOTH {
        for progress in [json!({}), json!({ "progressToken": 7 })] {
            let slow = SlowFile::start();
            let mut bridge = world.bridge(kind);
            let mut params = upload(&slow.url);
            params["_meta"] = progress;
            let kept = json!("kept");
            bridge.request(kept.clone(), "tools/call", &params);
            let mut kept_connection = slow.begun();
            bridge.request(1, "tools/call", &params);
            let mut cancelled_connection = slow.begun();
            let before = stored(&mut bridge, "before");
            // These name nothing that runs: another type, another id, none.
            for id in [json!("1"), json!(2), json!(null)] {
                bridge.notify("notifications/cancelled", &json!({ "requestId": id }));
            }
            bridge.notify("notifications/cancelled", &json!({}));
            bridge
                .notify("notifications/cancelled", &json!({ "requestId": 1, "reason": "no longer wanted" }));
            // The server no longer fetches the file.
            assert!(is_closed(&mut cancelled_connection), "{kind:?}");
            kept_connection.write_all(&slow.rest).unwrap();
            assert_eq!(bridge.answer(kept)["result"]["isError"], false, "{kind:?}");
            assert_eq!(stored(&mut bridge, "after"), before + 1, "{kind:?}");
            bridge.close();
            let (status, messages, _) = bridge.ended();
            assert_eq!(status.code(), Some(0), "{kind:?}");
            assert!(messages.iter().all(|message| message["id"] != 1), "{kind:?}: {messages:?}");
        }
    }
}

#[tokio::test]
async fn a_bridge_that_is_asked_to_stop_ends_at_once_and_cancels_what_runs() {
    let world = World::new().await;
    for kind in BOTH {
        let slow = SlowFile::start();
        let mut bridge = world.bridge(kind);
        bridge.request(1, "tools/call", &upload(&slow.url));
        let mut connection = slow.begun();
        bridge.terminate();
        let (status, messages, _) = bridge.ended();
        assert_eq!((status.code(), messages), (Some(0), vec![]), "{kind:?}");
        assert!(is_closed(&mut connection), "{kind:?}: the server no longer fetches");
    }
}

#[tokio::test]
async fn lines_that_are_no_messages_are_refused_and_the_bridge_goes_on() {
    let world = World::new().await;
    for kind in BOTH {
        let mut bridge = world.bridge(kind);
        for line in ["{ not JSON", "\"", "{\"id\":1", "[1,", "\u{FEFF}{}"] {
            bridge.write(line);
        }
        bridge.write(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xFF\"}");
        for line in ["", "   ", "\r", "\t\r"] {
            bridge.write(line);
        }
        // These are for the server to refuse.
        let batch = json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }]).to_string();
        for line in [&*batch, "{}", "1", "null"] {
            bridge.write(line);
        }
        bridge.write(json!({ "jsonrpc": "1.0", "id": "old", "method": "ping" }).to_string());
        assert_eq!(bridge.answer("old")["error"]["code"], -32600, "{kind:?}");
        assert_eq!(bridge.ask("good", "ping", &json!({}))["result"], json!({}), "{kind:?}");
        bridge.close();
        let (status, messages, _) = bridge.ended();
        assert_eq!(status.code(), Some(0), "{kind:?}");
        let codes = |code: i64| messages.iter().filter(|message| message["error"]["code"] == code).count();
        assert_eq!((codes(-32700), codes(-32600)), (6, 5), "{kind:?}: {messages:?}");
        let unnamed = messages.iter().filter(|message| message["error"]["code"] == -32700);
        assert!(unnamed.clone().all(|message| message["id"].is_null()), "{messages:?}");
    }
}

#[tokio::test]
async fn a_line_may_be_as_long_as_the_server_takes_and_be_written_in_pieces() {
    let world = World::new().await;
    for kind in BOTH {
        let mut bridge = world.bridge(kind);
        let noise = vec![7; 60_000];
        let source = base64_source("notes.png", &noise);
        let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "source": source });
        let params = json!({ "name": "upload_asset", "arguments": arguments });
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        for piece in message.as_bytes().chunks(20_000) {
            let input = bridge.input.as_mut().unwrap();
            input.write_all(piece).unwrap();
            input.flush().unwrap();
        }
        bridge.write("\r");
        let answer = bridge.answer(1);
        assert_eq!(answer["result"]["isError"], true, "{kind:?}: it is no picture: {answer}");
        bridge.request(2, "ping", &json!({ "noise": "x".repeat(120_000) }));
        let error = bridge.answer(2)["error"].clone();
        let data = &error["data"];
        assert_eq!(
            (&error["code"], &data["code"]),
            (&json!(-32000), &json!("PAYLOAD_TOO_LARGE")),
            "{kind:?}"
        );
        assert_eq!((&data["status"], &data["message"]), (&json!(413), &error["message"]), "{kind:?}");
    }
}

#[tokio::test]
async fn a_key_that_no_longer_works_is_an_error_of_each_request() {
    let world = World::new().await;
    for kind in BOTH {
        let key = world.server.key("acme", &[("photos", Access::Read)]).await;
        let mut bridge = Bridge::start(kind, world.server.url(), &world.server.ca_pem(), &key.token);
        assert_eq!(bridge.ask(1, "ping", &json!({}))["result"], json!({}));
        world.server.core().delete_key(world.server.administrator(), &key.id).await.unwrap();
        for id in [2, 3] {
            let error = bridge.ask(id, "tools/list", &json!({}))["error"].clone();
            let data = json!({ "code": "INVALID_API_KEY", "message": error["message"], "status": 401 });
            assert_eq!((&error["code"], &error["data"]), (&json!(-32000), &data), "{kind:?}");
        }
        bridge.notify("notifications/initialized", &json!({}));
        bridge.wait_for_error("notifications/initialized: ");
        bridge.close();
        let (status, messages, errors) = bridge.ended();
        assert_eq!((status.code(), messages.len()), (Some(0), 3), "{kind:?}");
        assert!(!errors.contains(&key.token), "{kind:?}: {errors}");
    }
}
