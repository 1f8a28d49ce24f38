//! Plain text within HTML.

use askama::filters::{Escaper, Html};

/// The text in HTML.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // Writing to a string can't fail.
    let _ = Html.write_escaped_str(&mut escaped, text);
    escaped
}
