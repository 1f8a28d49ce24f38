//! JSON text without invisible characters. Those that are refused today, but were stored by earlier versions, become a
//! visible escape in the value; joiners and the like, which are allowed, are written as JSON's own `\u` escapes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::core::model::text::shown;
use crate::error::{Error, Result};

/// Writes a value as compact JSON text, with invisible characters as visible escapes.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR` for a value that JSON can't hold; ours are made of what it can.
pub fn to_text(value: &impl Serialize) -> Result<String> {
    let text = spelled(value)?;
    // Every invisible character is escaped like this.
    if !text.contains("\\u") {
        return Ok(text);
    }
    spelled(&shown_in(serde_json::from_str(&text).map_err(Error::internal)?))
}

/// The value with the invisible characters of its texts as visible escapes.
fn shown_in(value: Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
        Value::String(text) => Value::String(shown(&text).into_owned()),
        Value::Array(values) => Value::Array(values.into_iter().map(shown_in).collect()),
        Value::Object(fields) => Value::Object(
            fields.into_iter().map(|(name, value)| (shown(&name).into_owned(), shown_in(value))).collect(),
        ),
    }
}

fn spelled(value: &impl Serialize) -> Result<String> {
    let mut text = Vec::with_capacity(512);
    value.serialize(&mut Serializer::with_formatter(&mut text, VisibleFormatter)).map_err(Error::internal)?;
    String::from_utf8(text).map_err(Error::internal)
}

/// The text with invisible characters as `\u` escapes, for text that is not JSON.
pub fn visible(text: &str) -> String {
    let mut shown = Vec::with_capacity(text.len());
    match write_visible(&mut shown, text) {
        Ok(()) => String::from_utf8(shown).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

struct VisibleFormatter;

impl Formatter for VisibleFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly all text is plain ASCII, and bytes are faster to check than characters.
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        write_visible(writer, fragment)
    }
}

fn write_visible<W: ?Sized + Write>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut plain_from = 0;
    for (at, character) in text.char_indices().filter(|(_, character)| is_hidden(*character)) {
        writer.write_all(text.as_bytes().get(plain_from..at).unwrap_or_default())?;
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(writer, "\\u{unit:04x}")?;
        }
        plain_from = at + character.len_utf8();
    }
    writer.write_all(text.as_bytes().get(plain_from..).unwrap_or_default())
}

/// Whether a character is invisible, or controls or reorders others: Unicode's categories Cc, Cf, Zl and Zp, and what its
/// property `Default_Ignorable_Code_Point` has beyond them.
fn is_hidden(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1F}'
        | '\u{7F}'..='\u{9F}'
        | '\u{AD}'
        | '\u{34F}'
        | '\u{600}'..='\u{605}'
        | '\u{61C}'
        | '\u{6DD}'
        | '\u{70F}'
        | '\u{890}'..='\u{891}'
        | '\u{8E2}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{110BD}'
        | '\u{110CD}'
        | '\u{13430}'..='\u{1343F}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hidden_characters_are_escaped_and_others_are_not() {
        for (value, text) in [
            ("plain \"quoted\" \\ text", r#""plain \"quoted\" \\ text""#),
            ("a\u{202E}gpj.exe", r#""a\\u{202e}gpj.exe""#),
            ("tab\tand\u{0}null", r#""tab\tand\\u{0}null""#),
            ("\u{7F}\u{85}", r#""\\u{7f}\\u{85}""#),
            ("tag \u{E0041}", r#""tag \\u{e0041}""#),
            ("👩\u{200D}🚀", r#""👩\u200d🚀""#),
            ("naïve 日本語 🌉", "\"naïve 日本語 🌉\""),
        ] {
            assert_eq!(to_text(&value).unwrap(), text);
        }
        assert_eq!(visible("a\u{200B}b\nc"), "a\\u200bb\\u000ac");
    }

    fn any_text() -> impl Strategy<Value = String> {
        let hidden =
            prop::sample::select(vec!['\u{202E}', '\u{200B}', '\u{0}', '\u{2028}', '\u{E0041}', '\u{9F}']);
        prop::collection::vec(prop_oneof![any::<char>(), hidden, Just('"'), Just('\\')], 0..40)
            .prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn no_hidden_character_remains_and_visible_text_is_verbatim(key in any_text(), value in any_text()) {
            let original = serde_json::json!({ key: [value] });
            let text = to_text(&original).unwrap();
            prop_assert!(!text.chars().any(is_hidden), "{}", text);
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), shown_in(original));
        }

        #[test]
        fn no_hidden_character_remains_in_plain_text(text in any_text()) {
            prop_assert!(!visible(&text).chars().any(is_hidden));
        }
    }
}
