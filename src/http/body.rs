//! Bodies: read up to a limit, and understood as JSON. The checks that come before them are in `call.rs`.

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::edge::broken_off;
use crate::error::{Code, Error, Result};

/// Reads a body of at most `most` bytes. One that announces more is refused unread.
///
/// # Errors
/// `PAYLOAD_TOO_LARGE`, or `BAD_USER_INPUT` when the body breaks off.
pub async fn read(mut payload: Payload, headers: &HeaderMap, most: usize) -> Result<Bytes> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > most as u64) {
        return Err(too_large(most));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(broken_off)?;
        if body.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
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
            "." => Error::bad_input(format!("The body does not fit: {}.", error.inner())),
            place => Error::bad_input(format!("The body does not fit at `{place}`: {}.", error.inner())),
        }
    })?;
    reader.end().map_err(|error| Error::bad_input(format!("The body does not fit: {error}.")))?;
    Ok(read)
}

fn too_large(most: usize) -> Error {
    Error::new(Code::PayloadTooLarge, format!("A body of JSON has at most {most} bytes; this one has more."))
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
            ("[1", "does not fit"),
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
