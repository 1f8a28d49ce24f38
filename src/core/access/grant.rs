//! What allows an operation to touch something: the grants, and what stands for their principal. The store's queries take
//! them. Only `caller.rs`, beside this file, makes grants.

use std::ops::Deref;
use std::sync::Arc;

use crate::core::cancellation::Cancellation;
use crate::core::model::Asset;
use crate::core::model::api_key::KeyDigest;
use crate::core::model::audit::Actor;
use crate::core::model::id::{LibraryId, OrganizationId};
use crate::core::model::name::Slug;
use crate::core::model::token::SessionDigest;
use crate::core::scans::Client;
use crate::error::{Code, Error, Result};

/// Permission to read one library.
#[derive(Debug, Clone)]
pub struct ReadGrant {
    pub(super) library: LibraryId,
    pub(super) slug: Slug,
    pub(super) organization: OrganizationId,
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

    /// Checks that a record is one of this library's. Every query that takes a grant and a record asks this first, so
    /// that what was read under one grant is never written under another.
    ///
    /// # Errors
    /// `INTERNAL_ERROR`, since only a mistake in this program mixes them up.
    pub(in crate::core) fn expect_own(&self, asset: &Asset) -> Result<()> {
        if asset.library == self.library {
            Ok(())
        } else {
            Err(Error::internal("an asset was used under the grant of another library"))
        }
    }
}

/// Permission to change one library, good as long as what is behind it is: every transaction looks again.
#[derive(Debug, Clone)]
pub struct WriteGrant {
    pub(super) read: ReadGrant,
    pub(super) principal: Principal,
    /// Whether it is to change the library itself, which takes more of a person.
    pub(super) of_library: bool,
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
        &self.principal.actor
    }
}

/// Permission to add a library to the caller's organization.
#[derive(Debug, Clone)]
pub struct LibraryCreator {
    pub(super) organization: OrganizationId,
    pub(super) principal: Principal,
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
        &self.principal.actor
    }

    /// The digest of the key that creates it, and is to be granted it; none for a person.
    pub(in crate::core) fn key_digest(&self) -> Option<KeyDigest> {
        match &self.principal.credential {
            Credential::Key(digest) => Some(*digest),
            Credential::Session(..) => None,
        }
    }
}

/// Permission to do what no key can: to manage keys, members, libraries and organizations. It is made from the lock of
/// the data directory ([`DataDir::administrator`](crate::core::data_dir::DataDir::administrator)) and by the server's
/// own maintenance for the whole server, and from the session of an owner
/// ([`Caller::administer`](super::Caller::administer)) for one organization. It has no public constructor.
#[derive(Debug, Clone)]
pub struct Administrator {
    pub(super) reach: AdministratorReach,
    pub(super) actor: Actor,
}

#[derive(Debug, Clone)]
pub(super) enum AdministratorReach {
    Server,
    Organization(OrganizationId, Principal),
}

impl Administrator {
    /// The administrator of the whole server: for [`DataDir::administrator`](crate::core::data_dir::DataDir), and for
    /// the server's own maintenance. Never made for a network request.
    pub(in crate::core) fn local() -> Self {
        Self { reach: AdministratorReach::Server, actor: Actor::local() }
    }

    /// Who it is, for the audit log.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Who it is, where turns are taken.
    #[must_use]
    pub fn client(&self) -> Client {
        match &self.reach {
            AdministratorReach::Server => Client::local(),
            AdministratorReach::Organization(_, principal) => principal.credential.client(),
        }
    }

    /// Whether this organization is theirs to manage.
    #[must_use]
    pub fn reaches(&self, organization: OrganizationId) -> bool {
        match &self.reach {
            AdministratorReach::Server => true,
            AdministratorReach::Organization(own, _) => *own == organization,
        }
    }

    /// Checks that a record belongs to an organization that is theirs to manage. The store asks this before it writes.
    ///
    /// # Errors
    /// `INTERNAL_ERROR`, since operations look records up within reach.
    pub(in crate::core) fn expect_reach(&self, organization: OrganizationId) -> Result<()> {
        if self.reaches(organization) {
            Ok(())
        } else {
            Err(Error::internal("a record was used by the administrator of another organization"))
        }
    }

    /// Checks that the whole server is theirs to manage. The store asks this before queries over all organizations.
    ///
    /// # Errors
    /// `INTERNAL_ERROR`, since only maintenance asks such queries.
    pub(in crate::core) fn expect_whole_server(&self) -> Result<()> {
        match &self.reach {
            AdministratorReach::Server => Ok(()),
            AdministratorReach::Organization(..) => {
                Err(Error::internal("the owner of one organization asked for something of the whole server"))
            }
        }
    }

    /// Refuses a request of anyone who does not administer the whole server.
    ///
    /// # Errors
    /// `FORBIDDEN` for an owner of one organization.
    pub fn require_server_admin(&self) -> Result<()> {
        match &self.reach {
            AdministratorReach::Server => Ok(()),
            AdministratorReach::Organization(..) => Err(Error::new(
                Code::Forbidden,
                "Organizations are made at the server itself, with `rasterd org create`.",
            )),
        }
    }
}

/// What a request is authenticated by.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    Key(KeyDigest),
    Session(SessionDigest, OrganizationId),
}

/// The credential behind a grant that outlives its request's snapshot, and who holds it.
#[derive(Debug, Clone)]
pub(super) struct Principal {
    pub(super) credential: Credential,
    pub(super) actor: Arc<Actor>,
    pub(super) cancellation: Cancellation,
}

impl Credential {
    pub(super) fn client(&self) -> Client {
        match self {
            Self::Key(digest) => Client::holding(digest.0),
            Self::Session(digest, _) => Client::holding(digest.0),
        }
    }
}
