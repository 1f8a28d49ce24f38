//! Adds tags to assets.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::{Code, Result};
use crate::transport::wire::{Tagged, Version};

/// The tool argument of this operation and of `untag_assets` that needs an explanation.
pub(super) const TAGS_ARGUMENT: (&str, &str) =
    ("tags", "1 to 64 characters each; \"index\" and \"trash\" are reserved.");

pub struct TagAssets;

/// Tags to add to assets, or to remove from them.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TagAssets")]
pub struct Tagging {
    /// The assets' ids.
    #[schemars(length(min = 1), extend("maxItems" = "{limits.ids_per_call}"))]
    pub asset_ids: Vec<String>,
    /// 1 to 64 characters each; "index" and "trash" are reserved.
    #[schemars(length(min = 1), extend("maxItems" = "{limits.tags_per_call}"), inner(length(min = 1, max = 64)))]
    pub tags: Vec<String>,
}

impl Operation for TagAssets {
    type Input = Tagging;
    type Output = Tagged;

    const DECLARATION: Declaration = Declaration {
        name: "tag_assets",
        scope: Scope::Library,
        needs: Needs::Write,
        also_needs: &[],
        tool: Tool {
            arguments: &[TAGS_ARGUMENT],
            ..Tool::new(
                "Tag assets",
                Effect::Adds { idempotent: true },
                "Adds tags to assets of one library; tags that an asset already has stay. All or nothing. taggedCount \
                 is the number of new (asset, tag) pairs.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Post,
            path: "/organizations/{organizationId}/libraries/{libraryId}/assets/tag",
            since: Version::V20260520,
            summary: "Tag assets",
            description: "Adds every tag to every asset; all or nothing.",
            input: EndpointInput::Json(|| json!({"assetIds": [examples::ID], "tags": ["seaside"]})),
            status: 200,
            examples: || vec![json!({"taggedCount": 1})],
            codes: &[Code::ResourceNotFound, Code::StorageFull],
        }),
        graphql: &["tagAssets"],
    };

    async fn run(context: Context, Tagging { asset_ids, tags }: Tagging) -> Result<Tagged> {
        let tagged_count =
            context.core.tag_assets(&context.caller, &context.library(), &asset_ids, &tags).await?;
        Ok(Tagged { tagged_count })
    }
}
