//! One word to search for, and how similar other words are to it. Used for the words of a text and for the dictionary
//! of the index, so that both follow the same rule.
//!
//! The classic automaton for edit distance with one bit per state: bit *i* of a row means that the first *i* letters
//! match with that many edits. It needs no tables, so a hostile query costs no more than any other.

use tantivy_fst::Automaton;

use super::words::WORD_LENGTH;

/// The length in letters from which a word may have one edit.
const LETTERS_FOR_ONE: usize = 4;
/// The length in letters from which a word may have two edits.
const LETTERS_FOR_TWO: usize = 8;

/// How similar a word is to the one searched for, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Two edits: letters missing, added, wrong or swapped.
    TwoEdits,
    /// One edit.
    OneEdit,
    /// It begins with it.
    Prefix,
    /// It is equal.
    Exact,
}

/// A word to search for.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// For each of its characters, its positions, as bits.
    places: Vec<(char, u128)>,
    /// The bit of the state in which the whole word matches.
    end: u128,
    /// The used bits of the row for one edit; 0 when no edit is allowed.
    one_edit: u128,
    /// The used bits of the row for two edits.
    two_edits: u128,
    is_prefix: bool,
}

/// The state after reading part of a word.
#[derive(Debug, Clone, Copy)]
pub struct State {
    exact: u128,
    one: u128,
    two: u128,
    /// The states in which the second of two swapped letters was read, and the first must follow.
    swapped_one: u128,
    swapped_two: u128,
    began_like_it: bool,
    /// A character whose last `missing` bytes have not been read.
    partial: u32,
    missing: u8,
}

impl Pattern {
    /// A pattern for a folded word of at most 64 characters, or for all words that begin with it.
    pub fn new(word: &str, is_prefix: bool) -> Self {
        let mut places: Vec<(char, u128)> = Vec::new();
        let mut end = 1;
        for character in word.chars().take(WORD_LENGTH) {
            match places.iter_mut().find(|(known, _)| *known == character) {
                Some((_, bits)) => *bits |= end,
                None => places.push((character, end)),
            }
            end <<= 1;
        }
        // No typos in numbers: 2041 and 2042 are different pictures.
        let letters = word.chars().filter(|character| character.is_alphabetic()).count();
        let all = end | (end - 1);
        Self {
            places,
            end,
            one_edit: if letters >= LETTERS_FOR_ONE { all } else { 0 },
            two_edits: if letters >= LETTERS_FOR_TWO { all } else { 0 },
            is_prefix,
        }
    }

    /// How similar a folded word is; `None` if it does not match.
    pub fn likeness(&self, word: &str) -> Option<Likeness> {
        let mut state = self.start();
        for character in word.chars() {
            state = self.read(&state, character);
            if !self.can_match(&state) {
                return None;
            }
        }
        self.likeness_at(&state)
    }

    fn likeness_at(&self, state: &State) -> Option<Likeness> {
        if state.exact & self.end != 0 {
            Some(Likeness::Exact)
        } else if state.began_like_it {
            Some(Likeness::Prefix)
        } else if state.one & self.end != 0 {
            Some(Likeness::OneEdit)
        } else if state.two & self.end != 0 {
            Some(Likeness::TwoEdits)
        } else {
            None
        }
    }

    fn read(&self, state: &State, character: char) -> State {
        let here = self.places.iter().find(|(known, _)| *known == character).map_or(0, |(_, bits)| *bits);
        let exact = (state.exact & here) << 1;
        let one = edited(state.one, state.exact, exact, state.swapped_one, here) & self.one_edit;
        let two = edited(state.two, state.one, one, state.swapped_two, here) & self.two_edits;
        State {
            exact,
            one,
            two,
            swapped_one: state.exact & (here >> 1) & self.one_edit,
            swapped_two: state.one & (here >> 1) & self.two_edits,
            began_like_it: state.began_like_it || (self.is_prefix && exact & self.end != 0),
            partial: 0,
            missing: 0,
        }
    }
}

/// A row after a character. Either the character matches, or it costs an edit from the row with one edit less
/// (`cheaper`, which is `cheaper_now` after the character): an added, wrong or missing letter, or the first of two
/// swapped ones.
fn edited(row: u128, cheaper: u128, cheaper_now: u128, swapped: u128, here: u128) -> u128 {
    ((row & here) << 1) | cheaper | (cheaper << 1) | (cheaper_now << 1) | ((swapped & here) << 2)
}

/// Reads UTF-8 byte by byte, as stored in the dictionary.
impl Automaton for Pattern {
    type State = State;

    fn start(&self) -> State {
        State {
            exact: 1,
            one: 0b11 & self.one_edit,
            two: 0b111 & self.two_edits,
            swapped_one: 0,
            swapped_two: 0,
            began_like_it: false,
            partial: 0,
            missing: 0,
        }
    }

    fn is_match(&self, state: &State) -> bool {
        state.missing == 0 && self.likeness_at(state).is_some()
    }

    fn can_match(&self, state: &State) -> bool {
        let rows = state.exact | state.one | state.two | state.swapped_one | state.swapped_two;
        rows != 0 || state.began_like_it
    }

    fn accept(&self, state: &State, byte: u8) -> State {
        let (partial, missing) = match byte {
            0x00..=0x7F => (u32::from(byte), 0),
            0x80..=0xBF => ((state.partial << 6) | u32::from(byte & 0x3F), state.missing.saturating_sub(1)),
            0xC0..=0xDF => (u32::from(byte & 0x1F), 1),
            0xE0..=0xEF => (u32::from(byte & 0x0F), 2),
            0xF0..=0xFF => (u32::from(byte & 0x07), 3),
        };
        match char::from_u32(partial).filter(|_| missing == 0) {
            Some(character) => self.read(state, character),
            None => State { partial, missing, ..*state },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_number_of_tolerated_typos_depends_on_the_length() {
        for (wanted, word, likeness) in [
            ("gate", "gate", Some(Likeness::Exact)),
            ("gate", "gato", Some(Likeness::OneEdit)),
            ("gate", "gte", Some(Likeness::OneEdit)),
            ("gate", "gaate", Some(Likeness::OneEdit)),
            ("gate", "agte", Some(Likeness::OneEdit)),
            ("gate", "gota", None),
            ("gat", "got", None),
            ("elephant", "elphnat", Some(Likeness::TwoEdits)),
            ("elephan", "elphna", None),
            ("2041", "2042", None),
            ("東京", "京都", None),
        ] {
            assert_eq!(Pattern::new(wanted, false).likeness(word), likeness, "{wanted} {word}");
        }
    }

    #[test]
    fn only_a_prefix_pattern_matches_longer_words() {
        assert_eq!(Pattern::new("gol", true).likeness("golden"), Some(Likeness::Prefix));
        assert_eq!(Pattern::new("gol", true).likeness("gol"), Some(Likeness::Exact));
        assert_eq!(Pattern::new("gol", false).likeness("golden"), None);
        assert_eq!(Pattern::new("gol", true).likeness("go"), None);
    }

    /// The edit distance by definition: insertions, deletions, substitutions, and swaps of adjacent letters.
    fn distance(one: &[char], other: &[char]) -> usize {
        let mut table = vec![vec![0; other.len() + 1]; one.len() + 1];
        for i in 0..=one.len() {
            for j in 0..=other.len() {
                if i == 0 || j == 0 {
                    table[i][j] = i + j;
                    continue;
                }
                let wrong = usize::from(one[i - 1] != other[j - 1]);
                let mut best =
                    (table[i - 1][j] + 1).min(table[i][j - 1] + 1).min(table[i - 1][j - 1] + wrong);
                if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                    best = best.min(table[i - 2][j - 2] + 1);
                }
                table[i][j] = best;
            }
        }
        table[one.len()][other.len()]
    }

    proptest! {
        #[test]
        fn likeness_is_the_edit_distance(wanted in "[aé]{8,10}", word in "[aé]{7,11}") {
            let (one, other): (Vec<char>, Vec<char>) = (wanted.chars().collect(), word.chars().collect());
            let expected = match distance(&one, &other) {
                0 => Some(Likeness::Exact),
                1 => Some(Likeness::OneEdit),
                2 => Some(Likeness::TwoEdits),
                _ => None,
            };
            prop_assert_eq!(Pattern::new(&wanted, false).likeness(&word), expected);
        }

        #[test]
        fn matching_by_bytes_equals_matching_by_characters(
            wanted in "[abé京𠀀]{1,64}", word in "[abé京𠀀]{0,64}", is_prefix: bool
        ) {
            let pattern = Pattern::new(&wanted, is_prefix);
            let end = word.bytes().fold(pattern.start(), |state, byte| pattern.accept(&state, byte));
            prop_assert_eq!(pattern.is_match(&end), pattern.likeness(&word).is_some());
            prop_assert!(pattern.can_match(&end) || !pattern.is_match(&end));
        }

        #[test]
        fn a_word_matches_itself_and_its_prefixes(word in "\\w{1,64}", cut in 1usize..64) {
            prop_assert_eq!(Pattern::new(&word, false).likeness(&word), Some(Likeness::Exact));
            let beginning: String = word.chars().take(cut).collect();
            prop_assert!(Pattern::new(&beginning, true).likeness(&word) >= Some(Likeness::Prefix));
        }
    }
}
