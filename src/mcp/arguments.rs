//! What each tool takes. The doc comments are what a model reads of an argument; types and names are its schema.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::app::access::LibraryPath;
use crate::app::uploads::Source;

/// The organizationId that whoami tells.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct OrganizationId(pub String);

/// A libraryId that whoami tells.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct LibraryId(pub String);

/// An asset's id, from a list, a search or an upload.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AssetId(pub String);

/// The page's number; the first is 1, and is what you get without it.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PageNumber(pub u64);

/// Nothing.
#[derive(Deserialize, JsonSchema)]
pub struct NoArguments {}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListLibraries {
    pub organization_id: OrganizationId,
    pub page: Option<PageNumber>,
    /// Libraries on a page; 50 without it, 500 at most.
    pub page_size: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListAssets {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    pub page: Option<PageNumber>,
    /// Assets on a page; 50 without it, 500 at most.
    pub page_size: Option<u64>,
    /// Only assets that carry any of these tags.
    pub tags: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAsset {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    pub asset_id: AssetId,
    /// Whether to add the picture itself, where it can be shown, so that you can look at it.
    pub preview: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchAssets {
    pub organization_id: OrganizationId,
    /// Words to look for in names, descriptions and tags. The last one may be unfinished, small typos are
    /// forgiven. Without words you get the newest assets.
    pub q: Option<String>,
    /// The libraryIds to search; without them, all that the key reaches.
    pub libraries: Option<Vec<String>>,
    pub page: Option<PageNumber>,
    /// Hits on a page; 20 without it, 100 at most.
    pub page_size: Option<u64>,
    /// Only assets in this state of approval.
    pub approval: Option<ApprovalFilter>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalFilter {
    InReview,
    Approved,
    NeedsChanges,
    None,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListTags {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    /// How many tags at most; 100 without it, 1000 at most.
    pub limit: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadAsset {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    pub source: FileSource,
    /// Makes the file a variant of this asset instead of an asset of its own.
    pub parent_id: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadAssets {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    /// The files.
    pub sources: Vec<FileSource>,
}

/// Where a file comes from.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum FileSource {
    /// The server fetches it.
    Url {
        /// An http or https url at a public address.
        url: String,
    },
    /// You send it; good for small files, as a call has 32 MB at most.
    Base64 {
        /// Its name with the extension.
        filename: String,
        /// What you believe it is, such as image/png; the bytes decide.
        #[serde(rename = "mimeType")]
        mime_type: String,
        /// Its bytes in base64.
        data: String,
    },
}

impl From<FileSource> for Source {
    fn from(source: FileSource) -> Self {
        match source {
            FileSource::Url { url } => Self::Url(url),
            FileSource::Base64 { filename, mime_type, data } => Self::Base64 { filename, mime_type, data },
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeleteAssets {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    /// The assets.
    pub ids: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TagAssets {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    /// The assets.
    pub asset_ids: Vec<String>,
    /// The tags, 1 to 64 characters each; "index" and "trash" are reserved.
    pub tags: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateAssetDescription {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    pub asset_id: AssetId,
    /// Kept verbatim; an empty one clears it. At most 10,000 characters.
    pub description: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferAssets {
    pub organization_id: OrganizationId,
    /// The library they are in.
    pub source_library_id: String,
    /// The library they go to.
    pub target_library_id: String,
    /// The assets; their variants go along.
    pub asset_ids: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
pub struct PromoteVariant {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    pub asset_id: AssetId,
    /// The id of one of the asset's variants.
    pub variant_id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateLibrary {
    pub organization_id: OrganizationId,
    /// What people call it, 1 to 100 characters.
    pub name: String,
    /// Its libraryId: lower-case letters, digits and inner hyphens. Without it, one is made from the name.
    pub slug: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenameLibrary {
    pub organization_id: OrganizationId,
    pub library_id: LibraryId,
    /// What people call it from now on, 1 to 100 characters.
    pub name: String,
}

/// The library that an organizationId and a libraryId name.
pub fn path<'a>(organization: &'a OrganizationId, library: &'a LibraryId) -> LibraryPath<'a> {
    LibraryPath { organization: &organization.0, library: &library.0 }
}
