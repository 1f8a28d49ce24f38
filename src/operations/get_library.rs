//! Gets one library, with its most used tags.

use schemars::JsonSchema;
use serde::Deserialize;

use super::declaration::LIBRARY;
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::Result;
use crate::transport::wire::{Library, Version};

pub struct GetLibrary;

/// Nothing.
#[derive(Deserialize, JsonSchema)]
pub struct Input {}

impl Operation for GetLibrary {
    type Input = Input;
    type Output = Library;

    const DECLARATION: Declaration = Declaration {
        name: "get_library",
        scope: Scope::Library,
        needs: Needs::Read,
        also_needs: &[],
        tool: Tool {
            depth: Some(0),
            ..Tool::new(
                "Get library",
                Effect::Reads,
                "Returns one library: its name, how many assets it lists and how many are in its trash, and its most used \
                 tags.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Get,
            path: LIBRARY,
            since: Version::V20260520,
            summary: "Get a library",
            description: "A library, with its most used tags.",
            input: EndpointInput::Nothing,
            status: 200,
            examples: || vec![examples::library()],
            codes: &[],
        }),
        graphql: &["library"],
    };

    async fn run(context: Context, Input {}: Input) -> Result<Library> {
        Ok(context.core.get_library(&context.caller, &context.library())?.into())
    }
}
