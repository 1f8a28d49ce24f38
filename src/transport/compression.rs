//! Compresses what is the same for everybody: scripts, styles, documentation. Pages with anybody's data are not compressed,
//! because the length of a compressed page with a secret in it tells about the secret.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{LazyLock, Mutex, PoisonError};

use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, VARY};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;

/// What is smaller gains nothing.
const WORTH_IT: usize = 1000;
/// The most compressed texts that are kept. There are some fifty.
const MOST_KEPT: usize = 200;

/// What was compressed, by the hash of the original.
static KEPT: LazyLock<Mutex<HashMap<[u8; 32], Bytes>>> = LazyLock::new(Mutex::default);

/// Ends an answer with a text that is the same for everybody: compressed, where the client takes that.
pub fn answer(request: &HttpRequest, answer: &mut HttpResponseBuilder, text: Bytes) -> HttpResponse {
    answer.insert_header((VARY, "Accept-Encoding"));
    if text.len() < WORTH_IT || !takes_gzip(request.headers()) {
        return answer.body(text);
    }
    answer.insert_header((CONTENT_ENCODING, "gzip"));
    answer.body(compressed(&text))
}

/// Whether a client takes gzip. One that says nothing about it is sent the plain text.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = quality.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && quality.is_ok_and(|quality| quality > 0.0)
    })
}

/// The text in gzip. Compressed once, and kept.
fn compressed(text: &Bytes) -> Bytes {
    let hash = *blake3::hash(text).as_bytes();
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = kept().get(&hash) {
        return found.clone();
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 3), Compression::best());
    // Writing into memory does not fail.
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    let made = written.map_or_else(|_| text.clone(), Bytes::from);
    let mut all = kept();
    if all.len() < MOST_KEPT {
        all.insert(hash, made.clone());
    }
    made
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_who_names_gzip_gets_it() {
        for (accepted, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
            ("*", false),
            ("", false),
        ] {
            let request = TestRequest::get().insert_header((ACCEPT_ENCODING, accepted)).to_http_request();
            assert_eq!(takes_gzip(request.headers()), expected, "{accepted}");
        }
    }

    #[test]
    fn a_compressed_text_is_the_same_text() {
        let text = Bytes::from("body { color: red }\n".repeat(500));
        let made = compressed(&text);
        assert!(made.len() * 10 < text.len());
        let mut read = String::new();
        flate2::read::GzDecoder::new(&made[..]).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
    }
}
