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
    Administrator, AdministratorReach, Credential, LibraryCreator, Narrowing, Principal, ReadGrant,
    WriteGrant,
};
use crate::core::cancellation::Cancellation;
use crate::core::model::api_key::KeyDigest;
use crate::core::model::audit::Actor;
use crate::core::model::id::{KeyId, OrganizationId};
use crate::core::model::time::Millis;
use crate::core::model::token::SessionDigest;
use crate::core::model::{Access, Asset, Grant, Key, Member, OpenUpload, Organization, Role, UploadHolder};
use crate::core::scans::ClientId;
use crate::core::store::{KeyQueries, MemberQueries, Queries, Snapshot};
use crate::error::{Code, Error, Result};

/// A library as a client names it, not yet checked. A text that can't be a slug is simply not found.
#[derive(Debug, Clone, Copy)]
pub struct LibraryPath<'a> {
    /// The organization's slug.
    pub organization: &'a str,
    /// The library's slug.
    pub library: &'a str,
}

impl WriteGrant {
    /// Checks that the credential is still live and its grant still there.
    ///
    /// # Errors
    /// The error that the next request would get: `INVALID_API_KEY`, `UNAUTHENTICATED`,
    /// `API_KEY_NOT_AUTHORIZED_FOR_LIBRARY`, `FORBIDDEN`.
    pub fn confirm(&self, reader: &impl Queries, now: Millis) -> Result<()> {
        let permissions = self.principal.permissions(reader, now)?;
        if self.of_library {
            permissions.expect_library_changer()?;
        }
        permissions.grant(self.read.slug.as_str(), Access::Write).map(drop)
    }
}

impl LibraryCreator {
    /// Checks that the caller may still create libraries.
    ///
    /// # Errors
    /// `INVALID_API_KEY` or `API_KEY_READ_ONLY`; `UNAUTHENTICATED` or `FORBIDDEN`.
    pub fn confirm(&self, reader: &impl Queries, now: Millis) -> Result<()> {
        self.principal.permissions(reader, now)?.expect_creator()
    }
}

impl Administrator {
    /// Checks that the person is still an owner.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when the session ended, `FORBIDDEN` when the role changed.
    pub fn confirm(&self, reader: &impl Queries, now: Millis) -> Result<()> {
        match &self.reach {
            AdministratorReach::Server => Ok(()),
            AdministratorReach::Organization(_, principal) => {
                principal.permissions(reader, now)?.expect_owner()
            }
        }
    }
}

impl Principal {
    /// The permissions of the credential in this snapshot, unless the request was cancelled.
    fn permissions(&self, reader: &impl Queries, now: Millis) -> Result<Permissions> {
        self.cancellation.check()?;
        Ok(self.credential.permissions(reader, now)?.narrowed(&self.narrowing))
    }
}

impl Credential {
    fn permissions(&self, reader: &impl Queries, now: Millis) -> Result<Permissions> {
        match self {
            Self::Key(digest) => {
                let key = reader.key(digest)?.filter(|key| key.is_live(now));
                let mut key = key.ok_or_else(Error::invalid_api_key)?;
                let grants = std::mem::take(&mut key.grants);
                Ok(Permissions::of(Holder::Key(key), grants))
            }
            Self::Session(digest, organization) => {
                let (member, _) = reader.live_session(digest, now)?.ok_or_else(Error::signed_out)?;
                let role = member.role_in(*organization).ok_or_else(Error::no_such_organization)?;
                let grants = reader.grants_of_role(*organization, role)?;
                Ok(Permissions::of(Holder::Member { member, role }, grants))
            }
        }
    }
}

/// The permissions of a credential in one snapshot.
struct Permissions {
    holder: Holder,
    /// A live key has its own grants; a person has access to every library of the organization, limited by the role.
    /// What the connection gave up is not among them.
    grants: Vec<Grant>,
    narrowing: Arc<Narrowing>,
}

/// Who holds a credential.
enum Holder {
    Key(Key),
    Member { member: Member, role: Role },
}

impl Permissions {
    fn of(holder: Holder, grants: Vec<Grant>) -> Self {
        Self { holder, grants, narrowing: Arc::default() }
    }

    /// What is left after a connection gave up something. The only place where a narrowing takes effect.
    fn narrowed(self, narrowing: &Arc<Narrowing>) -> Self {
        if narrowing.is_empty() {
            return self;
        }
        Self { grants: narrowing.applied(self.grants), narrowing: Arc::clone(narrowing), ..self }
    }

    /// The grant for the library with this slug, with at least this access. A key gets the same error for every reason;
    /// a person sees the library, so the error says what is missing.
    fn grant(&self, slug: &str, needed: Access) -> Result<&Grant> {
        let found = self.grants.iter().find(|grant| grant.slug.as_str() == slug);
        match (&self.holder, found) {
            (_, Some(grant)) if grant.access >= needed => Ok(grant),
            (Holder::Key(_), _) => Err(Error::library_not_authorized()),
            (Holder::Member { .. }, Some(_)) => {
                Err(forbidden("change what is in this library", Role::Editor))
            }
            (Holder::Member { .. }, None) => {
                Err(Error::new(Code::NotFound, "There is no such library in this organization."))
            }
        }
    }

    fn can_write_somewhere(&self) -> bool {
        self.grants.iter().any(|grant| grant.access == Access::Write)
    }

    fn expect_creator(&self) -> Result<()> {
        let may_create = self.narrowing.allows_new_libraries();
        match &self.holder {
            Holder::Key(_) if may_create && self.can_write_somewhere() => Ok(()),
            Holder::Key(_) => Err(Error::new(
                Code::ApiKeyReadOnly,
                "Creating a library needs a key with Write access to at least one library.",
            )),
            Holder::Member { role: Role::Owner, .. } if may_create => Ok(()),
            Holder::Member { .. } => Err(forbidden("create or rename libraries", Role::Owner)),
        }
    }

    /// A person needs the same role to change a library itself as to create one; for a key, Write is enough.
    fn expect_library_changer(&self) -> Result<()> {
        match &self.holder {
            Holder::Key(_) | Holder::Member { role: Role::Owner, .. } => Ok(()),
            Holder::Member { role: Role::Editor | Role::Viewer, .. } => {
                Err(forbidden("create or rename libraries", Role::Owner))
            }
        }
    }

    fn expect_owner(&self) -> Result<()> {
        match &self.holder {
            Holder::Member { role: Role::Owner, .. } if self.narrowing.is_empty() => Ok(()),
            Holder::Member { .. } => Err(forbidden("manage this organization", Role::Owner)),
            Holder::Key(_) => Err(Error::new(Code::Forbidden, "A key can't manage an organization.")),
        }
    }

    fn actor(&self, address: Option<IpAddr>) -> Actor {
        match &self.holder {
            Holder::Key(key) => Actor::key(key, address),
            Holder::Member { member, .. } => Actor::member(member, address),
        }
    }
}

fn forbidden(what: &str, needed: Role) -> Error {
    Error::new(
        Code::Forbidden,
        format!(
            "Your role does not allow you to {what}. You need the role {needed}; an owner can give it to you."
        ),
    )
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
        let Holder::Key(key) = &permissions.holder else {
            return Err(Error::internal("a key's permissions is a member's"));
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

    /// Whoever created an open upload, if their credential is still live.
    ///
    /// # Errors
    /// Those of [`Caller::find`] and of [`Caller::signed_in`].
    pub(in crate::core) fn holding(snapshot: Snapshot, upload: &OpenUpload, now: Millis) -> Result<Self> {
        let (credential, organization) = match upload.holder {
            UploadHolder::Key(digest) => return Self::find(snapshot, KeyDigest(digest), now),
            UploadHolder::Session(digest) => {
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
        match &self.permissions.holder {
            Holder::Key(key) => Some(&key.id),
            Holder::Member { .. } => None,
        }
    }

    /// The person's role in the organization; none for a key.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        match &self.permissions.holder {
            Holder::Key(_) => None,
            Holder::Member { role, .. } => Some(*role),
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
        match &self.permissions.holder {
            Holder::Key(_) if self.snapshot.organization_named(named)?.is_some() => {
                Err(Error::invalid_api_key())
            }
            Holder::Key(_) | Holder::Member { .. } => Err(Error::no_such_organization()),
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
        Ok(WriteGrant { read: self.read_grant(grant), principal: self.principal(), of_library: false })
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
        match &self.permissions.holder {
            Holder::Key(_) => Err(Error::new(
                Code::ApprovalRequiresUser,
                "Only a signed-in person can set an approval; an API key can't. Ask a person to do it.",
            )),
            Holder::Member { .. } => self.write(path),
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
        Ok(LibraryCreator { organization: self.organization.id, principal: self.principal() })
    }

    /// Permission to manage the organization that the caller acts in.
    ///
    /// # Errors
    /// `FORBIDDEN` for anyone who is not an owner of it, and for every key.
    pub fn administer(&self) -> Result<Administrator> {
        self.permissions.expect_owner()?;
        let principal = self.principal();
        let actor = Actor::clone(&principal.actor);
        Ok(Administrator { reach: AdministratorReach::Organization(self.organization.id, principal), actor })
    }

    fn principal(&self) -> Principal {
        Principal {
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
