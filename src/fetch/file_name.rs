//! The name of a fetched file: from `Content-Disposition` (RFC 6266), else from the url. Does not sanitize it; uploads do.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;

/// The name when neither the header nor the url has one.
const UNNAMED: &str = "download";

/// The name in the header, or else the last segment of the url's path.
pub fn file_name(disposition: Option<&[u8]>, url: &Url) -> String {
    disposition
        .and_then(|header| from_disposition(&String::from_utf8_lossy(header)))
        .or_else(|| from_path(url))
        .unwrap_or_else(|| UNNAMED.to_owned())
}

fn from_path(url: &Url) -> Option<String> {
    let segment = url.path_segments()?.next_back()?;
    let name = percent_decode_str(segment).decode_utf8_lossy().into_owned();
    Some(name).filter(|name| !name.trim().is_empty())
}

/// `filename*` declares its encoding and takes precedence over `filename`, in any order.
fn from_disposition(header: &str) -> Option<String> {
    let mut plain = None;
    for parameter in parameters(header) {
        let Some((key, value)) = parameter.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim());
        if key.eq_ignore_ascii_case("filename*") {
            if let Some(name) = extended(value) {
                return Some(name);
            }
        } else if key.eq_ignore_ascii_case("filename") && plain.is_none() {
            plain = Some(unquoted(value).into_owned()).filter(|name| !name.trim().is_empty());
        }
    }
    plain
}

/// The parts between unquoted semicolons.
fn parameters(header: &str) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    header
        .split(|character| {
            let was_escaped = std::mem::take(&mut is_escaped);
            match character {
                '\\' if is_quoted && !was_escaped => is_escaped = true,
                '"' if !was_escaped => is_quoted = !is_quoted,
                _ => {}
            }
            character == ';' && !is_quoted
        })
        .collect()
}

/// A value in quotes, where a backslash escapes the next character, or an unquoted value.
fn unquoted(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"') else { return value.into() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut characters = inner.chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        let kept = if character == '\\' { characters.next() } else { Some(character) };
        text.extend(kept);
    }
    text.into()
}

/// A value as `UTF-8'language'percent-encoded` (RFC 8187).
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let name = percent_decode_str(encoded).decode_utf8().ok()?.into_owned();
    Some(name).filter(|name| !name.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(header: &str, url: &str) -> String {
        file_name(Some(header.as_bytes()), &Url::parse(url).unwrap())
    }

    #[test]
    fn the_header_takes_precedence_over_the_path() {
        for (header, name) in [
            ("attachment; filename=\"a b.jpg\"", "a b.jpg"),
            ("attachment; filename=plain.png", "plain.png"),
            ("inline;FILENAME = \"x;y.jpg\" ; size=3", "x;y.jpg"),
            ("attachment; filename=\"a\\\"b\\\\.jpg\"", "a\"b\\.jpg"),
            ("attachment; filename=\"e.jpg\"; filename*=UTF-8''%C3%A9t%C3%A9.jpg", "été.jpg"),
            ("attachment; filename*=utf-8'fr'%C3%A9.jpg; filename=e.jpg", "é.jpg"),
            ("attachment; filename*=ISO-8859-1''%E9.jpg; filename=e.jpg", "e.jpg"),
            ("attachment; filename=\"ü.jpg\"", "ü.jpg"),
            ("attachment", "path.gif"),
            ("attachment; filename=\"\"", "path.gif"),
            ("", "path.gif"),
        ] {
            assert_eq!(named(header, "https://example.org/some/path.gif?x=1"), name, "{header}");
        }
    }

    #[test]
    fn the_path_is_the_fallback() {
        for (url, name) in [
            ("https://example.org/a%20b%C3%A9.jpg#there", "a bé.jpg"),
            ("https://example.org/a/b.jpg?name=c.png", "b.jpg"),
            ("https://example.org/a/", "download"),
            ("https://example.org", "download"),
        ] {
            assert_eq!(file_name(None, &Url::parse(url).unwrap()), name, "{url}");
        }
    }

    proptest! {
        #[test]
        fn every_file_has_a_name(header in proptest::collection::vec(any::<u8>(), 0..64), path in "[ -~]{0,32}") {
            let url = Url::parse("https://example.org/").unwrap().join(&path);
            prop_assume!(url.is_ok());
            prop_assert!(!file_name(Some(&header), &url.unwrap()).is_empty());
        }

        #[test]
        fn a_quoted_name_is_unquoted(name in "[^\u{0}-\u{1f}\u{7f}]*[a-z]") {
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            let url = Url::parse("https://example.org/").unwrap();
            let header = format!("attachment; size=1; filename=\"{quoted}\"; x=y");
            prop_assert_eq!(file_name(Some(header.as_bytes()), &url), name);
        }
    }
}
