//! Libraries, as an administrator asks for them and sees them.

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::app::App;
use crate::app::access::{Administrator, LibraryPath};
use crate::app::clock::Millis;
use crate::app::model::Library;
use crate::error::Result;

/// What can be asked about libraries. `organization` and `library` are slugs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum LibraryRequest {
    /// Make one that no key reaches yet.
    Create {
        /// The organization that will own it.
        organization: String,
        /// What people call it.
        name: String,
        /// Its id on the wire; derived from the name when not given.
        slug: Option<String>,
    },
    /// List those of an organization.
    List {
        /// The organization.
        organization: String,
    },
    /// Give one another name.
    Rename {
        /// The organization that owns it.
        organization: String,
        /// The library.
        library: String,
        /// The new name.
        name: String,
    },
    /// Delete one for good, and take it out of every key.
    Delete {
        /// The organization that owns it.
        organization: String,
        /// The library.
        library: String,
        /// Whether also when it is not empty, with everything in it.
        with_assets: bool,
    },
}

/// A library, as people and programs see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LibraryRecord {
    /// Its slug.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The slug of the organization that owns it.
    pub organization_id: String,
    /// How many assets are listed in it.
    pub assets_count: u64,
    /// How many assets are in its trash.
    pub trash_count: u64,
    /// When it was made, in unix milliseconds.
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

pub(super) async fn perform(app: &App, by: Administrator, request: LibraryRequest) -> Result<Reply> {
    match request {
        LibraryRequest::Create { organization, name, slug } => {
            let made = app.add_library(by, &organization, &name, slug.as_deref()).await?;
            Ok(Reply::Library(record(made, &organization)))
        }
        LibraryRequest::List { organization } => {
            let all = app.all_libraries(&by, &organization)?;
            Ok(Reply::Libraries(all.into_iter().map(|library| record(library, &organization)).collect()))
        }
        LibraryRequest::Rename { organization, library, name } => {
            let path = LibraryPath { organization: &organization, library: &library };
            let renamed = app.set_library_name(by, &path, &name).await?;
            Ok(Reply::Library(record(renamed, &organization)))
        }
        LibraryRequest::Delete { organization, library, with_assets } => {
            let path = LibraryPath { organization: &organization, library: &library };
            let deleted = app.delete_library(by, &path, with_assets).await?;
            Ok(Reply::Library(record(deleted, &organization)))
        }
    }
}
