//! A message about what was just done, for the next page. It travels in a cookie that lives for a minute and is deleted
//! by the page that shows it.

use std::time::Duration;

use actix_web::http::header::{HeaderValue, InvalidHeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::cookie::{self, CookieLifetime};

/// How long a flash waits for its page.
const KEPT: Duration = Duration::from_mins(1);
/// The longest text, in bytes: a cookie holds 4096, and one may take three of them.
const LONGEST: usize = 1000;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// Whether it went well.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
}

/// How something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It worked.
    Success,
    /// It did not work.
    Problem,
}

impl Tone {
    /// The end of its class in the stylesheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Problem => "problem",
        }
    }

    /// Its icon.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Success => "circle-check",
            Self::Problem => "circle-alert",
        }
    }
}

impl Flash {
    /// Something worked.
    #[must_use]
    pub fn success(text: impl Into<String>) -> Self {
        Self { tone: Tone::Success, text: text.into() }
    }

    /// Something did not work.
    #[must_use]
    pub fn problem(text: impl Into<String>) -> Self {
        Self { tone: Tone::Problem, text: text.into() }
    }

    /// Reads the cookie's value.
    pub(super) fn read(value: &str) -> Option<Self> {
        let (tone, text) = value.split_once('.')?;
        let text = percent_decode_str(text).decode_utf8().ok()?.into_owned();
        match tone {
            "success" => Some(Self::success(text)),
            "problem" => Some(Self::problem(text)),
            _ => None,
        }
    }

    /// The cookie that carries it.
    pub(super) fn cookie(&self) -> Result<HeaderValue, InvalidHeaderValue> {
        let text = &self.text[..self.text.floor_char_boundary(LONGEST)];
        let value = format!("{}.{}", self.tone.class(), utf8_percent_encode(text, NON_ALPHANUMERIC));
        cookie::written(cookie::FLASH, &value, CookieLifetime::For(KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flash_comes_back_as_it_was() {
        for flash in
            [Flash::success("Saved; 100 % “fine”.\n"), Flash::problem(""), Flash::success("é".repeat(2000))]
        {
            let cookie = flash.cookie().unwrap();
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.len() < 4096);
            let value = cookie.split_once('=').unwrap().1.split_once(';').unwrap().0;
            let back = Flash::read(value).unwrap();
            assert!(back.tone == flash.tone && flash.text.starts_with(&back.text), "{back:?}");
        }
        for broken in ["", "success", "other.text", "success.%FF"] {
            assert_eq!(Flash::read(broken), None, "{broken}");
        }
    }
}
