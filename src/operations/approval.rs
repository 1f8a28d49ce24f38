//! The filter by approval, as clients name it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::model::{self, ApprovalState};

/// A filter for the approval of assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalFilter {
    InReview,
    Approved,
    NeedsChanges,
    None,
}

impl From<ApprovalFilter> for model::ApprovalFilter {
    fn from(filter: ApprovalFilter) -> Self {
        match filter {
            ApprovalFilter::InReview => Self::Is(ApprovalState::InReview),
            ApprovalFilter::Approved => Self::Is(ApprovalState::Approved),
            ApprovalFilter::NeedsChanges => Self::Is(ApprovalState::NeedsChanges),
            ApprovalFilter::None => Self::None,
        }
    }
}
