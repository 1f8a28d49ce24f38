//! Servers that are down, refuse, or answer what is not of the protocol: the client gets one error for each request, no line
//! that is not a message, and the bridge goes on.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::fake_server::{FakeServer, Identity, RESERVED, ReceivedRequest, http, in_events, in_json, result};
use super::{BOTH, Bridge, Kind, handshake, some_key, stateless};

fn bridge_to(kind: Kind, server: &FakeServer) -> Bridge {
    Bridge::start(kind, &server.url, &server.ca_pem, &some_key())
}

/// What the bridge makes of one answer to the request 1.
fn outcome(kind: Kind, answer: impl Fn(&ReceivedRequest) -> Vec<u8> + Send + Sync + 'static) -> Value {
    let server = FakeServer::start(move |asked| {
        if asked.message["id"] == 1 { answer(asked) } else { in_json(&result(asked, &json!("still there"))) }
    });
    let mut bridge = bridge_to(kind, &server);
    bridge.request(1, "tools/list", &json!({}));
    let outcome = bridge.answer(1);
    assert_eq!(bridge.ask(2, "ping", &json!({}))["result"], "still there", "{kind:?}");
    bridge.close();
    let (status, messages, _) = bridge.ended();
    assert_eq!(status.code(), Some(0), "{kind:?}");
    let answers = messages.iter().filter(|message| message["id"] == 1);
    assert_eq!(answers.count(), 1, "{kind:?}: {messages:?}");
    outcome
}

#[test]
fn refusals_of_the_server_are_errors_of_the_request() {
    for kind in BOTH {
        for (status, code, headers) in [
            ("401 Unauthorized", "INVALID_API_KEY", ""),
            ("403 Forbidden", "FORBIDDEN", ""),
            ("404 Not Found", "ENDPOINT_NOT_FOUND", ""),
            ("413 Payload Too Large", "PAYLOAD_TOO_LARGE", ""),
            ("429 Too Many Requests", "RATE_LIMITED", "Retry-After: 7\r\n"),
            ("503 Service Unavailable", "SERVICE_UNAVAILABLE", "Retry-After: soon\r\n"),
        ] {
            let body = json!({ "error": { "code": code, "message": format!("About {code}.") } }).to_string();
            let headers = format!("{headers}Content-Type: application/json\r\n");
            let outcome = outcome(kind, move |_| http(status, &headers, &body));
            let number: u16 = status[..3].parse().unwrap();
            let mut data = json!({ "code": code, "message": format!("About {code}."), "status": number });
            if number == 429 {
                data["retryAfter"] = 7.into();
            }
            let error = json!({ "code": -32000, "message": format!("About {code}."), "data": data });
            assert_eq!(outcome["error"], error, "{kind:?}");
        }
    }
}

#[test]
fn errors_of_the_protocol_are_passed_on_as_they_are() {
    for kind in BOTH {
        let error = json!({ "code": -32601, "message": "no/such", "data": { "a": [1.50, 12_345_678_901_234_567_890_u64] } });
        let answer = json!({ "jsonrpc": "2.0", "id": 1, "error": error });
        let body = answer.to_string();
        let kind_of = "Content-Type: application/json\r\n";
        assert_eq!(outcome(kind, move |_| http("404 Not Found", kind_of, &body)), answer, "{kind:?}");
        // One without an id is about the request that it answers.
        for body in [
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"m"}}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"m"}}"#,
        ] {
            let outcome = outcome(kind, move |_| http("400 Bad Request", kind_of, body));
            let error = json!({ "code": -32600, "message": "m" });
            assert_eq!((&outcome["id"], &outcome["error"]), (&json!(1), &error), "{kind:?}");
        }
    }
}

#[test]
fn what_is_not_an_answer_reaches_no_client() {
    let answered = |body: &'static str| move |_: &ReceivedRequest| in_json(body);
    let events = |text: &'static str| move |_: &ReceivedRequest| in_events(text);
    let html = "<h1>Bad gateway</h1>";
    for kind in BOTH {
        let unreadable = |outcome: Value| {
            let data = &outcome["error"]["data"];
            assert_eq!(
                (&outcome["error"]["code"], &data["code"]),
                (&json!(-32000), &json!("UNREADABLE_ANSWER"))
            );
            data["status"].clone()
        };
        for body in [
            "",
            html,
            "null",
            "[]",
            "{}",
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
            r#"{"jsonrpc":"1.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":"1","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":2,"result":{}}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
            r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"a\nb\"}",
        ] {
            assert_eq!(unreadable(outcome(kind, answered(body))), 200, "{kind:?}: {body:?}");
        }
        for (status, headers) in [
            ("502 Bad Gateway", ""),
            ("301 Moved Permanently", "Location: https://example.org/mcp\r\n"),
            ("202 Accepted", ""),
        ] {
            let found = unreadable(outcome(kind, move |_| http(status, headers, html)));
            assert_eq!(found, status[..3].parse::<u16>().unwrap(), "{kind:?}");
        }
        for text in
            ["data: {}\n\n", "data: no JSON\n\n", "data: [1]\n\n", "data: {\"id\":1,\"result\":1}\n\n"]
        {
            assert_eq!(unreadable(outcome(kind, events(text))), Value::Null, "{kind:?}: {text:?}");
        }
    }
}

#[test]
fn a_connection_that_ends_too_early_is_an_error_that_says_so() {
    let broken = |bytes: &'static str| move |_: &ReceivedRequest| bytes.as_bytes().to_vec();
    for kind in BOTH {
        for bytes in [
            "",
            "no HTTP at all",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"jso",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {\"jsonrpc\":\"2.0\"",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nid: 1\ndata:\n\n: x\n\n",
        ] {
            let error = outcome(kind, broken(bytes))["error"].clone();
            let words = error["message"].as_str().unwrap();
            assert_eq!(error["data"]["code"], "SERVER_UNREACHABLE", "{kind:?}: {bytes:?}: {error}");
            assert!(
                words.contains("ended before") || words.contains("can't be reached"),
                "{kind:?}: {words}"
            );
        }
    }
}

#[test]
fn answers_of_any_form_become_one_line() {
    for kind in BOTH {
        let pretty = "{\r\n  \"jsonrpc\": \"2.0\",\n  \"id\": 1,\n  \"result\": \"a\\nb \u{2028}\"\n}\n";
        let expected = json!({ "jsonrpc": "2.0", "id": 1, "result": "a\nb \u{2028}" });
        assert_eq!(outcome(kind, move |_| in_json(pretty)), expected, "{kind:?}");
        // Line ends of every kind, data in several lines, other fields, and what comes after the answer.
        for text in [
            "event: message\nid: 1\nretry: 5\ndata: {\"jsonrpc\": \"2.0\", \"id\": 1,\ndata: \"result\": \"x\"}\n\ndata: {}\n\n",
            ": a comment\r\n\r\ndata:{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"x\"}\r\n\r\n",
        ] {
            let answer = outcome(kind, move |_| in_events(text));
            assert_eq!(answer, json!({ "jsonrpc": "2.0", "id": 1, "result": "x" }), "{kind:?}: {text:?}");
        }
        let numbers = r#"{"jsonrpc":"2.0","id":1,"result":[123456789012345678901234567890,0.10,1E2]}"#;
        let server = FakeServer::start(move |_| in_json(numbers));
        let mut bridge = bridge_to(kind, &server);
        bridge.request(1, "ping", &json!({}));
        let whole = bridge.output.wait_for(|text| text.ends_with('\n').then(|| text.to_owned())).unwrap();
        assert_eq!(whole.trim_end(), numbers, "{kind:?}");
    }
}

#[test]
fn what_the_server_sends_before_its_answer_comes_before_it() {
    for kind in BOTH {
        let server = FakeServer::start(|asked| {
            if asked.message.get("method").is_none() {
                return http("202 Accepted", "", "");
            }
            let news = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": {} });
            let question = json!({ "jsonrpc": "2.0", "id": 9, "method": "ping" });
            in_events(&format!("data: {news}\n\ndata: {question}\n\ndata: {}\n\n", result(asked, &json!(1))))
        });
        let mut bridge = bridge_to(kind, &server);
        bridge.request(1, "ping", &json!({}));
        bridge.answer(1);
        let methods: Vec<Value> = bridge.messages().iter().map(|message| message["method"].clone()).collect();
        assert_eq!(methods, [json!("notifications/message"), json!("ping"), json!(null)], "{kind:?}");
        // An answer of the client is sent, and none is awaited.
        bridge.write(r#"{"jsonrpc":"2.0","id":9,"result":{}}"#);
        bridge.close();
        let (status, messages, _) = bridge.ended();
        assert_eq!((status.code(), messages.len()), (Some(0), 3), "{kind:?}");
        assert!(server.asked().iter().any(|asked| asked.message["id"] == 9));
    }
}

#[test]
fn each_message_has_the_headers_of_its_revision() {
    for kind in BOTH {
        for (revision, repeated) in [
            ("2024-11-05", ""),
            ("2025-03-26", ""),
            ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"),
        ] {
            let server = FakeServer::start(move |asked| {
                let is_handshake = asked.message["method"] == "initialize";
                let version = if is_handshake { revision } else { "" };
                in_json(&result(asked, &json!({ "protocolVersion": version })))
            });
            let key = some_key();
            let mut bridge = Bridge::start(kind, &server.url, &server.ca_pem, &key);
            for id in [0, 1] {
                bridge.ask(id, "initialize", &handshake(revision));
            }
            bridge.ask(2, "tools/list", &json!({}));
            bridge.ask(3, "tools/call", &stateless(&json!({ "name": "whoami" })));
            bridge.ask(4, "resources/read", &stateless(&json!({ "uri": "raster://ü" })));
            let headers = |name: &str| -> Vec<String> {
                server.asked().iter().map(|asked| asked.header(name).to_owned()).collect()
            };
            assert_eq!(
                headers("mcp-protocol-version"),
                ["", "", repeated, "2026-07-28", "2026-07-28"],
                "{kind:?} {revision}"
            );
            assert_eq!(headers("mcp-method"), ["", "", "", "tools/call", "resources/read"], "{kind:?}");
            let names = ["", "", "", "whoami", "=?base64?cmFzdGVyOi8vw7w=?="];
            assert_eq!(headers("mcp-name"), names, "{kind:?}");
            for asked in server.asked() {
                assert!(asked.head.starts_with("POST /mcp HTTP/1.1\r\n"), "{kind:?}: {}", asked.head);
                assert_eq!(asked.header("authorization"), format!("Bearer {key}"), "{kind:?}");
                assert_eq!(asked.header("content-type"), "application/json", "{kind:?}");
                assert_eq!(asked.header("accept"), "application/json, text/event-stream", "{kind:?}");
            }
        }
    }
}

#[test]
fn a_server_that_is_down_is_named_and_one_that_comes_back_answers() {
    for kind in BOTH {
        let listener = TcpListener::bind((RESERVED, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let (identity, key) = (Identity::new(), some_key());
        let url = format!("https://{address}");
        let mut bridge = Bridge::start(kind, &url, &identity.ca_pem, &key);
        for id in [1, 2] {
            let error = bridge.ask(id, "ping", &json!({}))["error"].clone();
            let words = error["message"].as_str().unwrap();
            assert!(
                words.starts_with(&format!("The server at {url} can't be reached: ")),
                "{kind:?}: {words}"
            );
            let data = json!({ "code": "SERVER_UNREACHABLE", "message": words });
            assert_eq!((&error["code"], &error["data"]), (&json!(-32000), &data), "{kind:?}");
        }
        bridge.notify("notifications/initialized", &json!({}));
        bridge.wait_for_error("can't be reached");
        let listener = TcpListener::bind(address).unwrap();
        let _server = FakeServer::on(
            listener,
            &identity,
            Box::new(|asked: &ReceivedRequest| in_json(&result(asked, &json!("back")))),
        );
        assert_eq!(bridge.ask(3, "ping", &json!({}))["result"], "back", "{kind:?}");
        bridge.close();
        let (status, _, errors) = bridge.ended();
        assert_eq!(status.code(), Some(0), "{kind:?}");
        assert!(!errors.contains(&key), "{kind:?}: {errors}");
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_explained_and_no_key_is_sent() {
    for kind in BOTH {
        let server = FakeServer::start(|asked| in_json(&result(asked, &json!({}))));
        let (identity, other) = (Identity::new(), Identity::new());
        let listener = TcpListener::bind("127.0.0.2:0").unwrap();
        let by_address = format!("https://{}", listener.local_addr().unwrap());
        let unnamed = FakeServer::on(
            listener,
            &identity,
            Box::new(|asked: &ReceivedRequest| in_json(&result(asked, &json!({})))),
        );
        for (url, ca_pem, words) in [
            (&server.url, &other.ca_pem, "is not from an authority that this program trusts"),
            (&by_address, &unnamed.ca_pem, "The certificate of the server is not for https://127.0.0.2"),
        ] {
            let mut bridge = Bridge::start(kind, url, ca_pem, &some_key());
            let error = bridge.ask(1, "ping", &json!({}))["error"].clone();
            assert!(error["message"].as_str().unwrap().contains(words), "{kind:?}: {error}");
            assert_eq!(error["data"]["code"], "SERVER_UNREACHABLE", "{kind:?}");
        }
        assert!(server.asked().is_empty() && unnamed.asked().is_empty(), "{kind:?}");
    }
}
