//! Libraries, with the counts that are kept for them.

use crate::core::access::grant::{Administrator, LibraryCreator, ReadGrant, WriteGrant};
use crate::core::model::Library;
use crate::core::model::id::{LibraryId, OrganizationId};
use crate::core::model::name::Slug;
use crate::core::model::time::Millis;
use crate::error::{Code, Error, Result};

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

/// Reads of libraries.
pub trait LibraryQueries {
    /// The library of a grant. A grant of a library that was deleted meanwhile is one without a library.
    fn library(&self, grant: &ReadGrant) -> Result<Library>;

    /// The libraries of several grants that are still there, in the order of the grants.
    fn libraries(&self, grants: &[ReadGrant]) -> Result<Vec<Library>>;

    /// The library of each of several grants; none for one that was deleted meanwhile.
    fn each_library(&self, grants: &[ReadGrant]) -> Result<Vec<Option<Library>>>;

    /// The library with this slug, for an administrator.
    fn library_named(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        slug: &str,
    ) -> Result<Option<Library>>;

    /// The library with this number, for an administrator.
    fn library_numbered(&self, by: &Administrator, id: LibraryId) -> Result<Option<Library>>;

    /// All libraries of an organization, by slug.
    fn libraries_of(&self, by: &Administrator, organization: OrganizationId) -> Result<Vec<Library>>;

    /// A number that is another one as soon as a library of this organization was added, renamed or deleted.
    fn library_namings(&self, organization: OrganizationId) -> Result<u64>;

    /// How many bytes the files of each of these libraries have.
    fn bytes_of(&self, libraries: &[Library]) -> Result<Vec<u64>>;
}

/// Changes of libraries.
pub trait LibraryCommands {
    /// Adds a library for the caller. A key is granted it at Write; a person needs no grant, because their role covers
    /// every library.
    fn create_library(
        &self,
        by: &LibraryCreator,
        wanted: &WantedSlug,
        name: String,
        now: Millis,
    ) -> Result<Library>;

    /// Adds a library for an administrator, granted to nobody.
    fn create_library_as_admin(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        wanted: &WantedSlug,
        name: String,
        now: Millis,
    ) -> Result<Library>;

    /// Renames a library.
    fn rename_library(&self, grant: &WriteGrant, name: &str) -> Result<Library>;

    /// Changes the name of a library for an administrator.
    fn rename_library_as_admin(&self, by: &Administrator, library: Library, name: &str) -> Result<Library>;

    /// Deletes an emptied library and takes it out of every key of its organization.
    fn delete_library(&self, by: &Administrator, library: &Library) -> Result<()>;
}
