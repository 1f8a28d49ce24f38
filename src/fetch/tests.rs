//! Fetches from a real server on the loopback interface, which the tests allow. Names are scripted.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::resolver::tests::ScriptedName;
use super::*;

/// A web server that sends one answer per connection, computed from the request.
struct WebServer {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl WebServer {
    async fn start(answer: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        Self::start_on([127, 0, 0, 1].into(), answer).await
    }

    async fn start_on(ip: IpAddr, answer: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = requests.clone();
        tokio::spawn(async move {
            // The connections stay open, so that a client waits for bytes that were announced but not sent.
            let mut open = Vec::new();
            while let Ok((mut connection, _)) = listener.accept().await {
                let request = read_request(&mut connection).await;
                counter.fetch_add(1, Ordering::SeqCst);
                let _ = connection.write_all(answer(request).as_bytes()).await;
                open.push(connection);
            }
        });
        Self { address, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn read_request(connection: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let Ok(byte) = connection.read_u8().await else { break };
        request.push(byte);
    }
    String::from_utf8(request).unwrap()
}

fn file(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

const LIMITS: FetchLimits = FetchLimits { time: Duration::from_mins(1), redirects: 5 };

/// Allows one loopback address; the others stay forbidden.
fn settings() -> FetchSettings {
    FetchSettings { enabled: true, allow: vec!["127.0.0.1/32".parse().unwrap()], ..FetchSettings::default() }
}

fn fetcher() -> Fetcher {
    Fetcher::new(settings(), LIMITS)
}

async fn body(download: &mut Download) -> Result<String> {
    let mut body = Vec::new();
    while let Some(bytes) = download.chunk().await? {
        body.extend_from_slice(&bytes);
    }
    Ok(String::from_utf8(body).unwrap())
}

async fn refusal(fetcher: &Fetcher, url: &str) -> String {
    let error = fetcher.open(url).await.err().unwrap();
    assert_eq!(error.code(), Code::BadUserInput);
    let start = format!("The url {url} could not be fetched: ");
    error.message().strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[tokio::test]
async fn a_file_is_fetched() {
    let server = WebServer::start(|request| file(&request)).await;
    let mut download = fetcher().open(&server.url("/a%20b.jpg?x=1#part")).await.unwrap();
    assert_eq!(download.file_name(), "a b.jpg");
    let announced = download.announced_bytes();
    let request = body(&mut download).await.unwrap();
    assert_eq!(announced, Some(request.len() as u64));
    let request = request.to_ascii_lowercase();
    assert!(request.starts_with("get /a%20b.jpg?x=1 http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("user-agent: rasterd/{}\r\n", env!("CARGO_PKG_VERSION"))), "{request}");
    for header in ["referer", "cookie", "gzip", "authorization"] {
        assert!(!request.contains(header), "{request}");
    }
}

#[tokio::test]
async fn redirects_are_followed_up_to_their_limit() {
    let server = WebServer::start(|request| match request.split(' ').nth(1).unwrap() {
        "/end.png" => file("the end"),
        "/3" => redirect("/2"),
        "/2" => redirect("end.png"),
        _ => redirect("/again"),
    })
    .await;
    let mut download = fetcher().open(&server.url("/3")).await.unwrap();
    assert_eq!(download.file_name(), "end.png");
    assert_eq!(body(&mut download).await.unwrap(), "the end");
    let before = server.requests();
    assert_eq!(refusal(&fetcher(), &server.url("/again")).await, "it redirects more than 5 times.");
    assert_eq!(server.requests() - before, 6);
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_url_itself() {
    let secret = WebServer::start_on([127, 0, 0, 2].into(), |_| file("secret")).await;
    let inside = secret.url("/");
    let server = WebServer::start(move |request| match request.split(' ').nth(1).unwrap() {
        "/address" => redirect(&inside),
        "/mapped" => redirect("http://[::ffff:127.0.0.1]/"),
        "/scheme" => redirect("file:///etc/passwd"),
        _ => redirect("http://user:word@127.0.0.1/"),
    })
    .await;
    for (path, reason) in [
        ("/address", "a redirect is refused: it does not resolve to a public address."),
        ("/mapped", "a redirect is refused: it does not resolve to a public address."),
        ("/scheme", "a redirect is refused: only http and https are fetched."),
        ("/password", "a redirect is refused: it has a user name or a password in it."),
    ] {
        assert_eq!(refusal(&fetcher(), &server.url(path)).await, reason);
    }
    let none_allowed = FetchSettings { enabled: true, ..FetchSettings::default() };
    let reason = refusal(&Fetcher::new(none_allowed, LIMITS), "http://localhost:1/").await;
    assert_eq!(reason, "it does not resolve to a public address.");
    assert_eq!(secret.requests(), 0);
}

#[tokio::test]
async fn a_name_is_resolved_once_per_connection() {
    let server = WebServer::start(|_| file("public")).await;
    let script = ScriptedName::new("changing.example.org", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let fetcher = Fetcher::with_resolver(script.resolver(settings()), settings(), LIMITS);
    let url = format!("http://changing.example.org:{}/", server.address.port());
    let mut download = fetcher.open(&url).await.unwrap();
    assert_eq!(body(&mut download).await.unwrap(), "public");
    assert_eq!(script.left(), 1);
    assert_eq!(refusal(&fetcher, &url).await, "it does not resolve to a public address.");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn every_address_of_a_name_must_be_public() {
    let server = WebServer::start(|_| file("public")).await;
    for answer in [["127.0.0.1", "10.0.0.1"], ["::1", "127.0.0.1"]] {
        let script = ScriptedName::new("mixed.example.org", &[&answer]);
        let fetcher = Fetcher::with_resolver(script.resolver(settings()), settings(), LIMITS);
        let url = format!("http://mixed.example.org:{}/", server.address.port());
        assert_eq!(refusal(&fetcher, &url).await, "it does not resolve to a public address.");
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn the_time_limit_covers_the_header_and_the_body() {
    let limits = FetchLimits { time: Duration::from_secs(1), ..LIMITS };
    let fetcher = Fetcher::new(settings(), limits);
    let silent = WebServer::start(|_| String::new()).await;
    assert_eq!(refusal(&fetcher, &silent.url("/")).await, "it took longer than 1 s.");
    let stalling = WebServer::start(|_| "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_owned()).await;
    let mut download = fetcher.open(&stalling.url("/")).await.unwrap();
    let error = body(&mut download).await.unwrap_err();
    assert!(error.message().ends_with("it took longer than 1 s."), "{error}");
}

#[tokio::test]
async fn answers_without_a_file_are_refused() {
    let server = WebServer::start(|request| match request.split(' ').nth(1).unwrap() {
        "/missing" => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "/empty" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        _ => "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
    })
    .await;
    for (path, reason) in [
        ("/missing", "its server answered 404 Not Found."),
        ("/empty", "its server answered 204 No Content."),
        ("/ssh", "its server did not send a valid HTTP response."),
    ] {
        assert_eq!(refusal(&fetcher(), &server.url(path)).await, reason);
    }
}

#[tokio::test]
async fn https_needs_a_server_that_can_be_trusted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.write_all(b"this is not TLS").await.unwrap();
    });
    let reason = refusal(&fetcher(), &url).await;
    // A machine without root certificates fails before it connects.
    let is_expected = reason.starts_with("its server can't be reached")
        || reason.starts_with("this server has no certificates to check https with");
    assert!(is_expected, "{reason}");
}

#[test]
fn a_url_is_checked_before_anything_is_fetched() {
    let fetcher = Fetcher::new(FetchSettings { enabled: true, ..FetchSettings::default() }, LIMITS);
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://0/",
        "http://127.0.0.1./",
        "http://１２７.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fe80::1]/",
        "https://10.0.0.1:8443/x.jpg",
    ] {
        let error = fetcher.check(url).unwrap_err();
        assert_eq!(
            error.message(),
            format!("The url {url} could not be fetched: it does not resolve to a public address.")
        );
    }
    for url in
        ["", "x.jpg", "//example.org/x", "ftp://example.org/", "file:///etc/passwd", "data:,x", "http://"]
    {
        assert_eq!(fetcher.check(url).unwrap_err().code(), Code::BadUserInput, "{url}");
    }
    for url in ["http://user@example.org/", "https://:word@example.org/"] {
        assert!(fetcher.check(url).unwrap_err().message().contains("a user name or a password"), "{url}");
    }
    let long = format!("https://example.org/{}", "x".repeat(MAX_URL_BYTES));
    assert!(fetcher.check(&long).unwrap_err().message().len() < 100);
    for url in ["https://example.org/x.jpg", "http://1.1.1.1/", "HTTPS://[2606:4700:4700::1111]/x"] {
        assert!(fetcher.check(url).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn fetching_can_be_turned_off() {
    let fetcher = Fetcher::new(FetchSettings { enabled: false, ..settings() }, LIMITS);
    for error in
        [fetcher.check("https://example.org/").err(), fetcher.open("https://example.org/").await.err()]
    {
        let error = error.unwrap();
        assert_eq!(error.code(), Code::Forbidden);
        assert_eq!(error.message(), "Uploads from urls are turned off on this server.");
    }
}

#[tokio::test]
async fn nothing_else_is_reached_where_only_allowed_addresses_are() {
    let fetcher = Fetcher::new(FetchSettings { only_allowed: true, ..settings() }, LIMITS);
    assert!(fetcher.check("http://127.0.0.1:1/").is_ok());
    assert!(fetcher.check("http://1.1.1.1/").is_err());
    // Refused without a lookup, which would leave the machine.
    let refused = fetcher.open("http://example.org/").await.err().unwrap();
    assert!(refused.message().ends_with(&format!("{NOT_PUBLIC}.")), "{refused}");
}
