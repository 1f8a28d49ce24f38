//! Reads `Content-Disposition` in the head of a form's part: as RFC 7578, the WHATWG's form encoding and RFC 8187 define
//! it, and as mail libraries and old programs write it. Pure.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, WINDOWS_1252};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// How browsers, and clients that follow them, escape what would end a quoted name.
const FORM_ESCAPES: [(&str, &str); 5] =
    [("%22", "\""), ("%0D", "\r"), ("%0d", "\r"), ("%0A", "\n"), ("%0a", "\n")];

/// The characters that percent-encoding escapes: all except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The head of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disposition {
    /// The field's name.
    pub name: Option<String>,
    /// The name of its file; `None` for a field without a file, or when the client sends none.
    pub file_name: Option<String>,
}

impl Disposition {
    /// Reads the value of the field; `None` when it is not that of a form.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        let text = decoded(value);
        let (kind, mut rest) = text.split_once(';').unwrap_or((&text, ""));
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return None;
        }
        let (mut name, mut plain, mut extended) = (None, None, None);
        while let Some((key, value, after)) = parameter(rest) {
            rest = after;
            if key.eq_ignore_ascii_case("name") {
                name.get_or_insert_with(|| unescaped(&value));
            } else if key.eq_ignore_ascii_case("filename") {
                plain.get_or_insert_with(|| percent_encoded(&value).unwrap_or_else(|| unescaped(&value)));
            } else if key.eq_ignore_ascii_case("filename*") && extended.is_none() {
                extended = extended_value(&value);
            }
        }
        Some(Self { name, file_name: extended.or(plain) })
    }
}

/// Reads UTF-8. Other bytes are taken for Windows-1252, which older programs write.
fn decoded(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// The first parameter: its key, its value, and the rest.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start_matches(|character: char| character == ';' || character.is_whitespace());
    let (key, rest) = text.split_once('=')?;
    let rest = rest.trim_start();
    let (value, rest) = if let Some(quoted) = rest.strip_prefix('"') {
        quoted_text(quoted)
    } else {
        let (value, rest) = rest.split_once(';').unwrap_or((rest, ""));
        (value.trim().to_owned(), rest)
    };
    Some((key.trim(), value, rest))
}

/// The text up to the closing quotation mark, and the rest. A backslash escapes a quotation mark and itself; before
/// anything else it is a character of the name, as in a Windows path.
fn quoted_text(quoted: &str) -> (String, &str) {
    let mut text = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => text.push(escaped),
                None => text.push('\\'),
            },
            _ => text.push(character),
        }
    }
    (text, "")
}

/// A plain value without its escapes: those of browsers, or the encoded words of mail.
fn unescaped(value: &str) -> String {
    if let Some(text) = encoded_words(value) {
        return text;
    }
    FORM_ESCAPES.iter().fold(value.to_owned(), |text, (escape, character)| text.replace(escape, character))
}

/// A file name that is percent-encoded as a whole, as RFC 7578 allows and aiohttp always does: it has no reserved
/// characters, and nothing is encoded without need. Browsers encode only what would end the name, so a file that is
/// really called `100%25.jpg` arrives from them like this, too, and loses its `25`. That is rare, and `a%20b.jpg` was
/// mostly saved from a url and means `a b.jpg` as well; from aiohttp, every name with a space or an accent arrives like
/// this.
fn percent_encoded(value: &str) -> Option<String> {
    let text = percent_decode_str(value).decode_utf8().ok()?;
    let encoded = utf8_percent_encode(&text, RESERVED).to_string();
    (text != value && encoded.eq_ignore_ascii_case(value)).then(|| text.into_owned())
}

/// A value as `charset'language'percent-encoded` (RFC 8187).
fn extended_value(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    let encoding = Encoding::for_label(charset.as_bytes())?;
    let bytes: Vec<u8> = percent_decode_str(encoded).collect();
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes)?;
    Some(text.into_owned()).filter(|text| !text.trim().is_empty())
}

/// A text with encoded words, `=?charset?B?…?=` or `=?charset?Q?…?=` (RFC 2047); `None` without any, or when one is
/// malformed. A character may be split between two words of one charset.
fn encoded_words(value: &str) -> Option<String> {
    let (before, mut rest) = value.split_once("=?")?;
    let mut text = before.to_owned();
    let mut waiting: Vec<u8> = Vec::new();
    let mut charset: Option<&'static Encoding> = None;
    loop {
        let (label, after) = rest.split_once('?')?;
        let (how, after) = after.split_once('?')?;
        let (encoded, after) = after.split_once("?=")?;
        let encoding = Encoding::for_label(label.as_bytes())?;
        if let Some(before) = charset.replace(encoding).filter(|before| *before != encoding) {
            text.push_str(&before.decode_without_bom_handling(&std::mem::take(&mut waiting)).0);
        }
        match how {
            "B" | "b" => waiting.extend(BASE64.decode(encoded).ok()?),
            "Q" | "q" => waiting.extend(quoted_printable(encoded)?),
            _ => return None,
        }
        let (between, next) = match after.split_once("=?") {
            Some((between, next)) => (between, Some(next)),
            None => (after, None),
        };
        // White space between two encoded words is dropped.
        if next.is_none() || !between.trim().is_empty() {
            text.push_str(&encoding.decode_without_bom_handling(&std::mem::take(&mut waiting)).0);
            text.push_str(between);
        }
        match next {
            Some(next) => rest = next,
            None => return Some(text),
        }
    }
}

/// Decodes the Q encoding of a word.
fn quoted_printable(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            plain => plain,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file_name(parameters: &[u8]) -> Option<String> {
        Disposition::read(&[b"form-data; name=\"files\"; ", parameters].concat()).unwrap().file_name
    }

    #[test]
    fn file_names_of_many_clients_are_read() {
        for (written, name) in [
            (&b"filename=\"a b.jpg\""[..], "a b.jpg"),
            (b"filename=plain.png", "plain.png"),
            (b"FileName = \"x;y.jpg\" ; size=3", "x;y.jpg"),
            // Browsers, undici, and curl since 7.81.
            (b"filename=\"a%22b%22.jpg\"", "a\"b\".jpg"),
            (b"filename=\"a%0D%0Ab.jpg\"", "a\r\nb.jpg"),
            (b"filename=\"100%25 %41.jpg\"", "100%25 %41.jpg"),
            // aiohttp: the whole name, and nothing without need.
            (b"filename=\"by%20gql.jpg\"", "by gql.jpg"),
            (b"filename=\"%C3%BC%20%28100%25%29.jpg\"", "\u{fc} (100%).jpg"),
            (b"filename=\"%e6%97%a5%E6%9C%AC.jpg\"", "\u{65e5}\u{672c}.jpg"),
            (b"filename=\"a%2520b.jpg\"", "a%20b.jpg"),
            (b"filename=\"100%25.jpg\"", "100%.jpg"),
            (b"filename=\"100% a%20b.jpg\"", "100% a%20b.jpg"),
            (b"filename=\"a%20(1).jpg\"", "a%20(1).jpg"),
            (b"filename=\"\xc3\xbc%20.jpg\"", "\u{fc}%20.jpg"),
            (b"filename=\"a%20b%2.jpg\"", "a%20b%2.jpg"),
            (b"filename=\"%FF%20.jpg\"", "%FF%20.jpg"),
            (b"filename=\"%41%20b.jpg\"", "%41%20b.jpg"),
            (b"filename=\"plain-_.~.jpg\"", "plain-_.~.jpg"),
            // curl before, and Python.
            (b"filename=\"a\\\"b\\\\c.jpg\"", "a\"b\\c.jpg"),
            (b"filename=\"C:\\photos\\a.jpg\"", "C:\\photos\\a.jpg"),
            (b"filename=\"unclosed.jpg", "unclosed.jpg"),
            // RFC 8187, which takes precedence.
            (b"filename=\"e.jpg\"; filename*=UTF-8''%C3%A9t%C3%A9.jpg", "\u{e9}t\u{e9}.jpg"),
            (b"filename*=utf-8'fr'%C3%A9.jpg; filename=e.jpg", "\u{e9}.jpg"),
            (b"filename*=ISO-8859-1''%E9.jpg; filename=e.jpg", "\u{e9}.jpg"),
            (b"filename*=\"UTF-8''%E2%82%AC.jpg\"", "\u{20ac}.jpg"),
            (b"filename*=no-charset''%E9.jpg; filename=e.jpg", "e.jpg"),
            (b"filename*=UTF-8''%FF.jpg; filename=e.jpg", "e.jpg"),
            (b"filename*=UTF-8''; filename=e.jpg", "e.jpg"),
            // Mail.
            (b"filename=\"=?UTF-8?B?w6l0w6kuanBn?=\"", "\u{e9}t\u{e9}.jpg"),
            (b"filename=\"=?utf-8?q?=C3=A9t_=C3=A9.jpg?=\"", "\u{e9}t \u{e9}.jpg"),
            (b"filename=\"=?iso-8859-1?Q?=E9?= =?utf-8?B?w6k=?=.jpg\"", "\u{e9}\u{e9}.jpg"),
            (b"filename=\"=?UTF-8?B?w6k?= =?UTF-8?Q?=C3?= =?UTF-8?Q?=A9.jpg?=\"", "\u{e9}\u{e9}.jpg"),
            (b"filename=\"=?broken?.jpg\"", "=?broken?.jpg"),
            // Raw bytes.
            ("filename=\"\u{65e5}\u{672c}.jpg\"".as_bytes(), "\u{65e5}\u{672c}.jpg"),
            (b"filename=\"\xe9t\xe9 \x80.jpg\"", "\u{e9}t\u{e9} \u{20ac}.jpg"),
            (b"filename=\"\"", ""),
        ] {
            assert_eq!(file_name(written).as_deref(), Some(name), "{}", String::from_utf8_lossy(written));
        }
        assert_eq!(file_name(b"size=3"), None);
    }

    #[test]
    fn the_name_of_a_field_is_read_and_other_dispositions_are_ignored() {
        let read = |value: &str| Disposition::read(value.as_bytes());
        assert_eq!(read("Form-Data; NAME=files").unwrap().name.as_deref(), Some("files"));
        assert_eq!(read("form-data; name=\"a%22b\"").unwrap().name.as_deref(), Some("a\"b"));
        assert_eq!(read("form-data"), Some(Disposition::default()));
        assert_eq!(read("attachment; filename=a.jpg"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Disposition::read(&value);
            let _ = file_name(&value);
        }

        #[test]
        fn every_encoding_gives_the_name_back(name in "[^\\p{C}%?=\\\\]{1,30}") {
            let form = name.replace('"', "%22");
            prop_assert_eq!(file_name(format!("filename=\"{form}\"").as_bytes()), Some(name.clone()));
            let encoded = utf8_percent_encode(&name, RESERVED);
            prop_assert_eq!(file_name(format!("filename=\"{encoded}\"").as_bytes()), Some(name.clone()));
            let escaped = name.replace('"', "\\\"");
            prop_assert_eq!(file_name(format!("filename=\"{escaped}\"").as_bytes()), Some(name.clone()));
            let word = format!("filename=\"=?UTF-8?B?{}?=\"", BASE64.encode(&name));
            prop_assert_eq!(file_name(word.as_bytes()), Some(name.clone()));
            let encoded = utf8_percent_encode(&name, NON_ALPHANUMERIC);
            let extended = format!("filename=\"other\"; filename*=UTF-8''{encoded}");
            let expected = if name.trim().is_empty() { "other".to_owned() } else { name };
            prop_assert_eq!(file_name(extended.as_bytes()), Some(expected));
        }
    }
}
