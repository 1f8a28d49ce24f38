//! Grants: proof that an operation may read or change something. The store's queries take them. `caller.rs` creates those of
//! callers; `Administrator::local` here stands for the whole server.

use std::ops::Deref;
use std::sync::Arc;

use crate::core::cancellation::Cancellation;
use crate::core::model::api_key::KeyDigest;
use crate::core::model::audit::Actor;
use crate::core::model::id::{LibraryId, OrganizationId};
use crate::core::model::name::Slug;
use crate::core::model::token::SessionDigest;
use crate::core::model::{Asset, UploadCredential};
use crate::core::scans::ClientId;
use crate::error::{Code, Error, Result};

mod narrowing;

pub use narrowing::Narrowing;

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

    /// Checks that a record belongs to this library. Every query that takes a grant and a record checks this first, so
    /// that a record read under one grant is never written under another.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR`, because only a bug can mix them up.
    pub(in crate::core) fn expect_own(&self, asset: &Asset) -> Result<()> {
        if asset.library == self.library {
            Ok(())
        } else {
            Err(Error::internal("an asset was used under the grant of another library"))
        }
    }
}

/// Permission to change one library. Every transaction checks again that it is still valid.
#[derive(Debug, Clone)]
pub struct WriteGrant {
    pub(super) read: ReadGrant,
    pub(super) authentication: Authentication,
    /// Whether it is for the library itself, for which a person needs a higher role.
    pub(super) of_library: bool,
}

impl Deref for WriteGrant {
    type Target = ReadGrant;

    fn deref(&self) -> &ReadGrant {
        &self.read
    }
}

impl WriteGrant {
    /// The author, for `uploadedBy` and the audit log.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.authentication.actor
    }

    /// The credential that it depends on, to bind an open upload to.
    pub(in crate::core) fn upload_credential(&self) -> UploadCredential {
        match &self.authentication.credential {
            Credential::Key(digest) => UploadCredential::Key(digest.0),
            Credential::Session(digest, _) => UploadCredential::Session(digest.0),
        }
    }

    /// Whether it is a person's.
    pub(in crate::core) fn is_of_person(&self) -> bool {
        matches!(self.authentication.credential, Credential::Session(..))
    }
}

/// Permission to create a library in the caller's organization.
#[derive(Debug, Clone)]
pub struct LibraryCreator {
    pub(super) organization: OrganizationId,
    pub(super) authentication: Authentication,
}

impl LibraryCreator {
    /// The organization that the library will belong to.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// The author, for the audit log.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.authentication.actor
    }

    /// The digest of the key that creates it, and is to be granted it; none for a person.
    pub(in crate::core) fn key_digest(&self) -> Option<KeyDigest> {
        match &self.authentication.credential {
            Credential::Key(digest) => Some(*digest),
            Credential::Session(..) => None,
        }
    }
}

/// Permission for what no key can do: manage keys, members, libraries and organizations. For the whole server, it is
/// created from the lock of the data directory
/// ([`DataDirLock::administrator`](crate::core::data_dir_lock::DataDirLock::administrator)) and by the server's own maintenance; for
/// one organization, from the session of an owner ([`Caller::administer`](super::Caller::administer)). It has no public
/// constructor.
#[derive(Debug, Clone)]
pub struct Administrator {
    pub(super) reach: AdministratorReach,
    pub(super) actor: Actor,
}

#[derive(Debug, Clone)]
pub(super) enum AdministratorReach {
    Server,
    Organization(OrganizationId, Authentication),
}

impl Administrator {
    /// The administrator of the whole server: for [`DataDirLock::administrator`](crate::core::data_dir_lock::DataDirLock), and for
    /// the server's own maintenance. Never created for a network request.
    pub(in crate::core) fn local() -> Self {
        Self { reach: AdministratorReach::Server, actor: Actor::local() }
    }

    /// The author, for the audit log.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Identifies the client in the queue of scans.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        match &self.reach {
            AdministratorReach::Server => ClientId::local(),
            AdministratorReach::Organization(_, authentication) => authentication.credential.client_id(),
        }
    }

    /// Whether they may manage this organization.
    #[must_use]
    pub fn reaches(&self, organization: OrganizationId) -> bool {
        match &self.reach {
            AdministratorReach::Server => true,
            AdministratorReach::Organization(own, _) => *own == organization,
        }
    }

    /// Checks that a record belongs to an organization that they may manage. The store checks this before it writes.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR`, because operations only look up records that the administrator may manage.
    pub(in crate::core) fn expect_reach(&self, organization: OrganizationId) -> Result<()> {
        if self.reaches(organization) {
            Ok(())
        } else {
            Err(Error::internal("a record was used by the administrator of another organization"))
        }
    }

    /// Checks that they may manage the whole server. The store checks this before queries over all organizations.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR`, because only maintenance runs such queries.
    pub(in crate::core) fn expect_whole_server(&self) -> Result<()> {
        match &self.reach {
            AdministratorReach::Server => Ok(()),
            AdministratorReach::Organization(..) => {
                Err(Error::internal("the owner of one organization asked for something of the whole server"))
            }
        }
    }

    /// Refuses an operation that only the administrator of the whole server may do.
    ///
    /// # Errors
    /// `FORBIDDEN` for an owner of one organization.
    pub fn require_server_admin(&self) -> Result<()> {
        match &self.reach {
            AdministratorReach::Server => Ok(()),
            AdministratorReach::Organization(..) => Err(Error::new(
                Code::Forbidden,
                "Organizations can only be created on the server itself, with `rasterd org create`.",
            )),
        }
    }
}

/// The credential of a request.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    Key(KeyDigest),
    Session(SessionDigest, OrganizationId),
}

/// How a request was authenticated: the credential is checked again after the snapshot of the request.
#[derive(Debug, Clone)]
pub(super) struct Authentication {
    pub(super) credential: Credential,
    pub(super) narrowing: Arc<Narrowing>,
    pub(super) actor: Arc<Actor>,
    pub(super) cancellation: Cancellation,
}

impl Credential {
    pub(super) fn client_id(&self) -> ClientId {
        match self {
            Self::Key(digest) => ClientId::of_credential(digest.0),
            Self::Session(digest, _) => ClientId::of_credential(digest.0),
        }
    }
}
