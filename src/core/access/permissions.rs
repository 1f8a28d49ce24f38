//! What a credential may do, read in one snapshot: once when a request begins, and again in each write.

use std::net::IpAddr;
use std::sync::Arc;

use super::grant::{
    Administrator, AdministratorReach, Authentication, Credential, LibraryCreator, Narrowing, WriteGrant,
};
use crate::core::model::audit::Actor;
use crate::core::model::time::Millis;
use crate::core::model::{Access, Grant, Key, Member, Role};
use crate::core::store::Queries;
use crate::error::{Code, Error, Result};

impl WriteGrant {
    /// Checks that the credential is still live and its grant still there.
    ///
    /// # Errors
    /// The error that the next request would get: `INVALID_API_KEY`, `UNAUTHENTICATED`,
    /// `API_KEY_NOT_AUTHORIZED_FOR_LIBRARY`, `FORBIDDEN`.
    pub fn confirm(&self, reader: &impl Queries, now: Millis) -> Result<()> {
        let permissions = self.authentication.permissions(reader, now)?;
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
        self.authentication.permissions(reader, now)?.expect_creator()
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
            AdministratorReach::Organization(_, authentication) => {
                authentication.permissions(reader, now)?.expect_owner()
            }
        }
    }
}

impl Authentication {
    /// The permissions of the credential in this snapshot, unless the request was cancelled.
    fn permissions(&self, reader: &impl Queries, now: Millis) -> Result<Permissions> {
        self.cancellation.check()?;
        Ok(self.credential.permissions(reader, now)?.narrowed(&self.narrowing))
    }
}

impl Credential {
    pub(super) fn permissions(&self, reader: &impl Queries, now: Millis) -> Result<Permissions> {
        match self {
            Self::Key(digest) => {
                let key = reader.key(digest)?.filter(|key| key.is_live(now));
                let mut key = key.ok_or_else(Error::invalid_api_key)?;
                let grants = std::mem::take(&mut key.grants);
                Ok(Permissions::of(Principal::Key(key), grants))
            }
            Self::Session(digest, organization) => {
                let (member, _) = reader.live_session(digest, now)?.ok_or_else(Error::signed_out)?;
                let role = member.role_in(*organization).ok_or_else(Error::no_such_organization)?;
                let grants = reader.grants_of_role(*organization, role)?;
                Ok(Permissions::of(Principal::Member { member, role }, grants))
            }
        }
    }
}

/// The permissions of a credential in one snapshot.
pub(super) struct Permissions {
    pub(super) principal: Principal,
    /// A live key has its own grants; a person has access to every library of the organization, limited by the role.
    /// What the connection gave up is not among them.
    pub(super) grants: Vec<Grant>,
    pub(super) narrowing: Arc<Narrowing>,
}

/// The principal: who a credential belongs to.
pub(super) enum Principal {
    Key(Key),
    Member { member: Member, role: Role },
}

impl Permissions {
    fn of(principal: Principal, grants: Vec<Grant>) -> Self {
        Self { principal, grants, narrowing: Arc::default() }
    }

    /// What is left after a connection gave up something. The only place where a narrowing takes effect.
    pub(super) fn narrowed(self, narrowing: &Arc<Narrowing>) -> Self {
        if narrowing.is_empty() {
            return self;
        }
        Self { grants: narrowing.applied(self.grants), narrowing: Arc::clone(narrowing), ..self }
    }

    /// The grant for the library with this slug, with at least this access. A key gets the same error for every reason;
    /// a person sees the library, so the error says what is missing.
    pub(super) fn grant(&self, slug: &str, needed: Access) -> Result<&Grant> {
        let found = self.grants.iter().find(|grant| grant.slug.as_str() == slug);
        match (&self.principal, found) {
            (_, Some(grant)) if grant.access >= needed => Ok(grant),
            (Principal::Key(_), _) => Err(Error::library_not_authorized()),
            (Principal::Member { .. }, Some(_)) => {
                Err(forbidden("change what is in this library", Role::Editor))
            }
            (Principal::Member { .. }, None) => {
                Err(Error::new(Code::NotFound, "There is no such library in this organization."))
            }
        }
    }

    pub(super) fn can_write_somewhere(&self) -> bool {
        self.grants.iter().any(|grant| grant.access == Access::Write)
    }

    pub(super) fn expect_creator(&self) -> Result<()> {
        let may_create = self.narrowing.allows_new_libraries();
        match &self.principal {
            Principal::Key(_) if may_create && self.can_write_somewhere() => Ok(()),
            Principal::Key(_) => Err(Error::new(
                Code::ApiKeyReadOnly,
                "Creating a library needs a key with Write access to at least one library.",
            )),
            Principal::Member { role: Role::Owner, .. } if may_create => Ok(()),
            Principal::Member { .. } => Err(forbidden("create or rename libraries", Role::Owner)),
        }
    }

    /// A person needs the same role to change a library itself as to create one; for a key, Write is enough.
    pub(super) fn expect_library_changer(&self) -> Result<()> {
        match &self.principal {
            Principal::Key(_) | Principal::Member { role: Role::Owner, .. } => Ok(()),
            Principal::Member { role: Role::Editor | Role::Viewer, .. } => {
                Err(forbidden("create or rename libraries", Role::Owner))
            }
        }
    }

    pub(super) fn expect_owner(&self) -> Result<()> {
        match &self.principal {
            Principal::Member { role: Role::Owner, .. } if self.narrowing.is_empty() => Ok(()),
            Principal::Member { .. } => Err(forbidden("manage this organization", Role::Owner)),
            Principal::Key(_) => Err(Error::new(Code::Forbidden, "A key can't manage an organization.")),
        }
    }

    pub(super) fn actor(&self, address: Option<IpAddr>) -> Actor {
        match &self.principal {
            Principal::Key(key) => Actor::key(key, address),
            Principal::Member { member, .. } => Actor::member(member, address),
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
