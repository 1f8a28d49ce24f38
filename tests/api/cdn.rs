//! Asset urls.

use rasterd::testing::TestServer;

use crate::support::Client;

#[tokio::test]
async fn what_is_not_there_is_one_and_the_same_404() {
    let server = TestServer::start();
    let organization = server.organization("Acme").await;
    let library = server.library(&organization, "Photos").await;
    let client = Client::new(&server);
    for path in [
        format!("/cdn/{organization}/{library}/0123456789abcdef"),
        format!("/cdn/{organization}/{library}/0123456789abcdef/0123456789abcdef"),
        format!("/cdn/{organization}/{library}/x"),
        format!("/cdn/nobody/{library}/0123456789abcdef"),
    ] {
        let reply = client.get(&path).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (404, "RESOURCE_NOT_FOUND"), "{path}");
        assert_eq!(reply.json()["error"]["message"], "Asset not found.");
        assert_eq!(reply.header("cache-control"), "private, no-store");
    }
}
