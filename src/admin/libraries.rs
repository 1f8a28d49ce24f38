//! Administration of libraries.

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::core::Core;
use crate::core::access::{Administrator, LibraryPath};
use crate::core::model::Library;
use crate::core::model::time::Millis;
use crate::error::Result;

/// A request about libraries. `organization` and `library` are slugs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum LibraryRequest {
    /// Create one; no key has access to it yet.
    Create {
        /// The organization that will own it.
        organization: String,
        /// The name for people.
        name: String,
        /// Its id on the wire; derived from the name when not given.
        slug: Option<String>,
    },
    /// List those of an organization.
    List {
        /// The organization.
        organization: String,
    },
    /// Rename one.
    Rename {
        /// The organization that owns it.
        organization: String,
        /// The library.
        library: String,
        /// The new name.
        name: String,
    },
    /// Delete one permanently, and remove it from every key.
    Delete {
        /// The organization that owns it.
        organization: String,
        /// The library.
        library: String,
        /// Whether to delete it even if it is not empty, with everything in it.
        with_assets: bool,
    },
}

/// A library, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LibraryRecord {
    /// Its slug.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The slug of the organization that owns it.
    pub organization_id: String,
    /// How many assets are listed in it.
    pub assets_count: u64,
    /// How many assets are in its trash.
    pub trash_count: u64,
    /// When it was created, in unix milliseconds.
    pub created: Millis,
}

fn record(library: Library, organization: &str) -> LibraryRecord {
    LibraryRecord {
        id: library.slug.to_string(),
        name: library.name,
        organization_id: organization.to_owned(),
        assets_count: library.assets,
        trash_count: library.trashed,
        created: library.created,
    }
}

pub(super) async fn perform(core: &Core, by: Administrator, request: LibraryRequest) -> Result<Reply> {
    match request {
        LibraryRequest::Create { organization, name, slug } => {
            let made = core.create_library_as_admin(by, &organization, &name, slug.as_deref()).await?;
            Ok(Reply::Library(record(made, &organization)))
        }
        LibraryRequest::List { organization } => {
            let all = core.list_libraries_as_admin(&by, &organization)?;
            Ok(Reply::Libraries(all.into_iter().map(|library| record(library, &organization)).collect()))
        }
        LibraryRequest::Rename { organization, library, name } => {
            let path = LibraryPath { organization: &organization, library: &library };
            let renamed = core.rename_library_as_admin(by, &path, &name).await?;
            Ok(Reply::Library(record(renamed, &organization)))
        }
        LibraryRequest::Delete { organization, library, with_assets } => {
            let path = LibraryPath { organization: &organization, library: &library };
            let deleted = core.delete_library(by, &path, with_assets).await?;
            Ok(Reply::Library(record(deleted, &organization)))
        }
    }
}
