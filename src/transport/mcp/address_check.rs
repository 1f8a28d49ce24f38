//! Checks the headers of a request before its body is read: a known host and origin, and the media types of MCP.
//! Knows no keys and no JSON-RPC.

use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};

use crate::error::{Code, Error, Result};
use crate::transport::allowed_addresses::AllowedAddresses;
use crate::transport::media_type::{content_type, is_accepted};

/// Checks host and origin, so that pages of other sites can't reach the endpoint through a browser.
pub struct AddressCheck {
    addresses: AllowedAddresses,
}

impl AddressCheck {
    /// Allows these host names (without port) and origins (scheme, host, port; `*` is all), as they are with each request.
    pub fn new(addresses: AllowedAddresses) -> Self {
        Self { addresses }
    }

    /// Checks `Host` and, when a browser sends one, `Origin`.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn check(&self, headers: &HeaderMap) -> Result<()> {
        let host = text(headers, &HOST).map(host_name).unwrap_or_default();
        let addresses = self.addresses.now();
        if !addresses.hosts.iter().any(|allowed| host_name(allowed).eq_ignore_ascii_case(host)) {
            return Err(Error::new(
                Code::Forbidden,
                "This server does not answer to that host name. Add it to server.allowed_hosts.",
            ));
        }
        if !headers.contains_key(ORIGIN) {
            return Ok(());
        }
        let origin = text(headers, &ORIGIN).unwrap_or_default();
        if addresses.origins.iter().any(|allowed| allowed == "*" || same_origin(allowed, origin)) {
            return Ok(());
        }
        Err(Error::new(
            Code::Forbidden,
            "Pages of that origin may not call this server. Add it to server.allowed_origins.",
        ))
    }
}

/// Checks that the client sends JSON and accepts JSON and event streams.
///
/// # Errors
/// The status and the sentence to refuse it with.
pub fn check_media_types(headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
    if !content_type(headers).eq_ignore_ascii_case("application/json") {
        return Err((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the body with Content-Type: application/json.",
        ));
    }
    if is_accepted(headers, "application/json") && is_accepted(headers, "text/event-stream") {
        return Ok(());
    }
    Err((StatusCode::NOT_ACCEPTABLE, "Send Accept: application/json, text/event-stream."))
}

/// The host of a `Host` header or a setting: without port, without the brackets of an IPv6 address, and without the dot
/// of the root of all names.
pub fn host_name(authority: &str) -> &str {
    if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    let host = match authority.rsplit_once(':') {
        Some((host, _)) if !host.contains(':') => host,
        Some(_) | None => authority,
    };
    host.strip_suffix('.').unwrap_or(host)
}

/// Whether two serialized origins are the same; the scheme's own port may be left out.
fn same_origin(one: &str, other: &str) -> bool {
    fn parts(origin: &str) -> Option<url::Origin> {
        let url = url::Url::parse(origin).ok()?;
        (url.path() == "/" && url.query().is_none()).then(|| url.origin())
    }
    parts(one).is_some_and(|one| one.is_tuple() && Some(one) == parts(other))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::allowed_addresses::AddressLists;
    use actix_web::http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};

    fn check(hosts: &[&str], origins: &[&str]) -> AddressCheck {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        AddressCheck::new(AllowedAddresses::new(AddressLists {
            hosts: owned(hosts),
            origins: owned(origins),
        }))
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn hosts_are_compared_without_port_brackets_and_case() {
        let addresses = check(&["localhost", "::1", "192.0.2.7"], &[]);
        for host in ["localhost", "LOCALHOST:8443", "[::1]:8443", "[::1]", "192.0.2.7:1"] {
            assert!(addresses.check(&headers(&[(HOST, host)])).is_ok(), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "evil.example:8443"] {
            assert!(addresses.check(&headers(&[(HOST, host)])).is_err(), "{host}");
        }
        assert!(addresses.check(&headers(&[])).is_err());
    }

    #[test]
    fn an_origin_must_be_listed_when_there_is_one() {
        let addresses = check(&["a"], &["https://a:8443", "https://b.example"]);
        for origin in ["https://a:8443", "https://b.example", "https://b.example:443", "HTTPS://B.EXAMPLE"] {
            assert!(addresses.check(&headers(&[(HOST, "a"), (ORIGIN, origin)])).is_ok(), "{origin}");
        }
        for origin in
            ["http://a:8443", "https://a", "https://b.example:8443", "null", "", "https://evil.example"]
        {
            assert!(addresses.check(&headers(&[(HOST, "a"), (ORIGIN, origin)])).is_err(), "{origin}");
        }
        let open = check(&["a"], &["*"]);
        assert!(open.check(&headers(&[(HOST, "a"), (ORIGIN, "https://evil.example")])).is_ok());
    }

    #[test]
    fn both_media_types_must_be_acceptable() {
        let json = (CONTENT_TYPE, "application/json; charset=utf-8");
        let accept = |value| check_media_types(&headers(&[json.clone(), (ACCEPT, value)]));
        for value in [
            "application/json, text/event-stream",
            "text/event-stream;q=0.1,Application/JSON",
            "*/*",
            "application/*, text/*",
        ] {
            assert!(accept(value).is_ok(), "{value}");
        }
        for value in
            ["application/json", "text/event-stream", "text/html", "application/json, text/event-stream;q=0"]
        {
            assert_eq!(accept(value).unwrap_err().0, StatusCode::NOT_ACCEPTABLE, "{value}");
        }
        assert!(check_media_types(&headers(&[json])).is_ok());
        for media_type in ["text/plain", "application/jsonp", ""] {
            let refused = check_media_types(&headers(&[(CONTENT_TYPE, media_type)])).unwrap_err();
            assert_eq!(refused.0, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media_type}");
        }
    }
}
