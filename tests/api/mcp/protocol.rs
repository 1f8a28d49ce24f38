//! The transport and the frame: revisions, refusals before the protocol, and errors of JSON-RPC.

use futures_util::stream;
use rasterd::testing::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use super::{McpClient, McpWorld};
use crate::support::{Client, Reply, send};

fn initialize(revision: &str) -> String {
    json!({
        "jsonrpc": "2.0", "id": "one", "method": "initialize",
        "params": {
            "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
        },
    })
    .to_string()
}

/// A message as revision 2026-07-28 wants it.
fn stateless(mcp: &McpClient, method: &str, mut params: Value) -> reqwest::RequestBuilder {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    mcp.post(message.to_string()).header("mcp-protocol-version", "2026-07-28").header("mcp-method", method)
}

#[tokio::test]
async fn every_revision_with_a_handshake_is_supported() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let reply = send(mcp.post(initialize(revision))).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
        assert_eq!(reply.header("mcp-session-id"), "", "no session is begun");
        let result = &reply.json()["result"];
        assert_eq!(result["protocolVersion"], revision);
        assert_eq!(result["serverInfo"]["name"], "rasterd");
        assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        let instructions = result["instructions"].as_str().unwrap();
        assert!(instructions.contains("whoami"));
        let upload =
            format!("-F files=@FILE {}/organizations/ORGANIZATION_ID/libraries/", world.server.url());
        assert!(instructions.contains(&upload), "{instructions}");
    }
    let begun = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(send(mcp.post(begun.to_string())).await.status, 202);
}

#[tokio::test]
async fn an_unknown_revision_is_answered_with_a_supported_one() {
    let world = McpWorld::new().await;
    for revision in ["1999-01-01", "2026-07-28"] {
        let reply = send(world.client().post(initialize(revision))).await;
        assert_eq!(reply.json()["result"]["protocolVersion"], "2025-11-25", "asked for {revision}");
    }
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let reply = send(world.client().post(ping).header("mcp-protocol-version", "1999-01-01")).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (400, "BAD_USER_INPUT"));
}

#[tokio::test]
async fn the_stateless_revision_needs_no_handshake() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let discovered = send(stateless(&mcp, "server/discover", json!({}))).await;
    assert_eq!(discovered.status, 200, "{}", discovered.json());
    let result = &discovered.json()["result"];
    let revisions = json!(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]);
    assert_eq!(result["supportedVersions"], revisions);
    assert_eq!(result["cacheScope"], "private");

    let listed = send(stateless(&mcp, "tools/list", json!({}))).await.json();
    assert_eq!(listed["result"]["cacheScope"], "private");
    let called = stateless(&mcp, "tools/call", json!({ "name": "whoami", "arguments": {} }));
    let called = send(called.header("mcp-name", "whoami")).await.json();
    assert_eq!(called["result"]["structuredContent"]["organizationId"], "acme");
    assert_eq!(called["result"]["resultType"], "complete");

    assert_eq!(result["capabilities"]["prompts"], json!({}));
    let prompts = send(stateless(&mcp, "prompts/list", json!({}))).await.json();
    assert_eq!(
        (&prompts["result"]["prompts"], &prompts["result"]["cacheScope"]),
        (&json!([]), &json!("private"))
    );

    let handshake = json!({
        "protocolVersion": "2026-07-28", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
    });
    for params in [handshake, json!({})] {
        let refused = send(stateless(&mcp, "initialize", params)).await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (404, &json!(-32601)));
    }

    let contradicting =
        stateless(&mcp, "tools/call", json!({ "name": "whoami" })).header("mcp-name", "list_tags");
    let refused = send(contradicting).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!(-32020)));
}

#[tokio::test]
async fn a_request_without_a_good_key_is_refused_before_its_body_is_read() {
    let world = McpWorld::new().await;
    let anonymous = Client::new(&world.server);
    let strangers = [
        anonymous.clone(),
        anonymous.with_key("no-key"),
        anonymous.with_key(&format!("pk_{}", "a".repeat(45))),
    ];
    for (client, code) in strangers.into_iter().zip(["UNAUTHENTICATED", "INVALID_API_KEY", "INVALID_API_KEY"])
    {
        let reply = send(McpClient(client).post("{ not even JSON")).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (401, code));
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn a_client_that_looks_for_a_sign_in_is_told_to_use_a_key() {
    let world = McpWorld::new().await;
    let anonymous = Client::new(&world.server);
    for (method, path) in [
        (Method::GET, "/.well-known/oauth-protected-resource"),
        (Method::GET, "/.well-known/oauth-protected-resource/mcp"),
        (Method::GET, "/.well-known/oauth-authorization-server"),
        (Method::GET, "/.well-known/oauth-authorization-server/mcp"),
        (Method::GET, "/.well-known/openid-configuration"),
        (Method::POST, "/register"),
        (Method::GET, "/register"),
    ] {
        let reply = send(anonymous.request(method, path)).await;
        let json = reply.json();
        let members: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((reply.status, members), (404, vec!["error", "error_description"]), "{path}");
        assert!(json["error_description"].as_str().unwrap().contains("API keys"), "{path}");
    }
    for path in ["/registered", "/.well-known/oauth", "/.well-known/oauth-protected-resources"] {
        assert_eq!(anonymous.get(path).await.error_code(), "ENDPOINT_NOT_FOUND", "{path}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_changes_nothing() {
    let world = McpWorld::new().await;
    let with = |path: &'static str, key: Option<&str>, host: &'static str| {
        let client = Client::new(&world.server);
        let client = key.map_or(client.clone(), |key| client.with_key(key));
        let request = client.request(Method::POST, path).header("host", host);
        send(
            request
                .header("accept", "application/json, text/event-stream")
                .header("content-type", "application/json")
                .body(initialize("2025-11-25")),
        )
    };
    let key = Some(world.key.token.as_str());
    for (key, host, status) in [(key, "localhost", 200), (None, "localhost", 401), (key, "evil.example", 403)]
    {
        let (bare, slash) = (with("/mcp", key, host).await, with("/mcp/", key, host).await);
        assert_eq!((bare.status, slash.status), (status, status));
        assert_eq!(bare.body, slash.body);
    }
}

#[tokio::test]
async fn only_post_is_accepted() {
    let world = McpWorld::new().await;
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let reply = send(world.client().0.request(method.clone(), "/mcp")).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "POST"), "{method}");
        assert_eq!(reply.error_code(), "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() {
    let server = TestServer::start_with(|_, options| {
        options.allowed_origins = vec!["https://app.example:8443".to_owned()];
    });
    let world = McpWorld::on(server).await;
    let with = |name: &'static str, value: &'static str| {
        send(world.client().post(initialize("2025-11-25")).header(name, value))
    };
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "https://app.example"),
        ("origin", "null"),
    ] {
        let reply = with(name, value).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (403, "FORBIDDEN"), "{name}: {value}");
    }
    assert_eq!(with("origin", "https://app.example:8443").await.status, 200);
}

#[tokio::test]
async fn on_its_own_host_name_the_endpoint_is_at_the_root() {
    let server = TestServer::start_with(|_, options| options.mcp_hosts = vec!["mcp.example.org".to_owned()]);
    let world = McpWorld::on(server).await;
    let at_root = |host: &'static str| {
        let request = world.client().0.request(Method::POST, "/").header("host", host);
        send(
            request
                .header("accept", "application/json, text/event-stream")
                .header("content-type", "application/json")
                .body(initialize("2025-11-25")),
        )
    };
    assert_eq!(at_root("mcp.example.org").await.json()["result"]["serverInfo"]["name"], "rasterd");
    assert_ne!(at_root("localhost").await.status, 200);
    let also = send(world.client().post(initialize("2025-11-25")).header("host", "mcp.example.org")).await;
    assert_eq!(also.status, 200);
}

#[tokio::test]
async fn wrong_media_types_are_refused() {
    let world = McpWorld::new().await;
    let with = |accept: &'static str, content_type: &'static str| {
        let request = world.client().0.request(Method::POST, "/mcp");
        send(
            request
                .header("accept", accept)
                .header("content-type", content_type)
                .body(initialize("2025-11-25")),
        )
    };
    let both = "application/json, text/event-stream";
    for (accept, content_type, status) in [
        ("application/json", "application/json", 406),
        ("text/html", "application/json", 406),
        (both, "text/plain", 415),
        (both, "application/json; charset=utf-8", 200),
        ("*/*", "application/json", 200),
    ] {
        assert_eq!(with(accept, content_type).await.status, status, "{accept}; {content_type}");
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_whole_and_in_chunks() {
    let server = TestServer::start_with(|settings, _| settings.limits.mcp_bytes = 10_000);
    let world = McpWorld::on(server).await;
    let whole = send(world.client().post(vec![b' '; 10_001])).await;
    let pieces = stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1000])));
    let chunked = send(world.client().post(reqwest::Body::wrap_stream(pieces))).await;
    for reply in [whole, chunked] {
        assert_eq!((reply.status, reply.error_code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
    }
    let fits = format!("{}{}", initialize("2025-11-25"), " ".repeat(9000));
    assert_eq!(send(world.client().post(fits)).await.status, 200);
}

#[tokio::test]
async fn an_invalid_message_gets_a_json_rpc_error() {
    let world = McpWorld::new().await;
    let code = |reply: &Reply| reply.json()["error"]["code"].clone();
    for (body, expected) in [
        ("{ not JSON", -32700),
        ("", -32700),
        ("[]", -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
        ("{}", -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
    ] {
        let reply = send(world.client().post(body)).await;
        assert_eq!((reply.status, code(&reply)), (400, json!(expected)), "{body}");
    }
}

#[tokio::test]
async fn unknown_methods_tools_and_parameters_have_different_codes() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    for (method, params, code) in [
        ("no/such", json!({}), -32601),
        ("prompts/get", json!({ "name": "x" }), -32602),
        ("tools/call", json!({ "name": "no_such_tool", "arguments": {} }), -32602),
        ("tools/call", json!({}), -32602),
        ("tools/call", json!({ "name": "whoami", "arguments": [] }), -32602),
        ("resources/read", json!({ "url": "x" }), -32602),
    ] {
        assert_eq!(mcp.error(method, params.clone()).await["code"], code, "{method} {params}");
    }
}

#[tokio::test]
async fn an_error_for_invalid_parameters_says_what_is_wrong() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    for (method, params, reason) in [
        ("tools/call", json!({ "arguments": {} }), "name must be a string, the name of a tool"),
        ("tools/call", json!({ "name": "whoami", "arguments": "{}" }), "arguments must be an object"),
        ("tools/call", json!({ "name": "whoami", "arguments": [] }), "arguments must be an object"),
        ("resources/read", json!({ "url": "x" }), "uri must be a string"),
        ("initialize", json!({}), "they are not valid for the method initialize"),
    ] {
        let error = mcp.error(method, params.clone()).await;
        assert_eq!(error["code"], -32602, "{method} {params}");
        assert_eq!(error["message"], format!("Invalid params: {reason}"), "{method} {params}");
    }
}

#[tokio::test]
async fn discovery_documents_need_no_key_and_contain_no_stored_data() {
    let world = McpWorld::new().await;
    let anonymous = Client::new(&world.server);
    for (path, content_type) in [
        ("/.well-known/mcp/server-card.json", "application/json"),
        ("/.well-known/api-catalog", "application/linkset+json"),
        ("/llms.txt", "text/plain; charset=utf-8"),
    ] {
        let reply = anonymous.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, content_type), "{path}");
        let text = String::from_utf8(reply.body).unwrap();
        assert!(text.contains(&format!("{}/mcp", world.server.url())), "{path}");
        assert!(!text.to_lowercase().contains("acme") && !text.contains("photos"), "{path}");
    }
}
