//! Any bytes as a form, in pieces of any size: the heads of its parts, and their content.
#![no_main]

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use bytes::Bytes;
use futures_util::stream;
use libfuzzer_sys::fuzz_target;
use rasterd::transport::form::MultipartForm;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, body) = input;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=b"));
    let pieces: Vec<Result<Bytes, PayloadError>> =
        body.chunks(usize::from(size).max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let mut form = MultipartForm::new(&headers, stream::iter(pieces)).expect("it has a boundary");
        let mut read = 0;
        while let Ok(Some(mut part)) = form.next().await {
            read += part.name.len() + part.file_name.as_ref().map_or(0, String::len);
            while let Ok(Some(bytes)) = part.chunk().await {
                read += bytes.len();
            }
        }
        // A name in Latin-1 takes up to twice the space, and a replaced byte three times.
        assert!(read <= 3 * body.len());
    });
});
