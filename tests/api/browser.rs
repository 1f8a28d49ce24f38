//! Pages of other origins in a real browser: which of them may call, and which may not.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use rasterd::core::model::Access;
use rasterd::testing::TestServer;

/// A page that asks the server who its key is, and shows the answer.
fn page(server: &TestServer, token: &str) -> String {
    format!(
        "<!doctype html><body><script>\
         fetch('{}/me', {{headers: {{Authorization: 'Bearer {token}', 'Api-Version': '2026-07-08'}}}})\
         .then(answer => answer.text()).catch(error => 'refused: ' + error)\
         .then(text => document.body.textContent = text)</script>",
        server.url()
    )
}

/// Serves a page to any client, as long as the test runs.
fn serve(listener: TcpListener, page: String) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _head = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
            let _gone = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        }
    });
}

/// What the page shows in Chromium once its script is done.
fn shown(url: &str) -> String {
    let profile = rasterd::testing::TempFolder::new();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .env("TMPDIR", profile.path())
        .args(["--ignore-certificate-errors", "--virtual-time-budget=20000", "--dump-dom", url])
        .output()
        .expect("Debian's chromium is installed");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_call_and_one_of_another_may_not() {
    let (allowed, other) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let [allowed_url, other_url] =
        [&allowed, &other].map(|listener| format!("http://{}", listener.local_addr().unwrap()));
    let origin = allowed_url.clone();
    let server = TestServer::start_with(move |_, options| options.allowed_origins = vec![origin.clone()]);
    let organization = server.organization("Acme").await;
    let library = server.library(&organization, "Photos").await;
    let key = server.key(&organization, &[(&library, Access::Read)]).await;
    serve(allowed, page(&server, &key.token));
    serve(other, page(&server, &key.token));

    assert!(shown(&allowed_url).contains(r#""organizationName":"Acme""#), "{}", shown(&allowed_url));
    assert!(shown(&other_url).contains("refused: TypeError"), "{}", shown(&other_url));
}
