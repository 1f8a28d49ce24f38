//! Shows the organization of the key, and the libraries that it reaches.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::core::libraries::Viewer;
use crate::error::Result;
use crate::transport::wire::Version;

pub struct Whoami;

/// Nothing.
#[derive(Deserialize, JsonSchema)]
pub struct Input {}

impl Operation for Whoami {
    type Input = Input;
    type Output = Viewer;

    const DECLARATION: Declaration = Declaration {
        name: "whoami",
        scope: Scope::Key,
        needs: Needs::Key,
        also_needs: &[],
        tool: Tool::new(
            "Who am I",
            Effect::Reads,
            "Returns the organization that this key belongs to, the libraries it reaches, and whether it may read or \
             write each. Call it first: all other tools take the organizationId and the libraryIds from it.",
        ),
        rest: Some(Endpoint {
            method: Method::Get,
            path: "/me",
            since: Version::V20260520,
            summary: "What the key is and reaches",
            description: "The organization that the key belongs to, and its libraries.",
            input: EndpointInput::Nothing,
            status: 200,
            examples: examples::viewer,
            codes: &[],
        }),
        graphql: &["viewer"],
    };

    async fn run(context: Context, Input {}: Input) -> Result<Viewer> {
        Ok(context.core.whoami(&context.caller))
    }
}
