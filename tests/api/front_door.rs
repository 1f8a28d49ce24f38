//! What holds for every request, whatever its path.

use rasterd::testing::TestServer;
use reqwest::Method;

use crate::support::{Client, send};

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
        let reply = client.get("/nowhere").await;
        assert_eq!((reply.status, reply.error_code().as_str()), (404, "ENDPOINT_NOT_FOUND"));
        assert_eq!(reply.header("vary"), "Api-Version");
        assert_eq!(reply.header("cache-control"), "private, no-store");
        assert_eq!(reply.header("x-request-id").len(), 16);
    }
}

#[tokio::test]
async fn another_method_is_405_and_says_which_are_taken() {
    let server = TestServer::start();
    let reply = send(Client::new(&server).request(Method::POST, "/healthz")).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (405, "METHOD_NOT_ALLOWED"));
    assert_eq!(reply.header("allow"), "GET, HEAD");
}
