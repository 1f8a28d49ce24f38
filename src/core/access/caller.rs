//! Who may touch which library: the only file that makes grants.
//!
//! A [`Caller`] is who an authenticated request comes from: a key, or a person who is signed in. It turns names
//! into grants, and the store's queries take grants, so a query without this check does not compile.
//!
//! A name is looked up among the caller's own grants and nowhere else. So a library that is unknown, foreign or not
//! granted takes the same path through the code, and the answer takes the same time.

use std::net::IpAddr;
use std::sync::Arc;

use super::grant::{
    Administrator, AdministratorReach, Authentication, Credential, LibraryCreator, Narrowing, ReadGrant,
    WriteGrant,
};
use super::permissions::{Permissions, Principal};
use crate::core::cancellation::Cancellation;
use crate::core::model::api_key::KeyDigest;
use crate::core::model::audit::Actor;
use crate::core::model::id::{KeyId, OrganizationId};
use crate::core::model::time::Millis;
use crate::core::model::token::SessionDigest;
use crate::core::model::{Access, Asset, Grant, OpenUpload, Organization, Role, UploadCredential};
use crate::core::scans::ClientId;
use crate::core::store::{KeyQueries, MemberQueries, Snapshot};
use crate::error::{Code, Error, Result};

/// A library as a client names it, not yet checked. A text that can't be a slug is simply not found.
#[derive(Debug, Clone, Copy)]
pub struct LibraryPath<'a> {
    /// The organization's slug.
    pub organization: &'a str,
    /// The library's slug.
    pub library: &'a str,
}

/// The principal that a request comes from, with the one snapshot that the request reads.
pub struct Caller {
    snapshot: Snapshot,
    credential: Credential,
    permissions: Permissions,
    organization: Organization,
    address: Option<IpAddr>,
    cancellation: Cancellation,
}

impl Caller {
    /// Finds the live key with this digest.
    ///
    /// # Errors
    /// `INVALID_API_KEY` when there is none.
    pub(in crate::core) fn find(snapshot: Snapshot, digest: KeyDigest, now: Millis) -> Result<Self> {
        let credential = Credential::Key(digest);
        let permissions = credential.permissions(&snapshot, now)?;
        let Principal::Key(key) = &permissions.principal else {
            return Err(Error::internal("a key's permissions are a member's"));
        };
        let organization = key.organization;
        Self::of(snapshot, credential, permissions, organization)
    }

    /// The person of a live session, in one of their organizations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when the session ended; `ORGANIZATION_NOT_FOUND` when it does not exist or the person is not a
    /// member.
    pub(in crate::core) fn signed_in(
        snapshot: Snapshot,
        session: SessionDigest,
        organization: &str,
        now: Millis,
    ) -> Result<Self> {
        // The session is checked first, so that strangers learn nothing about organizations.
        snapshot.live_session(&session, now)?.ok_or_else(Error::signed_out)?;
        let id = snapshot.organization_named(organization)?.ok_or_else(Error::no_such_organization)?;
        let credential = Credential::Session(session, id);
        let permissions = credential.permissions(&snapshot, now)?;
        Self::of(snapshot, credential, permissions, id)
    }

    /// The creator of an open upload, if their credential is still live.
    ///
    /// # Errors
    /// Those of [`Caller::find`] and of [`Caller::signed_in`].
    pub(in crate::core) fn creator_of(snapshot: Snapshot, upload: &OpenUpload, now: Millis) -> Result<Self> {
        let (credential, organization) = match upload.credential {
            UploadCredential::Key(digest) => return Self::find(snapshot, KeyDigest(digest), now),
            UploadCredential::Session(digest) => {
                (Credential::Session(SessionDigest(digest), upload.organization), upload.organization)
            }
        };
        let permissions = credential.permissions(&snapshot, now)?;
        Self::of(snapshot, credential, permissions, organization)
    }

    fn of(
        snapshot: Snapshot,
        credential: Credential,
        permissions: Permissions,
        organization: OrganizationId,
    ) -> Result<Self> {
        let organization = snapshot
            .organization(organization)?
            .ok_or_else(|| Error::internal("a caller belongs to an organization that is not there"))?;
        Ok(Self {
            snapshot,
            credential,
            permissions,
            organization,
            address: None,
            cancellation: Cancellation::default(),
        })
    }

    /// The same caller, with the address of the request for the audit log.
    #[must_use]
    pub fn from_address(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// The same caller. After this is cancelled, none of its changes are committed.
    #[must_use]
    pub fn until(self, cancellation: Cancellation) -> Self {
        Self { cancellation, ..self }
    }

    /// The same caller, who gives up something for this connection. Grants made of it are checked in the same way when
    /// they are used.
    #[must_use]
    pub fn narrowed(self, narrowing: &Narrowing) -> Self {
        let narrowing = Arc::new(self.permissions.narrowing.and(narrowing));
        Self { permissions: self.permissions.narrowed(&narrowing), ..self }
    }

    /// Cancels this request.
    pub(in crate::core) fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// The snapshot that this request reads.
    pub(in crate::core) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Identifies the client in the queue of scans.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.credential.client_id()
    }

    /// The public id of the key, if it is one, for the log.
    #[must_use]
    pub fn key_id(&self) -> Option<&KeyId> {
        match &self.permissions.principal {
            Principal::Key(key) => Some(&key.id),
            Principal::Member { .. } => None,
        }
    }

    /// The person's role in the organization; none for a key.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        match &self.permissions.principal {
            Principal::Key(_) => None,
            Principal::Member { role, .. } => Some(*role),
        }
    }

    /// The organization that the caller acts in: the key's own, or the one that the person chose.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The libraries that the caller has access to, ordered by slug.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.permissions.grants
    }

    /// Checks that the organization that a request names is the caller's own.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND` when it does not exist, `INVALID_API_KEY` when it is another one.
    pub fn expect_organization(&self, named: &str) -> Result<()> {
        if named == self.organization.slug.as_str() {
            return Ok(());
        }
        match &self.permissions.principal {
            Principal::Key(_) if self.snapshot.organization_named(named)?.is_some() => {
                Err(Error::invalid_api_key())
            }
            Principal::Key(_) | Principal::Member { .. } => Err(Error::no_such_organization()),
        }
    }

    /// Permission to read a library.
    ///
    /// # Errors
    /// Those of [`Caller::expect_organization`], then `API_KEY_NOT_AUTHORIZED_FOR_LIBRARY`, whatever the reason; for a
    /// person `NOT_FOUND`.
    pub fn read(&self, path: &LibraryPath<'_>) -> Result<ReadGrant> {
        self.expect_organization(path.organization)?;
        self.permissions.grant(path.library, Access::Read).map(|grant| self.read_grant(grant))
    }

    /// Permission to change a library.
    ///
    /// # Errors
    /// Those of [`Caller::read`], also for a key that has only Read; `FORBIDDEN` when a person's role is too low.
    pub fn write(&self, path: &LibraryPath<'_>) -> Result<WriteGrant> {
        self.expect_organization(path.organization)?;
        let grant = self.permissions.grant(path.library, Access::Write)?;
        Ok(WriteGrant {
            read: self.read_grant(grant),
            authentication: self.authentication(),
            of_library: false,
        })
    }

    /// Permission to change a library itself: a key needs Write on it, a person must be an owner.
    ///
    /// # Errors
    /// Those of [`Caller::write`].
    pub fn rename(&self, path: &LibraryPath<'_>) -> Result<WriteGrant> {
        let grant = self.write(path)?;
        self.permissions.expect_library_changer()?;
        Ok(WriteGrant { of_library: true, ..grant })
    }

    /// Permission to decide about the assets of a library: for a person who may change it.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `APPROVAL_REQUIRES_USER` for every key that may read; `FORBIDDEN` when a person's role is
    /// too low.
    pub fn approve(&self, path: &LibraryPath<'_>) -> Result<WriteGrant> {
        self.read(path)?;
        match &self.permissions.principal {
            Principal::Key(_) => Err(Error::new(
                Code::ApprovalRequiresUser,
                "Only a signed-in person can set an approval; an API key can't. Ask a person to do it.",
            )),
            Principal::Member { .. } => self.write(path),
        }
    }

    /// Permission to read every library that the caller has access to.
    #[must_use]
    pub fn read_all(&self) -> Vec<ReadGrant> {
        self.grants().iter().map(|grant| self.read_grant(grant)).collect()
    }

    /// Permission to read those of the caller's libraries that contain these assets.
    pub(in crate::core) fn read_libraries_of(&self, assets: &[Asset]) -> Vec<ReadGrant> {
        let has_any = |grant: &&Grant| assets.iter().any(|asset| asset.library == grant.library);
        self.grants().iter().filter(has_any).map(|grant| self.read_grant(grant)).collect()
    }

    /// Whether the caller may change what is in some library.
    #[must_use]
    pub fn can_write_somewhere(&self) -> bool {
        self.permissions.can_write_somewhere()
    }

    /// Permission to create a library in an organization.
    ///
    /// # Errors
    /// Those of [`Caller::expect_organization`], then `API_KEY_READ_ONLY` for a key without Write on any library, or
    /// narrowed to some libraries; `FORBIDDEN` for a person who is not an owner.
    pub fn create_libraries(&self, organization: &str) -> Result<LibraryCreator> {
        self.expect_organization(organization)?;
        self.permissions.expect_creator()?;
        Ok(LibraryCreator { organization: self.organization.id, authentication: self.authentication() })
    }

    /// Permission to manage the organization that the caller acts in.
    ///
    /// # Errors
    /// `FORBIDDEN` for anyone who is not an owner of it, and for every key.
    pub fn administer(&self) -> Result<Administrator> {
        self.permissions.expect_owner()?;
        let authentication = self.authentication();
        let actor = Actor::clone(&authentication.actor);
        Ok(Administrator {
            reach: AdministratorReach::Organization(self.organization.id, authentication),
            actor,
        })
    }

    fn authentication(&self) -> Authentication {
        Authentication {
            credential: self.credential.clone(),
            narrowing: Arc::clone(&self.permissions.narrowing),
            actor: Arc::new(self.permissions.actor(self.address)),
            cancellation: self.cancellation.clone(),
        }
    }

    fn read_grant(&self, grant: &Grant) -> ReadGrant {
        ReadGrant { library: grant.library, slug: grant.slug.clone(), organization: self.organization.id }
    }
}
