//! Where a request ends on a connection: its head, and the length of its body. Stricter than the HTTP framework
//! behind it, so that what passes here means the same to both, and what does not gets an answer of ours.
//! Pure: no sockets, no time.

use std::mem::MaybeUninit;

use actix_web::http::{Method, Uri};

use crate::error::{Error, Result};

/// The longest head, in bytes. A url and a bearer token need a tenth of it.
pub const MOST_HEAD: usize = 16 * 1024;
/// The most header fields; the framework takes no more.
const MOST_FIELDS: usize = 96;
/// The longest chunk extension or trailer, in bytes. Nobody sends any.
const MOST_EXTRA: u16 = 1024;

/// A complete head.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// How many bytes it takes.
    pub length: usize,
    /// What follows.
    pub body: Body,
}

/// How much of a body is still to come.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    /// This many bytes.
    Length(u64),
    /// Chunks, and this is where in them.
    Chunks(Chunk),
}

/// A chunked body that breaks the rules. There is no telling where it ends.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// A place in a chunked body: what is expected next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// The first digit of a size.
    Size,
    /// More digits, or what ends them.
    SizeRest(u64),
    /// The rest of an extension of a chunk of this size; so much was read of it.
    Extension(u64, u16),
    /// The line feed after the size.
    SizeEnd(u64),
    /// So many bytes of data.
    Data(u64),
    /// The carriage return after the data.
    DataReturn,
    /// The line feed after that.
    DataEnd,
    /// A trailer, or the carriage return of the end; so much was read of trailers.
    Trailer(u16),
    /// The rest of a trailer.
    TrailerRest(u16),
    /// The line feed of a trailer.
    TrailerEnd(u16),
    /// The line feed of the end.
    End,
    /// Nothing: the body is over.
    Over,
}

impl Body {
    /// Whether all of it was taken.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunks(Chunk::Over))
    }

    /// Takes what belongs to the body off the front of `bytes`, and tells how many bytes that is.
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        match self {
            Self::Length(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                Ok(taken)
            }
            Self::Chunks(chunk) => chunk.take(bytes),
        }
    }
}

impl Chunk {
    fn take(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            if let Self::Data(left) = self {
                let now = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= now as u64;
                taken += now;
                if *left == 0 {
                    *self = Self::DataReturn;
                }
            } else if let (Some(&byte), false) = (rest.first(), *self == Self::Over) {
                *self = self.after(byte).ok_or(Malformed)?;
                taken += 1;
            } else {
                break;
            }
        }
        Ok(taken)
    }

    /// What is expected after this byte; `None` when it must not be here.
    fn after(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Size, _) => digit(byte).map(Self::SizeRest),
            (Self::SizeRest(size) | Self::Extension(size, _), b'\r') => Some(Self::SizeEnd(size)),
            (Self::SizeRest(size), b';') => Some(Self::Extension(size, 0)),
            (Self::SizeRest(size), _) => size.checked_mul(16)?.checked_add(digit(byte)?).map(Self::SizeRest),
            (Self::Extension(size, read), _) => {
                (is_text(byte) && read < MOST_EXTRA).then_some(Self::Extension(size, read + 1))
            }
            (Self::SizeEnd(0), b'\n') => Some(Self::Trailer(0)),
            (Self::SizeEnd(size), b'\n') => Some(Self::Data(size)),
            (Self::DataReturn, b'\r') => Some(Self::DataEnd),
            (Self::DataEnd, b'\n') => Some(Self::Size),
            (Self::Trailer(_), b'\r') => Some(Self::End),
            (Self::TrailerRest(read), b'\r') => Some(Self::TrailerEnd(read)),
            (Self::Trailer(read) | Self::TrailerRest(read), _) => {
                (is_text(byte) && read < MOST_EXTRA).then_some(Self::TrailerRest(read + 1))
            }
            (Self::TrailerEnd(read), b'\n') => Some(Self::Trailer(read)),
            (Self::End, b'\n') => Some(Self::Over),
            (
                Self::SizeEnd(_)
                | Self::DataReturn
                | Self::DataEnd
                | Self::TrailerEnd(_)
                | Self::End
                | Self::Data(_)
                | Self::Over,
                _,
            ) => None,
        }
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

/// What may stand in an extension or a trailer: no control character but the tab.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7F)
}

/// Reads a head off the front of `bytes`, of which the first `known` were looked at before. `None` when it is not
/// complete yet.
///
/// # Errors
/// `BAD_USER_INPUT` for a head that is too long or not to be answered. What comes after it can't be read, either.
pub fn read_head(bytes: &[u8], known: usize) -> Result<Option<Head>> {
    let window = bytes.get(..bytes.len().min(MOST_HEAD)).unwrap_or(bytes);
    if !has_blank_line(window, known) {
        return if window.len() < MOST_HEAD { Ok(None) } else { Err(too_long()) };
    }
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(window, &mut fields) {
        Ok(httparse::Status::Complete(length)) => length,
        // The blank line stood before the request, where it is allowed.
        Ok(httparse::Status::Partial) if window.len() < MOST_HEAD => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(too_long()),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Error::bad_input(format!("The request has more than {MOST_FIELDS} header fields.")));
        }
        Err(error) => {
            return Err(Error::bad_input(format!("The head of the request is not HTTP/1.1: {error}.")));
        }
    };
    if has_bare_line_feed(window.get(..length).unwrap_or(window)) {
        return Err(Error::bad_input(
            "Lines of the head end in carriage return and line feed, not in one of them.",
        ));
    }
    let request = Checked::new(&request)?;
    Ok(Some(Head { length, body: request.body()? }))
}

fn too_long() -> Error {
    Error::bad_input(format!("The head of the request is longer than {MOST_HEAD} bytes."))
}

/// Whether a blank line ends in the part of `bytes` that is not known.
fn has_blank_line(bytes: &[u8], known: usize) -> bool {
    let fresh = bytes.get(known.saturating_sub(3)..).unwrap_or_default();
    fresh.windows(2).any(|pair| pair == b"\n\n") || fresh.windows(3).any(|three| three == b"\n\r\n")
}

fn has_bare_line_feed(head: &[u8]) -> bool {
    let before = std::iter::once(&0).chain(head);
    before.zip(head).any(|(before, byte)| *byte == b'\n' && *before != b'\r')
}

/// The fields of a head that decide how it is read.
struct Checked<'a> {
    is_http_11: bool,
    is_post: bool,
    length: Option<&'a [u8]>,
    encoding: Option<&'a [u8]>,
}

impl<'a> Checked<'a> {
    fn new(request: &httparse::Request<'_, 'a>) -> Result<Self> {
        let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
        let is_http_11 = request.version == Some(1);
        let host = only(request, "host")?;
        if is_http_11 && host.is_none() {
            return Err(Error::bad_input("The request has no `Host`."));
        }
        check_target(method, target, host)?;
        let upgrade = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("upgrade"));
        if upgrade.is_some_and(|field| field.value.trim_ascii().eq_ignore_ascii_case(b"websocket")) {
            return Err(Error::bad_input("There are no WebSockets here."));
        }
        let (length, encoding) = (only(request, "content-length")?, only(request, "transfer-encoding")?);
        Ok(Self { is_http_11, is_post: method == "POST", length, encoding })
    }

    fn body(&self) -> Result<Body> {
        match (self.length, self.encoding) {
            (Some(_), Some(_)) => {
                Err(Error::bad_input("Send `Content-Length` or `Transfer-Encoding`, not both."))
            }
            (None, Some(encoding)) if self.is_http_11 && encoding.eq_ignore_ascii_case(b"chunked") => {
                Ok(Body::Chunks(Chunk::Size))
            }
            (None, Some(_)) => {
                Err(Error::bad_input("The only `Transfer-Encoding` here is `chunked`, in HTTP/1.1."))
            }
            (Some(length), None) => decimal(length)
                .map(Body::Length)
                .ok_or_else(|| Error::bad_input("`Content-Length` must be a number of bytes.")),
            (None, None) if self.is_post && !self.is_http_11 => {
                Err(Error::bad_input("A POST in HTTP/1.0 needs a `Content-Length`."))
            }
            (None, None) => Ok(Body::Length(0)),
        }
    }
}

/// The value of a field that may be there once.
fn only<'a>(request: &httparse::Request<'_, 'a>, name: &str) -> Result<Option<&'a [u8]>> {
    let mut values = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    let value = values.next().map(|field| field.value.trim_ascii());
    if values.next().is_some() {
        return Err(Error::bad_input(format!("The request has more than one `{name}`.")));
    }
    Ok(value)
}

/// Only digits: the framework's own reading takes a sign, and reading digits twice would be two readings.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok()?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// A path; or a whole url, as for a proxy, when it names the host that `Host` names.
fn check_target(method: &str, target: &str, host: Option<&[u8]>) -> Result<()> {
    let malformed = || Error::bad_input("The target of the request is not a path that can be read.");
    let known =
        Method::from_bytes(method.as_bytes()).map_err(|_| Error::bad_input("There is no such method."))?;
    if known == Method::CONNECT {
        return Err(Error::bad_input("This server is no proxy."));
    }
    let uri = Uri::try_from(target).map_err(|_| malformed())?;
    match (target.starts_with('/'), uri.authority()) {
        (true, None) => Ok(()),
        (false, None) if target == "*" && known == Method::OPTIONS => Ok(()),
        (false, Some(named)) if uri.scheme().is_some() => {
            if host.is_some_and(|host| host.eq_ignore_ascii_case(named.as_str().as_bytes())) {
                Ok(())
            } else {
                Err(Error::bad_input("The url of the request names another host than its `Host`."))
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
        let whole = Head { length: head.len(), body: Body::Length(0) };
        assert_eq!(read(head).unwrap(), Some(whole));
        for end in 0..head.len() {
            assert_eq!(read(&head[..end]).unwrap(), None, "{end}");
        }
        let padded = format!("\r\n{head}GET");
        assert_eq!(read(&padded).unwrap().unwrap().length, head.len() + 2);
        assert_eq!(read("\r\n\r\n").unwrap(), None);
    }

    #[test]
    fn the_body_is_what_the_head_says() {
        let body = |fields: &str| {
            read(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n")).unwrap().unwrap().body
        };
        assert_eq!(body("Content-Length: 7"), Body::Length(7));
        assert_eq!(body("Transfer-Encoding: Chunked"), Body::Chunks(Chunk::Size));
        assert_eq!(body("A: b"), Body::Length(0));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
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
    fn a_head_has_a_most() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(MOST_HEAD));
        assert!(refused(&long));
        assert!(refused(&long[..MOST_HEAD]));
        let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(MOST_FIELDS));
        assert!(refused(&many));
    }

    fn taken(text: &[u8]) -> Result<(usize, bool), Malformed> {
        let mut body = Body::Chunks(Chunk::Size);
        body.take(text).map(|taken| (taken, body.is_over()))
    }

    #[test]
    fn chunks_end_where_they_say() {
        for text in ["0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "A;x=y\r\n0123456789\r\n00\r\nT: u\r\n\r\n"] {
            assert_eq!(taken(text.as_bytes()), Ok((text.len(), true)), "{text}");
            let more = format!("{text}GET / HTTP/1.1");
            assert_eq!(taken(more.as_bytes()), Ok((text.len(), true)), "{text}");
        }
        for text in [
            "\r\n",
            "g\r\n",
            "1\nx",
            "1\r\nxy",
            "1\r\nx\n",
            " 1\r\n",
            "-1\r\n",
            "0\r\n\n",
            "0\r\nT: u\n\r\n",
            "10000000000000000\r\n",
            "1;\n\r\n",
        ] {
            assert_eq!(taken(text.as_bytes()), Err(Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn chunks_read_the_same_in_pieces(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5),
            piece in 1usize..20,
        ) {
            let mut text = Vec::new();
            for chunk in &chunks {
                text.extend(format!("{:x}\r\n", chunk.len()).bytes());
                text.extend(chunk);
                text.extend(b"\r\n");
            }
            text.extend(b"0\r\n\r\n");
            let mut body = Body::Chunks(Chunk::Size);
            for piece in text.chunks(piece) {
                prop_assert!(!body.is_over());
                prop_assert_eq!(body.take(piece), Ok(piece.len()));
            }
            prop_assert!(body.is_over());
            prop_assert_eq!(body.take(b"more"), Ok(0));
        }

        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), known in 0usize..400) {
            let _ = read_head(&bytes, known);
            let _ = taken(&bytes);
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
