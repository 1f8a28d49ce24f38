//! Text from clients, as answers and the log repeat it: shortened, and without characters that could change how the rest
//! is read.

use std::borrow::Cow;
use std::fmt;

/// The most characters of a client's text in a message.
pub const MAX_EXCERPT: usize = 100;
/// The most characters of a message.
pub const MAX_MESSAGE: usize = 1000;
/// The most characters of a client's text in a line of the log: every url of ours fits.
const MAX_LOGGED: usize = 300;
/// Marks where text was cut off.
const ELLIPSIS: char = '…';

/// A client's text as it may be shown: at most [`MAX_EXCERPT`] characters, with `…` where it was cut off. Control
/// characters, invisible characters and those that change the writing direction are shown as escapes.
///
/// All text from clients goes through here before it becomes part of an error's message or of a log line:
/// `format!("There is no field `{}`.", excerpt(name))`.
#[derive(Debug, Clone, Copy)]
pub struct Excerpt<'a> {
    text: &'a str,
    max: usize,
}

/// A client's text for a message; see [`Excerpt`].
#[must_use]
pub fn excerpt(text: &str) -> Excerpt<'_> {
    Excerpt { text, max: MAX_EXCERPT }
}

/// A client's text for the log: like [`excerpt`], but longer.
#[must_use]
pub fn logged(text: &str) -> Excerpt<'_> {
    Excerpt { text, max: MAX_LOGGED }
}

impl Excerpt<'_> {
    /// The same with at most this many characters, and never more than [`MAX_EXCERPT`]: for one of many texts in a
    /// message.
    #[must_use]
    pub fn at_most(self, characters: usize) -> Self {
        Self { max: characters.clamp(1, MAX_EXCERPT), ..self }
    }
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let mut shown = String::new();
        // `cut` is where the text is cut if not all of it fits: that leaves room for the ellipsis.
        let (mut count, mut cut) = (0, 0);
        for character in self.text.chars() {
            let before = shown.len();
            if is_escaped(character) {
                shown.extend(character.escape_default());
            } else {
                shown.push(character);
            }
            count += shown.get(before..).unwrap_or_default().chars().count();
            if count < self.max {
                cut = shown.len();
            }
            if count > self.max {
                f.write_str(shown.get(..cut).unwrap_or_default())?;
                return f.write_char(ELLIPSIS);
            }
        }
        f.write_str(&shown)
    }
}

/// Whether a character is invisible, or changes how others are shown. Joiners stay: scripts and emoji need them.
fn is_escaped(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{AD}' | '\u{61C}' | '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
        )
}

/// A message of at most [`MAX_MESSAGE`] characters; a longer one is cut off with `…`.
pub(super) fn bounded(message: Cow<'static, str>) -> Cow<'static, str> {
    match message.char_indices().nth(MAX_MESSAGE - 1) {
        Some((cut, last)) if cut + last.len_utf8() < message.len() => {
            Cow::Owned(format!("{}{ELLIPSIS}", message.get(..cut).unwrap_or_default()))
        }
        Some(_) | None => message,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_text_is_cut_off() {
        assert_eq!(excerpt("short").to_string(), "short");
        assert_eq!(excerpt(&"é".repeat(100)).to_string(), "é".repeat(100));
        assert_eq!(excerpt(&"é".repeat(101)).to_string(), format!("{}…", "é".repeat(99)));
        assert_eq!(excerpt("abcdef").at_most(4).to_string(), "abc…");
        assert_eq!(excerpt("\n".repeat(300).as_str()).to_string(), format!("{}…", "\\n".repeat(49)));
    }

    #[test]
    fn invisible_characters_are_escaped() {
        assert_eq!(excerpt("a\u{202e}b\0\u{1b}").to_string(), "a\\u{202e}b\\u{0}\\u{1b}");
        assert_eq!(
            excerpt("\u{928}\u{94d}\u{200d} 👩\u{200d}🚀").to_string(),
            "\u{928}\u{94d}\u{200d} 👩\u{200d}🚀"
        );
    }

    #[test]
    fn a_message_is_cut_off_at_its_limit() {
        assert_eq!(bounded("x".repeat(1000).into()).chars().count(), 1000);
        let cut = bounded("é".repeat(5000).into());
        assert_eq!((cut.chars().count(), cut.chars().last()), (1000, Some('…')));
    }

    proptest! {
        #[test]
        fn an_excerpt_is_the_text_or_a_part_of_it(text in "\\PC{0,250}", most in 1_usize..150) {
            let shown = excerpt(&text).at_most(most).to_string();
            prop_assert!(shown.chars().count() <= most.min(MAX_EXCERPT));
            let whole = !text.chars().any(is_escaped) && text.chars().count() <= most.min(MAX_EXCERPT);
            prop_assert!(!whole || shown == text);
        }

        #[test]
        fn an_excerpt_has_no_invisible_characters(text: String) {
            prop_assert!(!excerpt(&text).to_string().chars().any(is_escaped));
        }
    }
}
