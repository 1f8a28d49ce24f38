//! What forms send: fields, or parts with files. The gate reads the start of every body to find the token; handlers
//! take what is left as a [`Form`] or as [`CheckedMultipartForm`].

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;

use crate::error::{Code, Error, Result};
use crate::transport;
use crate::transport::body;
use crate::transport::form::FormPart;
use crate::transport::media_type::content_type;

/// The field that carries the visitor's token; with files, it comes before them.
pub const TOKEN: &str = "csrf";
/// The longest token that is read, in bytes; ours have 64.
const TOKEN_BYTES: usize = 256;

/// The format of a request's body.
pub(super) enum BodyFormat {
    /// The fields of a form.
    UrlEncoded,
    /// The fields and files of a form.
    Multipart,
    /// Not a form, or no body at all.
    Other,
}

/// The format of a request's body, by its headers.
pub(super) fn body_format(headers: &HeaderMap) -> BodyFormat {
    let media_type = content_type(headers);
    if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        BodyFormat::UrlEncoded
    } else if media_type.eq_ignore_ascii_case("multipart/form-data") {
        BodyFormat::Multipart
    } else {
        BodyFormat::Other
    }
}

/// The fields of a form, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of at most this many bytes.
    pub(super) async fn receive(payload: Payload, most: usize) -> Result<Self> {
        let bytes = payload.map(|bytes| bytes.map_err(|error| broken_off(&error)));
        Ok(Self::parse(&body::read_stream(bytes, most, too_large).await?))
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
pub struct CheckedMultipartForm(transport::form::MultipartForm);

impl CheckedMultipartForm {
    /// The next part, to be read before the one after it. The token is skipped: it was checked before.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the form can't be read to its end.
    pub async fn next(&mut self) -> Result<Option<FormPart>> {
        while let Some(part) = self.0.next().await? {
            if part.name != TOKEN {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }
}

impl From<transport::form::MultipartForm> for CheckedMultipartForm {
    fn from(parts: transport::form::MultipartForm) -> Self {
        Self(parts)
    }
}

/// The token, which is the first part if no header carries it: it is checked before any file is read.
pub(super) async fn first_part(parts: &mut transport::form::MultipartForm) -> Result<String> {
    let Some(mut first) = parts.next().await?.filter(|first| first.name == TOKEN) else {
        return Ok(String::new());
    };
    let too_long = |_| Error::bad_input("The form's token is too long.");
    Ok(String::from_utf8_lossy(&first.read_whole(TOKEN_BYTES, too_long).await?).into_owned())
}

fn broken_off(error: &PayloadError) -> Error {
    Error::bad_input("The form did not arrive as a whole. Check the connection and send it again.")
        .caused_by(error.to_string())
}

fn too_large(most: usize) -> Error {
    let message = format!("The form is too large: at most {most} bytes are taken. Shorten its texts.");
    Error::new(Code::PayloadTooLarge, message)
}

/// What the gate read from the request, for the one handler that takes it.
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

impl FromRequest for CheckedMultipartForm {
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
