//! The headers of tus 1.0, the protocol of uploads that go on after a lost connection: <https://tus.io/protocols/resumable-upload>.

use std::time::{Duration, UNIX_EPOCH};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, HttpDate};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error_response;
use crate::error::{Error, Result};

/// The one version of the protocol.
pub const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
/// The version that a request or an answer uses.
pub const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
/// The versions that the server supports.
pub const VERSIONS: HeaderName = HeaderName::from_static("tus-version");
/// The extensions that the server supports.
pub const EXTENSIONS: HeaderName = HeaderName::from_static("tus-extension");
/// The largest file, in bytes.
pub const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
/// How many bytes arrived.
pub const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// The size of the file.
pub const LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// That the size of the file is not known yet.
pub const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
/// When an upload expires.
pub const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
/// What a client says about a file.
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
/// The media type of a part.
pub const PART: &str = "application/offset+octet-stream";

/// The answer to a request of another version of the protocol, if it is one.
#[must_use]
pub fn other_version(headers: &HeaderMap) -> Option<HttpResponse> {
    if headers.get(RESUMABLE) == Some(&VERSION) {
        return None;
    }
    let error = Error::bad_input(
        "Send the header `Tus-Resumable: 1.0.0`, or send the whole file with one `PUT` and without it.",
    );
    let mut answer = with_status(StatusCode::PRECONDITION_FAILED, &error);
    answer.headers_mut().insert(VERSIONS, VERSION);
    Some(answer)
}

/// The answer for an error, with a status that the protocol gives it.
#[must_use]
pub fn with_status(status: StatusCode, error: &Error) -> HttpResponse {
    let mut answer = error_response(error);
    *answer.status_mut() = status;
    answer
}

/// Whether the body is a part of a file.
#[must_use]
pub fn is_part(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(PART))
}

/// A header that is a number of bytes, if it is there.
///
/// # Errors
/// `BAD_USER_INPUT` when it is not a number, or there are two.
pub fn bytes(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::bad_input(format!("The request has more than one `{name}`.")));
    }
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.map(Some).ok_or_else(|| Error::bad_input(format!("`{name}` must be a number of bytes.")))
}

/// A value of `Upload-Metadata`, which has pairs of a name and a text in base64; empty when it is not there.
///
/// # Errors
/// `BAD_USER_INPUT` when it is not base64 of UTF-8.
pub fn metadata(headers: &HeaderMap, name: &str) -> Result<String> {
    let all = headers.get(METADATA).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let value = all.split(',').find_map(|pair| {
        let (found, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        (found == name).then_some(value.trim())
    });
    let decoded = STANDARD.decode(value.unwrap_or_default()).ok();
    decoded.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        Error::bad_input(format!("`{name}` in `Upload-Metadata` must be UTF-8 text in base64."))
    })
}

/// The value of `Upload-Expires` for a time in unix milliseconds.
#[must_use]
pub fn expires(time: u64) -> String {
    HttpDate::from(UNIX_EPOCH + Duration::from_millis(time)).to_string()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn headers(name: &HeaderName, value: &str) -> HeaderMap {
        TestRequest::get().insert_header((name, value)).to_http_request().headers().clone()
    }

    #[test]
    fn metadata_is_found_by_its_name() {
        let sent = headers(&METADATA, "filetype aW1hZ2UvcG5n, filename w6QucG5n,is_confidential");
        assert_eq!(metadata(&sent, "filename").unwrap(), "ä.png");
        assert_eq!(metadata(&sent, "parentId").unwrap(), "");
        assert_eq!(metadata(&sent, "is_confidential").unwrap(), "");
        for wrong in ["filename *", "filename /w=="] {
            assert!(metadata(&headers(&METADATA, wrong), "filename").is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_plain_numbers() {
        assert_eq!(bytes(&headers(&LENGTH, "12"), &LENGTH).unwrap(), Some(12));
        assert_eq!(bytes(&headers(&LENGTH, "12"), &OFFSET).unwrap(), None);
        for wrong in ["", "+1", "-1", "1.0", "99999999999999999999", "a"] {
            assert!(bytes(&headers(&LENGTH, wrong), &LENGTH).is_err(), "{wrong}");
        }
        let mut two = headers(&LENGTH, "12");
        two.append(LENGTH, HeaderValue::from_static("13"));
        assert!(bytes(&two, &LENGTH).is_err());
    }

    #[test]
    fn a_part_is_known_by_its_media_type_however_it_is_written() {
        for kind in
            [PART, "Application/Offset+Octet-Stream", "application/offset+octet-stream; charset=utf-8"]
        {
            assert!(is_part(&headers(&CONTENT_TYPE, kind)), "{kind}");
        }
        for kind in ["", "image/png", "application/octet-stream"] {
            assert!(!is_part(&headers(&CONTENT_TYPE, kind)), "{kind}");
        }
    }
}
