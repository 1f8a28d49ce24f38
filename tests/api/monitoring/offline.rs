//! An offline server fetches nothing, says so, and works otherwise.

use std::net::TcpListener;

use serde_json::json;

use crate::rest::picture;
use crate::support::mcp::{base64_source, call};
use crate::support::program::TestDir;

#[tokio::test]
async fn nothing_is_fetched_whatever_else_is_allowed() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    target.set_nonblocking(true).unwrap();
    let url = format!("http://127.0.0.1:{}/a.png", target.local_addr().unwrap().port());
    let test_dir = TestDir::new()
        .with("RASTERD__NETWORK__OFFLINE", "true")
        .with("RASTERD__FETCH__ALLOW", "127.0.0.1/32")
        .with("RASTERD__LOG__LEVEL", "debug");
    let program = test_dir.serve();
    program.wait_for_log("offline: ");
    let client = program.client_of(program.first_key());
    let upload = async |source| {
        let arguments = json!({ "organizationId": "default", "libraryId": "library", "source": source });
        call(&client, "upload_asset", &arguments).await
    };
    for url in [url.as_str(), "https://example.org/a.png", "http://localhost/a.png"] {
        let error = upload(json!({ "kind": "url", "url": url })).await.unwrap_err();
        assert_eq!(error["code"], "FORBIDDEN", "{error}");
        assert!(error["message"].as_str().unwrap().contains("This server is offline"), "{error}");
    }
    assert!(target.accept().is_err(), "nobody connected");
    // What needs no connection works, the work in child processes, too.
    let uploaded = upload(base64_source("a.png", &picture("a"))).await.unwrap();
    let url = uploaded["assets"][0]["url"].as_str().unwrap();
    let path = url.strip_prefix(program.url()).unwrap();
    assert_eq!(program.client().get(&format!("{path}?w=16&fm=webp")).await.status, 200);
    assert_eq!(test_dir.run(&["key", "list", "--org", "default"]).code, Some(0));
}
