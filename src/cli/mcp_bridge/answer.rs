//! What the server answers to a message: one message as JSON, or several as a stream of events. Only what is a message of
//! the protocol reaches the client, each on a line of its own.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::Value;
use sse_stream::SseStream;

use super::failure::BridgeFailure;
use super::message::{HANDSHAKE, Message};
use super::server::RemoteServer;
use super::stdio::Output;

/// The most that is read of one answer. Those of rasterd have some megabytes at most.
const MAX_ANSWER: usize = 256 << 20;
const EVENT_STREAM: &str = "text/event-stream";

/// Passes on the answer to a message, and what the server sends before it.
///
/// # Errors
/// When there is no answer in it.
pub(super) async fn pass_on(
    response: Response,
    message: &Message,
    server: &RemoteServer,
    output: &Output,
) -> Result<(), BridgeFailure> {
    let status = response.status();
    if status.is_success() && is_event_stream(&response) {
        return pass_on_events(response, message, server, output).await;
    }
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let body = whole(response, server).await?;
    let refusal = || BridgeFailure::of_answer(status, retry_after, &body);
    if !message.awaits_answer() {
        return if status.is_success() { Ok(()) } else { Err(refusal()) };
    }
    let answer = answer_in(&body, message).ok_or_else(refusal)?;
    pass_on_answer(answer, message, server, output).await;
    Ok(())
}

async fn pass_on_events(
    response: Response,
    message: &Message,
    server: &RemoteServer,
    output: &Output,
) -> Result<(), BridgeFailure> {
    let mut events = std::pin::pin!(SseStream::from_bytes_stream(limited(response, server)));
    while let Some(event) = events.next().await {
        let event = event.map_err(|error| match error {
            sse_stream::Error::Body(cause) => BridgeFailure::unreachable(cause.to_string()),
            other => {
                BridgeFailure::unreadable(format!("The server's stream of events can't be read: {other}."))
            }
        })?;
        // An event without data only keeps the connection open.
        let Some(data) = event.data.filter(|data| !data.is_empty()) else { continue };
        if let Some(answer) = answer_in(data.as_bytes(), message) {
            pass_on_answer(answer, message, server, output).await;
            return Ok(());
        }
        let value: Value = serde_json::from_str(&data).unwrap_or_default();
        if !value["method"].is_string() {
            return Err(BridgeFailure::unreadable(
                "An event of the server is not a message of the protocol.",
            ));
        }
        output.write(one_line(data.as_bytes())).await;
    }
    if message.awaits_answer() {
        return Err(BridgeFailure::unreachable(
            "The connection to the server ended before its answer.".to_owned(),
        ));
    }
    Ok(())
}

/// An answer of the protocol.
struct Answer {
    value: Value,
    line: Vec<u8>,
}

/// The answer to a message, if that is what this text is. One that names no id is an error about this message.
fn answer_in(text: &[u8], message: &Message) -> Option<Answer> {
    let mut value: Value = serde_json::from_slice(text).ok()?;
    let is_answer = value.get("result").is_some() != value.get("error").is_some();
    if value["jsonrpc"] != "2.0" || value.get("method").is_some() || !is_answer {
        return None;
    }
    if value["id"] == *message.id() && value.get("id").is_some() {
        return Some(Answer { value, line: one_line(text) });
    }
    if value["id"].is_null() && value.get("error").is_some() {
        value["id"] = message.id().clone();
        let line = value.to_string().into_bytes();
        return Some(Answer { value, line });
    }
    None
}

async fn pass_on_answer(answer: Answer, message: &Message, server: &RemoteServer, output: &Output) {
    if message.method() == HANDSHAKE {
        server.agree_on(answer.value["result"]["protocolVersion"].as_str());
    }
    output.write(answer.line).await;
}

/// JSON without line breaks. They are only between its parts, since a text in JSON can't have one.
fn one_line(json: &[u8]) -> Vec<u8> {
    json.iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }).collect()
}

fn is_event_stream(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(EVENT_STREAM))
}

async fn whole(response: Response, server: &RemoteServer) -> Result<Vec<u8>, BridgeFailure> {
    let mut parts = std::pin::pin!(limited(response, server));
    let mut body = Vec::new();
    while let Some(part) = parts.next().await {
        body.extend_from_slice(&part.map_err(|error| BridgeFailure::unreachable(error.to_string()))?);
    }
    Ok(body)
}

/// The body of an answer, as long as it is not too large.
fn limited(response: Response, server: &RemoteServer) -> impl Stream<Item = std::io::Result<Bytes>> {
    let (mut total, address) = (0, server.address());
    response.bytes_stream().map(move |part| {
        let part = part.map_err(|error| std::io::Error::other(super::server::broken(&address, error)))?;
        total += part.len();
        if total > MAX_ANSWER {
            let text = format!("The answer of the server is larger than {MAX_ANSWER} bytes.");
            return Err(std::io::Error::other(text));
        }
        Ok(part)
    })
}
