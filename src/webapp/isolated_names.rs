//! Sentences with names in them, as HTML. A name between quotation marks may be written from right to left; the sentence
//! around it stays in its order.

use std::fmt;

use askama::filters::Escaper;

use super::visible::Visible;

/// The quotation marks that names stand between.
const MARKS: [(char, char); 2] = [('“', '”'), ('"', '"')];

/// A sentence, in which each name is isolated.
#[derive(Debug, Clone, Copy)]
pub struct IsolatedNames<'a>(pub &'a str);

impl fmt::Display for IsolatedNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(Quoted { before, open, name, close, after }) = Quoted::first_in(rest) {
            Visible.write_escaped_str(&mut *f, before)?;
            Visible.write_escaped_char(&mut *f, open)?;
            f.write_str("<bdi>")?;
            Visible.write_escaped_str(&mut *f, name)?;
            f.write_str("</bdi>")?;
            Visible.write_escaped_char(&mut *f, close)?;
            rest = after;
        }
        Visible.write_escaped_str(f, rest)
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
        let position = |(open, _): &(char, char)| sentence.find(*open).unwrap_or(usize::MAX);
        let (open, close) = MARKS.into_iter().min_by_key(position)?;
        let (before, rest) = sentence.split_once(open)?;
        let (name, after) = rest.split_once(close)?;
        Some(Self { before, open, name, close, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_isolated_and_nothing_hides_in_them() {
        for (sentence, html) in [
            ("Created library “תמונות”.", "Created library “<bdi>תמונות</bdi>”."),
            ("Added “a”, “b” to 2 assets.", "Added “<bdi>a</bdi>”, “<bdi>b</bdi>” to 2 assets."),
            ("Left out: \"<b>.txt\": why.", "Left out: &#34;<bdi>&#60;b&#62;.txt</bdi>&#34;: why."),
            ("\"a\", \"b\"", "&#34;<bdi>a</bdi>&#34;, &#34;<bdi>b</bdi>&#34;"),
            ("“a\u{202E}b” and “open", "“<bdi>a\\u{202e}b</bdi>” and “open"),
            ("Nothing was changed.", "Nothing was changed."),
        ] {
            assert_eq!(IsolatedNames(sentence).to_string(), html);
        }
    }
}
