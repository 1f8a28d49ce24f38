//! Multipart requests: first the operation, then the map of its files to form fields, then the files.
//!
//! The operation runs while its files arrive. The form is read on the connection's own task and passed on in pieces, so
//! that a file is never in memory as a whole, and is not read before the mutation that takes it has its grant. When the
//! operation ends early, reading ends; when the client disconnects, the operation ends.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;

use actix_web::http::header::HeaderMap;
use actix_web::web;
use async_graphql::{Value, Variables};
use bytes::Bytes;
use tokio::sync::{Mutex, mpsc};

use super::request::{GraphQlRequest, too_large};
use super::response::RequestError;
use super::types::Upload;
use crate::core::uploads;
use crate::error::{Error, Result, excerpt};
use crate::transport::form::{FormPart, MultipartForm};
use crate::transport::incomplete_body;
use crate::transport::wire::describe_json_error;

/// How many pieces of a form wait for the operation; each is what one read of the connection brought.
const WAITING: usize = 4;

/// A multipart request whose parts have not been read yet.
pub struct MultipartRequest(MultipartForm);

impl MultipartRequest {
    /// The request in a body.
    ///
    /// # Errors
    /// Those of [`MultipartForm::new`].
    pub fn new(headers: &HeaderMap, payload: web::Payload) -> Result<Self> {
        MultipartForm::new(headers, payload).map(Self)
    }

    /// Reads the operation, with the names of the parts as the values of its file variables.
    pub async fn operations(&mut self, most: usize) -> Result<GraphQlRequest, RequestError> {
        let operations = self.text("operations", most).await?;
        let map = self.text("map", most).await?;
        let mut request = GraphQlRequest::from_json(&operations)?;
        let map: BTreeMap<String, Vec<String>> = serde_json::from_slice(&map).map_err(|error| {
            RequestError::bad_request(format!(
                "Invalid field `map` in the form: {}.",
                describe_json_error(&error)
            ))
        })?;
        for (part, places) in map {
            for place in places {
                let file = variable(&mut request.variables, &place).ok_or_else(|| {
                    RequestError::bad_request(format!(
                        "`{}` in the field `map` is not in the variables.",
                        excerpt(&place)
                    ))
                })?;
                *file = Value::String(part.clone());
            }
        }
        Ok(request)
    }

    /// The next part, which must have this name and hold no more than so many bytes.
    async fn text(&mut self, name: &str, most: usize) -> Result<Bytes, RequestError> {
        let part = self.0.next().await?;
        let Some(mut part) = part.filter(|part| part.name == name) else {
            return Err(RequestError::bad_request(format!(
                "Expected the field `{name}` next in the form. Send `operations`, then `map`, then the files."
            )));
        };
        Ok(part.read_whole(most, too_large).await?)
    }
}

/// The variable that a path such as `variables.files.0` names.
fn variable<'a>(variables: &'a mut Variables, path: &str) -> Option<&'a mut Value> {
    let mut steps = path.strip_prefix("variables.")?.split('.');
    let first = variables.get_mut(steps.next()?)?;
    steps.try_fold(first, |value, step| match value {
        Value::List(items) => items.get_mut(step.parse::<usize>().ok()?),
        Value::Object(fields) => fields.get_mut(step),
        Value::Null
        | Value::Number(_)
        | Value::String(_)
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::Enum(_) => None,
    })
}

/// A piece of a form on its way to the operation.
enum FilePiece {
    File { part: String, name: String },
    Bytes(Bytes),
    End,
    Failed(Error),
}

/// The files of a request, on the side of the operation.
pub struct IncomingFiles(Option<Mutex<mpsc::Receiver<FilePiece>>>);

/// The files of a request, on the side of the connection.
pub struct FileFeed(Option<(MultipartForm, mpsc::Sender<FilePiece>)>);

/// The two ends of the channel that passes files to the operation.
pub fn files(parts: Option<MultipartRequest>) -> (IncomingFiles, FileFeed) {
    match parts {
        Some(MultipartRequest(form)) => {
            let (sender, receiver) = mpsc::channel(WAITING);
            (IncomingFiles(Some(Mutex::new(receiver))), FileFeed(Some((form, sender))))
        }
        None => (IncomingFiles(None), FileFeed(None)),
    }
}

impl IncomingFiles {
    /// Receives the files that one mutation names, in the order in which they arrive.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a file that is missing, out of order or incomplete; those of the upload.
    pub async fn receive(&self, upload: &mut uploads::Upload, files: Vec<Upload>) -> Result<()> {
        let Self(Some(pieces)) = self else {
            return Err(Error::bad_input(
                "Send the files in a multipart request with `operations` and `map`.",
            ));
        };
        let mut pieces = pieces.lock().await;
        let mut missing: Vec<String> = files.into_iter().map(|file| file.0).collect();
        while let Some(next) = missing.first() {
            match pieces.recv().await {
                Some(FilePiece::File { part, name }) => {
                    let place = missing.iter().position(|missing| *missing == part).ok_or_else(|| {
                        Error::bad_input(format!(
                            "The file `{}` of the form is out of order, or no mutation takes it.",
                            excerpt(&part)
                        ))
                    })?;
                    missing.remove(place);
                    receive(&mut pieces, upload, &name).await?;
                }
                Some(FilePiece::Failed(error)) => return Err(error),
                Some(FilePiece::Bytes(_) | FilePiece::End) => {}
                None => {
                    let next = excerpt(next);
                    return Err(Error::bad_input(format!("The file `{next}` is missing from the form.")));
                }
            }
        }
        Ok(())
    }
}

async fn receive(
    pieces: &mut mpsc::Receiver<FilePiece>,
    upload: &mut uploads::Upload,
    name: &str,
) -> Result<()> {
    let mut file = upload.begin_file(name)?;
    loop {
        match pieces.recv().await {
            Some(FilePiece::Bytes(bytes)) => file.write(&bytes).await?,
            Some(FilePiece::End) => return upload.end_file(file).await,
            Some(FilePiece::Failed(error)) => return Err(error),
            Some(FilePiece::File { .. }) | None => {
                return Err(incomplete_body("a part of the form has no end".to_owned()));
            }
        }
    }
}

impl FileFeed {
    /// Passes on the files until the operation is done. Returns its result, and whether the client is still sending.
    pub async fn until<T>(self, operation: impl Future<Output = T>) -> (T, bool) {
        let Self(Some((mut form, pieces))) = self else { return (operation.await, false) };
        let mut operation = pin!(operation);
        let done = {
            let mut handing_over = pin!(hand_over(&mut form, pieces));
            tokio::select! {
                biased;
                done = &mut operation => done,
                () = &mut handing_over => operation.await,
            }
        };
        let has_ended = form.has_ended().await;
        (done, !has_ended)
    }
}

/// Reads the form to its end, as long as the operation receives the pieces.
async fn hand_over(form: &mut MultipartForm, pieces: mpsc::Sender<FilePiece>) {
    loop {
        let sent = match form.next().await {
            Ok(Some(part)) => hand_over_part(part, &pieces).await,
            Ok(None) => return,
            Err(error) => {
                // Nothing more can be read, whether or not the operation still receives.
                let _ = pieces.send(FilePiece::Failed(error)).await;
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn hand_over_part(
    mut part: FormPart,
    pieces: &mpsc::Sender<FilePiece>,
) -> Result<(), mpsc::error::SendError<FilePiece>> {
    let name = part.file_name.take().unwrap_or_default();
    pieces.send(FilePiece::File { part: std::mem::take(&mut part.name), name }).await?;
    loop {
        match part.chunk().await {
            Ok(Some(bytes)) => pieces.send(FilePiece::Bytes(bytes)).await?,
            Ok(None) => return pieces.send(FilePiece::End).await,
            Err(error) => return pieces.send(FilePiece::Failed(error)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_the_variable_of_a_file() {
        let json = serde_json::json!({ "files": [null, null], "one": { "a": null }, "text": "x" });
        let mut variables = Variables::from_json(json);
        for path in ["variables.files.1", "variables.one.a", "variables.text"] {
            assert!(variable(&mut variables, path).is_some(), "{path}");
        }
        for path in [
            "files.0",
            "variables.",
            "variables.files.2",
            "variables.files.x",
            "variables.text.0",
            "variables.no",
        ] {
            assert!(variable(&mut variables, path).is_none(), "{path}");
        }
    }
}
