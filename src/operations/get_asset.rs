//! Gets one asset, or a variant by its own id.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::OneAsset;
use super::declaration::ASSET;
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::{Code, Result};
use crate::transport::wire::Version;

pub struct GetAsset;

#[derive(Deserialize, JsonSchema)]
pub struct Input {
    preview: Option<bool>,
}

impl Operation for GetAsset {
    type Input = Input;
    type Output = OneAsset;

    const DECLARATION: Declaration = Declaration {
        name: "get_asset",
        scope: Scope::Asset,
        needs: Needs::Read,
        also_needs: &[],
        tool: Tool {
            arguments: &[("preview", "Whether to add the picture itself.")],
            ..Tool::new(
                "Get asset",
                Effect::Reads,
                "Returns everything about one asset: its url, dimensions, description, tags and variants. With preview, \
                 also the picture itself, so that you can look at it before you describe or tag it. sizes is JSON \
                 text: longer edge in pixels to url. Times are unix milliseconds.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Get,
            path: ASSET,
            since: Version::V20260520,
            summary: "Get an asset",
            description: "An asset, or a variant by its own id.",
            input: EndpointInput::Nothing,
            status: 200,
            examples: examples::asset,
            codes: &[Code::ResourceNotFound],
        }),
        graphql: &["asset"],
    };

    async fn run(context: Context, input: Input) -> Result<OneAsset> {
        let Context { core, caller, target, .. } = &context;
        let library = context.library();
        let detail = core.get_asset(caller, &library, &target.asset)?;
        let preview = match input.preview {
            Some(true) => core.preview(caller, &library, &target.asset).await?,
            Some(false) | None => None,
        };
        Ok(OneAsset { detail, preview })
    }
}
