//! Tools and a prompt that ask the client before they answer: several rounds of one request, whose state the client
//! carries. The state is sealed, so that a changed one is noticed.

use rmcp::model::{ClientCapabilities, ErrorData, InputRequests, InputRequiredResult, InputResponses, Tool};
use serde_json::{Value, json};

/// A tool's rounds: what it asks in each.
type Rounds = Vec<Value>;

/// What comes of a request that asks the client.
pub enum Asked {
    /// It asks again.
    More(InputRequiredResult),
    /// Everything was answered.
    Done(String),
}

/// What `tools/list` shows of them.
pub fn tools() -> Vec<Tool> {
    let names = [
        "test_input_required_result_elicitation",
        "test_input_required_result_sampling",
        "test_input_required_result_list_roots",
        "test_input_required_result_request_state",
        "test_input_required_result_multiple_inputs",
        "test_input_required_result_multi_round",
        "test_input_required_result_tampered_state",
        "test_input_required_result_capabilities",
    ];
    let schema = json!({ "type": "object" }).as_object().cloned().unwrap_or_default();
    names.iter().map(|name| Tool::new(*name, "Asks the client before it answers", schema.clone())).collect()
}

/// One step of a request of this name; `None` when it asks nothing.
///
/// # Errors
/// Invalid params for a state that is not ours.
pub fn step(
    name: &str,
    capabilities: Option<&ClientCapabilities>,
    responses: Option<&InputResponses>,
    state: Option<&str>,
) -> Result<Option<Asked>, ErrorData> {
    let Some(rounds) = rounds(name, capabilities) else { return Ok(None) };
    let at = state.map_or(Ok(0), |state| unsealed(name, state))?;
    let Some(asked) = rounds.get(at) else { return Err(ErrorData::invalid_params("unknown round", None)) };
    if !all_answered(asked, responses) {
        return more(name, asked, at).map(Some);
    }
    match rounds.get(at + 1) {
        Some(next) => more(name, next, at + 1).map(Some),
        None => Ok(Some(Asked::Done(format!("state-ok {}", json!(responses))))),
    }
}

fn rounds(name: &str, capabilities: Option<&ClientCapabilities>) -> Option<Rounds> {
    let name_of_user = || elicitation("What is your name?", "name", "string");
    let roots = || json!({ "method": "roots/list", "params": {} });
    match name {
        "test_input_required_result_elicitation" | "test_streaming_elicitation" => {
            Some(vec![json!({ "user_name": name_of_user() })])
        }
        "test_input_required_result_sampling" => {
            Some(vec![json!({ "capital_question": sampling("What is the capital of France?") })])
        }
        "test_input_required_result_list_roots" => Some(vec![json!({ "client_roots": roots() })]),
        "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => {
            Some(vec![json!({ "confirm": elicitation("Please confirm", "ok", "boolean") })])
        }
        "test_input_required_result_multiple_inputs" => Some(vec![json!({
            "user_name": name_of_user(),
            "greeting": sampling("Generate a greeting"),
            "client_roots": roots(),
        })]),
        "test_input_required_result_multi_round" => Some(vec![
            json!({ "step1": elicitation("Step 1: What is your name?", "name", "string") }),
            json!({ "step2": elicitation("Step 2: What is your favorite color?", "color", "string") }),
        ]),
        "test_input_required_result_prompt" => Some(vec![
            json!({ "user_context": elicitation("What context should the prompt use?", "context", "string") }),
        ]),
        "test_input_required_result_capabilities" => {
            let elicits = capabilities.is_some_and(|declared| declared.elicitation.is_some());
            let question = if elicits { name_of_user() } else { sampling("What is a good name?") };
            Some(vec![json!({ "question": question })])
        }
        _ => None,
    }
}

fn elicitation(message: &str, field: &str, kind: &str) -> Value {
    json!({
        "method": "elicitation/create",
        "params": {
            "message": message,
            "requestedSchema": {
                "type": "object",
                "properties": { field: { "type": kind } },
                "required": [field],
            },
        },
    })
}

fn sampling(question: &str) -> Value {
    json!({
        "method": "sampling/createMessage",
        "params": {
            "messages": [{ "role": "user", "content": { "type": "text", "text": question } }],
            "maxTokens": 100,
        },
    })
}

fn all_answered(asked: &Value, responses: Option<&InputResponses>) -> bool {
    let Some(responses) = responses else { return false };
    let mut keys = asked.as_object().into_iter().flat_map(|asked| asked.keys());
    keys.all(|key| responses.get(key).is_some_and(Value::is_object))
}

fn more(name: &str, asked: &Value, at: usize) -> Result<Asked, ErrorData> {
    let requests: InputRequests = serde_json::from_value(asked.clone())
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    Ok(Asked::More(InputRequiredResult::new(Some(requests), Some(sealed(name, at)))))
}

/// The number of a round with a hash that only this server makes.
fn sealed(name: &str, at: usize) -> String {
    let key = blake3::derive_key("rasterd conformance fixture, state of a request", name.as_bytes());
    format!("{at}.{}", blake3::keyed_hash(&key, at.to_string().as_bytes()))
}

fn unsealed(name: &str, state: &str) -> Result<usize, ErrorData> {
    let at = state.split_once('.').and_then(|(at, _)| at.parse().ok());
    at.filter(|at| sealed(name, *at) == state)
        .ok_or_else(|| ErrorData::invalid_params("the request state is not one of this server", None))
}
