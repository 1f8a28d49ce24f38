//! Files in the parts of a form, on their way into an upload as they arrive.

use actix_multipart::{Field, MultipartError};
use futures_util::StreamExt;

use super::broken_off;
use crate::app::uploads::Upload;
use crate::error::{Error, Result};

/// Reads one part to its end as a file of the upload.
///
/// # Errors
/// `BAD_USER_INPUT` for a part that is no file, or breaks off; of the upload.
pub async fn receive(upload: &mut Upload, field: &mut Field) -> Result<()> {
    let name = field.content_disposition().and_then(|disposition| disposition.get_filename());
    let Some(name) = name else {
        let part = field.name().unwrap_or_default();
        return Err(Error::bad_input(format!(
            "A part named `{part}` has no file name. Send it as a file, with `filename` in its `Content-Disposition`."
        )));
    };
    let mut arriving = upload.begin_file(name)?;
    while let Some(bytes) = field.next().await {
        arriving.write(bytes.map_err(unreadable)?).await?;
    }
    upload.end_file(arriving).await
}

/// The error for a form with parts that can't be understood, or whose end never came.
#[must_use]
pub fn unreadable(error: MultipartError) -> Error {
    use MultipartError as Cause;
    match error {
        Cause::ContentTypeMissing | Cause::ContentTypeParse | Cause::ContentTypeIncompatible => {
            Error::bad_input("Send the files as `multipart/form-data`.")
        }
        Cause::Payload(cause) => broken_off(cause.to_string()),
        Cause::Incomplete => broken_off("the form has no end"),
        other => {
            Error::bad_input(format!("The form can't be read: {other}. Send it as `multipart/form-data`."))
        }
    }
}
