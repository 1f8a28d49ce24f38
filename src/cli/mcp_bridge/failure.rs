//! Why a message got no answer of the protocol, as the client is told: an error of JSON-RPC, with the server's own code,
//! message and status in its data.

use std::fmt;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// JSON-RPC's code for errors that a server defines itself.
const SERVER_ERROR: i32 = -32_000;
const PARSE_ERROR: i32 = -32_700;
/// The code of a request that did not reach the server, or whose answer did not arrive.
const UNREACHABLE: &str = "SERVER_UNREACHABLE";
/// The code of an answer that is not of the protocol.
const UNREADABLE: &str = "UNREADABLE_ANSWER";

/// Why there is no answer.
pub(super) struct BridgeFailure {
    code: String,
    message: String,
    status: Option<StatusCode>,
    /// After how many seconds the server wants to be asked again.
    retry_after: Option<u64>,
}

/// How the server refuses a request, before the protocol begins or, with a number as the code, in it.
#[derive(Deserialize)]
struct Envelope {
    error: EnvelopeError,
}

#[derive(Deserialize)]
struct EnvelopeError {
    code: Value,
    message: String,
}

impl BridgeFailure {
    /// The server can't be reached, or the connection ended too early.
    pub fn unreachable(message: String) -> Self {
        Self { code: UNREACHABLE.to_owned(), message, status: None, retry_after: None }
    }

    /// What the server answered is not an answer.
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self { code: UNREADABLE.to_owned(), message: message.into(), status: None, retry_after: None }
    }

    /// What the server answered with this status is not a message of the protocol: most likely its envelope.
    pub fn of_answer(status: StatusCode, retry_after: Option<u64>, body: &[u8]) -> Self {
        let failure = match serde_json::from_slice::<Envelope>(body) {
            Ok(Envelope { error: EnvelopeError { code, message } }) => {
                let code = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
                Self { code, message, status: None, retry_after }
            }
            Err(_) if status.is_success() => Self::unreadable(format!(
                "The server answered with status {status}, but not with an answer to this message. Is there a rasterd at this address?"
            )),
            Err(_) => Self::unreadable(format!(
                "The answer has status {status} and is not from rasterd, but perhaps from a proxy before it."
            )),
        };
        Self { status: Some(status), ..failure }
    }

    /// The answer to the request with this id.
    pub fn answer_to(&self, id: &Value) -> Vec<u8> {
        let mut data = json!({ "code": self.code, "message": self.message });
        if let Some(status) = self.status {
            data["status"] = status.as_u16().into();
        }
        if let Some(seconds) = self.retry_after {
            data["retryAfter"] = seconds.into();
        }
        answer(id, &json!({ "code": SERVER_ERROR, "message": self.message, "data": data }))
    }
}

impl fmt::Display for BridgeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The answer to a line that is not JSON.
pub(super) fn parse_error(error: &serde_json::Error) -> Vec<u8> {
    let message = format!("Parse error: the line is not JSON, at column {}", error.column());
    answer(&Value::Null, &json!({ "code": PARSE_ERROR, "message": message }))
}

fn answer(id: &Value, error: &Value) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string().into_bytes()
}
