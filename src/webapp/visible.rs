//! How texts are written into pages: as HTML, with visible escapes for characters that are invisible, control something
//! or change the direction of text. Names from before such characters were refused may contain them.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::core::model::text::shown;

/// The escaper of every template.
#[derive(Debug, Clone, Copy)]
pub struct VisibleEscaper;

impl Escaper for VisibleEscaper {
    fn write_escaped_str<W: Write>(&self, dest: W, string: &str) -> fmt::Result {
        Html.write_escaped_str(dest, &shown(string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_html_in_which_nothing_hides() {
        let mut page = String::new();
        VisibleEscaper.write_escaped_str(&mut page, "<b>a\u{202E}b\u{1B}\n</b>").unwrap();
        assert_eq!(page, "&#60;b&#62;a\\u{202e}b\\u{1b}\n&#60;/b&#62;");
    }
}
