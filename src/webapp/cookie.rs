//! Cookies: read from a request, written for an answer. Every cookie of ours is `__Host-`: only this origin can set it,
//! over TLS, for all of its paths, and no other host of the same domain can replace it.

use std::time::Duration;

use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue, InvalidHeaderValue};

/// The session's token.
pub const SESSION: &str = "__Host-session";
/// A random value for a visitor who is not signed in, which the forms before signing in are bound to.
pub const VISITOR: &str = "__Host-visitor";
/// The message about what was just done, for the next page.
pub const FLASH: &str = "__Host-flash";
/// Light or dark, if the visitor chose one.
pub const THEME: &str = "__Host-theme";
/// That an owner dismissed the list of first steps.
pub const CHECKLIST: &str = "__Host-checklist";

/// The value of a cookie in a request.
#[must_use]
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut pairs = headers
        .get_all(COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

/// How long a browser keeps a cookie.
#[derive(Debug, Clone, Copy)]
pub enum CookieLifetime {
    /// Until the browser ends.
    Session,
    /// This long.
    For(Duration),
    /// No longer.
    Gone,
}

/// The value of a `Set-Cookie` header. No script sees the cookie, and other sites' requests don't carry it, except
/// for a link that a person follows.
///
/// # Errors
/// When the value is not made of a cookie's characters.
pub fn written(name: &str, value: &str, kept: CookieLifetime) -> Result<HeaderValue, InvalidHeaderValue> {
    let age = match kept {
        CookieLifetime::Session => String::new(),
        CookieLifetime::For(time) => format!("; Max-Age={}", time.as_secs()),
        CookieLifetime::Gone => "; Max-Age=0".to_owned(),
    };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; __Host-session=tok=en; b"));
        headers.append(COOKIE, HeaderValue::from_static("xa=2;__Host-flash="));
        assert_eq!(read(&headers, "a"), Some("1"));
        assert_eq!(read(&headers, SESSION), Some("tok=en"));
        for missing in ["b", "session", FLASH, THEME] {
            assert_eq!(read(&headers, missing), None, "{missing}");
        }
    }

    #[test]
    fn a_cookie_is_for_this_origin_and_no_script() {
        let kept = CookieLifetime::For(Duration::from_mins(1));
        let value = written(SESSION, "abc", kept).unwrap();
        assert_eq!(value, "__Host-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60");
        written(SESSION, "a\nb", CookieLifetime::Gone).unwrap_err();
    }
}
