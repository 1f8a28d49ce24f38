//! Evaluates conditional requests and ranges as defined in RFC 9110, sections 13 and 14.

use std::time::SystemTime;

use actix_web::http::Method;
use actix_web::http::header::{
    HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, RANGE,
};

/// The validators of a file's current version.
pub struct Validators {
    /// The strong entity tag, with its quotes.
    pub etag: String,
    /// When it last changed, to the second.
    pub modified: SystemTime,
}

/// The result of evaluating a request's conditions: what to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluation {
    /// The whole file.
    Whole,
    /// A range.
    Range(ByteRange),
    /// Nothing: the client already has this version.
    NotModified,
    /// Nothing: a precondition of the client does not hold.
    PreconditionFailed,
    /// Nothing: the range starts after the end.
    OutOfRange,
}

/// A range of a file, not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The offset of its first byte.
    pub first: u64,
    /// Its length in bytes.
    pub length: u64,
}

/// What a GET or HEAD with these headers gets from a file of this size.
pub fn evaluate(method: &Method, headers: &HeaderMap, validators: &Validators, size: u64) -> Evaluation {
    if fails_precondition(headers, validators) {
        return Evaluation::PreconditionFailed;
    }
    if is_not_modified(headers, validators) {
        return Evaluation::NotModified;
    }
    let range =
        text(headers, &RANGE).filter(|_| *method == Method::GET && range_applies(headers, validators));
    range.map_or(Evaluation::Whole, |range| evaluate_range(range, size))
}

/// Which of these tags the client already has, if `If-None-Match` is its only precondition. For files that are not open
/// yet.
pub fn matching_tag(headers: &HeaderMap, tags: impl Iterator<Item = String>) -> Option<String> {
    if headers.contains_key(IF_MATCH) || headers.contains_key(IF_UNMODIFIED_SINCE) {
        return None;
    }
    let is_named = |named: &HeaderValue, tag: &str| {
        let named = named.to_str().unwrap_or_default().split(',').map(str::trim);
        named.map(|named| named.strip_prefix("W/").unwrap_or(named)).any(|named| named == tag)
    };
    tags.into_iter().find(|tag| headers.get_all(IF_NONE_MATCH).any(|named| is_named(named, tag)))
}

/// Whether the client requires another version than this.
fn fails_precondition(headers: &HeaderMap, validators: &Validators) -> bool {
    if headers.contains_key(IF_MATCH) {
        return !lists(headers, &IF_MATCH, |tag| tag == validators.etag);
    }
    date(headers, &IF_UNMODIFIED_SINCE).is_some_and(|since| validators.modified > since)
}

/// Whether the client already has this version.
fn is_not_modified(headers: &HeaderMap, validators: &Validators) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return lists(headers, &IF_NONE_MATCH, |tag| {
            tag.strip_prefix("W/").unwrap_or(tag) == validators.etag
        });
    }
    date(headers, &IF_MODIFIED_SINCE).is_some_and(|since| validators.modified <= since)
}

/// Whether a requested range is meant for this version.
fn range_applies(headers: &HeaderMap, validators: &Validators) -> bool {
    let Some(expected) = text(headers, &IF_RANGE) else { return !headers.contains_key(IF_RANGE) };
    expected == validators.etag
        || httpdate::parse_http_date(expected).is_ok_and(|date| date == validators.modified)
}

/// Evaluates a `Range` header with a single range. A malformed header, another unit, or several ranges are ignored.
fn evaluate_range(range: &str, size: u64) -> Evaluation {
    let Some((first, last)) = bounds(range) else { return Evaluation::Whole };
    let (first, last) = match (first, last) {
        (Some(first), Some(last)) if first > last => return Evaluation::Whole,
        (Some(first), last) => (first, last.unwrap_or(u64::MAX)),
        (None, Some(0)) => return Evaluation::OutOfRange,
        (None, Some(length)) => (size.saturating_sub(length), u64::MAX),
        (None, None) => return Evaluation::Whole,
    };
    if first >= size {
        return Evaluation::OutOfRange;
    }
    Evaluation::Range(ByteRange { first, length: last.min(size - 1) - first + 1 })
}

/// The two numbers of `bytes=1-2`. One of them may be missing.
fn bounds(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, set) = range.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    let number = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match text {
            "" => Some(None),
            // A number that does not fit is after every end.
            text => is_number.then(|| Some(text.parse().unwrap_or(u64::MAX))),
        }
    };
    if unit.trim().eq_ignore_ascii_case("bytes") { Some((number(first)?, number(last)?)) } else { None }
}

/// Whether a header's list of tags contains a matching one, or `*`.
fn lists(headers: &HeaderMap, name: &HeaderName, matches: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).any(|tag| tag == "*" || matches(tag))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, name)?).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const SIZE: u64 = 1000;
    const AT: &str = "Thu, 01 Jan 1970 00:01:40 GMT";
    const BEFORE: &str = "Thu, 01 Jan 1970 00:01:39 GMT";

    fn evaluated(headers: &[(HeaderName, &str)]) -> Evaluation {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect();
        let validators = Validators { etag: "\"a\"".into(), modified: UNIX_EPOCH + Duration::from_secs(100) };
        evaluate(&Method::GET, &headers, &validators, SIZE)
    }

    fn ranged(range: &str) -> Evaluation {
        evaluated(&[(RANGE, range)])
    }

    fn the_range(first: u64, length: u64) -> Evaluation {
        Evaluation::Range(ByteRange { first, length })
    }

    #[test]
    fn a_single_range_is_applied() {
        assert_eq!(ranged("bytes=0-0"), the_range(0, 1));
        assert_eq!(ranged("bytes=10-19"), the_range(10, 10));
        assert_eq!(ranged("Bytes=990-"), the_range(990, 10));
        assert_eq!(ranged("bytes=990-99999999999999999999999"), the_range(990, 10));
        assert_eq!(ranged("bytes=-10"), the_range(990, 10));
        assert_eq!(ranged("bytes=-5000"), the_range(0, SIZE));
    }

    #[test]
    fn a_range_after_the_end_is_out_of_range() {
        for range in ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(ranged(range), Evaluation::OutOfRange, "{range}");
        }
    }

    #[test]
    fn anything_but_a_single_range_is_ignored() {
        for range in
            ["bytes=0-1,3-4", "bytes=5-4", "bytes=-", "bytes=a-b", "bytes=+1-2", "lines=0-1", "bytes", ""]
        {
            assert_eq!(ranged(range), Evaluation::Whole, "{range}");
        }
    }

    #[test]
    fn a_client_that_has_the_file_gets_nothing() {
        for tags in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert_eq!(evaluated(&[(IF_NONE_MATCH, tags)]), Evaluation::NotModified, "{tags}");
        }
        assert_eq!(evaluated(&[(IF_NONE_MATCH, "\"b\"")]), Evaluation::Whole);
        assert_eq!(evaluated(&[(IF_MODIFIED_SINCE, AT)]), Evaluation::NotModified);
        assert_eq!(evaluated(&[(IF_MODIFIED_SINCE, BEFORE)]), Evaluation::Whole);
        // The tag is exact, so the date is ignored.
        assert_eq!(evaluated(&[(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, AT)]), Evaluation::Whole);
    }

    #[test]
    fn a_tag_that_the_client_names_matches() {
        let matching = |headers: &[(HeaderName, &'static str)]| {
            let headers =
                headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
            matching_tag(&headers, ["\"a\"".to_owned(), "\"b\"".to_owned()].into_iter())
        };
        assert_eq!(matching(&[(IF_NONE_MATCH, "\"c\", W/\"b\"")]).as_deref(), Some("\"b\""));
        for tags in ["*", "\"c\"", "a", ""] {
            assert_eq!(matching(&[(IF_NONE_MATCH, tags)]), None, "{tags}");
        }
        assert_eq!(matching(&[(IF_NONE_MATCH, "\"a\""), (IF_MATCH, "\"b\"")]), None);
        assert_eq!(matching(&[]), None);
    }

    #[test]
    fn a_failed_precondition_is_reported() {
        assert_eq!(evaluated(&[(IF_MATCH, "\"b\"")]), Evaluation::PreconditionFailed);
        assert_eq!(evaluated(&[(IF_MATCH, "W/\"a\"")]), Evaluation::PreconditionFailed);
        assert_eq!(evaluated(&[(IF_UNMODIFIED_SINCE, BEFORE)]), Evaluation::PreconditionFailed);
        assert_eq!(evaluated(&[(IF_MATCH, "\"b\", \"a\"")]), Evaluation::Whole);
        assert_eq!(evaluated(&[(IF_MATCH, "*"), (IF_UNMODIFIED_SINCE, BEFORE)]), Evaluation::Whole);
    }

    #[test]
    fn a_range_of_another_version_is_ignored() {
        let ranged = |expected: &str| evaluated(&[(RANGE, "bytes=0-0"), (IF_RANGE, expected)]);
        assert_eq!(ranged("\"a\""), the_range(0, 1));
        assert_eq!(ranged(AT), the_range(0, 1));
        for other in ["\"b\"", "W/\"a\"", BEFORE, "nonsense"] {
            assert_eq!(ranged(other), Evaluation::Whole, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_range_is_within_the_file(range in "bytes=[0-9]{0,5}-[0-9]{0,5}", size in 0u64..3000) {
            if let Evaluation::Range(ByteRange { first, length }) = evaluate_range(&range, size) {
                prop_assert!(length > 0 && first + length <= size);
            }
        }

        #[test]
        fn reading_never_panics(range in ".*") {
            evaluate_range(&range, SIZE);
        }
    }
}
