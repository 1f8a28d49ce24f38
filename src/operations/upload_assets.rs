//! Uploads files: over REST and GraphQL from a form, for a model from urls or as base64.

use schemars::JsonSchema;
use serde::Deserialize;

use super::declaration::ASSETS;
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::core::uploads::{UploadSource, Uploaded};
use crate::error::{Code, Result};
use crate::transport::wire::Version;

pub struct UploadAssets;

#[derive(Deserialize, JsonSchema)]
pub struct Input {
    #[schemars(length(min = 1), extend("maxItems" = "{limits.files_per_upload}"))]
    sources: Vec<FileSource>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum FileSource {
    /// The server fetches it.
    Url {
        /// http or https, at a public address.
        url: String,
    },
    /// You send it; for small files.
    Base64 {
        /// With its extension.
        filename: String,
        /// Such as image/png; the bytes decide.
        #[serde(rename = "mimeType")]
        mime_type: String,
        data: String,
    },
}

impl From<FileSource> for UploadSource {
    fn from(source: FileSource) -> Self {
        match source {
            FileSource::Url { url } => Self::Url(url),
            FileSource::Base64 { filename, mime_type, data } => Self::Base64 { filename, mime_type, data },
        }
    }
}

impl Operation for UploadAssets {
    type Input = Input;
    type Output = Uploaded;

    const DECLARATION: Declaration = Declaration {
        name: "upload_assets",
        scope: Scope::Library,
        needs: Needs::Write,
        also_needs: &[],
        tool: Tool {
            fetches: Some("sources"),
            depth: Some(1),
            ..Tool::new(
                "Upload assets",
                Effect::Fetches,
                "Uploads several files into a library at once, from public urls or as base64 (at most \
                 {size.mcp_bytes} in a call), as upload_asset does. If a url can't be fetched, nothing is uploaded.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Post,
            path: ASSETS,
            since: Version::V20260520,
            summary: "Upload assets",
            description: "1 to {limits.files_per_upload} files in parts named `files`. A file that is not accepted is left out and named in `responseText`. With `parentId` the one file becomes a variant.",
            input: EndpointInput::Files,
            status: 200,
            examples: examples::uploaded,
            codes: &[
                Code::ResourceNotFound,
                Code::StorageLimitExceeded,
                Code::EphemeralStorageLimitExceeded,
                Code::StorageFull,
            ],
        }),
        graphql: &["uploadAssets"],
    };

    async fn run(context: Context, Input { sources }: Input) -> Result<Uploaded> {
        upload(context, sources.into_iter().map(UploadSource::from).collect(), None).await
    }
}

/// Uploads files that a model names or sends.
///
/// # Errors
/// Those of [`Core::upload_sources`](crate::core::Core::upload_sources).
pub async fn upload(context: Context, sources: Vec<UploadSource>, parent: Option<&str>) -> Result<Uploaded> {
    let Context { core, caller, target, progress, .. } = context;
    let library =
        crate::core::access::LibraryPath { organization: &target.organization, library: &target.library };
    let report = move |at| {
        if let Some(progress) = &progress {
            progress(at);
        }
    };
    core.upload_sources(caller, &library, sources, parent, report).await
}
