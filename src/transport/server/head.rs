//! Reads the head of a request, as far as it says where the request ends. Stricter than the HTTP framework that reads it
//! next, so that what passes here means the same to both, and what is refused gets an answer of ours. Pure: no sockets,
//! no time.

use std::mem::MaybeUninit;
use std::net::Ipv6Addr;

use actix_web::http::{Method, Uri};

use super::body_framing::{BodyFraming, ChunkState};
use crate::error::{Error, Result};

/// The longest head, in bytes. A url and a bearer token need a tenth of it.
const MAX_HEAD: usize = 16 * 1024;
/// The most header fields; the framework accepts no more.
const MAX_FIELDS: usize = 96;
/// The longest host name, in characters.
const MAX_HOST_NAME: usize = 254;

/// A complete head.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// How many bytes it takes.
    pub length: usize,
    /// What follows.
    pub body: BodyFraming,
}

/// Reads a head from the front of `bytes`; the first `known` bytes were checked before. `None` when it is not complete
/// yet.
///
/// # Errors
/// `BAD_USER_INPUT` for a head that is too long or can't be answered. What follows it can't be read, either.
pub fn read_head(bytes: &[u8], known: usize) -> Result<Option<Head>> {
    let window = bytes.get(..bytes.len().min(MAX_HEAD)).unwrap_or(bytes);
    if !has_blank_line(window, known) {
        return if window.len() < MAX_HEAD { Ok(None) } else { Err(too_long()) };
    }
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(window, &mut fields) {
        Ok(httparse::Status::Complete(length)) => length,
        // The blank line was before the request, where it is allowed.
        Ok(httparse::Status::Partial) if window.len() < MAX_HEAD => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(too_long()),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Error::bad_input(format!("The request has more than {MAX_FIELDS} header fields.")));
        }
        Err(error) => {
            return Err(Error::bad_input(format!("The head of the request is not HTTP/1.1: {error}.")));
        }
    };
    if has_bare_line_feed(window.get(..length).unwrap_or(window)) {
        return Err(Error::bad_input(
            "Each line of the head must end in a carriage return and a line feed, not in one of them alone.",
        ));
    }
    let request = FramingFields::new(&request)?;
    Ok(Some(Head { length, body: request.body()? }))
}

fn too_long() -> Error {
    Error::bad_input(format!("The head of the request is longer than {MAX_HEAD} bytes."))
}

/// Whether a blank line ends in the part of `bytes` that was not checked before.
fn has_blank_line(bytes: &[u8], known: usize) -> bool {
    let fresh = bytes.get(known.saturating_sub(3)..).unwrap_or_default();
    fresh.windows(2).any(|pair| pair == b"\n\n") || fresh.windows(3).any(|three| three == b"\n\r\n")
}

fn has_bare_line_feed(head: &[u8]) -> bool {
    let before = std::iter::once(&0).chain(head);
    before.zip(head).any(|(before, byte)| *byte == b'\n' && *before != b'\r')
}

/// The fields of a head that decide where the request ends, once the head is checked.
struct FramingFields<'a> {
    is_http_11: bool,
    is_post: bool,
    length: Option<&'a [u8]>,
    encoding: Option<&'a [u8]>,
}

impl<'a> FramingFields<'a> {
    fn new(request: &httparse::Request<'_, 'a>) -> Result<Self> {
        let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
        let is_http_11 = request.version == Some(1);
        let host = single(request, "host")?;
        if is_http_11 && host.is_none() {
            return Err(Error::bad_input("The request has no `Host`."));
        }
        if host.is_some_and(|host| !is_host(host)) {
            return Err(Error::bad_input(
                "`Host` must be a host name or an address, with a port or without.",
            ));
        }
        check_target(method, target, host)?;
        let upgrade = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("upgrade"));
        if upgrade.is_some_and(|field| field.value.trim_ascii().eq_ignore_ascii_case(b"websocket")) {
            return Err(Error::bad_input("This server does not support WebSockets."));
        }
        let (length, encoding) = (single(request, "content-length")?, single(request, "transfer-encoding")?);
        Ok(Self { is_http_11, is_post: method == "POST", length, encoding })
    }

    fn body(&self) -> Result<BodyFraming> {
        match (self.length, self.encoding) {
            (Some(_), Some(_)) => {
                Err(Error::bad_input("Send `Content-Length` or `Transfer-Encoding`, not both."))
            }
            (None, Some(encoding)) if self.is_http_11 && encoding.eq_ignore_ascii_case(b"chunked") => {
                Ok(BodyFraming::Chunks(ChunkState::Size))
            }
            (None, Some(_)) => Err(Error::bad_input(
                "The only `Transfer-Encoding` that is accepted is `chunked`, in HTTP/1.1.",
            )),
            (Some(length), None) => decimal(length)
                .map(BodyFraming::Length)
                .ok_or_else(|| Error::bad_input("`Content-Length` must be a number of bytes.")),
            (None, None) if self.is_post && !self.is_http_11 => {
                Err(Error::bad_input("A POST in HTTP/1.0 needs a `Content-Length`."))
            }
            (None, None) => Ok(BodyFraming::Length(0)),
        }
    }
}

/// The value of a field that may occur only once.
fn single<'a>(request: &httparse::Request<'_, 'a>, name: &str) -> Result<Option<&'a [u8]>> {
    let mut values = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    let value = values.next().map(|field| field.value.trim_ascii());
    if values.next().is_some() {
        return Err(Error::bad_input(format!("The request has more than one `{name}`.")));
    }
    Ok(value)
}

/// Whether this is a host: a name of letters, digits, `-`, `_` and dots, or an IP address, with or without a port.
fn is_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let (name, port) = match host.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, port))) if address.parse::<Ipv6Addr>().is_ok() => (None, port),
        Some(_) => return false,
        None => match host.find(':') {
            Some(colon) => {
                let (name, port) = host.split_at(colon);
                (Some(name), port)
            }
            None => (Some(host), ""),
        },
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let has_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    has_port && name.is_none_or(is_host_name)
}

fn is_host_name(name: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    // A fully qualified name may end in a dot.
    let labels = name.strip_suffix('.').unwrap_or(name);
    name.len() <= MAX_HOST_NAME
        && labels.split('.').all(|label| !label.is_empty() && label.bytes().all(in_name))
}

/// Only digits: the framework's parser also accepts a sign.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok()?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Accepts a path, or a whole url, as for a proxy, with the same host as `Host`.
fn check_target(method: &str, target: &str, host: Option<&[u8]>) -> Result<()> {
    let malformed = || Error::bad_input("The target of the request is not a valid path.");
    let known = Method::from_bytes(method.as_bytes())
        .map_err(|_| Error::bad_input("There is no such HTTP method."))?;
    if known == Method::CONNECT {
        return Err(Error::bad_input("This server is not a proxy."));
    }
    let uri = Uri::try_from(target).map_err(|_| malformed())?;
    match (target.starts_with('/'), uri.authority()) {
        (true, None) => Ok(()),
        (false, None) if target == "*" && known == Method::OPTIONS => Ok(()),
        (false, Some(named)) if uri.scheme().is_some() => {
            if host.is_some_and(|host| host.eq_ignore_ascii_case(named.as_str().as_bytes())) {
                Ok(())
            } else {
                Err(Error::bad_input("The url of the request names a different host than its `Host` header."))
            }
        }
        (true | false, _) => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<Head>> {
        read_head(text.as_bytes(), 0)
    }

    fn refused(text: &str) -> bool {
        read(text).is_err()
    }

    #[test]
    fn a_head_ends_at_its_blank_line() {
        let head = "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n";
        let whole = Head { length: head.len(), body: BodyFraming::Length(0) };
        assert_eq!(read(head).unwrap(), Some(whole));
        for end in 0..head.len() {
            assert_eq!(read(&head[..end]).unwrap(), None, "{end}");
        }
        let padded = format!("\r\n{head}GET");
        assert_eq!(read(&padded).unwrap().unwrap().length, head.len() + 2);
        assert_eq!(read("\r\n\r\n").unwrap(), None);
    }

    #[test]
    fn the_head_says_how_the_body_ends() {
        let body = |fields: &str| {
            read(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n")).unwrap().unwrap().body
        };
        assert_eq!(body("Content-Length: 7"), BodyFraming::Length(7));
        assert_eq!(body("Transfer-Encoding: Chunked"), BodyFraming::Chunks(ChunkState::Size));
        assert_eq!(body("A: b"), BodyFraming::Length(0));
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        for fields in [
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity",
            "Content-Length: +1",
            "Content-Length: 1, 1",
            "Content-Length:",
            "Content-Length: 18446744073709551616",
            "Content-Length : 1",
            "Host: y",
            "A: b\n C: d",
            "A: b\nC: d",
            " A: b",
            "Upgrade: websocket",
        ] {
            assert!(refused(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n")), "{fields}");
        }
        assert!(refused("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), "no host");
        assert!(refused("POST / HTTP/1.0\r\nHost: x\r\n\r\n"), "no length in 1.0");
        assert!(refused("GET / HTTP/1.1\nHost: x\n\n"), "bare line feeds");
        assert!(refused("POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
    }

    #[test]
    fn the_target_is_a_path_or_a_url_of_the_same_host() {
        let target = |target: &str| read(&format!("GET {target} HTTP/1.1\r\nHost: x:1\r\n\r\n")).is_ok();
        assert!(target("/") && target("/a%20b") && target("https://X:1/a"));
        for foreign in ["https://y:1/", "https://x/", "https://u@x:1/", "x:1", "a/b", "*", "/\u{7f}"] {
            assert!(!target(foreign), "{foreign}");
        }
        assert!(refused("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n"));
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        let host = |host: &str| read(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).is_ok();
        for plain in [
            "localhost",
            "localhost.",
            "a-b.example.org:8443",
            "my_box:1",
            "127.0.0.1",
            "[::1]:8443",
            "[fe80::1]",
        ] {
            assert!(host(plain), "{plain}");
        }
        for malformed in [
            "",
            "a b",
            "a/b",
            "a?b",
            "<a>",
            "a@b",
            "localhost:1@evil",
            "a:b",
            "a:",
            "a:1:2",
            "a:99999",
            "a:+1",
            ".",
            "a..b",
            ".a",
            "[::1",
            "::1",
            "[a]",
            "[::1]x",
            "%61",
            "a,b",
            "a\\b",
            "\u{e9}",
            "a#b",
            "user:pw@host",
        ] {
            assert!(!host(malformed), "{malformed}");
        }
        assert!(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"));
        assert!(!host(&"a".repeat(300)));
    }

    #[test]
    fn the_length_of_a_head_is_limited() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(MAX_HEAD));
        assert!(refused(&long));
        assert!(refused(&long[..MAX_HEAD]));
        let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(MAX_FIELDS));
        assert!(refused(&many));
    }

    proptest! {
        #[test]
        fn a_host_that_is_accepted_is_valid_for_other_parsers(host in "[a-z0-9._:@/?#%<>, \\[\\]-]{0,20}") {
            let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            if read(&text).is_ok() {
                let authority: ::http::uri::Authority = host.trim().parse().unwrap();
                prop_assert!(!authority.host().is_empty());
                prop_assert!(!authority.as_str().contains('@'));
            }
        }

        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), known in 0usize..400) {
            let _ = read_head(&bytes, known);
        }

        #[test]
        fn a_head_reads_the_same_when_it_comes_in_pieces(path in "/[a-z]{0,20}", value in "[ -~]{0,40}", piece in 1usize..9) {
            let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\nA: {value}\r\n\r\n");
            let at_once = read(&text).unwrap();
            let (mut buffer, mut known, mut in_pieces) = (Vec::new(), 0, None);
            for piece in text.as_bytes().chunks(piece) {
                buffer.extend(piece);
                in_pieces = read_head(&buffer, known).unwrap();
                known = buffer.len();
            }
            prop_assert_eq!(in_pieces, at_once);
        }
    }
}
