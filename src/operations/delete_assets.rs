//! Moves assets to the trash.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::declaration::ASSETS;
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::{Code, Result};
use crate::transport::wire::{Deleted, Version};

pub struct DeleteAssets;

/// Assets to move to the trash.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DeleteAssets")]
pub struct Input {
    /// Their ids. Those that are in the trash already are skipped.
    #[schemars(length(min = 1), extend("maxItems" = "{limits.ids_per_call}"))]
    ids: Vec<String>,
}

impl Operation for DeleteAssets {
    type Input = Input;
    type Output = Deleted;

    const DECLARATION: Declaration = Declaration {
        name: "delete_assets",
        scope: Scope::Library,
        needs: Needs::Write,
        also_needs: &[],
        tool: Tool::new(
            "Move assets to trash",
            Effect::Changes,
            "Moves assets of a library to its trash. Their public urls stop working at once. People can restore them \
             for some time, tools can't: ask before you call it. All or nothing; those already in the trash are \
             skipped.",
        ),
        rest: Some(Endpoint {
            method: Method::Delete,
            path: ASSETS,
            since: Version::V20260520,
            summary: "Move assets to the trash",
            description: "They can be restored for {trash.keep}. An id that was never in this library fails the whole call.",
            input: EndpointInput::Json(|| json!({"ids": [examples::ID]})),
            status: 200,
            examples: || {
                vec![json!({"success": true, "message": "Moved 1 asset to trash", "ids": [examples::ID]})]
            },
            codes: &[Code::ResourceNotFound],
        }),
        graphql: &["deleteAssets"],
    };

    async fn run(context: Context, Input { ids }: Input) -> Result<Deleted> {
        Ok(context.core.delete_assets(&context.caller, &context.library(), &ids).await?.into())
    }
}
