//! `Content-Type` and `Accept`, as far as transports decide by them.
//!
//! Read by hand: the `mime` crate and actix-web's `Accept` allocate for every range of every request, and refuse what
//! clients do send. The guide on decisions says what.

use actix_web::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};

/// The media type in `Content-Type`, without its parameters; empty when there is none. Compare it ignoring case.
#[must_use]
pub fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.map(without_parameters).unwrap_or_default()
}

/// Whether `Accept` allows a media type, by its name or by a wildcard. Without a readable `Accept`, everything is allowed.
#[must_use]
pub fn is_accepted(headers: &HeaderMap, media_type: &str) -> bool {
    if headers.get_all(ACCEPT).all(|value| value.to_str().is_err()) {
        return true;
    }
    let (main_type, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    accepted(headers).any(|range| {
        range.eq_ignore_ascii_case(media_type)
            || range == "*/*"
            || range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(main_type))
    })
}

/// Whether `Accept` names a media type. A client that accepts everything does not say that it can show this one.
#[must_use]
pub fn is_named(headers: &HeaderMap, media_type: &str) -> bool {
    accepted(headers).any(|range| range.eq_ignore_ascii_case(media_type))
}

/// The media ranges in `Accept`, without those of quality 0.
fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter(|range| !is_excluded(range)).map(without_parameters)
}

/// Whether a media range has the quality 0.
fn is_excluded(range: &str) -> bool {
    range.split(';').skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.trim().eq_ignore_ascii_case("q")
            && value.trim().parse::<f32>().is_ok_and(|quality| quality <= 0.0)
    })
}

fn without_parameters(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn header(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn the_content_type_has_no_parameters() {
        for (value, media_type) in
            [("text/plain; charset=utf-8", "text/plain"), (" A/B ;", "A/B"), ("", ""), (";q", "")]
        {
            assert_eq!(content_type(&header(CONTENT_TYPE, value)), media_type, "{value}");
        }
        assert_eq!(content_type(&HeaderMap::new()), "");
    }

    #[test]
    fn a_type_is_accepted_by_its_name_and_by_wildcards_and_named_only_by_its_name() {
        for (accept, accepted, named) in [
            ("image/avif,image/webp,*/*;q=0.8", true, true),
            ("IMAGE/WEBP; q=0.5", true, true),
            ("image/webp;q=0.50000", true, true),
            ("image/webp;q=0, image/png", false, false),
            ("image/webp; Q=0.000", false, false),
            ("image/*", true, false),
            ("IMAGE/*;q=1", true, false),
            ("*/*", true, false),
            ("*/*;q=0", false, false),
            ("text/html, *", false, false),
            ("", false, false),
        ] {
            let headers = header(ACCEPT, accept);
            let found = (is_accepted(&headers, "image/webp"), is_named(&headers, "image/webp"));
            assert_eq!(found, (accepted, named), "{accept}");
        }
        let none = HeaderMap::new();
        assert!(is_accepted(&none, "image/webp") && !is_named(&none, "image/webp"));
    }
}
