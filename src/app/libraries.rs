//! Libraries: listed, made and named by keys; also deleted, by whoever holds the data directory.

use super::App;
use super::access::{Administrator, Caller, LibraryPath, ReadGrant};
use super::audit::{Action, Actor};
use super::clock::Millis;
use super::model::{Grant, Library, Organization, TagCount};
use super::name::parse_name;
use super::organizations::wanted_slug;
use super::page::Page;
use super::store::{KeyQueries, LibraryQueries, Tx};
use crate::error::{Code, Error, Result};

/// How many tags a library shows of itself.
const TAGS_SHOWN: usize = 100;
/// How many assets one transaction removes when a library is deleted.
const DELETE_BATCH: usize = 500;

/// What a key is and reaches.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The key's organization.
    pub organization: Organization,
    /// The libraries it reaches, ordered by slug.
    pub grants: Vec<Grant>,
}

/// A library with its most used tags.
#[derive(Debug, Clone)]
pub struct LibraryDetail {
    /// The library.
    pub library: Library,
    /// At most 100 tags, most used first.
    pub tags: Vec<TagCount>,
}

impl App {
    /// What the calling key is and reaches.
    #[must_use]
    pub fn whoami(&self, caller: &Caller) -> Viewer {
        Viewer { organization: caller.organization().clone(), grants: caller.grants().to_vec() }
    }

    /// The libraries that the key reaches, by name.
    ///
    /// # Errors
    /// Of [`Caller::expect_organization`].
    pub fn list_libraries(
        &self,
        caller: &Caller,
        organization: &str,
        page: Page,
    ) -> Result<Vec<LibraryDetail>> {
        caller.expect_organization(organization)?;
        let grants = caller.read_all();
        let libraries = caller.view().libraries(&grants)?;
        let mut found: Vec<(Library, &ReadGrant)> = libraries
            .into_iter()
            .filter_map(|library| {
                grants.iter().find(|grant| grant.library() == library.id).map(|grant| (library, grant))
            })
            .collect();
        found.sort_by_cached_key(|(library, _)| (library.name.to_lowercase(), library.slug.clone()));
        page.cut(found)
            .into_iter()
            .map(|(library, grant)| {
                Ok(LibraryDetail { library, tags: caller.view().tags(grant, TAGS_SHOWN)? })
            })
            .collect()
    }

    /// One library.
    ///
    /// # Errors
    /// Of [`Caller::read`].
    pub fn get_library(&self, caller: &Caller, path: &LibraryPath<'_>) -> Result<LibraryDetail> {
        let grant = caller.read(path)?;
        Ok(LibraryDetail {
            library: caller.view().library(&grant)?,
            tags: caller.view().tags(&grant, TAGS_SHOWN)?,
        })
    }

    /// The tags of a library, most used first.
    ///
    /// # Errors
    /// Of [`Caller::read`].
    pub fn list_tags(&self, caller: &Caller, path: &LibraryPath<'_>, limit: usize) -> Result<Vec<TagCount>> {
        caller.view().tags(&caller.read(path)?, limit)
    }

    /// Makes a library and grants it to the calling key at Write.
    ///
    /// # Errors
    /// Of [`Caller::create_libraries`]; `BAD_USER_INPUT` for the name or the slug; `LIBRARY_URL_TAKEN`.
    pub async fn create_library(
        &self,
        caller: &Caller,
        organization: &str,
        name: &str,
        slug: Option<&str>,
    ) -> Result<LibraryDetail> {
        let creator = caller.create_libraries(organization)?;
        let name = parse_name(name, self.settings().limits.name_length)?;
        let wanted = wanted_slug(&name, slug)?;
        let now = self.now();
        let library = self
            .store()
            .write(move |tx| {
                let library = tx.add_library_by_caller(&creator, &wanted, name.clone(), now)?;
                note_library(tx, now, creator.actor(), &library, Action::LibraryCreated, String::new())?;
                Ok(library)
            })
            .await?;
        Ok(LibraryDetail { library, tags: Vec::new() })
    }

    /// Gives a library another name; its slug stays.
    ///
    /// # Errors
    /// Of [`Caller::write`], or `BAD_USER_INPUT` for the name.
    pub async fn rename_library(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        name: &str,
    ) -> Result<LibraryDetail> {
        let grant = caller.rename(path)?;
        let name = parse_name(name, self.settings().limits.name_length)?;
        self.change(&grant, move |tx, grant, now| {
            let library = tx.rename_library(grant, &name)?;
            note_library(tx, now, grant.actor(), &library, Action::LibraryRenamed, name.clone())?;
            Ok(LibraryDetail { library, tags: tx.tags(grant, TAGS_SHOWN)? })
        })
        .await
    }

    /// Makes a library that no key reaches yet.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`; `BAD_USER_INPUT` for the name or the slug; `LIBRARY_URL_TAKEN`.
    pub async fn add_library(
        &self,
        by: Administrator,
        organization: &str,
        name: &str,
        slug: Option<&str>,
    ) -> Result<Library> {
        let name = parse_name(name, self.settings().limits.name_length)?;
        let wanted = wanted_slug(&name, slug)?;
        let organization = organization.to_owned();
        self.administrate(by, move |tx, by, now| {
            let organization = tx.expect_organization(by, &organization)?;
            let library = tx.add_library_by_administrator(by, organization.id, &wanted, name.clone(), now)?;
            note_library(tx, now, by.actor(), &library, Action::LibraryCreated, String::new())?;
            Ok(library)
        })
        .await
    }

    /// All libraries of an organization, by slug.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub fn all_libraries(&self, by: &Administrator, organization: &str) -> Result<Vec<Library>> {
        let view = self.store().view()?;
        view.libraries_of(by, view.expect_organization(by, organization)?.id)
    }

    /// All libraries of an organization, by slug, each with the bytes of its files: of its assets, of their variants,
    /// and of what is in its trash.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub fn list_library_sizes(&self, by: &Administrator, organization: &str) -> Result<Vec<(Library, u64)>> {
        let view = self.store().view()?;
        let libraries = view.libraries_of(by, view.expect_organization(by, organization)?.id)?;
        let bytes = view.bytes_of(&libraries)?;
        Ok(libraries.into_iter().zip(bytes).collect())
    }

    /// Gives any library another name.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`, `NOT_FOUND`, or `BAD_USER_INPUT` for the name.
    pub async fn set_library_name(
        &self,
        by: Administrator,
        path: &LibraryPath<'_>,
        name: &str,
    ) -> Result<Library> {
        let name = parse_name(name, self.settings().limits.name_length)?;
        let (organization, slug) = (path.organization.to_owned(), path.library.to_owned());
        self.administrate(by, move |tx, by, now| {
            let path = LibraryPath { organization: &organization, library: &slug };
            let library = tx.rename_library_by_administrator(by, expect_library(tx, by, &path)?, &name)?;
            note_library(tx, now, by.actor(), &library, Action::LibraryRenamed, name.clone())?;
            Ok(library)
        })
        .await
    }

    /// Deletes a library for good, with everything in it, and takes it out of every key. One with assets or
    /// trash only when `with_assets`.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`, `NOT_FOUND`, or `CONFLICT` for one that is not empty.
    pub async fn delete_library(
        &self,
        by: Administrator,
        path: &LibraryPath<'_>,
        with_assets: bool,
    ) -> Result<Library> {
        let (organization, slug) = (path.organization.to_owned(), path.library.to_owned());
        loop {
            let (by, organization, slug) = (by.clone(), organization.clone(), slug.clone());
            let deleted = self
                .administrate(by, move |tx, by, now| {
                    let path = LibraryPath { organization: &organization, library: &slug };
                    let library = expect_library(tx, by, &path)?;
                    if !with_assets && (library.assets > 0 || library.trashed > 0) {
                        return Err(not_empty(&library));
                    }
                    if tx.empty_library(by, &library, DELETE_BATCH, now)? == DELETE_BATCH {
                        return Ok(None);
                    }
                    tx.forget_library(by, &library)?;
                    note_library(tx, now, by.actor(), &library, Action::LibraryDeleted, String::new())?;
                    Ok(Some(library))
                })
                .await?;
            if let Some(library) = deleted {
                return Ok(library);
            }
        }
    }
}

fn note_library(
    tx: &Tx<'_>,
    now: Millis,
    actor: &Actor,
    library: &Library,
    action: Action,
    detail: String,
) -> Result<()> {
    tx.note(now, library.organization, actor, action, library.slug.as_str(), detail)
}

fn expect_library(
    reader: &(impl LibraryQueries + KeyQueries),
    by: &Administrator,
    path: &LibraryPath<'_>,
) -> Result<Library> {
    let organization = reader.expect_organization(by, path.organization)?;
    reader.library_named(by, organization.id, path.library)?.ok_or_else(|| {
        Error::new(
            Code::NotFound,
            format!("The organization \"{}\" has no library \"{}\".", path.organization, path.library),
        )
    })
}

fn not_empty(library: &Library) -> Error {
    Error::new(
        Code::Conflict,
        format!(
            "The library \"{}\" still has {} assets and {} in its trash. Say --with-assets to delete them for good.",
            library.slug, library.assets, library.trashed
        ),
    )
}
