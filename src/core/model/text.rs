//! Which characters a client's text may have, and how older texts with others are shown: the one rule about invisible
//! characters, control characters and those that change the writing direction. A text with one of them can look like
//! another text.
//!
//! Joiners, variation selectors and the flags of England, Scotland and Wales are allowed where scripts and emoji need
//! them.

use std::borrow::Cow;
use std::fmt::Write;

use crate::error::{Error, Result};

/// The replacement for invisible characters in file names.
const REPLACEMENT: char = '_';
/// The flag from which others are made with invisible characters.
const BLACK_FLAG: char = '\u{1F3F4}';
/// What follows the black flag in the flags of England, Scotland and Wales.
const FLAGS: [&str; 3] = [
    "\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
    "\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
    "\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}",
];

/// The kind of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// One line: names, tags, e-mail addresses.
    Line,
    /// Several lines, which may have tabs: descriptions and notes.
    Lines,
}

/// The invisible characters of a text that are not allowed where they are, with their positions in bytes.
pub fn hidden(text: &str, kind: TextKind) -> impl Iterator<Item = (usize, char)> {
    let mut before = None;
    let mut flag_until = 0;
    text.char_indices().filter(move |&(at, character)| {
        if character == BLACK_FLAG {
            let rest = text.get(at + character.len_utf8()..).unwrap_or_default();
            let flag = FLAGS.into_iter().find(|flag| rest.starts_with(flag)).unwrap_or_default();
            flag_until = at + character.len_utf8() + flag.len();
        }
        let is_hidden = at >= flag_until && is_hidden(character, before, kind);
        before = (!is_hidden).then_some(character);
        is_hidden
    })
}

/// Whether a character is invisible after this one.
fn is_hidden(character: char, before: Option<char>, kind: TextKind) -> bool {
    match character {
        '\n' | '\r' | '\t' => kind == TextKind::Line,
        // No script before Arabic has a use for them.
        '\u{200C}'..='\u{200D}' | '\u{13430}'..='\u{1343F}' => {
            before.is_none_or(|before| before < '\u{600}' || is_joiner(before))
        }
        character if is_selector(character) => {
            before.is_none_or(|before| before.is_whitespace() || is_selector(before) || is_joiner(before))
        }
        character => is_never_seen(character),
    }
}

fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200C}'..='\u{200D}')
}

/// Whether a character selects a variant of the one before it.
fn is_selector(character: char) -> bool {
    matches!(character, '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Unicode's categories Cc, Zl and Zp, and its property `Default_Ignorable_Code_Point` with the other marks of format,
/// without those above and the visible ones of Arabic, Syriac and Kaithi.
fn is_never_seen(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1F}'
        | '\u{7F}'..='\u{9F}'
        | '\u{AD}'
        | '\u{34F}'
        | '\u{61C}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{180E}'
        | '\u{200B}'
        | '\u{200E}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Checks that a text has no invisible characters. `what` names the text at the start of a sentence: "A name".
///
/// # Errors
/// `BAD_USER_INPUT` that names the first invisible character.
pub fn expect_visible(what: &str, text: &str, kind: TextKind) -> Result<()> {
    let Some((at, character)) = hidden(text, kind).next() else { return Ok(()) };
    let place = text.get(..at).unwrap_or_default().chars().count() + 1;
    Err(Error::bad_input(format!(
        "{what} can't contain control or invisible characters; the character at position {place} is U+{:04X}. Leave it \
         out.",
        u32::from(character)
    )))
}

/// The text with `_` for each run of invisible characters: for file names, which are never refused.
#[must_use]
pub fn replaced(text: &str) -> Cow<'_, str> {
    let mut run_until = None;
    rewritten(text, TextKind::Line, |kept, at, character| {
        if run_until != Some(at) {
            kept.push(REPLACEMENT);
        }
        run_until = Some(at + character.len_utf8());
    })
}

/// The text without invisible characters: for texts inside of files.
#[must_use]
pub fn without_hidden(text: &str, kind: TextKind) -> Cow<'_, str> {
    rewritten(text, kind, |_, _, _| {})
}

/// The text with escapes such as `\u{202e}` for invisible characters: for texts that were stored before those were
/// refused. Line breaks and tabs stay.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    rewritten(text, TextKind::Lines, |kept, _, character| {
        // Writing to a string can't fail.
        let _ = write!(kept, "{}", character.escape_unicode());
    })
}

/// [`shown`] for one line: line breaks and tabs are escaped, too.
#[must_use]
pub fn shown_in_line(text: &str) -> Cow<'_, str> {
    rewritten(text, TextKind::Line, |kept, _, character| {
        // Writing to a string can't fail.
        let _ = write!(kept, "{}", character.escape_unicode());
    })
}

/// Reverses [`shown`]: for a name that a client copied from an answer.
#[must_use]
pub fn unshown(text: &str) -> Cow<'_, str> {
    let mut pieces = text.split("\\u{");
    let mut read = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let escape = piece.split_once('}').and_then(|(code, rest)| {
            let character = char::from_u32(u32::from_str_radix(code, 16).ok()?)?;
            is_hidden(character, None, TextKind::Lines).then_some((character, rest))
        });
        if let Some((character, rest)) = escape {
            read.push(character);
            read.push_str(rest);
        } else {
            read.push_str("\\u{");
            read.push_str(piece);
        }
    }
    if read == text { Cow::Borrowed(text) } else { Cow::Owned(read) }
}

/// The text with each invisible character replaced by what `write` writes for it and its position.
pub fn rewritten(
    text: &str,
    kind: TextKind,
    mut write: impl FnMut(&mut String, usize, char),
) -> Cow<'_, str> {
    // Nearly all text is ASCII, and bytes are faster to check than characters.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let (mut written, mut from) = (String::new(), 0);
    for (at, character) in hidden(text, kind) {
        written.push_str(text.get(from..at).unwrap_or_default());
        write(&mut written, at, character);
        from = at + character.len_utf8();
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    written.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn invisible_characters_are_refused_replaced_removed_or_escaped() {
        for (text, with_underscore, without, escaped) in [
            ("plain", "plain", "plain", "plain"),
            ("a\u{202E}gpj.exe", "a_gpj.exe", "agpj.exe", "a\\u{202e}gpj.exe"),
            ("\u{0}\u{1B}[31mred", "_[31mred", "[31mred", "\\u{0}\\u{1b}[31mred"),
            ("a\u{200B}\u{2066}b\u{2069}", "a_b_", "ab", "a\\u{200b}\\u{2066}b\\u{2069}"),
            ("hi \u{E0068}\u{E0069}", "hi _", "hi ", "hi \\u{e0068}\\u{e0069}"),
            ("a\u{200D}b", "a_b", "ab", "a\\u{200d}b"),
            ("x\u{FE0F}\u{FE0E}", "x\u{FE0F}_", "x\u{FE0F}", "x\u{FE0F}\\u{fe0e}"),
            (
                "\u{1F3F4}\u{E0067}\u{E0062}\u{E007F}",
                "\u{1F3F4}_",
                "\u{1F3F4}",
                "\u{1F3F4}\\u{e0067}\\u{e0062}\\u{e007f}",
            ),
        ] {
            assert_eq!(replaced(text), with_underscore);
            assert_eq!(without_hidden(text, TextKind::Lines), without);
            assert_eq!(shown(text), escaped);
            assert_eq!(expect_visible("A name", text, TextKind::Line).is_ok(), text == escaped, "{text:?}");
        }
        let refused = expect_visible("A tag", "ab\u{202E}c", TextKind::Line).unwrap_err();
        assert!(refused.message().contains("position 3 is U+202E"), "{refused}");
    }

    #[test]
    fn scripts_and_emoji_keep_what_they_need() {
        for text in [
            "naïve 日本語 🌉",
            "👩\u{200D}🚀 ❤\u{FE0F}\u{200D}🔥 1\u{FE0F}\u{20E3}",
            "می\u{200C}خواهم",
            "क्\u{200D}ष ක්\u{200D}ෂ",
            "葛\u{E0100}飾",
            "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "עברית العربية",
        ] {
            expect_visible("A name", text, TextKind::Line).unwrap();
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn line_breaks_and_tabs_are_only_for_multi_line_texts() {
        let text = "one\r\n\ttwo";
        assert!(expect_visible("A name", text, TextKind::Line).is_err());
        assert!(expect_visible("A description", text, TextKind::Lines).is_ok());
        assert_eq!(shown(text), text);
        assert_eq!(replaced(text), "one_two");
    }

    fn any_text() -> impl Strategy<Value = String> {
        let special = prop::sample::select(vec![
            '\u{202E}',
            '\u{200B}',
            '\u{0}',
            '\u{1B}',
            '\u{2028}',
            '\u{E0041}',
            '\u{9F}',
            '\u{200D}',
            '\u{FE0F}',
            '\n',
            '👩',
        ]);
        prop::collection::vec(prop_oneof![any::<char>(), special], 0..40)
            .prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn cleaned_texts_are_visible_and_visible_texts_stay_unchanged(text in any_text()) {
            for cleaned in [replaced(&text), without_hidden(&text, TextKind::Line)] {
                prop_assert_eq!(hidden(&cleaned, TextKind::Line).count(), 0);
            }
            prop_assert_eq!(hidden(&shown(&text), TextKind::Lines).count(), 0);
            let escaped = shown(&text);
            prop_assert_eq!(unshown(&escaped), text.as_str());
            if expect_visible("A name", &text, TextKind::Line).is_ok() {
                prop_assert_eq!(replaced(&text), text.as_str());
                prop_assert_eq!(shown(&text), text.as_str());
            }
        }
    }
}
