//! Plain HTTP on the TLS port: refused with one answer, never processed. A key in such a request is exposed.

use std::net::IpAddr;

use askama::Template;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

use super::read_ahead::Socket;
use super::refusal::{self, AnswerBody};
use crate::core::Core;
use crate::core::model::api_key::keys_in;
use crate::error::{Code, Error};
use crate::transport::{self, StrictTransportSecurity};

/// How much of a head is read.
const MAX_HEAD: u64 = 16 * 1024;
/// How much of what follows is read and thrown away, so that the answer arrives before the connection is reset.
const MAX_DISCARDED: u64 = 64 * 1024;
/// The most header fields that are read.
const MAX_FIELDS: usize = 100;
/// The most keys of one request that are looked up.
const MAX_KEYS: usize = 8;

/// The page for a person who opens an `http://` address in a browser.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>HTTPS only</title>
<h1>This server speaks HTTPS only</h1>
<p>Continue with <a href="{{ url }}">{{ url }}</a></p>
</html>
"#
)]
struct HttpsOnlyPage<'a> {
    url: &'a str,
}

/// Answers a connection that did not begin with TLS, and closes it. The caller limits the time.
pub async fn refuse(mut socket: Socket, core: &Core, address: IpAddr) {
    let Some(head) = head(&mut socket).await else { return };
    for key in keys_in(&String::from_utf8_lossy(&head)).take(MAX_KEYS) {
        if let Err(error) = core.key_exposed(key.reveal(), address).await {
            tracing::error!(cause = ?error.cause(), "could not handle a key sent over plain HTTP: {error}");
        }
    }
    let answer = answer(&head, address, &core.settings().public_url);
    core.metrics().requests.refused(Code::HttpsRequired.status());
    if socket.write_all(&answer).await.is_ok() && socket.shutdown().await.is_ok() {
        // The client may still be sending; that is thrown away.
        let _ = tokio::io::copy(&mut socket.take(MAX_DISCARDED), &mut tokio::io::sink()).await;
    }
}

/// The head of a request, or the part of it that arrived. `None` when it is not HTTP at all.
async fn head(socket: &mut Socket) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(1024);
    let mut limited = socket.take(MAX_HEAD);
    while limited.read_buf(&mut head).await.ok()? > 0 {
        let text = head.trim_ascii_start();
        if text.first().is_some_and(|first| !first.is_ascii_alphabetic()) {
            return None;
        }
        if text.windows(4).any(|bytes| bytes == b"\r\n\r\n") || text.windows(2).any(|bytes| bytes == b"\n\n")
        {
            break;
        }
    }
    (!head.is_empty()).then_some(head)
}

/// The refusal: JSON for a program, a page for a browser.
fn answer(head: &[u8], address: IpAddr, public_url: &str) -> Vec<u8> {
    let error = Error::new(
        Code::HttpsRequired,
        "This server speaks HTTPS only. Send the request to an https:// url; a key sent over plain HTTP is exposed.",
    );
    let page = page(head, public_url);
    let content = match &page {
        Some(html) => AnswerBody { media_type: "text/html; charset=utf-8", body: html.clone() },
        None => AnswerBody {
            media_type: "application/json",
            body: transport::error_json(error.code(), error.message()),
        },
    };
    refusal::answer_with(&error, &content, Some(address), StrictTransportSecurity::default())
}

/// The page for a browser; `None` when the client does not ask for a page.
fn page(head: &[u8], public_url: &str) -> Option<String> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    // After an error, or at the end, what was parsed before it is there.
    let _ = request.parse(head);
    let field = |name: &str| {
        let found = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    if !field("accept")?.to_ascii_lowercase().contains("text/html") {
        return None;
    }
    let target = request.path.filter(|target| target.starts_with('/')).unwrap_or("/");
    let url = https_url(field("host"), target).or_else(|| Url::parse(public_url).ok())?;
    HttpsOnlyPage { url: url.as_str() }.render().ok()
}

/// The same address with HTTPS, when it has nothing but host, port, path and query.
fn https_url(host: Option<&str>, target: &str) -> Option<Url> {
    let origin = Url::parse(&format!("https://{}", host?)).ok()?;
    let is_bare = origin.path() == "/"
        && origin.query().is_none()
        && origin.fragment().is_none()
        && origin.username().is_empty()
        && origin.password().is_none();
    let url = Url::parse(&format!("{}{target}", origin.origin().ascii_serialization())).ok()?;
    is_bare.then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(head: &str) -> String {
        String::from_utf8(answer(head.as_bytes(), [127, 0, 0, 1].into(), "https://assets.example.org"))
            .unwrap()
    }

    #[test]
    fn a_browser_gets_a_page_with_the_same_address_over_https() {
        let accept = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
        for (target, host, link) in [
            ("/app", "box.lan:8443", "https://box.lan:8443/app"),
            (
                "/app/default?q=%22a&amp=<b>",
                "[::1]:8443",
                "https://[::1]:8443/app/default?q=%22a&#38;amp=%3Cb%3E",
            ),
            ("/", "localhost", "https://localhost/"),
            // An invalid host is not repeated.
            ("/app", "a b/c?<>", "https://assets.example.org/"),
            ("/app", "localhost:1@evil", "https://assets.example.org/"),
            ("http://evil.example/x", "localhost", "https://localhost/"),
            ("//evil.example/x", "localhost", "https://localhost//evil.example/x"),
        ] {
            let answer = answered(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{accept}\r\n\r\n"));
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{head}");
            assert!(head.contains("Content-Type: text/html; charset=utf-8"), "{head}");
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
            assert!(body.contains(&format!("<a href=\"{link}\">")), "{target} at {host}: {body}");
        }
    }

    #[test]
    fn a_program_gets_the_envelope() {
        for field in ["Accept: */*", "Accept: application/json", "X: text/html", ""] {
            let answer = answered(&format!("GET / HTTP/1.1\r\nHost: localhost\r\n{field}\r\n\r\n"));
            assert!(
                answer.contains("Content-Type: application/json") && answer.contains("HTTPS_REQUIRED"),
                "{answer}"
            );
        }
    }
}
