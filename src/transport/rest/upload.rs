//! Uploads over REST: `multipart/form-data` whose files go to disk as they arrive.
//! The grant is taken before the first byte is read, and an error ends the reading there and then.

use actix_web::HttpResponse;

use super::answer::data;
use super::authorized::Authorized;
use crate::error::{Error, Result, excerpt};
use crate::transport::body::announced_bytes;
use crate::transport::files::receive;
use crate::transport::form::MultipartForm;

/// The field that holds a file; it is repeated.
const FILES: &str = "files";
/// The field that names the asset that the file is a variant of.
const PARENT: &str = "parentId";
/// The most bytes that are read of a field that is not a file; an id has 16.
const TEXT_BYTES: usize = 1024;

pub async fn upload(Authorized { caller, head, payload }: Authorized) -> Result<HttpResponse> {
    let mut upload = head.core().begin_upload(&caller, &head.library())?;
    upload.expect_body(announced_bytes(head.request().headers()))?;
    // No snapshot is kept while the client is waited for.
    drop(caller);
    let mut form = MultipartForm::new(head.request().headers(), payload)?;
    let mut parent = None;
    while let Some(mut part) = form.next().await? {
        match part.name.as_str() {
            FILES => receive(&mut upload, &mut part).await?,
            PARENT => {
                let bytes = part.read_whole(TEXT_BYTES, too_long).await?;
                parent = Some(String::from_utf8_lossy(&bytes).into_owned());
            }
            name => return Err(unknown_field(name)),
        }
    }
    let uploaded = match parent.filter(|parent| !parent.is_empty()) {
        Some(parent) => upload.finish_as_variant(&parent).await?,
        None => upload.finish().await?,
    };
    data(200, uploaded, head.version, head.origin())
}

fn too_long(most: usize) -> Error {
    Error::bad_input(format!("`{PARENT}` is longer than {most} bytes."))
}

fn unknown_field(name: &str) -> Error {
    Error::bad_input(format!(
        "The form has an unknown field `{}`. Send the files as `{FILES}`, and `{PARENT}` for a variant.",
        excerpt(name)
    ))
}
