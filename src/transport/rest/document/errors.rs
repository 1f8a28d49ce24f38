//! The errors in the OpenAPI document, made from the table of codes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::Content;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::response::ResponseBuilder;

use super::JSON;
use super::schemas::named;
use crate::error::Code;
use crate::transport::rest::route::Route;

/// The errors of an endpoint, by status.
pub(super) fn errors(route: &Route) -> BTreeMap<u16, Vec<Code>> {
    let mut codes = vec![
        Code::ApiVersionRequired,
        Code::BadUserInput,
        Code::Unauthenticated,
        Code::InvalidApiKey,
        Code::Internal,
        Code::ServiceUnavailable,
    ];
    codes.extend(route.declaration.needs.codes());
    if route.endpoint.input.has_body() {
        codes.push(Code::PayloadTooLarge);
    }
    codes.extend(route.endpoint.codes);
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in codes {
        by_status.entry(code.status()).or_default().push(code);
    }
    by_status
}

/// The response with these errors, which have one status.
pub(super) fn failure(codes: &[Code]) -> ResponseBuilder {
    let line = |code: &Code| format!("[`{}`]({}): {}", code.name(), code.documentation(), code.meaning());
    let lines: Vec<String> = codes.iter().map(line).collect();
    let examples = codes.iter().map(|code| {
        let value = json!({"error": {"code": code.name(), "message": code.meaning()}});
        (code.name(), ExampleBuilder::new().value(Some(value)).build())
    });
    let content: Content =
        ContentBuilder::new().schema(Some(named("Error"))).examples_from_iter(examples).build();
    ResponseBuilder::new().description(lines.join("\n\n")).content(JSON, content)
}

/// The schema of the body of every error.
pub(super) fn error_schema() -> Value {
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let link = |code: &Code| format!("[`{}`]({})", code.name(), code.documentation());
    let links: Vec<String> = Code::ALL.iter().map(link).collect();
    let addresses: BTreeMap<_, _> =
        Code::ALL.iter().map(|code| (code.name(), code.documentation())).collect();
    json!({
        "type": "object",
        "required": ["error"],
        "additionalProperties": false,
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "additionalProperties": false,
                "properties": {
                    "code": {
                        "type": "string",
                        "enum": names,
                        "description": format!("What each code means, and what to do: {}.", links.join(", ")),
                        "x-docUrl": addresses,
                    },
                    "message": {"type": "string", "description": "One sentence for a person: what is wrong and what to do."},
                },
            },
        },
    })
}
