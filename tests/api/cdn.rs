//! Asset urls.

use std::io::Write;
use std::time::{Duration, Instant};

use rasterd::core::access::LibraryPath;
use rasterd::core::model::Access;
use rasterd::testing::{TestKey, TestServer};
use reqwest::Method;

use crate::support::raw::{DEADLINE, Raw};
use crate::support::{Client, Reply, send};

mod fairness;
mod renditions;

const SVG: &[u8] = br#"<svg xmlns="http://www.w3.org/2000/svg" width="2" height="3"/>"#;

/// A server with a library and a key that writes to it.
struct Stocked {
    server: TestServer,
    client: Client,
    key: TestKey,
    organization: String,
    library: String,
}

impl Stocked {
    async fn new() -> Self {
        Self::on(TestServer::start()).await
    }

    async fn on(server: TestServer) -> Self {
        let organization = server.organization("Acme").await;
        let library = server.library(&organization, "Photos").await;
        let key = server.key(&organization, &[(&library, Access::Write)]).await;
        Self { client: Client::new(&server), server, key, organization, library }
    }

    /// Uploads a file and returns the path of its url.
    async fn upload(&self, name: &str, bytes: &[u8]) -> String {
        let id = self.server.upload(&self.key, &self.organization, &self.library, name, bytes).await;
        format!("/cdn/{}/{}/{id}", self.organization, self.library)
    }

    async fn asked(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
        let request = self.client.request(method, path);
        send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    async fn ranged(&self, path: &str, range: &str) -> Reply {
        self.asked(Method::GET, path, &[("range", range)]).await
    }
}

/// A PDF of this size, without two equal pieces.
fn pdf(size: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%".to_vec();
    let mut count = 0;
    while bytes.len() < size {
        write!(bytes, "{count} ").unwrap();
        count += 1;
    }
    bytes.truncate(size);
    bytes
}

#[tokio::test]
async fn a_file_is_served_unchanged_with_the_headers_of_a_public_file() {
    let stocked = Stocked::new().await;
    for size in [100, 64 * 1024, 64 * 1024 + 1, 1_000_000] {
        let bytes = pdf(size);
        let path = stocked.upload("a \"plan\".final.pdf", &bytes).await;
        let reply = stocked.client.get(&path).await;
        assert_eq!(reply.status, 200);
        assert!(reply.body == bytes, "{size} bytes came back changed");
        assert_eq!(reply.header("etag"), format!("\"{}\"", blake3::hash(&bytes).to_hex()));
        for (name, value) in [
            ("content-type", "application/pdf"),
            ("content-length", size.to_string().as_str()),
            ("accept-ranges", "bytes"),
            ("cache-control", "public, max-age=300, stale-while-revalidate=86400"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("access-control-allow-origin", "*"),
            ("x-content-type-options", "nosniff"),
            (
                "content-disposition",
                "inline; filename=\"a _plan_.final.pdf\"; filename*=UTF-8''a%20%22plan%22.final.pdf",
            ),
        ] {
            assert_eq!(reply.header(name), value, "{name}");
        }
        let head = stocked.asked(Method::HEAD, &path, &[]).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        for name in ["content-length", "content-type", "etag", "last-modified", "content-disposition"] {
            assert_eq!(head.header(name), reply.header(name), "{name}");
        }
    }
}

#[tokio::test]
async fn types_that_can_hold_scripts_are_sent_as_attachments() {
    let stocked = Stocked::new().await;
    let reply = stocked.client.get(&stocked.upload("logo.svg", SVG).await).await;
    assert_eq!(reply.header("content-disposition"), "attachment; filename=\"logo.svg\"");
    assert_eq!(reply.header("content-type"), "image/svg+xml");
}

#[tokio::test]
async fn a_requested_range_is_served() {
    let stocked = Stocked::new().await;
    let bytes = pdf(300_000);
    let path = stocked.upload("plan.pdf", &bytes).await;
    for (range, from, to) in [
        ("bytes=0-0", 0, 0),
        ("bytes=10-200009", 10, 200_009),
        ("bytes=299999-", 299_999, 299_999),
        ("bytes=-70000", 230_000, 299_999),
    ] {
        let reply = stocked.ranged(&path, range).await;
        assert_eq!(reply.status, 206, "{range}");
        assert_eq!(reply.header("content-range"), format!("bytes {from}-{to}/300000"));
        assert!(reply.body == bytes[from..=to], "{range}");
    }
    let reply = stocked.ranged(&path, "bytes=300000-").await;
    assert_eq!((reply.status, reply.header("content-range"), reply.body.len()), (416, "bytes */300000", 0));
    let reply = stocked.ranged(&path, "bytes=0-1,5-6").await;
    assert_eq!((reply.status, reply.body.len()), (200, 300_000), "several ranges are answered as a whole");
    let reply = stocked.asked(Method::HEAD, &path, &[("range", "bytes=0-0")]).await;
    assert_eq!((reply.status, reply.header("content-length")), (200, "300000"));
}

#[tokio::test]
async fn a_client_that_has_the_file_gets_304() {
    let stocked = Stocked::new().await;
    let path = stocked.upload("plan.pdf", &pdf(1000)).await;
    let first = stocked.client.get(&path).await;
    let (tag, date) = (first.header("etag"), first.header("last-modified"));
    for header in [("if-none-match", tag), ("if-modified-since", date)] {
        let reply = stocked.asked(Method::GET, &path, &[header]).await;
        assert_eq!((reply.status, reply.body.len(), reply.header("etag")), (304, 0, tag));
        assert_eq!(reply.header("cache-control"), first.header("cache-control"));
    }
    let reply = stocked.asked(Method::GET, &path, &[("if-match", "\"other\"")]).await;
    assert_eq!((reply.status, reply.body.len()), (412, 0));
    let part = [("range", "bytes=0-0"), ("if-range", "\"other\"")];
    assert_eq!(stocked.asked(Method::GET, &path, &part).await.status, 200);
    let part = [("range", "bytes=0-0"), ("if-range", tag)];
    assert_eq!(stocked.asked(Method::GET, &path, &part).await.status, 206);
}

#[tokio::test]
async fn the_library_in_a_url_may_be_another_and_the_organization_may_not() {
    let stocked = Stocked::new().await;
    let path = stocked.upload("plan.pdf", &pdf(100)).await;
    let other = stocked.server.organization("Other").await;
    assert_eq!(stocked.client.get(&path.replace("/photos/", "/elsewhere/")).await.status, 200);
    assert_eq!(stocked.client.get(&path.replace("/acme/", &format!("/{other}/"))).await.status, 404);
}

#[tokio::test]
async fn a_variant_is_served_only_under_its_original() {
    let Stocked { server, client, key, organization, library } = &Stocked::new().await;
    let (bytes, of_variant) = (pdf(100), pdf(200));
    let original = server.upload(key, organization, library, "plan.pdf", &bytes).await;
    let other = server.upload(key, organization, library, "other.pdf", &bytes).await;
    let variant =
        server.upload_under(key, organization, library, "variant.pdf", &of_variant, Some(&original)).await;
    let status =
        async |path: String| client.get(&format!("/cdn/{organization}/{library}/{path}")).await.status;
    let reply = client.get(&format!("/cdn/{organization}/{library}/{original}/{variant}")).await;
    assert!(reply.status == 200 && reply.body == of_variant);
    assert_eq!(status(format!("{other}/{variant}")).await, 404);
    assert_eq!(status(format!("{original}/{other}")).await, 404);
    assert_eq!(status(format!("{variant}")).await, 404);
}

#[tokio::test]
async fn everything_that_is_missing_gets_the_same_404() {
    let stocked = Stocked::new().await;
    let trashed = stocked.upload("plan.pdf", &pdf(100)).await;
    let id = trashed.rsplit('/').next().unwrap().to_owned();
    let caller = stocked.server.core().authenticate(&stocked.key.token).unwrap();
    let library = LibraryPath { organization: &stocked.organization, library: &stocked.library };
    stocked.server.core().delete_assets(&caller, &library, &[id]).await.unwrap();
    for path in [
        &trashed,
        "/cdn/acme/photos/0123456789abcdef",
        "/cdn/acme/photos/0123456789abcdef/0123456789abcdef",
        "/cdn/acme/photos/x",
        "/cdn/nobody/photos/0123456789abcdef",
    ] {
        let reply = stocked.client.get(path).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (404, "RESOURCE_NOT_FOUND"), "{path}");
        assert_eq!(reply.json()["error"]["message"], "Asset not found.");
        assert_eq!(reply.header("cache-control"), "private, no-store");
    }
}

#[tokio::test]
async fn a_download_in_flight_finishes_when_the_server_stops() {
    let stocked = Stocked::new().await;
    // More than the buffers between client and server hold.
    let bytes = pdf(30_000_000);
    let path = stocked.upload("plan.pdf", &bytes).await;
    let mut connection = Raw::open(&stocked.server);
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    connection.read_exactly(1000);
    stocked.server.control().stop();
    let rest = connection.read_to_end();
    assert!(rest.as_bytes().ends_with(&bytes[20_000_000..]));
}

/// Begins a download that does not end by itself, orders the server to stop so many times, and returns whether it
/// does.
async fn stops_after(orders: usize, drain: Duration) -> bool {
    let server = TestServer::start_with(move |_, options| options.timeouts.drain = drain);
    let stocked = Stocked::on(server).await;
    let path = stocked.upload("plan.pdf", &pdf(30_000_000)).await;
    let mut connection = Raw::open(&stocked.server);
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    connection.read_exactly(1000);
    for _ in 0..orders {
        stocked.server.control().stop();
    }
    let started = Instant::now();
    while stocked.server.is_running() && started.elapsed() < DEADLINE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    !stocked.server.is_running()
}

#[tokio::test]
async fn a_stop_waits_only_a_limited_time_for_a_download() {
    assert!(stops_after(1, Duration::from_secs(1)).await);
}

#[tokio::test]
async fn a_second_stop_signal_takes_effect_at_once() {
    assert!(stops_after(2, DEADLINE * 10).await);
}

#[tokio::test]
async fn a_gzipped_svg_has_the_encoding_that_browsers_decode() {
    use std::io::Write;
    let stocked = Stocked::new().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(SVG).unwrap();
    let packed = gzip.finish().unwrap();
    let url = stocked.upload("logo.svgz", &packed).await;
    let reply = stocked.client.get(&url).await;
    assert_eq!((reply.header("content-type"), reply.header("content-encoding")), ("image/svg+xml", "gzip"));
    assert!(reply.body == packed);
    let plain = stocked.client.get(&stocked.upload("logo.svg", SVG).await).await;
    assert!(plain.headers.get("content-encoding").is_none());
}
