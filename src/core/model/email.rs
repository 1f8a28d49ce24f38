//! E-mail addresses: what people sign in with. Nothing is ever sent to them.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::core::model::text::{TextKind, hidden};
use crate::error::{Error, Result};

/// The longest address that mail can have (RFC 5321), in bytes.
const LONGEST: usize = 254;

/// An e-mail address of which only the syntax was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Parses an address: something before one `@`, something after it, no white space.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`.
    pub fn parse(text: &str) -> Result<Self> {
        let text: String = text.trim().nfc().collect();
        let fits = text.len() <= LONGEST
            && !text.contains(char::is_whitespace)
            && hidden(&text, TextKind::Line).next().is_none()
            && text
                .split_once('@')
                .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
        if fits {
            return Ok(Self(text));
        }
        Err(Error::bad_input("Give an e-mail address, such as ada@example.org."))
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared: without case.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_at_sign_and_no_white_space() {
        for text in ["ada@example.org", " Ada.L+x@Example.org ", "ünï@exämple.org", "a@b"] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
        let long = format!("{}@example.org", "a".repeat(250));
        for text in
            ["", "ada", "@example.org", "ada@", "a@b@c", "a b@c", "a@b\n.org", "a\u{202E}@b.org", &long]
        {
            assert!(Email::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_are_compared_without_case() {
        assert_eq!(Email::parse("ADA@example.org").unwrap().folded(), "ada@example.org");
    }
}
