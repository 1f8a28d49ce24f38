//! How a request names the version of the API.

use actix_web::http::header::HeaderMap;

use crate::error::{Code, Error, Result};
use crate::transport::wire::Version;

/// The header that names the version.
pub const API_VERSION: &str = "Api-Version";

/// The version that a request asks for; `since` is the first version that has the endpoint.
///
/// # Errors
/// `API_VERSION_REQUIRED` when it names none, `BAD_USER_INPUT` when there is no version of that name,
/// `ENDPOINT_NOT_FOUND` when it is older than the endpoint.
pub fn version_of(headers: &HeaderMap, since: Version) -> Result<Version> {
    let choice = Version::choice();
    let named = headers.get(API_VERSION).map(|value| value.as_bytes().trim_ascii()).unwrap_or_default();
    if named.is_empty() {
        return Err(Error::new(
            Code::ApiVersionRequired,
            format!("Send the header `{API_VERSION}` with the version of the API: {choice}."),
        ));
    }
    let known = Version::ALL.into_iter().find(|version| version.name().as_bytes() == named);
    let known = known.ok_or_else(|| Error::bad_input(format!("`{API_VERSION}` must be {choice}.")))?;
    if known < since {
        return Err(Error::new(
            Code::EndpointNotFound,
            format!("This endpoint does not exist in this version. It was added in {}.", since.name()),
        ));
    }
    Ok(known)
}
