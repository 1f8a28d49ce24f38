//! Addresses for large files. `POST /app/{organization}/{library}/uploads` is the creation of tus 1.0 for the person who is
//! signed in: the script of the page says the size (`Upload-Length`) and the name (`Upload-Metadata`: `filename`, and
//! `parentId` for a variant) of one file, with the form's token as in every change, and gets its address in `Location`.
//! The bytes then go to that address, which `transport/uploads.rs` answers: in parts, and on after a lost connection. It is
//! bound to the session, so signing out ends it.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};

use super::InLibrary;
use crate::core::access::LibraryPath;
use crate::core::uploads::{NewUpload, upload_path};
use crate::error::{Error, Result};
use crate::transport::tus;
use crate::webapp::signed_in_user::SignedInUser;

pub async fn create(user: SignedInUser, path: InLibrary, request: HttpRequest) -> Result<HttpResponse> {
    let headers = request.headers();
    if let Some(refusal) = tus::other_version(headers) {
        return Ok(refusal);
    }
    let (organization, library) = path.into_inner();
    let caller = user.caller(&organization)?;
    let path = LibraryPath { organization: &organization, library: &library };
    let length = tus::bytes(headers, &tus::LENGTH)?;
    let length = length.ok_or_else(|| Error::bad_input("Send the size of the file in `Upload-Length`."))?;
    if length == 0 {
        return Err(Error::bad_input("The file is empty."));
    }
    let (file_name, parent) = (tus::metadata(headers, "filename")?, tus::metadata(headers, "parentId")?);
    let new = NewUpload { file_name: &file_name, parent: Some(&parent), length: Some(length) };
    let address = user.core.create_upload(&caller, &path, new).await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, upload_path(&address.token)))
        .insert_header((tus::RESUMABLE, tus::VERSION))
        .insert_header((tus::EXPIRES, tus::expires(address.expires)))
        .finish())
}
