//! Uploads one file from a url or as base64. For REST and GraphQL, there is only `upload_assets`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::upload_assets::{FileSource, upload};
use super::{Context, Declaration, Effect, Needs, Operation, Scope, Tool};
use crate::core::uploads::Uploaded;
use crate::error::Result;

pub struct UploadAsset;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    source: FileSource,
    parent_id: Option<String>,
}

impl Operation for UploadAsset {
    type Input = Input;
    type Output = Uploaded;

    const DECLARATION: Declaration = Declaration {
        name: "upload_asset",
        scope: Scope::Library,
        needs: Needs::Write,
        also_needs: &[],
        tool: Tool {
            arguments: &[("parentId", "Makes the file a variant of this asset.")],
            fetches: Some("source"),
            depth: Some(1),
            ..Tool::new(
                "Upload asset",
                Effect::Fetches,
                "Uploads one file into a library, from a public url or as base64 (at most {size.mcp_bytes} in a \
                 call; else create_upload), and returns the new asset and its permanent url. Accepted are JPEG, PNG, \
                 GIF, WebP, AVIF, TIFF, BMP, SVG, HEIC, MP4, MOV, WebM and PDF, detected by their content; \
                 responseText says what was left out and why.",
            )
        },
        rest: None,
        graphql: &[],
    };

    async fn run(context: Context, Input { source, parent_id }: Input) -> Result<Uploaded> {
        upload(context, vec![source.into()], parent_id.as_deref()).await
    }
}
