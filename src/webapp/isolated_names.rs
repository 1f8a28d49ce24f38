//! Sentences with names in them, as HTML. A name between quotation marks may be written from right to left; the sentence
//! around it stays in its order.

use std::fmt;

use askama::filters::Escaper;

use super::visible::VisibleEscaper;

/// The quotation marks that names stand between. `messages.js` has the same rule for what scripts say; the table of the
/// tests is for both.
const MARKS: [(char, char); 2] = [('“', '”'), ('"', '"')];

/// A sentence, in which each name is isolated.
#[derive(Debug, Clone, Copy)]
pub struct IsolatedNames<'a>(pub &'a str);

impl fmt::Display for IsolatedNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(Quoted { before, open, name, close, after }) = Quoted::first_in(rest) {
            VisibleEscaper.write_escaped_str(&mut *f, before)?;
            VisibleEscaper.write_escaped_char(&mut *f, open)?;
            f.write_str("<bdi>")?;
            VisibleEscaper.write_escaped_str(&mut *f, name)?;
            f.write_str("</bdi>")?;
            VisibleEscaper.write_escaped_char(&mut *f, close)?;
            rest = after;
        }
        VisibleEscaper.write_escaped_str(f, rest)
    }
}

/// A name in a sentence, with its quotation marks.
struct Quoted<'a> {
    before: &'a str,
    open: char,
    name: &'a str,
    close: char,
    after: &'a str,
}

impl<'a> Quoted<'a> {
    fn first_in(sentence: &'a str) -> Option<Self> {
        let quoted = MARKS.into_iter().filter_map(|(open, close)| {
            let (before, rest) = sentence.split_once(open)?;
            let (name, after) = rest.split_once(close)?;
            Some(Self { before, open, name, close, after })
        });
        quoted.min_by_key(|quoted| quoted.before.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sentences, and the HTML of them as browsers write it.
    const TABLE: &str = include_str!("isolated_names.json");

    #[test]
    fn names_are_isolated() {
        let table: Vec<(String, String)> = serde_json::from_str(TABLE).unwrap();
        assert!(!table.is_empty());
        for (sentence, html) in table {
            let written = IsolatedNames(&sentence).to_string();
            let written = written.replace("&#34;", "\"").replace("&#60;", "&lt;").replace("&#62;", "&gt;");
            assert_eq!(written, html);
        }
    }

    #[test]
    fn nothing_hides_in_names() {
        let written = IsolatedNames("“a\u{202E}b” and “open").to_string();
        assert_eq!(written, "“<bdi>a\\u{202e}b</bdi>” and “open");
    }
}
