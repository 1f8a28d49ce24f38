//! Addresses within the web app, for redirects: never one that a browser could take for another site.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is encoded in a segment or a parameter.
const NOT_PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// A path below `/app`, with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Reads an address that came from outside, such as `next`. `None` when it leads anywhere else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("/app")?;
        let is_below = rest.is_empty() || rest.starts_with(['/', '?']);
        // A browser reads a backslash as a slash and drops control characters.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        (is_below && is_plain && stays_below(rest)).then(|| Self(text.to_owned()))
    }

    /// The address made of these segments, such as an organization's slug and a library's.
    #[must_use]
    pub fn to(segments: &[&str]) -> Self {
        let encoded = segments.iter().map(|segment| format!("/{}", utf8_percent_encode(segment, NOT_PLAIN)));
        Self(format!("/app{}", encoded.collect::<String>()))
    }

    /// The address of what is one segment further down. Only for an address without a query.
    #[must_use]
    pub fn below(&self, segment: &str) -> Self {
        Self(format!("{}/{}", self.0, utf8_percent_encode(segment, NOT_PLAIN)))
    }

    /// The sign-in page.
    #[must_use]
    pub fn sign_in() -> Self {
        Self::to(&["sign-in"])
    }

    /// The address with one more parameter in its query.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        let [name, value] = [name, value].map(|text| utf8_percent_encode(text, NOT_PLAIN));
        Self(format!("{}{separator}{name}={value}", self.0))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether an address stays below its start: for a browser, which reads encoded dots as dots, and for anyone who
/// decodes it as a whole.
fn stays_below(rest: &str) -> bool {
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let plain = path.to_ascii_lowercase().replace("%2e", ".");
    if plain.split('/').any(|segment| segment == "." || segment == "..") {
        return false;
    }
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let is_plain = decoded.iter().all(|byte| !byte.is_ascii_control() && *byte != b'\\');
    let mut depth = 0_usize;
    let stays = decoded.split(|byte| *byte == b'/').all(|segment| {
        match segment {
            b"" | b"." => {}
            b".." if depth == 0 => return false,
            b".." => depth -= 1,
            _ => depth += 1,
        }
        true
    });
    is_plain && stays
}

/// The start of the web app.
impl Default for LocalPath {
    fn default() -> Self {
        Self("/app".to_owned())
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_addresses_of_the_web_app_are_taken() {
        for taken in ["/app", "/app/", "/app/acme/photos?q=a%20b&tag=c", "/app?x=//y"] {
            assert!(LocalPath::parse(taken).is_some(), "{taken}");
        }
        for refused in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/app",
            "/application",
            "/app\\evil",
            "/app/\t/x",
            "/app/../me",
            "/app/%2e%2e//evil.com",
            "/app/%2E%2e/me",
            "/app/.%2e/me",
            "/app/%2e/me",
            "/app/%2F..%2F..%2Fme",
            "/app/a%5C..%5Cb",
            "/app/%0d%0aSet-Cookie:a",
            "app",
            "/app/a b",
            "/app/\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(LocalPath::parse(refused), None, "{refused}");
        }
    }

    #[test]
    fn segments_and_parameters_are_encoded() {
        let path = LocalPath::to(&["acme", "a/../b"]).with("q", "x&y=é").with("tag", "1");
        assert_eq!(path.as_str(), "/app/acme/a%2F%2E%2E%2Fb?q=x%26y%3D%C3%A9&tag=1");
        assert_eq!(LocalPath::parse(path.as_str()), Some(path));
    }

    proptest! {
        #[test]
        fn what_is_taken_stays_on_this_site(
            text in "(/app)?(/|\\\\|\\.|\\.\\.|%2e|%2E|%2f|%5c|%25|\\?|#|:|@|evil|[\\x00-\\x20]){0,9}",
        ) {
            if let Some(path) = LocalPath::parse(&text) {
                let base = url::Url::parse("https://here.example/").unwrap();
                let there = base.join(path.as_str()).unwrap();
                prop_assert_eq!(there.host_str(), Some("here.example"));
                prop_assert!(there.path() == "/app" || there.path().starts_with("/app/"));
            }
        }
    }
}
