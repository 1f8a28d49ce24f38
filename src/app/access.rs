//! Who may touch which library: the only file that makes grants.
//!
//! A [`Caller`] is who an authenticated request comes from: a key, or a person who is signed in. It turns names
//! into grants, and the store's queries take grants, so a query without this check does not compile:
//!
//! ```compile_fail
//! use rasterd::app::access::ReadGrant;
//! let forged = ReadGrant { library: todo!(), slug: todo!(), organization: todo!() };
//! ```
//!
//! A name is looked up among the caller's own grants and nowhere else. So a library that is unknown, foreign or
//! not granted takes the same path through the code, and its answer takes the same time.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use super::audit::Actor;
use super::clock::Millis;
use super::id::{KeyId, LibraryId, OrganizationId};
use super::keys::KeyDigest;
use super::members::SessionDigest;
use super::model::{Access, Grant, Key, Member, Organization, Role};
use super::name::Slug;
use super::store::{KeyQueries, MemberQueries, Reader, View};
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

/// Leave to change one library, good as long as what is behind it is: every transaction looks again.
#[derive(Debug, Clone)]
pub struct WriteGrant {
    read: ReadGrant,
    holder: Holder,
    /// Whether it is to change the library itself, which takes more of a person.
    of_library: bool,
}

impl Deref for WriteGrant {
    type Target = ReadGrant;

    fn deref(&self) -> &ReadGrant {
        &self.read
    }
}

impl WriteGrant {
    /// Who writes, for `uploadedBy` and the audit log.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.holder.actor
    }

    /// Checks that the credential is still live and its grant still there.
    ///
    /// # Errors
    /// What the next request would get: `INVALID_API_KEY`, `UNAUTHENTICATED`,
    /// `API_KEY_NOT_AUTHORIZED_FOR_LIBRARY`, `FORBIDDEN`.
    pub fn confirm(&self, reader: &impl Reader, now: Millis) -> Result<()> {
        let standing = self.holder.standing(reader, now)?;
        if self.of_library {
            standing.expect_library_changer()?;
        }
        standing.grant(self.read.slug.as_str(), Access::Write).map(drop)
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

    /// Who creates it, for the audit log.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.holder.actor
    }

    /// Checks that the caller may still add libraries, and returns the key that is to get Write on the new one;
    /// none for a person, whom a role lets into every library.
    ///
    /// # Errors
    /// `INVALID_API_KEY` or `API_KEY_READ_ONLY`; `UNAUTHENTICATED` or `FORBIDDEN`.
    pub fn confirm(&self, reader: &impl Reader, now: Millis) -> Result<Option<(KeyDigest, Key)>> {
        let standing = self.holder.standing(reader, now)?;
        standing.expect_creator()?;
        match standing {
            Standing::Key(key) => Ok(self.holder.key_digest().zip(Some(key))),
            Standing::Member { .. } => Ok(None),
        }
    }
}

/// Leave to do what no key can: to manage keys, members, libraries and organizations. Whoever holds the data
/// directory, and the server's own upkeep, manage all of them; an owner who is signed in, one organization.
#[derive(Debug, Clone)]
pub struct Administrator {
    reach: AdministratorReach,
    actor: Actor,
}

#[derive(Debug, Clone)]
enum AdministratorReach {
    Everything,
    Organization(OrganizationId, Holder),
}

impl Administrator {
    /// The one at the box. Never made for a network request.
    #[must_use]
    pub fn of_this_box() -> Self {
        Self { reach: AdministratorReach::Everything, actor: Actor::this_box() }
    }

    /// Who it is, for the audit log.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whether this organization is theirs to manage.
    #[must_use]
    pub fn reaches(&self, organization: OrganizationId) -> bool {
        match &self.reach {
            AdministratorReach::Everything => true,
            AdministratorReach::Organization(own, _) => *own == organization,
        }
    }

    /// Checks that everything is theirs to manage.
    ///
    /// # Errors
    /// `FORBIDDEN` for an owner of one organization.
    pub fn expect_whole_box(&self) -> Result<()> {
        match &self.reach {
            AdministratorReach::Everything => Ok(()),
            AdministratorReach::Organization(..) => Err(Error::new(
                Code::Forbidden,
                "Organizations are made at the server itself, with `rasterd org create`.",
            )),
        }
    }

    /// Checks that an owner is still one.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when the session ended, `FORBIDDEN` when the role is another now.
    pub fn confirm(&self, reader: &impl Reader, now: Millis) -> Result<()> {
        match &self.reach {
            AdministratorReach::Everything => Ok(()),
            AdministratorReach::Organization(_, holder) => holder.standing(reader, now)?.expect_owner(),
        }
    }
}

/// What a request is authenticated by.
#[derive(Debug, Clone)]
enum Credential {
    Key(KeyDigest),
    Session(SessionDigest, OrganizationId),
}

/// The credential behind a grant that outlives its request's snapshot, and who holds it.
#[derive(Debug, Clone)]
struct Holder {
    credential: Credential,
    actor: Arc<Actor>,
}

impl Holder {
    /// What the credential allows in this snapshot.
    fn standing(&self, reader: &impl Reader, now: Millis) -> Result<Standing> {
        self.credential.standing(reader, now)
    }

    fn key_digest(&self) -> Option<KeyDigest> {
        match &self.credential {
            Credential::Key(digest) => Some(*digest),
            Credential::Session(..) => None,
        }
    }
}

impl Credential {
    fn standing(&self, reader: &impl Reader, now: Millis) -> Result<Standing> {
        match self {
            Self::Key(digest) => {
                let key = reader.key(digest)?.filter(|key| key.is_live(now));
                key.map(Standing::Key).ok_or_else(Error::invalid_api_key)
            }
            Self::Session(digest, organization) => {
                let (member, _) = reader.live_session(digest, now)?.ok_or_else(Error::signed_out)?;
                let role = member.role_in(*organization).ok_or_else(Error::no_such_organization)?;
                let grants = reader.grants_of_role(*organization, role)?;
                Ok(Standing::Member { member, role, grants })
            }
        }
    }
}

/// What a credential allows, as one snapshot has it.
enum Standing {
    /// Of a live key: its own grants.
    Key(Key),
    /// Of a person: every library of the organization, as far as the role goes.
    Member { member: Member, role: Role, grants: Vec<Grant> },
}

impl Standing {
    fn grants(&self) -> &[Grant] {
        match self {
            Self::Key(key) => &key.grants,
            Self::Member { grants, .. } => grants,
        }
    }

    /// The grant for the library of this name, at this level at least. A key gets one answer for every reason that
    /// there is none; a person sees the library and is told what is missing.
    fn grant(&self, slug: &str, needed: Access) -> Result<&Grant> {
        let found = self.grants().iter().find(|grant| grant.slug.as_str() == slug);
        match (self, found) {
            (_, Some(grant)) if grant.access >= needed => Ok(grant),
            (Self::Key(_), _) => Err(Error::library_not_authorized()),
            (Self::Member { .. }, Some(_)) => Err(forbidden("change what is in this library", Role::Editor)),
            (Self::Member { .. }, None) => {
                Err(Error::new(Code::NotFound, "There is no such library in this organization."))
            }
        }
    }

    fn expect_creator(&self) -> Result<()> {
        match self {
            Self::Key(key) if key.grants.iter().any(|grant| grant.access == Access::Write) => Ok(()),
            Self::Key(_) => Err(Error::new(
                Code::ApiKeyReadOnly,
                "Creating a library needs a key with Write access to at least one library.",
            )),
            Self::Member { role: Role::Owner, .. } => Ok(()),
            Self::Member { role: Role::Editor | Role::Viewer, .. } => {
                Err(forbidden("create or rename libraries", Role::Owner))
            }
        }
    }

    /// A person changes a library itself as they make one; a key's grant to write in it is enough.
    fn expect_library_changer(&self) -> Result<()> {
        match self {
            Self::Key(_) => Ok(()),
            Self::Member { .. } => self.expect_creator(),
        }
    }

    fn expect_owner(&self) -> Result<()> {
        match self {
            Self::Member { role: Role::Owner, .. } => Ok(()),
            Self::Member { role: Role::Editor | Role::Viewer, .. } => {
                Err(forbidden("manage this organization", Role::Owner))
            }
            Self::Key(_) => Err(Error::new(Code::Forbidden, "A key can't manage an organization.")),
        }
    }

    fn actor(&self, address: Option<IpAddr>) -> Actor {
        match self {
            Self::Key(key) => Actor::key(key, address),
            Self::Member { member, .. } => Actor::member(member, address),
        }
    }
}

fn forbidden(what: &str, needed: Role) -> Error {
    Error::new(
        Code::Forbidden,
        format!(
            "Your role does not let you {what}. It takes the role {needed}; an owner can give it to you."
        ),
    )
}

/// Who a request comes from: a live credential, seen in the one snapshot that the request reads.
pub struct Caller {
    view: View,
    credential: Credential,
    standing: Standing,
    organization: Organization,
    address: Option<IpAddr>,
}

impl Caller {
    /// Finds the live key with this digest.
    ///
    /// # Errors
    /// `INVALID_API_KEY` when there is none.
    pub(super) fn find(view: View, digest: KeyDigest, now: Millis) -> Result<Self> {
        let credential = Credential::Key(digest);
        let standing = credential.standing(&view, now)?;
        let Standing::Key(key) = &standing else {
            return Err(Error::internal("a key's standing is a member's"));
        };
        let organization = key.organization;
        Self::of(view, credential, standing, organization)
    }

    /// The person of a live session, in one of their organizations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when the session ended; `ORGANIZATION_NOT_FOUND` when there is none of that name or the
    /// person is not in it.
    pub(super) fn signed_in(
        view: View,
        session: SessionDigest,
        organization: &str,
        now: Millis,
    ) -> Result<Self> {
        // Whether the session lives is asked first: strangers learn nothing of the organizations.
        view.live_session(&session, now)?.ok_or_else(Error::signed_out)?;
        let id = view.organization_named(organization)?.ok_or_else(Error::no_such_organization)?;
        let credential = Credential::Session(session, id);
        let standing = credential.standing(&view, now)?;
        Self::of(view, credential, standing, id)
    }

    fn of(
        view: View,
        credential: Credential,
        standing: Standing,
        organization: OrganizationId,
    ) -> Result<Self> {
        let organization = view
            .organization(organization)?
            .ok_or_else(|| Error::internal("a caller belongs to an organization that is not there"))?;
        Ok(Self { view, credential, standing, organization, address: None })
    }

    /// The same caller, whose request came from this address: for the audit log.
    #[must_use]
    pub fn from_address(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// The snapshot that this request reads.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// The public id of the key, if it is one, for the log.
    #[must_use]
    pub fn key_id(&self) -> Option<&KeyId> {
        match &self.standing {
            Standing::Key(key) => Some(&key.id),
            Standing::Member { .. } => None,
        }
    }

    /// The person's role in the organization; none for a key.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        match &self.standing {
            Standing::Key(_) => None,
            Standing::Member { role, .. } => Some(*role),
        }
    }

    /// The organization that the caller acts in: the key's own, or the one that the person chose.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The libraries that the caller reaches, ordered by slug.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        self.standing.grants()
    }

    /// Checks that the organization that a request names is the caller's own.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND` when there is none of that name, `INVALID_API_KEY` when it is another.
    pub fn expect_organization(&self, named: &str) -> Result<()> {
        if named == self.organization.slug.as_str() {
            return Ok(());
        }
        match &self.standing {
            Standing::Key(_) if self.view.organization_named(named)?.is_some() => {
                Err(Error::invalid_api_key())
            }
            Standing::Key(_) | Standing::Member { .. } => Err(Error::no_such_organization()),
        }
    }

    /// Leave to read a library.
    ///
    /// # Errors
    /// Of [`Caller::expect_organization`], then `API_KEY_NOT_AUTHORIZED_FOR_LIBRARY` for whatever reason; for a
    /// person `NOT_FOUND`.
    pub fn read(&self, path: &LibraryPath<'_>) -> Result<ReadGrant> {
        self.expect_organization(path.organization)?;
        self.standing.grant(path.library, Access::Read).map(|grant| self.read_grant(grant))
    }

    /// Leave to change a library.
    ///
    /// # Errors
    /// As [`Caller::read`]; a key's grant for Read alone is answered like none, a person's role that is too low
    /// with `FORBIDDEN`.
    pub fn write(&self, path: &LibraryPath<'_>) -> Result<WriteGrant> {
        self.expect_organization(path.organization)?;
        let grant = self.standing.grant(path.library, Access::Write)?;
        Ok(WriteGrant { read: self.read_grant(grant), holder: self.holder(), of_library: false })
    }

    /// Leave to change a library itself: a key needs Write on it, a person has to be an owner.
    ///
    /// # Errors
    /// As [`Caller::write`].
    pub fn rename(&self, path: &LibraryPath<'_>) -> Result<WriteGrant> {
        let grant = self.write(path)?;
        self.standing.expect_library_changer()?;
        Ok(WriteGrant { of_library: true, ..grant })
    }

    /// Leave to read everything that the caller reaches.
    #[must_use]
    pub fn read_all(&self) -> Vec<ReadGrant> {
        self.grants().iter().map(|grant| self.read_grant(grant)).collect()
    }

    /// Leave to add a library to an organization.
    ///
    /// # Errors
    /// Of [`Caller::expect_organization`], then `API_KEY_READ_ONLY` for a key that writes nowhere, `FORBIDDEN`
    /// for a person who is no owner.
    pub fn create_libraries(&self, organization: &str) -> Result<LibraryCreator> {
        self.expect_organization(organization)?;
        self.standing.expect_creator()?;
        Ok(LibraryCreator { organization: self.organization.id, holder: self.holder() })
    }

    /// Leave to manage the organization that the caller acts in.
    ///
    /// # Errors
    /// `FORBIDDEN` for whoever is no owner of it, and for every key.
    pub fn administer(&self) -> Result<Administrator> {
        self.standing.expect_owner()?;
        let holder = self.holder();
        let actor = Actor::clone(&holder.actor);
        Ok(Administrator { reach: AdministratorReach::Organization(self.organization.id, holder), actor })
    }

    fn holder(&self) -> Holder {
        Holder { credential: self.credential.clone(), actor: Arc::new(self.standing.actor(self.address)) }
    }

    fn read_grant(&self, grant: &Grant) -> ReadGrant {
        ReadGrant { library: grant.library, slug: grant.slug.clone(), organization: self.organization.id }
    }
}
