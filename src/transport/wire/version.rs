//! The versions of the API.

use super::v2026_05_20;

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 2026-05-20.
    V20260520,
    /// 2026-07-08.
    V20260708,
}

impl Version {
    /// All versions, oldest first.
    pub const ALL: [Self; 2] = [Self::V20260520, Self::V20260708];
    /// The last of them.
    pub const NEWEST: Self = Self::V20260708;

    /// The version as it is named in the header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V20260520 => "2026-05-20",
            Self::V20260708 => "2026-07-08",
        }
    }

    /// The version of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// The names of all versions, for a sentence.
    #[must_use]
    pub fn choice() -> String {
        Self::ALL.map(Self::name).join(" or ")
    }

    /// How many tags a list can be filtered by; `configured` is the server's own limit.
    #[must_use]
    pub fn tag_filter(self, configured: usize) -> usize {
        match self {
            Self::V20260520 => v2026_05_20::tag_filter(configured),
            Self::V20260708 => configured,
        }
    }
}
