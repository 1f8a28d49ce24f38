//! Approvals: what people decided about assets.

use serde::{Deserialize, Serialize};

use super::time::Millis;

/// What a person decided about an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Where the decision stands.
    pub state: ApprovalState,
    /// The note that they left.
    pub note: Option<String>,
    /// The name of the person.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// Where a decision stands. The order is part of the stored format: new variants go to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ApprovalState {
    /// Somebody is to look at it.
    InReview,
    /// It may be used.
    Approved,
    /// It may not be used as it is.
    NeedsChanges,
}

impl ApprovalState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::InReview, Self::Approved, Self::NeedsChanges];

    /// Its name on the wire and in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InReview => "in_review",
            Self::Approved => "approved",
            Self::NeedsChanges => "needs_changes",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::InReview => "In review",
            Self::Approved => "Approved",
            Self::NeedsChanges => "Needs changes",
        }
    }
}

/// A filter by what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApprovalFilter {
    /// Assets in this state.
    Is(ApprovalState),
    /// Assets about which nobody has decided.
    None,
}

impl ApprovalFilter {
    /// All of them, in the order in which people see them.
    pub const ALL: [Self; 4] = [
        Self::Is(ApprovalState::InReview),
        Self::Is(ApprovalState::Approved),
        Self::Is(ApprovalState::NeedsChanges),
        Self::None,
    ];

    /// Its name on the wire and in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Is(state) => state.as_str(),
            Self::None => "none",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Is(state) => state.label(),
            Self::None => "Not decided",
        }
    }

    /// The filter with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.as_str() == text)
    }

    /// The state that it names; `None` for no decision.
    #[must_use]
    pub const fn state(self) -> Option<ApprovalState> {
        match self {
            Self::Is(state) => Some(state),
            Self::None => None,
        }
    }
}

impl From<ApprovalState> for ApprovalFilter {
    fn from(state: ApprovalState) -> Self {
        Self::Is(state)
    }
}

impl From<Option<ApprovalState>> for ApprovalFilter {
    fn from(state: Option<ApprovalState>) -> Self {
        state.map_or(Self::None, Self::Is)
    }
}
