//! Bodies: read up to a limit, and parsed as JSON. The checks that come before them are in `authorized.rs`.

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Result, excerpt};
use crate::transport;
use crate::transport::wire::describe_json_error;

/// Reads a body of at most `most` bytes. One that announces more is refused unread.
///
/// # Errors
/// `PAYLOAD_TOO_LARGE`, or those of [`transport::body::read`].
pub async fn read(payload: Payload, headers: &HeaderMap, most: usize) -> Result<Bytes> {
    transport::body::read(payload, headers, most, too_large).await
}

/// Parses a body as JSON of this shape.
///
/// # Errors
/// `BAD_USER_INPUT` that says where it does not match.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    if body.trim_ascii().is_empty() {
        return Err(Error::bad_input("The body is empty. Send a JSON object."));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        match path.as_str() {
            "." => Error::bad_input(format!("Invalid body: {}.", describe_json_error(error.inner()))),
            path => Error::bad_input(format!(
                "Invalid body at `{}`: {}.",
                excerpt(path),
                describe_json_error(error.inner())
            )),
        }
    })?;
    reader
        .end()
        .map_err(|error| Error::bad_input(format!("Invalid body: {}.", describe_json_error(&error))))?;
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
    fn an_error_names_the_place_that_does_not_match() {
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
