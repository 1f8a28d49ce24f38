//! Sets a person's decision about an asset. No key can.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::approvals::Decision;
use crate::error::{Code, Result};
use crate::transport::wire::Version;
use crate::transport::wire::v2026_07_08::{ApprovalSet, ApprovalState};

pub struct SetAssetApproval;

/// A person's decision about an asset.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SetAssetApproval")]
pub struct Input {
    /// The decision.
    state: ApprovalState,
    /// The reason.
    #[schemars(length(max = 500))]
    note: Option<String>,
}

impl Operation for SetAssetApproval {
    type Input = Input;
    type Output = ApprovalSet;

    const DECLARATION: Declaration = Declaration {
        name: "set_asset_approval",
        scope: Scope::Asset,
        needs: Needs::Person,
        also_needs: &[],
        tool: Tool {
            arguments: &[("note", "Why; at most 500 characters.")],
            depth: Some(0),
            ..Tool::new(
                "Approve asset",
                Effect::Changes,
                "Sets a person's decision about an asset. Only a signed-in person can: with an API key it fails with \
                 APPROVAL_REQUIRES_USER. Approvals can be read and searched with any key.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Patch,
            path: "/organizations/{organizationId}/libraries/{libraryId}/assets/{assetId}/approval",
            since: Version::V20260708,
            summary: "Approve an asset",
            description: "Sets a person's decision about an asset. Only a signed-in person can: a key gets 403 `APPROVAL_REQUIRES_USER`.",
            input: EndpointInput::Json(|| json!({"state": "approved"})),
            status: 200,
            examples: || {
                vec![
                    json!({"assetId": examples::ID, "approval": {"state": "approved", "note": null, "by": "Ada", "at": 1_782_864_000_000_u64}}),
                ]
            },
            codes: &[Code::ApprovalRequiresUser, Code::ResourceNotFound],
        }),
        graphql: &[],
    };

    fn check(_core: &Core, caller: &Caller, library: &LibraryPath<'_>, _asset: &str) -> Result<()> {
        caller.approve(library).map(drop)
    }

    async fn run(context: Context, Input { state, note }: Input) -> Result<ApprovalSet> {
        let Context { core, caller, target, .. } = &context;
        let decision = Decision { state: Some(state.into()), note: note.unwrap_or_default() };
        let approval = core.set_asset_approval(caller, &context.library(), &target.asset, &decision).await?;
        Ok(ApprovalSet { asset_id: target.asset.clone(), approval: approval.map(Into::into) })
    }
}
