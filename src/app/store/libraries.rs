//! Libraries in the tables, with the counts and tags that are kept for them.

use std::ops::ControlFlow;

use super::keys::KeyQueries;
use super::tables::{LIBRARIES, LIBRARY_BYTES, LIBRARY_SLUGS, TAGS, decode, encode};
use super::{Reader, Tx, between};
use crate::app::access::{Administrator, LibraryCreator, ReadGrant, WriteGrant};
use crate::app::clock::Millis;
use crate::app::id::{LibraryId, OrganizationId};
use crate::app::model::{Access, Grant, Library, TagCount};
use crate::app::name::Slug;
use crate::error::{Code, Error, Result};

/// Sorts behind every tag and every slug.
const LAST: &str = "\u{10FFFF}";

/// Reads of libraries.
pub trait LibraryQueries: Reader {
    /// The library of a grant. A grant of a library that was deleted meanwhile is one without a library.
    fn library(&self, grant: &ReadGrant) -> Result<Library> {
        self.lookup(LIBRARIES, grant.library().0, decode)?.ok_or_else(Error::library_not_authorized)
    }

    /// The libraries of several grants that are still there, in the order of the grants.
    fn libraries(&self, grants: &[ReadGrant]) -> Result<Vec<Library>> {
        let ids = grants.iter().map(|grant| grant.library().0);
        Ok(self.lookup_each(LIBRARIES, ids, decode)?.into_iter().flatten().collect())
    }

    /// The library with this slug, for an administrator.
    fn library_named(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        slug: &str,
    ) -> Result<Option<Library>> {
        let id = self.lookup(LIBRARY_SLUGS, (organization.0, slug), Ok)?.filter(|_| by.reaches(organization));
        Ok(id.map(|id| self.lookup(LIBRARIES, id, decode)).transpose()?.flatten())
    }

    /// All libraries of an organization, by slug.
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

    /// How many bytes the files of each of these libraries have.
    fn bytes_of(&self, libraries: &[Library]) -> Result<Vec<u64>> {
        let ids = libraries.iter().map(|library| library.id.0);
        let found = self.lookup_each(LIBRARY_BYTES, ids, Ok)?;
        Ok(found.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// The tags of a library, most used first, then by text.
    fn tags(&self, grant: &ReadGrant, limit: usize) -> Result<Vec<TagCount>> {
        let library = grant.library().0;
        let mut tags = Vec::new();
        self.scan(TAGS, between((library, ""), (library, LAST)), |_, (text, count)| {
            tags.push(TagCount { text: text.to_owned(), count });
            Ok(ControlFlow::Continue(()))
        })?;
        tags.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.text.cmp(&other.text)));
        tags.truncate(limit);
        Ok(tags)
    }
}

impl<R: Reader> LibraryQueries for R {}

/// Whether a new library's slug was chosen or may be numbered when it is taken.
#[derive(Debug, Clone)]
pub enum WantedSlug {
    /// Chosen: taken is an error.
    Exactly(Slug),
    /// Derived from the name: taken gets a number.
    Like(Slug),
}

impl WantedSlug {
    /// The slug itself, or the first of its numbered forms that is free.
    ///
    /// # Errors
    /// `LIBRARY_URL_TAKEN` for a chosen one that is taken.
    pub fn settle(&self, is_taken: impl Fn(&Slug) -> Result<bool>) -> Result<Slug> {
        let slug = match self {
            Self::Exactly(slug) | Self::Like(slug) => slug,
        };
        if !is_taken(slug)? {
            return Ok(slug.clone());
        }
        if let Self::Exactly(slug) = self {
            return Err(Error::new(
                Code::LibraryUrlTaken,
                format!("The slug \"{slug}\" is taken or reserved. Choose another."),
            ));
        }
        let mut number = 2;
        while is_taken(&slug.numbered(number))? {
            number += 1;
        }
        Ok(slug.numbered(number))
    }
}

impl Tx<'_> {
    /// Adds a library for the caller; a key is granted it at Write.
    pub fn add_library_by_caller(
        &self,
        by: &LibraryCreator,
        wanted: &WantedSlug,
        name: String,
        now: Millis,
    ) -> Result<Library> {
        let key = by.confirm(self, now)?;
        let library = self.add_library(by.organization(), wanted, name, now)?;
        if let Some((digest, mut key)) = key {
            key.grants.push(Grant { library: library.id, slug: library.slug.clone(), access: Access::Write });
            key.grants.sort_by(|one, other| one.slug.cmp(&other.slug));
            self.put_key(&digest, &key)?;
        }
        Ok(library)
    }

    /// Adds a library for an administrator, granted to nobody.
    pub fn add_library_by_administrator(
        &self,
        _by: &Administrator,
        organization: OrganizationId,
        wanted: &WantedSlug,
        name: String,
        now: Millis,
    ) -> Result<Library> {
        self.add_library(organization, wanted, name, now)
    }

    fn add_library(
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
        Ok(library)
    }

    /// Gives a library another name.
    pub fn rename_library(&self, grant: &WriteGrant, name: &str) -> Result<Library> {
        let mut library = self.library(grant)?;
        name.clone_into(&mut library.name);
        self.put_library(&library)?;
        Ok(library)
    }

    /// Writes a library that is there.
    pub(super) fn put_library(&self, library: &Library) -> Result<()> {
        self.put(LIBRARIES, library.id.0, encode(library)?.as_slice())
    }

    /// Changes the name of a library for an administrator.
    pub fn rename_library_by_administrator(
        &self,
        _by: &Administrator,
        mut library: Library,
        name: &str,
    ) -> Result<Library> {
        name.clone_into(&mut library.name);
        self.put_library(&library)?;
        Ok(library)
    }

    /// Forgets an emptied library and takes it out of every key of its organization.
    pub fn forget_library(&self, by: &Administrator, library: &Library) -> Result<()> {
        self.delete(LIBRARY_SLUGS, (library.organization.0, library.slug.as_str()))?;
        self.delete(LIBRARIES, library.id.0)?;
        self.delete(LIBRARY_BYTES, library.id.0)?;
        for mut key in self.keys(by, Some(library.organization))? {
            let before = key.grants.len();
            key.grants.retain(|grant| grant.library != library.id);
            if key.grants.len() != before {
                let (digest, _) = self.expect_key(by, &key.id)?;
                self.put_key(&digest, &key)?;
            }
        }
        Ok(())
    }

    /// Counts assets in and out of a library's list and trash.
    pub(super) fn count(&self, library: LibraryId, listed: i64, trashed: i64) -> Result<()> {
        let record: Option<Library> = self.lookup(LIBRARIES, library.0, decode)?;
        let mut record =
            record.ok_or_else(|| Error::internal("an asset is in a library that is not there"))?;
        record.assets = counted(record.assets, listed)?;
        record.trashed = counted(record.trashed, trashed)?;
        self.put_library(&record)
    }

    /// Counts the bytes of a file in or out of a library.
    pub(super) fn count_bytes(&self, library: LibraryId, change: i64) -> Result<()> {
        let bytes = self.lookup(LIBRARY_BYTES, library.0, Ok)?.unwrap_or_default();
        self.put(LIBRARY_BYTES, library.0, counted(bytes, change)?)
    }

    /// Counts an asset in or out of a tag, and returns the tag as the library first wrote it.
    pub(super) fn count_tag(
        &self,
        library: LibraryId,
        folded: &str,
        text: &str,
        change: i64,
    ) -> Result<String> {
        let found = self.lookup(TAGS, (library.0, folded), |(text, count)| Ok((text.to_owned(), count)))?;
        let (text, count) = found.unwrap_or_else(|| (text.to_owned(), 0));
        match counted(count, change)? {
            0 => self.delete(TAGS, (library.0, folded))?,
            count => self.put(TAGS, (library.0, folded), (text.as_str(), count))?,
        }
        Ok(text)
    }
}

fn counted(count: u64, change: i64) -> Result<u64> {
    count.checked_add_signed(change).ok_or_else(|| Error::internal("a count went below zero"))
}
