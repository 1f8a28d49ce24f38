//! Creates an address that takes one file, for an agent whose shell or client has the file and need not send it through
//! the model.

use std::time::{Duration, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::declaration::UPLOADS;
use super::examples::{ORIGIN, TIME, shown};
use super::{
    AgentAnswer, Answer, Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation,
    Scope, Tool,
};
use crate::core::uploads::NewUpload;
use crate::error::{Code, Result};
use crate::transport::wire::Version;

pub struct CreateUpload;

/// A file to get an address for.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CreateUpload")]
pub struct Input {
    /// The name of the file, with its extension.
    #[schemars(length(min = 1))]
    filename: String,
    /// The asset that the file becomes a variant of.
    parent_id: Option<String>,
}

/// An address that takes one file.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadUrl {
    /// Where to `PUT` the bytes, once. Anyone who has it can, so keep it to yourself.
    upload_url: String,
    /// Until when the upload has to begin, in ISO 8601.
    expires_at: String,
}

/// An address that takes one file, with its limit.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadUrlForAgent {
    /// `PUT` the bytes here, once: curl -T FILE uploadUrl
    upload_url: String,
    /// Until when the upload has to begin.
    expires_at: String,
    /// The largest file that is accepted.
    max_bytes: u64,
}

/// The answer: an address, its end in unix milliseconds, and the largest file that it takes.
pub struct CreatedUpload {
    pub(super) url: String,
    pub(super) expires: u64,
    pub(super) max_bytes: u64,
}

impl CreatedUpload {
    fn expires_at(&self) -> String {
        humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(self.expires)).to_string()
    }
}

impl Answer for CreatedUpload {
    type V20260520 = UploadUrl;
    type V20260708 = UploadUrl;
    type ForAgent = UploadUrlForAgent;

    fn v2026_05_20(self, origin: &str) -> UploadUrl {
        self.v2026_07_08(origin)
    }

    fn v2026_07_08(self, _origin: &str) -> UploadUrl {
        UploadUrl { expires_at: self.expires_at(), upload_url: self.url }
    }

    fn for_agent(self, _origin: &str) -> Result<AgentAnswer<UploadUrlForAgent>> {
        let expires_at = self.expires_at();
        Ok(UploadUrlForAgent { upload_url: self.url, expires_at, max_bytes: self.max_bytes }.into())
    }
}

impl Operation for CreateUpload {
    type Input = Input;
    type Output = CreatedUpload;

    const DECLARATION: Declaration = Declaration {
        name: "create_upload",
        scope: Scope::Library,
        needs: Needs::Write,
        also_needs: &[],
        tool: Tool {
            arguments: &[
                ("filename", "With its extension."),
                ("parentId", "Makes the file a variant of this asset."),
            ],
            ..Tool::new(
                "Create upload address",
                Effect::Adds { idempotent: false },
                "Returns a one-time address for one file that your shell or client has, of up to maxBytes: \
                 `curl -T FILE uploadUrl` within 15 minutes, without a key, answers 201 with the asset. Better than \
                 base64 for all but small files.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Post,
            path: UPLOADS,
            since: Version::V20260520,
            summary: "Create an upload address",
            description: "A one-time address for one file. `PUT` the bytes there within 15 minutes, without a key: the answer is 201 with the asset, in the shape of the newest version. It also speaks tus 1.0, so that an interrupted upload can go on. The address ends with the key that created it.",
            input: EndpointInput::Json(|| json!({"filename": "sunset.jpg"})),
            status: 201,
            examples: || vec![example()],
            codes: &[
                Code::ResourceNotFound,
                Code::StorageLimitExceeded,
                Code::EphemeralStorageLimitExceeded,
                Code::StorageFull,
            ],
        }),
        graphql: &[],
    };

    async fn run(context: Context, Input { filename, parent_id }: Input) -> Result<CreatedUpload> {
        let Context { core, caller, .. } = &context;
        let new = NewUpload { file_name: &filename, parent: parent_id.as_deref(), length: None };
        let address = core.create_upload(caller, &context.library(), new).await?;
        let url = core.upload_url(&address.token);
        Ok(CreatedUpload { url, expires: address.expires, max_bytes: address.max_bytes })
    }
}

fn example() -> Value {
    let url = format!("{ORIGIN}/uploads/4mVq8ZrT1cYw7KsLd0GhXn2BpJ5uEaFo9iRkQt6WzNb");
    // The token of an example works nowhere; it is the time that has to be right.
    let created = CreatedUpload { url, expires: TIME + 15 * 60 * 1000, max_bytes: 1 << 30 };
    shown(created.v2026_07_08(ORIGIN))
}
