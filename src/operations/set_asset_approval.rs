//! Sets a person's decision about an asset. No key can.

use std::convert::Infallible;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    AgentReply, Answer, Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation,
    Scope, Tool, examples,
};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::error::{Code, Result};
use crate::transport::wire::Version;
use crate::transport::wire::v2026_07_08::{ApprovalSet, ApprovalState};

pub struct SetAssetApproval;

/// A person's decision about an asset.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SetAssetApproval")]
pub struct Input {
    /// The decision.
    #[expect(dead_code, reason = "part of the schema; no key gets as far as its use")]
    state: ApprovalState,
    /// The reason.
    #[expect(dead_code, reason = "part of the schema; no key gets as far as its use")]
    #[schemars(length(max = 500))]
    note: Option<String>,
}

/// The answer, which a key never gets.
pub struct Unanswered(Infallible);

impl Answer for Unanswered {
    type V20260520 = ApprovalSet;
    type V20260708 = ApprovalSet;
    type ForAgent = ApprovalSet;

    fn v2026_05_20(self, _origin: &str) -> ApprovalSet {
        match self.0 {}
    }

    fn v2026_07_08(self, _origin: &str) -> ApprovalSet {
        match self.0 {}
    }

    fn for_agent(self, _origin: &str) -> Result<AgentReply<ApprovalSet>> {
        match self.0 {}
    }
}

impl Operation for SetAssetApproval {
    type Input = Input;
    type Output = Unanswered;

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

    fn check(core: &Core, caller: &Caller, library: &LibraryPath<'_>, asset: &str) -> Result<()> {
        core.set_asset_approval(caller, library, asset).map(drop)
    }

    async fn run(context: Context, _input: Input) -> Result<Unanswered> {
        let Context { core, caller, target, .. } = &context;
        core.set_asset_approval(caller, &context.library(), &target.asset).map(Unanswered)
    }
}
