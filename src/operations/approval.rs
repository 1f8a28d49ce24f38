//! Approvals: people's decisions about assets. Nothing sets one yet, so no asset has one.

use schemars::JsonSchema;
use serde::Deserialize;

/// A filter for the approval of assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalFilter {
    InReview,
    Approved,
    NeedsChanges,
    None,
}

impl ApprovalFilter {
    /// Whether no asset can be in this state.
    pub const fn excludes_all(filter: Option<Self>) -> bool {
        match filter {
            None | Some(Self::None) => false,
            Some(Self::InReview | Self::Approved | Self::NeedsChanges) => true,
        }
    }
}
