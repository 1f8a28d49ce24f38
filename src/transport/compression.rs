//! Compresses what is the same for everybody: scripts, styles, documentation; and what a script of ours asks for. Pages with
//! anybody's data are not compressed, because the length of a compressed page with a secret in it reveals something about the secret.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{LazyLock, Mutex, PoisonError};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, VARY};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;

/// What is smaller gains nothing.
const WORTH_IT: usize = 1000;
/// The most compressed texts that are kept. There are some fifty.
const MAX_KEPT: usize = 200;

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

/// Compresses the answer to a script of ours, such as a part of a list, where the client takes that. Another site can't have
/// a browser ask for one, because of the header that our scripts add, so nobody compares the lengths of many.
pub fn answer_to_script(request: &HttpRequest, answer: HttpResponse) -> HttpResponse {
    let is_large = matches!(answer.body().size(), BodySize::Sized(size) if size >= WORTH_IT as u64);
    if !is_large || answer.headers().contains_key(CONTENT_ENCODING) || !takes_gzip(request.headers()) {
        return answer;
    }
    let (mut answer, body) = answer.into_parts();
    match body.try_into_bytes() {
        Ok(text) => {
            let headers = answer.headers_mut();
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
            answer.set_body(BoxBody::new(gzip(&text, Compression::default())))
        }
        Err(stream) => answer.set_body(stream),
    }
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
    let made = gzip(text, Compression::best());
    let mut all = kept();
    if all.len() < MAX_KEPT {
        all.insert(hash, made.clone());
    }
    made
}

fn gzip(text: &Bytes, level: Compression) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 3), level);
    // Writing into memory does not fail.
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.map_or_else(|_| text.clone(), Bytes::from)
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
    fn an_answer_to_a_script_is_compressed_where_that_is_worth_it() {
        let request =
            |accepted| TestRequest::get().insert_header((ACCEPT_ENCODING, accepted)).to_http_request();
        let coding = |request, text: String| {
            let answer = answer_to_script(&request, HttpResponse::Ok().body(text));
            answer.headers().get(CONTENT_ENCODING).map(|coding| coding.to_str().unwrap().to_owned())
        };
        assert_eq!(coding(request("gzip"), "<li>".repeat(300)).as_deref(), Some("gzip"));
        assert_eq!(coding(request("gzip"), "<li>".to_owned()), None);
        assert_eq!(coding(request("br"), "<li>".repeat(300)), None);
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
