//! What forms send: fields, or parts with files. The gate reads the start of every body to find the token; handlers
//! take what is left as a [`Form`] or as [`Parts`].

use std::future::{Ready, ready};

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use bytes::BytesMut;
use futures_util::StreamExt;

use crate::error::{Code, Error, Result};

/// The field that carries the visitor's token; with files, it comes before them.
pub const TOKEN: &str = "csrf";
/// How many bytes are read of a token; one has 64.
const TOKEN_BYTES: usize = 256;

/// How a body is written.
pub(super) enum Kind {
    /// Fields.
    Fields,
    /// Fields and files.
    Parts,
    /// Not by a form, or there is none.
    Other,
}

/// How the body of a request is written.
pub(super) fn kind(headers: &HeaderMap) -> Kind {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Kind::Fields
    } else if essence.eq_ignore_ascii_case("multipart/form-data") {
        Kind::Parts
    } else {
        Kind::Other
    }
}

/// The fields of a form, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of at most this many bytes.
    pub(super) async fn receive(mut payload: Payload, most: usize) -> Result<Self> {
        let mut body = BytesMut::new();
        while let Some(bytes) = payload.next().await {
            let bytes = bytes.map_err(|error| broken_off(&error))?;
            if body.len() + bytes.len() > most {
                let message =
                    format!("The form is too large: at most {most} bytes are taken. Shorten its texts.");
                return Err(Error::new(Code::PayloadTooLarge, message));
            }
            body.extend_from_slice(&bytes);
        }
        Ok(Self::parse(&body))
    }

    fn parse(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// The text of a field; empty when it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.texts(name).next().unwrap_or_default()
    }

    /// The texts of a field that is repeated, such as the ids of a selection.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, text)| text.as_str())
    }

    /// Whether a box is ticked, or a button of this name was the one that was pressed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.texts(name).next().is_some()
    }

    /// The fields whose names start like this, without that start: `grant.photos=read` is `("photos", "read")`.
    pub fn starting_with<'a>(&'a self, start: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, text)| Some((name.strip_prefix(start)?, text.as_str())))
    }
}

/// A form with files.
pub struct Parts(Multipart);

impl Parts {
    /// The next part, to be read before the one after it. The token is none: it was checked before.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the form can't be read to its end.
    pub async fn next(&mut self) -> Result<Option<Field>> {
        while let Some(part) = self.0.next().await {
            let part = part.map_err(|error| unreadable(&error))?;
            if part.name() != Some(TOKEN) {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }
}

impl From<Multipart> for Parts {
    fn from(parts: Multipart) -> Self {
        Self(parts)
    }
}

/// The token, which is the first part where no header carries it: it is checked before any file is read.
pub(super) async fn first_part(parts: &mut Multipart) -> Result<String> {
    let mut first = match parts.next().await {
        Some(first) => first.map_err(|error| unreadable(&error))?,
        None => return Ok(String::new()),
    };
    if first.name() != Some(TOKEN) {
        return Ok(String::new());
    }
    let bytes =
        first.bytes(TOKEN_BYTES).await.map_err(|_| Error::bad_input("The form's token is too long."))?;
    let bytes = bytes.map_err(|error| unreadable(&error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A form with files that can't be read, as a person is told.
#[must_use]
pub fn unreadable(error: &MultipartError) -> Error {
    match error {
        MultipartError::Payload(error) => broken_off(error),
        other => Error::bad_input(format!("The files did not arrive as a browser sends them: {other}.")),
    }
}

fn broken_off(error: &PayloadError) -> Error {
    Error::bad_input("The form did not arrive as a whole. Check the connection and send it again.")
        .caused_by(error.to_string())
}

/// What the gate read of the request, for the one handler that takes it.
fn left_by_the_gate<T: 'static>(request: &HttpRequest, otherwise: &'static str) -> Result<T> {
    request.extensions_mut().remove().ok_or_else(|| Error::bad_input(otherwise))
}

impl FromRequest for Form {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(left_by_the_gate(request, "Send this as a form: `application/x-www-form-urlencoded`."))
    }
}

impl FromRequest for Parts {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(left_by_the_gate(request, "Send the files as a form: `multipart/form-data`."))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_found_by_name_once_or_often() {
        let form = Form::parse(b"csrf=t&id=1&id=2&name=a+b%20%C3%A9&grant.photos=read&on=");
        assert_eq!((form.text("csrf"), form.text("name"), form.text("missing")), ("t", "a b \u{e9}", ""));
        assert_eq!(form.texts("id").collect::<Vec<_>>(), ["1", "2"]);
        assert!(form.has("on") && !form.has("off"));
        assert_eq!(form.starting_with("grant.").collect::<Vec<_>>(), [("photos", "read")]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_form(bytes: Vec<u8>) {
            let form = Form::parse(&bytes);
            prop_assert!(form.0.iter().all(|(name, text)| name.len() + text.len() <= 3 * bytes.len()));
        }
    }
}
