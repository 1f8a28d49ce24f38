//! Libraries in the tables, with the counts that are kept for them.

use std::ops::ControlFlow;

use super::tables::{
    LIBRARIES, LIBRARY_BYTES, LIBRARY_CHANGES, LIBRARY_NAMINGS, LIBRARY_SLUGS, decode, encode,
};
use super::{Reader, Tx, between};
use crate::core::access::grant::{Administrator, LibraryCreator, ReadGrant, WriteGrant};
use crate::core::model::id::{LibraryId, OrganizationId};
use crate::core::model::time::Millis;
use crate::core::model::{Access, Grant, Library};
use crate::core::store::records::{KeyCommands, KeyQueries, LibraryCommands, LibraryQueries, WantedSlug};
use crate::error::{Error, Result};

/// sorts after every tag and every slug.
const LAST: &str = "\u{10FFFF}";

impl<R: Reader> LibraryQueries for R {
    fn library(&self, grant: &ReadGrant) -> Result<Library> {
        self.lookup(LIBRARIES, grant.library().0, decode)?.ok_or_else(Error::library_not_authorized)
    }

    fn libraries(&self, grants: &[ReadGrant]) -> Result<Vec<Library>> {
        Ok(self.each_library(grants)?.into_iter().flatten().collect())
    }

    fn each_library(&self, grants: &[ReadGrant]) -> Result<Vec<Option<Library>>> {
        self.lookup_each(LIBRARIES, grants.iter().map(|grant| grant.library().0), decode)
    }

    fn library_named(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        slug: &str,
    ) -> Result<Option<Library>> {
        let id = self.lookup(LIBRARY_SLUGS, (organization.0, slug), Ok)?.filter(|_| by.reaches(organization));
        Ok(id.map(|id| self.lookup(LIBRARIES, id, decode)).transpose()?.flatten())
    }

    fn library_numbered(&self, by: &Administrator, id: LibraryId) -> Result<Option<Library>> {
        let found: Option<Library> = self.lookup(LIBRARIES, id.0, decode)?;
        Ok(found.filter(|library| by.reaches(library.organization)))
    }

    fn libraries_of(&self, by: &Administrator, organization: OrganizationId) -> Result<Vec<Library>> {
        let mut ids = Vec::new();
        if !by.reaches(organization) {
            return Ok(Vec::new());
        }
        self.scan(LIBRARY_SLUGS, between((organization.0, ""), (organization.0, LAST)), |_, id| {
            ids.push(id);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(self.lookup_each(LIBRARIES, ids.into_iter(), decode)?.into_iter().flatten().collect())
    }

    fn library_namings(&self, organization: OrganizationId) -> Result<u64> {
        Ok(self.lookup(LIBRARY_NAMINGS, organization.0, Ok)?.unwrap_or(0))
    }

    fn bytes_of(&self, libraries: &[Library]) -> Result<Vec<u64>> {
        let ids = libraries.iter().map(|library| library.id.0);
        let found = self.lookup_each(LIBRARY_BYTES, ids, Ok)?;
        Ok(found.into_iter().map(Option::unwrap_or_default).collect())
    }
}

impl LibraryCommands for Tx<'_> {
    fn create_library(
        &self,
        by: &LibraryCreator,
        wanted: &WantedSlug,
        name: String,
        now: Millis,
    ) -> Result<Library> {
        let library = self.insert_library(by.organization(), wanted, name, now)?;
        if let Some(digest) = by.key_digest() {
            let mut key = self.key(&digest)?.ok_or_else(Error::invalid_api_key)?;
            key.grants.push(Grant { library: library.id, slug: library.slug.clone(), access: Access::Write });
            key.grants.sort_by(|one, other| one.slug.cmp(&other.slug));
            self.write_key(&digest, &key)?;
        }
        Ok(library)
    }

    fn create_library_as_admin(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        wanted: &WantedSlug,
        name: String,
        now: Millis,
    ) -> Result<Library> {
        by.expect_reach(organization)?;
        self.insert_library(organization, wanted, name, now)
    }

    fn rename_library(&self, grant: &WriteGrant, name: &str) -> Result<Library> {
        let mut library = self.library(grant)?;
        name.clone_into(&mut library.name);
        self.put_library(&library)?;
        self.count_naming(library.organization)?;
        Ok(library)
    }

    fn rename_library_as_admin(
        &self,
        by: &Administrator,
        mut library: Library,
        name: &str,
    ) -> Result<Library> {
        by.expect_reach(library.organization)?;
        name.clone_into(&mut library.name);
        self.put_library(&library)?;
        self.count_naming(library.organization)?;
        Ok(library)
    }

    fn delete_library(&self, by: &Administrator, library: &Library) -> Result<()> {
        by.expect_reach(library.organization)?;
        self.delete(LIBRARY_SLUGS, (library.organization.0, library.slug.as_str()))?;
        self.delete(LIBRARIES, library.id.0)?;
        self.delete(LIBRARY_BYTES, library.id.0)?;
        self.delete(LIBRARY_CHANGES, library.id.0)?;
        self.count_library_out(library.organization)?;
        self.count_naming(library.organization)?;
        for mut key in self.keys(by, Some(library.organization))? {
            let before = key.grants.len();
            key.grants.retain(|grant| grant.library != library.id);
            if key.grants.len() != before {
                let (digest, _) = self.expect_key(by, &key.id)?;
                self.put_key(by, &digest, &key)?;
            }
        }
        Ok(())
    }
}

impl Tx<'_> {
    fn insert_library(
        &self,
        organization: OrganizationId,
        wanted: &WantedSlug,
        name: String,
        now: Millis,
    ) -> Result<Library> {
        let slug = wanted.settle(|slug| {
            let taken = slug.is_reserved_library();
            Ok(taken || self.lookup(LIBRARY_SLUGS, (organization.0, slug.as_str()), |_| Ok(()))?.is_some())
        })?;
        let id = LibraryId(self.next("next_id")?);
        self.put(LIBRARY_SLUGS, (organization.0, slug.as_str()), id.0)?;
        let library = Library { id, organization, slug, name, created: now, assets: 0, trashed: 0 };
        self.put_library(&library)?;
        self.count_library_in(organization)?;
        self.count_naming(organization)?;
        Ok(library)
    }

    /// Records that a library was added, renamed or deleted.
    pub(super) fn count_naming(&self, organization: OrganizationId) -> Result<()> {
        let namings = self.library_namings(organization)?;
        self.put(LIBRARY_NAMINGS, organization.0, namings + 1)
    }

    /// Writes a library that is there.
    pub(super) fn put_library(&self, library: &Library) -> Result<()> {
        self.put(LIBRARIES, library.id.0, encode(library)?.as_slice())
    }

    /// Counts assets in and out of a library's list and trash.
    pub(super) fn adjust_counts(&self, library: LibraryId, listed: i64, trashed: i64) -> Result<()> {
        let record: Option<Library> = self.lookup(LIBRARIES, library.0, decode)?;
        let mut record =
            record.ok_or_else(|| Error::internal("an asset is in a library that is not there"))?;
        record.assets = adjusted(record.assets, listed)?;
        record.trashed = adjusted(record.trashed, trashed)?;
        self.put_library(&record)
    }

    /// Counts the bytes of a file in or out of a library.
    pub(super) fn adjust_bytes(&self, library: LibraryId, change: i64) -> Result<()> {
        let bytes = self.lookup(LIBRARY_BYTES, library.0, Ok)?.unwrap_or_default();
        self.put(LIBRARY_BYTES, library.0, adjusted(bytes, change)?)
    }
}

pub(super) fn adjusted(count: u64, change: i64) -> Result<u64> {
    count
        .checked_add_signed(change)
        .ok_or_else(|| Error::internal("a count went below zero; run `rasterd doctor`"))
}
