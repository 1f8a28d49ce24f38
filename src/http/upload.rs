//! Uploads over REST: `multipart/form-data` whose files go to disk as they arrive.
//! The grant is taken before the first byte is read, and an error ends the reading there and then.

use actix_multipart::{Field, Multipart};
use actix_web::HttpResponse;
use futures_util::StreamExt;

use super::call::Call;
use crate::edge::files::{receive, unreadable};
use crate::error::{Error, Result};

/// The field that holds a file; it is repeated.
const FILES: &str = "files";
/// The field that names the asset that the file is a variant of.
const PARENT: &str = "parentId";
/// How many bytes are read of a field that is no file; an id has 16.
const TEXT_BYTES: usize = 1024;

pub async fn upload(call: Call) -> Result<HttpResponse> {
    let mut upload = call.asked.app().begin_upload(&call.caller, &call.asked.library())?;
    let (asked, payload) = call.into_stream();
    let mut form = Multipart::new(asked.request().headers(), payload);
    let mut parent = None;
    while let Some(field) = form.next().await {
        let mut field = field.map_err(unreadable)?;
        match field.name() {
            Some(FILES) => receive(&mut upload, &mut field).await?,
            Some(PARENT) => parent = Some(text(&mut field).await?),
            name => return Err(unknown_field(name)),
        }
    }
    let uploaded = match parent.filter(|parent| !parent.is_empty()) {
        Some(parent) => upload.finish_as_variant(&parent).await?,
        None => upload.finish().await?,
    };
    Ok(asked.version.uploaded(uploaded, asked.origin()))
}

async fn text(field: &mut Field) -> Result<String> {
    let too_long = |_| Error::bad_input(format!("`{PARENT}` has more than {TEXT_BYTES} bytes."));
    let bytes = field.bytes(TEXT_BYTES).await.map_err(too_long)?.map_err(unreadable)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unknown_field(name: Option<&str>) -> Error {
    Error::bad_input(format!(
        "The form has the field `{}`, which is not known. Send the files as `{FILES}`, and `{PARENT}` for a variant.",
        name.unwrap_or_default()
    ))
}
