//! Bodies: read up to a limit, and understood as JSON. The checks that come before them are in `call.rs`.

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Result, excerpt};
use crate::transport;
use crate::transport::wire::misfit;

/// Reads a body of at most `most` bytes. One that announces more is refused unread.
///
/// # Errors
/// `PAYLOAD_TOO_LARGE`, or those of [`transport::body::read`].
pub async fn read(payload: Payload, headers: &HeaderMap, most: usize) -> Result<Bytes> {
    transport::body::read(payload, headers, most, too_large).await
}

/// Understands a body as JSON of this shape.
///
/// # Errors
/// `BAD_USER_INPUT` that says where it is not.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    if body.trim_ascii().is_empty() {
        return Err(Error::bad_input("The body is empty. Send a JSON object."));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let place = error.path().to_string();
        match place.as_str() {
            "." => Error::bad_input(format!("Invalid body: {}.", misfit(error.inner()))),
            place => Error::bad_input(format!(
                "Invalid body at `{}`: {}.",
                excerpt(place),
                misfit(error.inner())
            )),
        }
    })?;
    reader.end().map_err(|error| Error::bad_input(format!("Invalid body: {}.", misfit(&error))))?;
    Ok(read)
}

fn too_large(most: usize) -> Error {
    Error::new(Code::PayloadTooLarge, format!("The JSON body is larger than {most} bytes."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Tagging {
        asset_ids: Vec<String>,
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_place() {
        for (body, said) in [
            (r#"{"assetIds":["a",5]}"#, "assetIds[1]"),
            (r#"{"assetIds":"a"}"#, "assetIds"),
            ("{}", "assetIds"),
            ("", "empty"),
            (" \n", "empty"),
            ("[1", "Invalid body"),
            (r#"{"assetIds":[]} x"#, "trailing"),
        ] {
            let error = json::<Tagging>(body.as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::BadUserInput);
            assert!(error.message().contains(said), "{body}: {}", error.message());
        }
        assert_eq!(json::<Tagging>(br#"{"assetIds":["a"],"more":1}"#).unwrap().asset_ids, ["a"]);
    }

    proptest! {
        #[test]
        fn reading_never_panics(body: Vec<u8>) {
            let _ = json::<Tagging>(&body);
        }
    }
}
