//! Who may touch which library: the only file that makes grants.
//!
//! A [`Caller`] is who an authenticated request comes from. It turns names into grants, and the store's
//! queries take grants, so a query without this check does not compile:
//!
//! ```compile_fail
//! use rasterd::app::access::ReadGrant;
//! let forged = ReadGrant { library: todo!(), slug: todo!(), organization: todo!() };
//! ```
//!
//! A name is looked up in the key's own record and nowhere else. So a library that is unknown, foreign or
//! not granted takes the same path through the code, and its answer takes the same time.

use std::ops::Deref;
use std::sync::Arc;

use super::clock::Millis;
use super::id::{KeyId, LibraryId, OrganizationId};
use super::keys::KeyDigest;
use super::model::{Access, Grant, Key, Organization};
use super::name::Slug;
use super::store::{KeyQueries, Reader, View};
use crate::error::{Code, Error, Result};

/// A library as a client names it. Not yet checked: any text will do, and what can't be a slug is not found.
#[derive(Debug, Clone, Copy)]
pub struct LibraryPath<'a> {
    /// The organization's slug.
    pub organization: &'a str,
    /// The library's slug.
    pub library: &'a str,
}

/// Leave to read one library.
#[derive(Debug, Clone)]
pub struct ReadGrant {
    library: LibraryId,
    slug: Slug,
    organization: OrganizationId,
}

impl ReadGrant {
    /// The library.
    #[must_use]
    pub fn library(&self) -> LibraryId {
        self.library
    }

    /// The library's slug.
    #[must_use]
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// The organization that owns the library.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }
}

/// Leave to change one library, good as long as the key behind it is: every transaction looks again.
#[derive(Debug, Clone)]
pub struct WriteGrant {
    read: ReadGrant,
    holder: Holder,
}

impl Deref for WriteGrant {
    type Target = ReadGrant;

    fn deref(&self) -> &ReadGrant {
        &self.read
    }
}

impl WriteGrant {
    /// The name of the key that writes, for `uploadedBy`.
    #[must_use]
    pub fn writer_name(&self) -> &str {
        &self.holder.name
    }

    /// Checks that the key is still live and its grant still there.
    ///
    /// # Errors
    /// `INVALID_API_KEY` or `API_KEY_NOT_AUTHORIZED_FOR_LIBRARY`, as the next request would get.
    pub fn confirm(&self, reader: &impl Reader, now: Millis) -> Result<()> {
        let key = self.holder.key(reader, now)?;
        granted(&key.grants, self.read.slug.as_str(), Access::Write).map(drop)
    }
}

/// Leave to add a library to the caller's organization.
#[derive(Debug, Clone)]
pub struct LibraryCreator {
    organization: OrganizationId,
    holder: Holder,
}

impl LibraryCreator {
    /// The organization that the library will belong to.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Checks that the key is still live and may still write somewhere, and returns its record.
    ///
    /// # Errors
    /// `INVALID_API_KEY` or `API_KEY_READ_ONLY`.
    pub fn confirm(&self, reader: &impl Reader, now: Millis) -> Result<(KeyDigest, Key)> {
        let key = self.holder.key(reader, now)?;
        writes_somewhere(&key)?;
        Ok((self.holder.digest, key))
    }
}

/// Leave to do what no key can: whoever holds the data directory, and the server's own upkeep.
#[derive(Debug, Clone, Copy)]
pub struct Administrator(());

impl Administrator {
    /// The one at the box. Never made for a network request.
    #[must_use]
    pub fn of_this_box() -> Self {
        Self(())
    }
}

/// The key behind a grant that outlives its request's snapshot.
#[derive(Debug, Clone)]
struct Holder {
    digest: KeyDigest,
    name: Arc<str>,
}

impl Holder {
    fn key(&self, reader: &impl Reader, now: Millis) -> Result<Key> {
        reader.key(&self.digest)?.filter(|key| key.is_live(now)).ok_or_else(Error::invalid_api_key)
    }
}

/// Who a request comes from: a live key, seen in the one snapshot that the request reads.
pub struct Caller {
    view: View,
    digest: KeyDigest,
    key: Key,
    organization: Organization,
}

impl Caller {
    /// Finds the live key with this digest.
    ///
    /// # Errors
    /// `INVALID_API_KEY` when there is none.
    pub(super) fn find(view: View, digest: KeyDigest, now: Millis) -> Result<Self> {
        let key = view.key(&digest)?.filter(|key| key.is_live(now)).ok_or_else(Error::invalid_api_key)?;
        let organization = view
            .organization(key.organization)?
            .ok_or_else(|| Error::internal("a key belongs to an organization that is not there"))?;
        Ok(Self { view, digest, key, organization })
    }

    /// The snapshot that this request reads.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// The key's public id, for the log.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key.id
    }

    /// The organization that the key belongs to.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The libraries that the key reaches, ordered by slug.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.key.grants
    }

    /// Checks that the organization that a request names is the key's own.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND` when there is none of that name, `INVALID_API_KEY` when it is another.
    pub fn expect_organization(&self, named: &str) -> Result<()> {
        if named == self.organization.slug.as_str() {
            return Ok(());
        }
        if self.view.organization_named(named)?.is_some() {
            return Err(Error::invalid_api_key());
        }
        Err(Error::new(Code::OrganizationNotFound, "Organization not found."))
    }

    /// Leave to read a library.
    ///
    /// # Errors
    /// Of [`Caller::expect_organization`], then `API_KEY_NOT_AUTHORIZED_FOR_LIBRARY` for whatever reason.
    pub fn read(&self, path: &LibraryPath<'_>) -> Result<ReadGrant> {
        self.expect_organization(path.organization)?;
        granted(&self.key.grants, path.library, Access::Read).map(|grant| self.read_grant(grant))
    }

    /// Leave to change a library.
    ///
    /// # Errors
    /// As [`Caller::read`]; a grant for Read alone is answered like none.
    pub fn write(&self, path: &LibraryPath<'_>) -> Result<WriteGrant> {
        self.expect_organization(path.organization)?;
        let grant = granted(&self.key.grants, path.library, Access::Write)?;
        Ok(WriteGrant { read: self.read_grant(grant), holder: self.holder() })
    }

    /// Leave to read everything that the key reaches.
    #[must_use]
    pub fn read_all(&self) -> Vec<ReadGrant> {
        self.key.grants.iter().map(|grant| self.read_grant(grant)).collect()
    }

    /// Leave to add a library to an organization.
    ///
    /// # Errors
    /// Of [`Caller::expect_organization`], then `API_KEY_READ_ONLY` for a key that writes nowhere.
    pub fn create_libraries(&self, organization: &str) -> Result<LibraryCreator> {
        self.expect_organization(organization)?;
        writes_somewhere(&self.key)?;
        Ok(LibraryCreator { organization: self.organization.id, holder: self.holder() })
    }

    fn holder(&self) -> Holder {
        Holder { digest: self.digest, name: self.key.name.as_str().into() }
    }

    fn read_grant(&self, grant: &Grant) -> ReadGrant {
        ReadGrant { library: grant.library, slug: grant.slug.clone(), organization: self.organization.id }
    }
}

/// The grant for the library of this name, at this level at least. One answer for every reason that there is none.
fn granted<'a>(grants: &'a [Grant], slug: &str, needed: Access) -> Result<&'a Grant> {
    grants
        .iter()
        .find(|grant| grant.slug.as_str() == slug && grant.access >= needed)
        .ok_or_else(Error::library_not_authorized)
}

fn writes_somewhere(key: &Key) -> Result<()> {
    if key.grants.iter().any(|grant| grant.access == Access::Write) {
        return Ok(());
    }
    Err(Error::new(
        Code::ApiKeyReadOnly,
        "Creating a library needs a key with Write access to at least one library.",
    ))
}
