//! The words to search for in a person's query, and where they occur in a text.

use std::ops::Range;

use super::pattern::{Likeness, Pattern};
use super::words::{WORD_LENGTH, query_words, words};

/// The most words of a query; later ones are ignored.
const MAX_WORDS: usize = 16;

/// The words of a query. The last one may be the beginning of a word.
#[derive(Debug, Clone)]
pub struct Terms(Vec<Pattern>);

impl Terms {
    /// Parses a query.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let read: String = query.chars().take(MAX_WORDS * (WORD_LENGTH + 1)).collect();
        let mut wanted: Vec<String> = Vec::new();
        for word in query_words(&read) {
            if wanted.len() < MAX_WORDS && !wanted.contains(&word) {
                wanted.push(word);
            }
        }
        let last = wanted.len().saturating_sub(1);
        Self(wanted.iter().enumerate().map(|(index, word)| Pattern::new(word, index == last)).collect())
    }

    /// Whether there are no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text as HTML, with each word that matches wrapped in `<mark>`.
    #[must_use]
    pub fn highlight(&self, text: &str) -> String {
        let mut html = String::with_capacity(text.len());
        let mut done = 0;
        for place in self.places(text) {
            escape(text.get(done..place.start).unwrap_or_default(), &mut html);
            html.push_str("<mark>");
            escape(text.get(place.clone()).unwrap_or_default(), &mut html);
            html.push_str("</mark>");
            done = place.end;
        }
        escape(text.get(done..).unwrap_or_default(), &mut html);
        html
    }

    /// Whether any of the words is in the text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        words(text).iter().any(|word| self.likeness(&word.folded).is_some())
    }

    /// The patterns of the words.
    pub(super) fn patterns(&self) -> &[Pattern] {
        &self.0
    }

    fn likeness(&self, folded: &str) -> Option<Likeness> {
        self.0.iter().filter_map(|pattern| pattern.likeness(folded)).max()
    }

    /// The ranges of a text that match, in order. Overlapping or adjacent ranges are merged.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut matching: Vec<_> = words(text)
            .into_iter()
            .filter(|word| self.likeness(&word.folded).is_some())
            .map(|word| word.place)
            .collect();
        matching.sort_by_key(|place| place.start);
        let mut places: Vec<Range<usize>> = Vec::with_capacity(matching.len());
        for place in matching {
            match places.last_mut().filter(|last| place.start <= last.end) {
                Some(last) => last.end = last.end.max(place.end),
                None => places.push(place),
            }
        }
        places
    }
}

fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marked(query: &str, text: &str) -> String {
        Terms::parse(query).highlight(text)
    }

    #[test]
    fn matches_are_marked_in_the_original_spelling_and_the_rest_is_escaped() {
        for (query, text, html) in [
            ("cafe", "Le Café & Bar", "Le <mark>Café</mark> &amp; Bar"),
            ("cafe", "Cafe\u{301}!", "<mark>Cafe\u{301}</mark>!"),
            ("gol", "IMG_2041-golden.gate", "IMG_2041-<mark>golden</mark>.gate"),
            ("goldne gate", "Golden Gate", "<mark>Golden</mark> <mark>Gate</mark>"),
            ("b", "<b>'\"</b>", "&lt;<mark>b</mark>&gt;&#39;&quot;&lt;/<mark>b</mark>&gt;"),
            ("東京都", "旧東京都庁", "旧<mark>東京都</mark>庁"),
            ("", "a<b", "a&lt;b"),
        ] {
            assert_eq!(marked(query, text), html, "{query}");
        }
    }

    #[test]
    fn punctuation_alone_has_no_words() {
        for query in ["", "  ", "?!", "\u{301}", "🌉"] {
            assert!(Terms::parse(query).is_empty(), "{query}");
        }
        assert!(!Terms::parse("a").is_empty());
    }

    #[test]
    fn the_length_of_a_query_is_limited() {
        let long = "a".repeat(10_000) + " b";
        assert_eq!(Terms::parse(&long).patterns().len(), 1);
        let many: Vec<String> = (0..1000).map(|number| format!("w{number}")).collect();
        assert_eq!(Terms::parse(&many.join(" ")).patterns().len(), MAX_WORDS);
        assert_eq!(Terms::parse(&"same ".repeat(100)).patterns().len(), 1);
    }

    #[test]
    fn tags_match_by_the_same_rules() {
        let terms = Terms::parse("bridge sun");
        assert!(terms.matches("Suspension Brídge"));
        assert!(terms.matches("sunset"));
        assert!(!terms.matches("moon"));
    }

    proptest! {
        #[test]
        fn removing_marks_and_escapes_gives_the_text(query in ".*", text in ".*") {
            let html = marked(&query, &text);
            let plain = html.replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!plain.contains(['<', '>', '"', '\'']));
            let back = plain
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            prop_assert_eq!(back, text);
        }

        #[test]
        fn a_query_with_the_whole_text_marks_every_word(text in "[a-zé ]{1,30}") {
            let marked = marked(&text, &text);
            prop_assert_eq!(marked.matches("<mark>").count(), text.split_whitespace().count());
        }
    }
}
