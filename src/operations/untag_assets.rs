//! Removes tags from assets.

use serde_json::json;

use super::tag_assets::Tagging;
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::{Code, Result};
use crate::transport::wire::{Untagged, Version};

pub struct UntagAssets;

impl Operation for UntagAssets {
    type Input = Tagging;
    type Output = Untagged;

    const DECLARATION: Declaration = Declaration {
        name: "untag_assets",
        scope: Scope::Library,
        needs: Needs::Write,
        also_needs: &[],
        tool: Tool {
            arguments: &[("tags", "1 to 64 characters each; \"index\" and \"trash\" are reserved.")],
            ..Tool::new(
                "Untag assets",
                Effect::Changes,
                "Removes tags from assets of one library. All or nothing. untaggedCount says how many (asset, tag) pairs \
                 are gone.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Post,
            path: "/organizations/{organizationId}/libraries/{libraryId}/assets/untag",
            since: Version::V20260520,
            summary: "Remove tags from assets",
            description: "Removes every tag from every asset; all or nothing.",
            input: EndpointInput::Json(|| json!({"assetIds": [examples::ID], "tags": ["seaside"]})),
            status: 200,
            examples: || vec![json!({"untaggedCount": 1})],
            codes: &[Code::ResourceNotFound],
        }),
        graphql: &["untagAssets"],
    };

    async fn run(context: Context, Tagging { asset_ids, tags }: Tagging) -> Result<Untagged> {
        let untagged_count =
            context.core.untag_assets(&context.caller, &context.library(), &asset_ids, &tags).await?;
        Ok(Untagged { untagged_count })
    }
}
