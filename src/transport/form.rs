//! `multipart/form-data`: the parts of a form as they arrive, for every transport that accepts forms.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, HeaderValue};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::media_type::content_type;
use super::{body, incomplete_body};
use crate::error::{Error, Result, excerpt};

mod disposition;

use disposition::Disposition;

/// The media type of forms with files.
const FORM_DATA: &str = "multipart/form-data";
/// The media type that the multipart library gets instead. For `form-data` it would parse the heads of the parts itself,
/// and refuse those that it can't.
const MIXED: &str = "multipart/mixed";

/// A form. Its parts are read one after the other.
pub struct MultipartForm(Multipart);

/// One part. It must be read before the next one.
pub struct FormPart {
    /// The field's name.
    pub name: String,
    /// The name of its file, if the client sends one.
    pub file_name: Option<String>,
    field: Field,
}

impl MultipartForm {
    /// The form in a body.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when it is not a form, or has no boundary between its parts.
    pub fn new(
        headers: &HeaderMap,
        payload: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
    ) -> Result<Self> {
        if !content_type(headers).eq_ignore_ascii_case(FORM_DATA) {
            return Err(not_a_form());
        }
        let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (_, parameters) = value.split_once(';').unwrap_or_default();
        let mut named = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
        let boundary = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"));
        if boundary.is_none_or(|(_, boundary)| boundary.trim().trim_matches('"').is_empty()) {
            return Err(Error::bad_input(
                "The `Content-Type` of the form has no `boundary`. Let your HTTP client set that header.",
            ));
        }
        let mixed = HeaderValue::from_str(&format!("{MIXED};{parameters}")).map_err(|_| not_a_form())?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, mixed);
        Ok(Self(Multipart::new(&headers, payload)))
    }

    /// The next part.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the form can't be read to its end.
    pub async fn next(&mut self) -> Result<Option<FormPart>> {
        let Some(field) = self.0.next().await.transpose().map_err(unreadable)? else { return Ok(None) };
        let head = field.headers().get(CONTENT_DISPOSITION).map(HeaderValue::as_bytes);
        let Disposition { name, file_name } = head.and_then(Disposition::read).unwrap_or_default();
        let name = name.ok_or_else(|| {
            Error::bad_input(
                "A part of the form has no name. Send each with `Content-Disposition: form-data; name=\"…\"`.",
            )
        })?;
        Ok(Some(FormPart { name, file_name, field }))
    }

    /// Whether the end of the form has arrived already.
    pub async fn has_ended(&mut self) -> bool {
        // Only the end of the form may follow the last file; it arrives together with the file's last bytes.
        matches!(tokio::time::timeout(std::time::Duration::ZERO, self.0.next()).await, Ok(None))
    }
}

impl FormPart {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the form is incomplete or can't be read.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.field.next().await.transpose().map_err(unreadable)
    }

    /// All of a part of at most `max` bytes; `too_large` makes the error above that.
    ///
    /// # Errors
    /// Those of [`FormPart::chunk`] and [`body::read_stream`].
    pub async fn read_whole(&mut self, max: usize, too_large: fn(usize) -> Error) -> Result<Bytes> {
        let bytes = (&mut self.field).map(|bytes| bytes.map_err(unreadable));
        body::read_stream(bytes, max, too_large).await
    }
}

fn not_a_form() -> Error {
    Error::bad_input("Send the files as `multipart/form-data`.")
}

/// The error for a form that can't be parsed, or whose end did not arrive.
fn unreadable(error: MultipartError) -> Error {
    use MultipartError as Cause;
    match error {
        Cause::ContentTypeMissing | Cause::ContentTypeParse | Cause::ContentTypeIncompatible => not_a_form(),
        Cause::Payload(cause) => incomplete_body(cause.to_string()),
        Cause::Incomplete => incomplete_body("the form has no end"),
        Cause::BoundaryMissing => Error::bad_input(
            "The parts of the form are not separated by the `boundary` of its `Content-Type`. Let your HTTP client set both.",
        ),
        other => Error::bad_input(format!(
            "The form can't be read: {}. Send it as `multipart/form-data`.",
            excerpt(&other.to_string())
        )),
    }
}
