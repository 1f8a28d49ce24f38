//! Libraries: list, create, rename and delete.

use super::Core;
use super::model::{Grant, Library, Organization, TagCount};
use super::organizations::wanted_slug;
use super::store::{
    AuditCommands, KeyQueries, LibraryCommands, LibraryQueries, Snapshot, TagQueries, TrashCommands, Tx,
};
use crate::core::access::{Administrator, Caller, LibraryPath, ReadGrant};
use crate::core::model::audit::{Action, Actor};
use crate::core::model::name::parse_name;
use crate::core::model::page::PageRequest;
use crate::core::model::time::Millis;
use crate::error::{Code, Error, Result};

/// How many of its tags a library shows.
const TAGS_SHOWN: usize = 100;
/// How many assets one transaction deletes with their library.
const DELETE_BATCH: usize = 500;

/// What `whoami` returns: the caller's organization and grants.
#[derive(Debug, Clone)]
pub struct CallerDetail {
    /// The caller's organization.
    pub organization: Organization,
    /// The caller's grants, ordered by slug.
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

impl Core {
    /// The caller's organization and grants.
    #[must_use]
    pub fn whoami(&self, caller: &Caller) -> CallerDetail {
        CallerDetail { organization: caller.organization().clone(), grants: caller.grants().to_vec() }
    }

    /// The libraries that the caller has access to, by name.
    ///
    /// # Errors
    /// Those of [`Caller::expect_organization`].
    pub fn list_libraries(
        &self,
        caller: &Caller,
        organization: &str,
        page: PageRequest,
    ) -> Result<Vec<LibraryDetail>> {
        self.list_libraries_with(caller, organization, page, TAGS_SHOWN)
    }

    /// [`Core::list_libraries`] with at most this many tags of each.
    ///
    /// # Errors
    /// The same.
    pub fn list_libraries_with(
        &self,
        caller: &Caller,
        organization: &str,
        page: PageRequest,
        tags: usize,
    ) -> Result<Vec<LibraryDetail>> {
        caller.expect_organization(organization)?;
        let (snapshot, grants) = (caller.snapshot(), caller.read_all());
        let namings = snapshot.library_namings(caller.organization().id)?;
        let order =
            self.library_order().of(caller.client_id(), &grants, namings, || in_order(snapshot, &grants))?;
        let shown = order.iter().skip(page.offset).take(page.size).filter_map(|place| grants.get(*place));
        shown
            .map(|grant| {
                Ok(LibraryDetail { library: snapshot.library(grant)?, tags: snapshot.tags(grant, tags)? })
            })
            .collect()
    }

    /// One library.
    ///
    /// # Errors
    /// Those of [`Caller::read`].
    pub fn get_library(&self, caller: &Caller, path: &LibraryPath<'_>) -> Result<LibraryDetail> {
        let grant = caller.read(path)?;
        Ok(LibraryDetail {
            library: caller.snapshot().library(&grant)?,
            tags: caller.snapshot().tags(&grant, TAGS_SHOWN)?,
        })
    }

    /// The tags of a library, most used first.
    ///
    /// # Errors
    /// Those of [`Caller::read`].
    pub fn list_tags(&self, caller: &Caller, path: &LibraryPath<'_>, limit: usize) -> Result<Vec<TagCount>> {
        caller.snapshot().tags(&caller.read(path)?, limit)
    }

    /// Creates a library, and grants Write on it to the calling key.
    ///
    /// # Errors
    /// Those of [`Caller::create_libraries`]; `BAD_USER_INPUT` for the name or the slug; `LIBRARY_URL_TAKEN`.
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
                creator.confirm(tx, now)?;
                let library = tx.create_library(&creator, &wanted, name.clone(), now)?;
                record_library_event(
                    tx,
                    now,
                    creator.actor(),
                    &library,
                    Action::LibraryCreated,
                    String::new(),
                )?;
                Ok(library)
            })
            .await?;
        Ok(LibraryDetail { library, tags: Vec::new() })
    }

    /// Renames a library; its slug stays.
    ///
    /// # Errors
    /// Those of [`Caller::write`], or `BAD_USER_INPUT` for the name.
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
            record_library_event(tx, now, grant.actor(), &library, Action::LibraryRenamed, name.clone())?;
            Ok(LibraryDetail { library, tags: tx.tags(grant, TAGS_SHOWN)? })
        })
        .await
    }

    /// Creates a library that no key has access to yet.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`; `BAD_USER_INPUT` for the name or the slug; `LIBRARY_URL_TAKEN`.
    pub async fn create_library_as_admin(
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
            let library = tx.create_library_as_admin(by, organization.id, &wanted, name.clone(), now)?;
            record_library_event(tx, now, by.actor(), &library, Action::LibraryCreated, String::new())?;
            Ok(library)
        })
        .await
    }

    /// All libraries of an organization, by slug.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub fn list_libraries_as_admin(&self, by: &Administrator, organization: &str) -> Result<Vec<Library>> {
        let snapshot = self.store().snapshot()?;
        snapshot.libraries_of(by, snapshot.expect_organization(by, organization)?.id)
    }

    /// All libraries of an organization, by slug, each with the total size of its files in bytes: assets, variants and
    /// trash.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub fn list_library_sizes(&self, by: &Administrator, organization: &str) -> Result<Vec<(Library, u64)>> {
        let snapshot = self.store().snapshot()?;
        let libraries = snapshot.libraries_of(by, snapshot.expect_organization(by, organization)?.id)?;
        let bytes = snapshot.bytes_of(&libraries)?;
        Ok(libraries.into_iter().zip(bytes).collect())
    }

    /// Renames any library.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`, `NOT_FOUND`, or `BAD_USER_INPUT` for the name.
    pub async fn rename_library_as_admin(
        &self,
        by: Administrator,
        path: &LibraryPath<'_>,
        name: &str,
    ) -> Result<Library> {
        let name = parse_name(name, self.settings().limits.name_length)?;
        let (organization, slug) = (path.organization.to_owned(), path.library.to_owned());
        self.administrate(by, move |tx, by, now| {
            let path = LibraryPath { organization: &organization, library: &slug };
            let library = tx.rename_library_as_admin(by, expect_library(tx, by, &path)?, &name)?;
            record_library_event(tx, now, by.actor(), &library, Action::LibraryRenamed, name.clone())?;
            Ok(library)
        })
        .await
    }

    /// Deletes a library permanently, with everything in it, and removes it from every key. One that is not empty only
    /// with `with_assets`.
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
                .administrate_always(by, move |tx, by, now| {
                    let path = LibraryPath { organization: &organization, library: &slug };
                    let library = expect_library(tx, by, &path)?;
                    if !with_assets && (library.assets > 0 || library.trashed > 0) {
                        return Err(not_empty(&library));
                    }
                    if tx.empty_library(by, &library, DELETE_BATCH, now)? == DELETE_BATCH {
                        return Ok(None);
                    }
                    tx.delete_library(by, &library)?;
                    record_library_event(
                        tx,
                        now,
                        by.actor(),
                        &library,
                        Action::LibraryDeleted,
                        String::new(),
                    )?;
                    Ok(Some(library))
                })
                .await?;
            if let Some(library) = deleted {
                self.free_space_if_full().await;
                return Ok(library);
            }
        }
    }
}

/// The indexes of the grants whose library still exists, sorted by its name.
fn in_order(snapshot: &Snapshot, grants: &[ReadGrant]) -> Result<Vec<usize>> {
    let mut named = Vec::with_capacity(grants.len());
    for (place, library) in snapshot.each_library(grants)?.into_iter().enumerate() {
        named.extend(library.map(|library| (library.name.to_lowercase(), library.slug, place)));
    }
    named.sort_unstable();
    Ok(named.into_iter().map(|(_, _, place)| place).collect())
}

fn record_library_event(
    tx: &Tx<'_>,
    now: Millis,
    actor: &Actor,
    library: &Library,
    action: Action,
    detail: String,
) -> Result<()> {
    tx.record_event(now, library.organization, actor, action, library.slug.as_str(), detail)
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
            "The library \"{}\" still has {} assets and {} in its trash. Use --with-assets to delete them permanently.",
            library.slug, library.assets, library.trashed
        ),
    )
}
