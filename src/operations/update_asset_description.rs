//! Sets the description of an asset.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::{Code, Result};
use crate::transport::wire::{Described, Version};

pub struct UpdateAssetDescription;

/// A new description.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DescribeAsset")]
pub struct Input {
    /// Stored verbatim; empty clears it.
    #[schemars(extend("maxLength" = "{limits.description_length}"))]
    description: String,
}

impl Operation for UpdateAssetDescription {
    type Input = Input;
    type Output = Described;

    const DECLARATION: Declaration = Declaration {
        name: "update_asset_description",
        scope: Scope::Asset,
        needs: Needs::Write,
        also_needs: &[],
        tool: Tool {
            arguments: &[(
                "description",
                "Stored verbatim, at most {limits.description_length} characters; empty clears it.",
            )],
            ..Tool::new(
                "Describe asset",
                Effect::Changes,
                "Replaces the description of an asset; an empty one clears it. Descriptions are searched, so say what \
                 can be seen.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Patch,
            path: "/organizations/{organizationId}/libraries/{libraryId}/assets/{assetId}/description",
            since: Version::V20260520,
            summary: "Describe an asset",
            description: "Stored verbatim; empty clears it.",
            input: EndpointInput::Json(|| json!({"description": "A beach at dusk."})),
            status: 200,
            examples: || vec![json!({"assetId": examples::ID, "description": "A beach at dusk."})],
            codes: &[Code::ResourceNotFound, Code::StorageFull],
        }),
        graphql: &["updateAssetDescription"],
    };

    async fn run(context: Context, Input { description }: Input) -> Result<Described> {
        let Context { core, caller, target, .. } = &context;
        let asset =
            core.update_asset_description(caller, &context.library(), &target.asset, &description).await?;
        Ok(asset.into())
    }
}
