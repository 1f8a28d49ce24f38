//! Conditional requests and ranges, as RFC 9110 sections 13 and 14 have them: headers in, outcome out.

use std::time::SystemTime;

use actix_web::http::Method;
use actix_web::http::header::{
    HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, RANGE,
};

/// What tells one state of a file from another.
pub struct Version {
    /// The strong tag, in its quotes.
    pub etag: String,
    /// When it last changed, to the second.
    pub modified: SystemTime,
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything.
    Whole,
    /// A part.
    Part(Part),
    /// Nothing: the client has it.
    NotModified,
    /// Nothing: it is not what the client expects.
    Failed,
    /// Nothing: the part begins behind the end.
    OutOfRange,
}

/// A part of a file, not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where it begins.
    pub first: u64,
    /// How many bytes it has.
    pub length: u64,
}

/// What a GET or HEAD with these headers gets of a file of this size.
pub fn outcome(method: &Method, headers: &HeaderMap, version: &Version, size: u64) -> Outcome {
    if is_unexpected(headers, version) {
        return Outcome::Failed;
    }
    if is_known(headers, version) {
        return Outcome::NotModified;
    }
    let range = text(headers, &RANGE).filter(|_| *method == Method::GET && range_is_of(headers, version));
    range.map_or(Outcome::Whole, |range| part(range, size))
}

/// Which of these tags the client says that it has, when that is all it asks: for what need not be at hand to tell.
pub fn held(headers: &HeaderMap, tags: impl Iterator<Item = String>) -> Option<String> {
    if headers.contains_key(IF_MATCH) || headers.contains_key(IF_UNMODIFIED_SINCE) {
        return None;
    }
    let is_named = |named: &HeaderValue, tag: &str| {
        let named = named.to_str().unwrap_or_default().split(',').map(str::trim);
        named.map(|named| named.strip_prefix("W/").unwrap_or(named)).any(|named| named == tag)
    };
    tags.into_iter().find(|tag| headers.get_all(IF_NONE_MATCH).any(|named| is_named(named, tag)))
}

/// Whether the client wants another version than this.
fn is_unexpected(headers: &HeaderMap, version: &Version) -> bool {
    if headers.contains_key(IF_MATCH) {
        return !lists(headers, &IF_MATCH, |tag| tag == version.etag);
    }
    date(headers, &IF_UNMODIFIED_SINCE).is_some_and(|since| version.modified > since)
}

/// Whether the client has this version.
fn is_known(headers: &HeaderMap, version: &Version) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return lists(headers, &IF_NONE_MATCH, |tag| tag.strip_prefix("W/").unwrap_or(tag) == version.etag);
    }
    date(headers, &IF_MODIFIED_SINCE).is_some_and(|since| version.modified <= since)
}

/// Whether the range, if one is asked for, is meant for this version.
fn range_is_of(headers: &HeaderMap, version: &Version) -> bool {
    let Some(expected) = text(headers, &IF_RANGE) else { return !headers.contains_key(IF_RANGE) };
    expected == version.etag || httpdate::parse_http_date(expected).is_ok_and(|date| date == version.modified)
}

/// The one range in a `Range` header. What is malformed, of another unit, or several, is passed over.
fn part(range: &str, size: u64) -> Outcome {
    let Some((first, last)) = bounds(range) else { return Outcome::Whole };
    let (first, last) = match (first, last) {
        (Some(first), Some(last)) if first > last => return Outcome::Whole,
        (Some(first), last) => (first, last.unwrap_or(u64::MAX)),
        (None, Some(0)) => return Outcome::OutOfRange,
        (None, Some(length)) => (size.saturating_sub(length), u64::MAX),
        (None, None) => return Outcome::Whole,
    };
    if first >= size {
        return Outcome::OutOfRange;
    }
    Outcome::Part(Part { first, length: last.min(size - 1) - first + 1 })
}

/// The two numbers of `bytes=1-2`, of which one may be missing.
fn bounds(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, set) = range.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    let number = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match text {
            "" => Some(None),
            // A number that does not fit is behind every end.
            text => is_number.then(|| Some(text.parse().unwrap_or(u64::MAX))),
        }
    };
    if unit.trim().eq_ignore_ascii_case("bytes") { Some((number(first)?, number(last)?)) } else { None }
}

/// Whether a header's list of tags has one that fits, or `*`.
fn lists(headers: &HeaderMap, name: &HeaderName, fits: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).any(|tag| tag == "*" || fits(tag))
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

    fn asked(headers: &[(HeaderName, &str)]) -> Outcome {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect();
        let version = Version { etag: "\"a\"".into(), modified: UNIX_EPOCH + Duration::from_secs(100) };
        outcome(&Method::GET, &headers, &version, SIZE)
    }

    fn ranged(range: &str) -> Outcome {
        asked(&[(RANGE, range)])
    }

    fn the_part(first: u64, length: u64) -> Outcome {
        Outcome::Part(Part { first, length })
    }

    #[test]
    fn one_range_is_a_part() {
        assert_eq!(ranged("bytes=0-0"), the_part(0, 1));
        assert_eq!(ranged("bytes=10-19"), the_part(10, 10));
        assert_eq!(ranged("Bytes=990-"), the_part(990, 10));
        assert_eq!(ranged("bytes=990-99999999999999999999999"), the_part(990, 10));
        assert_eq!(ranged("bytes=-10"), the_part(990, 10));
        assert_eq!(ranged("bytes=-5000"), the_part(0, SIZE));
    }

    #[test]
    fn a_range_behind_the_end_is_out_of_range() {
        for range in ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(ranged(range), Outcome::OutOfRange, "{range}");
        }
    }

    #[test]
    fn what_is_no_single_range_is_passed_over() {
        for range in
            ["bytes=0-1,3-4", "bytes=5-4", "bytes=-", "bytes=a-b", "bytes=+1-2", "lines=0-1", "bytes", ""]
        {
            assert_eq!(ranged(range), Outcome::Whole, "{range}");
        }
    }

    #[test]
    fn the_client_that_has_it_gets_nothing() {
        for tags in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert_eq!(asked(&[(IF_NONE_MATCH, tags)]), Outcome::NotModified, "{tags}");
        }
        assert_eq!(asked(&[(IF_NONE_MATCH, "\"b\"")]), Outcome::Whole);
        assert_eq!(asked(&[(IF_MODIFIED_SINCE, AT)]), Outcome::NotModified);
        assert_eq!(asked(&[(IF_MODIFIED_SINCE, BEFORE)]), Outcome::Whole);
        // The tag is exact, so it alone decides.
        assert_eq!(asked(&[(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, AT)]), Outcome::Whole);
    }

    #[test]
    fn a_tag_that_the_client_names_is_held() {
        let held = |headers: &[(HeaderName, &'static str)]| {
            let headers =
                headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
            held(&headers, ["\"a\"".to_owned(), "\"b\"".to_owned()].into_iter())
        };
        assert_eq!(held(&[(IF_NONE_MATCH, "\"c\", W/\"b\"")]).as_deref(), Some("\"b\""));
        for tags in ["*", "\"c\"", "a", ""] {
            assert_eq!(held(&[(IF_NONE_MATCH, tags)]), None, "{tags}");
        }
        assert_eq!(held(&[(IF_NONE_MATCH, "\"a\""), (IF_MATCH, "\"b\"")]), None);
        assert_eq!(held(&[]), None);
    }

    #[test]
    fn the_client_that_expects_another_gets_nothing() {
        assert_eq!(asked(&[(IF_MATCH, "\"b\"")]), Outcome::Failed);
        assert_eq!(asked(&[(IF_MATCH, "W/\"a\"")]), Outcome::Failed);
        assert_eq!(asked(&[(IF_UNMODIFIED_SINCE, BEFORE)]), Outcome::Failed);
        assert_eq!(asked(&[(IF_MATCH, "\"b\", \"a\"")]), Outcome::Whole);
        assert_eq!(asked(&[(IF_MATCH, "*"), (IF_UNMODIFIED_SINCE, BEFORE)]), Outcome::Whole);
    }

    #[test]
    fn a_range_of_another_version_is_passed_over() {
        let ranged = |expected: &str| asked(&[(RANGE, "bytes=0-0"), (IF_RANGE, expected)]);
        assert_eq!(ranged("\"a\""), the_part(0, 1));
        assert_eq!(ranged(AT), the_part(0, 1));
        for other in ["\"b\"", "W/\"a\"", BEFORE, "nonsense"] {
            assert_eq!(ranged(other), Outcome::Whole, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_within_the_file(range in "bytes=[0-9]{0,5}-[0-9]{0,5}", size in 0u64..3000) {
            if let Outcome::Part(Part { first, length }) = part(&range, size) {
                prop_assert!(length > 0 && first + length <= size);
            }
        }

        #[test]
        fn reading_never_panics(range in ".*") {
            part(&range, SIZE);
        }
    }
}
