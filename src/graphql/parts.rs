//! Multipart requests: the operation comes first, then which part is which file, then the files.
//!
//! The operation runs while its files arrive. The form is read on the connection's own task and handed over piece by
//! piece, so a file is never in memory as a whole, and nothing of it is read before the mutation that takes it has
//! its grant. An operation that ends early ends the reading; a client that goes away ends the operation.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::header::HeaderMap;
use actix_web::web;
use async_graphql::{Value, Variables};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::{Mutex, mpsc};

use super::answer::Refusal;
use super::asked::{Asked, broken_off, too_large};
use super::types::Upload;
use crate::app::uploads;
use crate::error::{Error, Result};

/// How many pieces of a form wait for the operation; each is what one read of the connection brought.
const WAITING: usize = 16;

/// The parts of a multipart request, from the first on.
pub struct Parts(Multipart);

impl Parts {
    /// The parts of a body.
    pub fn new(headers: &HeaderMap, payload: web::Payload) -> Self {
        Self(Multipart::new(headers, payload))
    }

    /// Reads the operation, with the names of parts in the places of its files.
    pub async fn operations(&mut self, most: usize) -> Result<Asked, Refusal> {
        let operations = self.text("operations", most).await?;
        let map = self.text("map", most).await?;
        let mut asked = Asked::from_json(&operations)?;
        let map: BTreeMap<String, Vec<String>> = serde_json::from_slice(&map).map_err(|error| {
            Refusal::bad_request(format!("The field `map` of the form does not fit: {error}."))
        })?;
        for (part, places) in map {
            for place in places {
                let file = variable(&mut asked.variables, &place).ok_or_else(|| {
                    Refusal::bad_request(format!("`{place}` in the field `map` is not in the variables."))
                })?;
                *file = Value::String(part.clone());
            }
        }
        Ok(asked)
    }

    /// The next part, which must have this name and hold no more than so many bytes.
    async fn text(&mut self, name: &str, most: usize) -> Result<Bytes, Refusal> {
        let field = self.0.next().await.transpose().map_err(unreadable)?;
        let Some(mut field) = field.filter(|field| field.name() == Some(name)) else {
            return Err(Refusal::bad_request(format!(
                "The form has no field `{name}` in its place. Send `operations`, then `map`, then the files."
            )));
        };
        let mut text = BytesMut::new();
        while let Some(bytes) = field.next().await {
            let bytes = bytes.map_err(unreadable)?;
            if text.len() + bytes.len() > most {
                return Err(too_large(most).into());
            }
            text.extend_from_slice(&bytes);
        }
        Ok(text.freeze())
    }
}

/// The place that a path such as `variables.files.0` leads to.
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
enum Piece {
    File { part: String, name: String },
    Bytes(Bytes),
    End,
    Failed(Error),
}

/// The files of a request, on the side of the operation.
pub struct Files(Option<Mutex<mpsc::Receiver<Piece>>>);

/// The files of a request, on the side of the connection.
pub struct Feed(Option<(Multipart, mpsc::Sender<Piece>)>);

/// The two ends of the way that files take.
pub fn files(parts: Option<Parts>) -> (Files, Feed) {
    match parts {
        Some(Parts(form)) => {
            let (sender, receiver) = mpsc::channel(WAITING);
            (Files(Some(Mutex::new(receiver))), Feed(Some((form, sender))))
        }
        None => (Files(None), Feed(None)),
    }
}

impl Files {
    /// Receives the files that one mutation names, in the order in which they arrive.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a file that is missing, or comes before its turn, or breaks off; of the upload.
    pub async fn receive(&self, upload: &mut uploads::Upload, files: Vec<Upload>) -> Result<()> {
        let Self(Some(pieces)) = self else {
            return Err(Error::bad_input(
                "Send the files along, in a multipart request with `operations` and `map`.",
            ));
        };
        let mut pieces = pieces.lock().await;
        let mut missing: Vec<String> = files.into_iter().map(|file| file.0).collect();
        while let Some(next) = missing.first() {
            match pieces.recv().await {
                Some(Piece::File { part, name }) => {
                    let place = missing.iter().position(|missing| *missing == part).ok_or_else(|| {
                        Error::bad_input(format!(
                            "The file `{part}` of the form comes before its turn, or has none."
                        ))
                    })?;
                    missing.remove(place);
                    receive(&mut pieces, upload, &name).await?;
                }
                Some(Piece::Failed(error)) => return Err(error),
                Some(Piece::Bytes(_) | Piece::End) => {}
                None => return Err(Error::bad_input(format!("The file `{next}` is missing in the form."))),
            }
        }
        Ok(())
    }
}

async fn receive(pieces: &mut mpsc::Receiver<Piece>, upload: &mut uploads::Upload, name: &str) -> Result<()> {
    let mut arriving = upload.begin_file(name)?;
    loop {
        match pieces.recv().await {
            Some(Piece::Bytes(bytes)) => arriving.write(bytes).await?,
            Some(Piece::End) => return upload.end_file(arriving).await,
            Some(Piece::Failed(error)) => return Err(error),
            Some(Piece::File { .. }) | None => {
                return Err(broken_off("a part of the form has no end".to_owned()));
            }
        }
    }
}

impl Feed {
    /// Hands over the files until the operation is done; what it answered, and whether the client is still sending.
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
        // All that may follow the last file is the end of the form; it came along with the file's last bytes.
        let rest = tokio::time::timeout(std::time::Duration::ZERO, form.next()).await;
        (done, !matches!(rest, Ok(None)))
    }
}

/// Reads the form to its end, as long as somebody takes the pieces.
async fn hand_over(form: &mut Multipart, pieces: mpsc::Sender<Piece>) {
    while let Some(field) = form.next().await {
        let sent = match field {
            Ok(field) => hand_over_field(field, &pieces).await,
            Err(error) => pieces.send(Piece::Failed(unreadable(error))).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn hand_over_field(
    mut field: Field,
    pieces: &mpsc::Sender<Piece>,
) -> Result<(), mpsc::error::SendError<Piece>> {
    let part = field.name().unwrap_or_default().to_owned();
    let name = field.content_disposition().and_then(|disposition| disposition.get_filename());
    let name = name.unwrap_or_default().to_owned();
    pieces.send(Piece::File { part, name }).await?;
    while let Some(bytes) = field.next().await {
        let piece = bytes.map_or_else(|error| Piece::Failed(unreadable(error)), Piece::Bytes);
        pieces.send(piece).await?;
    }
    pieces.send(Piece::End).await
}

/// The form can't be understood, or its end never came.
fn unreadable(error: MultipartError) -> Error {
    match error {
        MultipartError::Payload(cause) => broken_off(cause.to_string()),
        MultipartError::Incomplete => broken_off("the form has no end".to_owned()),
        other => {
            Error::bad_input(format!("The form can't be read: {other}. Send it as `multipart/form-data`."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_place_of_a_file() {
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
