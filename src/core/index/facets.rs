//! Facets: what assets are filtered by, as terms of the index. Each is a list of documents, so a filter reads only the lists
//! that it names, and no record.

use std::ops::RangeInclusive;

use crate::core::model::name::fold;
use crate::core::model::time::Millis;
use crate::core::model::{ApprovalFilter, Asset, Orientation};

/// The most bytes of an uploader's name that are told apart, so that a term stays short.
const NAME_BYTES: usize = 256;

/// One property that an asset has or has not. The bytes are part of the index's format.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facet(Vec<u8>);

impl Facet {
    /// Every listed asset.
    pub fn listed() -> Self {
        Self(vec![b'*'])
    }

    /// Assets of this media type.
    pub fn media_type(mime: &str) -> Self {
        Self::of(b't', mime)
    }

    /// Assets of this shape.
    pub fn orientation(orientation: Orientation) -> Self {
        Self::of(b'o', orientation.as_str())
    }

    /// Assets that somebody of this name uploaded.
    pub fn uploader(name: &str) -> Self {
        Self::of(b'u', name.get(..name.floor_char_boundary(NAME_BYTES)).unwrap_or(name))
    }

    /// Assets with this approval.
    pub fn approval(approval: ApprovalFilter) -> Self {
        Self::of(b'a', approval.as_str())
    }

    /// Assets that carry a tag, which is folded.
    pub fn tag(folded: &str) -> Self {
        Self::of(b'g', folded)
    }

    /// Assets without a tag.
    pub fn untagged() -> Self {
        Self(vec![b'-'])
    }

    fn of(kind: u8, value: &str) -> Self {
        Self([&[kind], value.as_bytes()].concat())
    }

    /// All facets of an asset.
    pub fn all_of(asset: &Asset) -> Vec<Self> {
        let mut all = vec![
            Self::listed(),
            Self::media_type(asset.content.media_type.mime()),
            Self::uploader(&asset.uploaded_by),
            Self::approval(asset.approval_state().into()),
        ];
        all.extend(asset.orientation().map(Self::orientation));
        all.extend(asset.tags.iter().map(|tag| Self::tag(&fold(tag))));
        if asset.tags.is_empty() {
            all.push(Self::untagged());
        }
        all
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The start of the terms of uploaders.
pub const UPLOADERS: u8 = b'u';

/// What assets must have.
#[derive(Debug, Clone, Default)]
pub struct IndexFilter {
    /// Of each of these, at least one.
    clauses: Vec<Vec<Facet>>,
    /// When they were uploaded.
    created: Option<RangeInclusive<Millis>>,
}

impl IndexFilter {
    /// Takes only assets that have one of these facets.
    #[must_use]
    pub fn any_of(mut self, facets: Vec<Facet>) -> Self {
        self.clauses.push(facets);
        self
    }

    /// Takes only assets that were uploaded at these times.
    #[must_use]
    pub fn created(self, times: RangeInclusive<Millis>) -> Self {
        Self { created: Some(times), ..self }
    }

    /// Whether it takes everything.
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty() && self.created.is_none()
    }

    /// Of each, at least one.
    pub fn clauses(&self) -> &[Vec<Facet>] {
        &self.clauses
    }

    /// Whether it takes assets that were uploaded at this time.
    pub fn takes_time(&self, created: Millis) -> bool {
        self.created.as_ref().is_none_or(|times| times.contains(&created))
    }

    /// Whether it takes an asset with these facets that was uploaded at this time.
    pub fn takes(&self, facets: &[Facet], created: Millis) -> bool {
        let has_one = |clause: &Vec<Facet>| clause.iter().any(|facet| facets.contains(facet));
        self.takes_time(created) && self.clauses.iter().all(has_one)
    }
}
