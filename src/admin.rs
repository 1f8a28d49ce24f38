//! What whoever holds the data directory may ask for: organizations, libraries, keys and members. One request, one reply,
//! performed the same whether it came through the socket of a running server or from a process that holds the
//! data directory itself. Never reachable over the network.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::app::access::Administrator;
use crate::error::Result;

pub mod keys;
pub mod libraries;
pub mod members;
pub mod organizations;
pub mod socket;

use keys::{KeyRecord, KeyRequest};
use libraries::{LibraryRecord, LibraryRequest};
use members::{LinkRecord, MemberRecord, MemberRequest};
use organizations::{OrganizationRecord, OrganizationRequest};

/// What can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Request {
    /// Something about organizations.
    Organization(OrganizationRequest),
    /// Something about libraries.
    Library(LibraryRequest),
    /// Something about keys.
    Key(KeyRequest),
    /// Something about members.
    Member(MemberRequest),
}

/// What is answered: the things that were asked for, made, changed or deleted. Not `Debug`, since it may hold a key or a link.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reply {
    /// One organization.
    Organization(OrganizationRecord),
    /// Organizations, by slug.
    Organizations(Vec<OrganizationRecord>),
    /// One library.
    Library(LibraryRecord),
    /// Libraries, by slug.
    Libraries(Vec<LibraryRecord>),
    /// One key.
    Key(KeyRecord),
    /// Keys, oldest first.
    Keys(Vec<KeyRecord>),
    /// The members of an organization, by name.
    Members(Vec<MemberRecord>),
    /// A link that lets somebody in.
    Link(LinkRecord),
}

/// Does what was asked for.
///
/// # Errors
/// Those of the operation.
pub async fn perform(app: &App, request: Request) -> Result<Reply> {
    let by = Administrator::of_this_box();
    match request {
        Request::Organization(request) => organizations::perform(app, by, request).await,
        Request::Library(request) => libraries::perform(app, by, request).await,
        Request::Key(request) => keys::perform(app, by, request).await,
        Request::Member(request) => members::perform(app, by, request).await,
    }
}
