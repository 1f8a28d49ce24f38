//! The types of the schema. Each is a view of the JSON shapes in `wire`, as in both versions of the REST API; nothing is
//! computed here.

use async_graphql::{
    Context, Enum, ID, InputValueError, InputValueResult, Number, Object, Scalar, ScalarType, Value,
};

use super::cost::charge;
use crate::core::libraries::{self, LibraryDetail};
use crate::core::model::{self, ApprovalState, TagCount};
use crate::error::Result;
use crate::transport::wire;
use crate::transport::wire::v2026_07_08::{self, AccessLevel, LibraryAccess};

mod assets;
mod photo;
mod results;

pub use assets::Asset;
pub use photo::Photo;
pub use results::{
    DeleteAssetsResult, SearchResult, TagAssetsResult, TransferAssetsResult, UntagAssetsResult,
    UpdateAssetDescriptionResult, UploadAssetsResult,
};

/// Names in the schema that two Rust types share: [`WholeNumber`] is a `Float` to clients.
pub const RENAMED: [&str; 1] = ["Float"];

/// A list as the schema has it: it may be null, and so may each of its entries.
pub type List<T> = Option<Vec<Option<T>>>;

/// Makes a list of the schema.
#[expect(clippy::unnecessary_wraps, reason = "the schema lets every list be null")]
pub fn list<S, T>(items: impl IntoIterator<Item = S>, entry: impl Fn(S) -> T) -> List<T> {
    Some(items.into_iter().map(|item| Some(entry(item))).collect())
}

/// A whole number beyond 32 bits, which the schema can only call a `Float`. Written without a fraction.
#[derive(Debug, Clone, Copy)]
pub struct WholeNumber(pub u64);

#[Scalar(name = "Float")]
impl ScalarType for WholeNumber {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => {
                number.as_u64().map(Self).ok_or_else(|| InputValueError::expected_type(value))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(Number::from(self.0))
    }
}

/// A file of a multipart request: the name of its part in the form.
#[derive(Debug, Clone)]
pub struct Upload(pub String);

/// A file, sent as a part of a multipart request.
#[Scalar]
impl ScalarType for Upload {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(part) => Ok(Self(part)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// What a key is and reaches.
pub struct Viewer(v2026_07_08::Viewer);

impl From<libraries::CallerDetail> for Viewer {
    fn from(viewer: libraries::CallerDetail) -> Self {
        Self(viewer.into())
    }
}

/// The calling key: its organization, its libraries, and whether it may write to them.
#[Object]
impl Viewer {
    /// The organizationId that other fields take.
    async fn organization_id(&self) -> Option<ID> {
        Some(ID(self.0.organization_id.clone()))
    }

    /// What people call the organization.
    async fn organization_name(&self) -> Option<&str> {
        Some(&self.0.organization_name)
    }

    /// Always "self-hosted".
    async fn plan(&self) -> Option<&str> {
        Some(self.0.plan)
    }

    /// The libraries that the key reaches, and whether it may write to each.
    #[expect(clippy::unused_async, reason = "the schema takes async fields only")]
    async fn libraries(&self, context: &Context<'_>) -> Result<Option<Vec<LibraryGrant<'_>>>> {
        charge(context, self.0.libraries.len())?;
        Ok(Some(self.0.libraries.iter().map(LibraryGrant).collect()))
    }
}

struct LibraryGrant<'a>(&'a LibraryAccess);

/// A library that a key reaches.
#[Object]
impl LibraryGrant<'_> {
    /// The libraryId that other fields take.
    async fn library(&self) -> ID {
        ID(self.0.library.clone())
    }

    /// "read" or "write"; write includes read.
    async fn access(&self) -> &str {
        match self.0.access {
            AccessLevel::Read => "read",
            AccessLevel::Write => "write",
        }
    }
}

/// Where the decision about an asset stands, to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(rename_items = "snake_case")]
pub enum ApprovalFilter {
    /// Somebody is to look at it.
    InReview,
    /// It may be used.
    Approved,
    /// It may not be used as it is.
    NeedsChanges,
    /// Nobody has decided.
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

/// A library.
pub struct Library(wire::Library);

impl From<LibraryDetail> for Library {
    fn from(detail: LibraryDetail) -> Self {
        Self(detail.into())
    }
}

/// A collection of assets.
#[Object]
impl Library {
    /// The libraryId that other fields take.
    async fn id(&self) -> ID {
        ID(self.0.id.clone())
    }

    /// What people call it.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// How many assets it lists; variants and trash don't count.
    async fn assets_count(&self) -> Option<u64> {
        Some(self.0.assets_count)
    }

    /// The same number as assetsCount.
    async fn photos_count(&self) -> Option<u64> {
        Some(self.0.photos_count)
    }

    /// How many assets are in its trash.
    async fn trash_count(&self) -> Option<u64> {
        Some(self.0.trash_count)
    }

    /// Its most used tags, at most 100.
    async fn tags(&self) -> List<Tag> {
        list(self.0.tags.iter().cloned(), Tag)
    }
}

/// A tag.
pub struct Tag(wire::Tag);

impl From<TagCount> for Tag {
    fn from(tag: TagCount) -> Self {
        Self(tag.into())
    }
}

/// A tag of a library.
#[Object]
impl Tag {
    /// The tag itself.
    async fn id(&self) -> ID {
        ID(self.0.id.clone())
    }

    /// How many listed assets carry it.
    async fn count(&self) -> Option<u64> {
        Some(self.0.count)
    }

    /// Who added it: "user" or "ai".
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<&str> {
        Some(match self.0.kind {
            wire::TagKind::User => "user",
        })
    }
}
