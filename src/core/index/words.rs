//! Splits a text into words and normalizes their spelling. Used for texts and for queries alike.
//!
//! Everything except letters, digits and their marks separates words; a change of case does not. Accents, case and
//! compatibility forms are ignored. Scripts without spaces between words (Chinese, Japanese, Thai …) are split into
//! single letters and overlapping pairs, so that any part of them can be found.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most characters of a word; later ones are ignored.
pub const WORD_LENGTH: usize = 64;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its normalized spelling.
    pub folded: String,
    /// Its position in the text, in bytes.
    pub place: Range<usize>,
}

/// The words of a text.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (script, run) in runs(text) {
        match script {
            Script::Spaced => words.extend(word(text, run)),
            Script::Unspaced => {
                let letters = letters(text, run);
                let pairs = letters.windows(2).filter_map(pair).filter_map(|place| word(text, place));
                words.extend(pairs);
                words.extend(letters.iter().cloned().filter_map(|place| word(text, place)));
            }
        }
    }
    words
}

/// The words of a query, in their order.
pub fn query_words(query: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (script, run) in runs(query) {
        match script {
            Script::Spaced => words.extend(word(query, run)),
            Script::Unspaced => {
                let letters = letters(query, run.clone());
                if letters.len() == 1 {
                    words.extend(word(query, run));
                } else {
                    words.extend(letters.windows(2).filter_map(pair).filter_map(|place| word(query, place)));
                }
            }
        }
    }
    words.into_iter().map(|word| word.folded).collect()
}

/// Whether a script separates its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Spaced,
    Unspaced,
}

/// The longest parts of a text without a separator and in one kind of script.
fn runs(text: &str) -> Vec<(Script, Range<usize>)> {
    let mut runs: Vec<(Script, Range<usize>)> = Vec::new();
    for (start, character) in text.char_indices() {
        let end = start + character.len_utf8();
        let before = runs.last_mut().filter(|(_, run)| run.end == start);
        if is_mark(character) {
            if let Some((_, run)) = before {
                run.end = end;
            }
        } else if character.is_alphanumeric() {
            let script = script_of(character);
            match before.filter(|(before, _)| *before == script) {
                Some((_, run)) => run.end = end,
                None => runs.push((script, start..end)),
            }
        }
    }
    runs
}

/// The letters of a run, each with its marks.
fn letters(text: &str, run: Range<usize>) -> Vec<Range<usize>> {
    let mut letters: Vec<Range<usize>> = Vec::new();
    for (offset, character) in text.get(run.clone()).unwrap_or_default().char_indices() {
        let start = run.start + offset;
        let end = start + character.len_utf8();
        match letters.last_mut().filter(|_| is_mark(character)) {
            Some(letter) => letter.end = end,
            None => letters.push(start..end),
        }
    }
    letters
}

fn pair(letters: &[Range<usize>]) -> Option<Range<usize>> {
    Some(letters.first()?.start..letters.last()?.end)
}

fn word(text: &str, place: Range<usize>) -> Option<Word> {
    let folded = fold(text.get(place.clone())?);
    (!folded.is_empty()).then_some(Word { folded, place })
}

/// The normalized spelling of a word.
fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.chars().take(WORD_LENGTH).map(|character| character.to_ascii_lowercase()).collect();
    }
    let bare: String = word.nfkd().filter(|&character| !is_accent(character)).collect();
    let mut folded = String::with_capacity(bare.len());
    for character in bare.to_lowercase().nfc() {
        match plain_latin(character) {
            Some(latin) => folded.extend(latin.chars().map(|character| character.to_ascii_lowercase())),
            None if character.is_alphanumeric() || is_combining_mark(character) => folded.push(character),
            None => {}
        }
    }
    folded.chars().take(WORD_LENGTH).collect()
}

/// How a Latin letter that is not an accented base letter is typed on a plain keyboard: `ø` as `o`, `ß` as `ss`.
fn plain_latin(character: char) -> Option<&'static str> {
    match character {
        '\u{00DF}'..='\u{024F}' if character.is_alphabetic() => deunicode::deunicode_char(character),
        _ => None,
    }
}

/// Marks that belong to the letter before them.
fn is_mark(character: char) -> bool {
    // Unicode classifies the half-width sound marks of Japanese as letters.
    is_combining_mark(character) || matches!(character, '\u{FF9E}' | '\u{FF9F}')
}

/// Marks that may be omitted when typing: accents, but not the vowels of Indic scripts, nor Japanese sound marks.
fn is_accent(character: char) -> bool {
    matches!(character,
        '\u{0300}'..='\u{036F}' // Latin, Greek and Cyrillic accents
        | '\u{0591}'..='\u{05C7}' // Hebrew points
        | '\u{064B}'..='\u{065F}' // Arabic vowels
        | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}'
        | '\u{FE20}'..='\u{FE2F}')
}

fn script_of(character: char) -> Script {
    match character {
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' // Burmese
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30FF}' // Hiragana, Katakana
        | '\u{31F0}'..='\u{31FF}'
        | '\u{3400}'..='\u{4DBF}' // Han
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FF66}'..='\u{FF9F}'
        | '\u{20000}'..='\u{3FFFF}' => Script::Unspaced,
        _ => Script::Spaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.folded).collect()
    }

    #[test]
    fn punctuation_separates_words_and_case_does_not() {
        assert_eq!(folded("IMG_2041-golden.gate"), ["img", "2041", "golden", "gate"]);
        assert_eq!(folded("HelloWorld, it's"), ["helloworld", "it", "s"]);
        assert_eq!(folded(" -- !? … "), [""; 0]);
    }

    #[test]
    fn accents_case_and_compatibility_forms_are_ignored() {
        for (text, word) in [
            ("Café", "cafe"),
            ("Cafe\u{301}", "cafe"),
            ("ÅNGSTRÖM", "angstrom"),
            ("Straße", "strasse"),
            ("Bjørn", "bjorn"),
            ("Łódź", "lodz"),
            ("İstanbul", "istanbul"),
            ("ﬁlm", "film"),
            ("Ｆｕｌｌ", "full"),
            ("ΟΔΌΣ", "οδος"),
            ("й", "и"),
            ("한국", "한국"),
            ("हिन्दी", "हिन्दी"),
        ] {
            assert_eq!(folded(text), [word], "{text}");
        }
    }

    #[test]
    fn scripts_without_spaces_are_split_into_letters_and_pairs() {
        assert_eq!(folded("東京都"), ["東京", "京都", "東", "京", "都"]);
        assert_eq!(query_words("東京都"), ["東京", "京都"]);
        assert_eq!(query_words("都"), ["都"]);
        assert_eq!(query_words("東京Tower 2"), ["東京", "tower", "2"]);
        assert_eq!(folded("か\u{3099}"), ["が"]);
        assert_eq!(folded("ﾊﾞ"), ["バ"]);
    }

    #[test]
    fn only_the_beginning_of_a_long_word_counts() {
        assert_eq!(folded(&"é".repeat(1000)), ["e".repeat(WORD_LENGTH)]);
    }

    proptest! {
        #[test]
        fn words_have_correct_positions_and_no_white_space(text in ".*") {
            for word in words(&text) {
                prop_assert!(text.get(word.place.clone()).is_some());
                prop_assert!(!word.folded.is_empty() && !word.folded.contains(char::is_whitespace));
            }
        }

        #[test]
        fn every_part_of_a_text_finds_it(text in ".*") {
            let there = folded(&text);
            for wanted in query_words(&text) {
                prop_assert!(there.contains(&wanted), "{wanted}");
            }
        }
    }
}
