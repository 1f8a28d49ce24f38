//! Makes a variant the default of its asset.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::answer::OneAsset;
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::{Code, Result};
use crate::transport::wire::Version;

pub struct PromoteVariant;

/// A variant to make the default of its asset.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PromoteVariant")]
pub struct Input {
    /// The variant's id, from the asset's list of variants.
    variant_id: String,
}

impl Operation for PromoteVariant {
    type Input = Input;
    type Output = OneAsset;

    const DECLARATION: Declaration = Declaration {
        name: "promote_variant",
        scope: Scope::Asset,
        needs: Needs::Write,
        also_needs: &[],
        tool: Tool {
            depth: Some(0),
            ..Tool::new(
                "Promote variant",
                Effect::Swaps,
                "Makes one of an asset's variants its default: the asset's url serves the variant's file from now on, \
                 and the variant's url serves the former one. Use it to replace a file where it is already linked. \
                 Promoting the same variant again undoes it, so look at the asset before you repeat a call.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Post,
            path: "/organizations/{organizationId}/libraries/{libraryId}/assets/{assetId}/promote",
            since: Version::V20260708,
            summary: "Promote a variant",
            description: "Makes the variant the default: the asset's id and url serve its file from now on, and the variant's id and url serve the former one. Name, description and tags stay with each id. Promoting the same variant again undoes it.",
            input: EndpointInput::Json(|| json!({"variantId": examples::VARIANT_ID})),
            status: 200,
            examples: || examples::asset().pop().into_iter().collect(),
            codes: &[Code::ResourceNotFound, Code::NotFound, Code::Conflict, Code::StorageFull],
        }),
        graphql: &[],
    };

    async fn run(context: Context, Input { variant_id }: Input) -> Result<OneAsset> {
        let Context { core, caller, target, .. } = &context;
        let detail = core.promote_variant(caller, &context.library(), &target.asset, &variant_id).await?;
        Ok(OneAsset { detail, preview: None })
    }
}
