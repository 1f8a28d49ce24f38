//! Moves assets to another library of the organization.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::{Code, Result};
use crate::transport::wire::{TransferResult, Version};

pub struct TransferAssets;

/// Assets to transfer to another library of the organization.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TransferAssets")]
pub struct Input {
    /// The library to transfer them to. The key needs Write access to it and to the library that they are in.
    target_library_id: String,
    /// The assets' ids. Their variants are moved with them.
    #[schemars(length(min = 1), extend("maxItems" = "{limits.ids_per_call}"))]
    asset_ids: Vec<String>,
}

impl Operation for TransferAssets {
    type Input = Input;
    type Output = TransferResult;

    const DECLARATION: Declaration = Declaration {
        name: "transfer_assets",
        scope: Scope::Library,
        needs: Needs::Write,
        also_needs: &[("targetLibraryId", Needs::Write)],
        tool: Tool {
            library: "sourceLibraryId",
            ..Tool::new(
                "Transfer assets",
                Effect::Changes,
                "Moves assets, with tags, description and variants, to another library of the organization; the key \
                 needs write access to both. Their public urls keep working. All or nothing.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Post,
            path: "/organizations/{organizationId}/libraries/{libraryId}/assets/transfer",
            since: Version::V20260520,
            summary: "Transfer assets to another library",
            description: "Within the organization, all or nothing. They keep tags, description, variants and public url.",
            input: EndpointInput::Json(|| json!({"targetLibraryId": "archive", "assetIds": [examples::ID]})),
            status: 200,
            examples: || {
                vec![
                    json!({"transferredCount": 1, "sourceLibraryId": "photos", "targetLibraryId": "archive"}),
                ]
            },
            codes: &[Code::ResourceNotFound, Code::StorageFull],
        }),
        graphql: &["transferAssets"],
    };

    async fn run(context: Context, Input { target_library_id, asset_ids }: Input) -> Result<TransferResult> {
        let (source, target) = (context.library(), context.other_library(&target_library_id));
        Ok(context.core.transfer_assets(&context.caller, &source, &target, &asset_ids).await?.into())
    }
}
