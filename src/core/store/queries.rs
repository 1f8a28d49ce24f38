//! What the rest of `core` reads in the store: queries over records and grants. Each is asked of a snapshot and of a
//! write transaction alike.

use crate::core::access::grant::{Administrator, ReadGrant};
use crate::core::model::api_key::KeyDigest;
use crate::core::model::email::Email;
use crate::core::model::id::{AssetId, KeyId, LibraryId, MemberId, OrganizationId};
use crate::core::model::time::Millis;
use crate::core::model::token::{LinkDigest, SessionDigest};
use crate::core::model::{
    Asset, Grant, Key, Library, Link, Member, Organization, Passkey, Role, Session, TagCount,
};
use crate::error::Result;

/// A session with its digest, and when it was last used.
pub type StoredSession = (SessionDigest, Session, Millis);

/// All queries, for functions that read the same in a snapshot and in a write transaction.
pub trait Queries: AssetQueries + KeyQueries + LibraryQueries + MemberQueries + TagQueries {}

impl<Q: AssetQueries + KeyQueries + LibraryQueries + MemberQueries + TagQueries> Queries for Q {}

/// Reads of assets.
pub trait AssetQueries {
    /// A listed asset or a variant of one, not in the trash.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when it is missing, elsewhere or trashed.
    fn asset(&self, grant: &ReadGrant, id: &AssetId) -> Result<Asset>;

    /// An asset of the library, in the trash or not.
    fn asset_or_trashed(&self, grant: &ReadGrant, id: &AssetId) -> Result<Option<Asset>>;

    /// Which of these libraries an asset is in now, in the trash or not.
    fn home_among<'g>(&self, grants: &'g [ReadGrant], id: &AssetId) -> Result<Option<&'g ReadGrant>>;

    /// What a public url serves: the asset of this id in this organization, whatever library it is in now.
    /// No grant: anyone who holds the url may fetch it.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    fn published_asset(&self, organization: OrganizationId, id: &AssetId) -> Result<Asset>;
}

/// Reads of keys and organizations.
pub trait KeyQueries {
    /// The key with this digest, live or expired.
    fn key(&self, digest: &KeyDigest) -> Result<Option<Key>>;

    /// When a key was last used, as far as it is recorded.
    fn key_use(&self, id: &KeyId) -> Result<Option<Millis>>;

    /// The e-mail of the owner who was shown the present value of a key; empty where that was at the machine, or by a
    /// rasterd that did not write it down.
    fn key_maker(&self, id: &KeyId) -> Result<String>;

    /// The key with this id and its digest.
    fn expect_key(&self, by: &Administrator, id: &KeyId) -> Result<(KeyDigest, Key)>;

    /// The keys of one organization, or of all within reach.
    fn keys(&self, by: &Administrator, organization: Option<OrganizationId>) -> Result<Vec<Key>>;

    /// An organization by its number.
    fn organization(&self, id: OrganizationId) -> Result<Option<Organization>>;

    /// The number of the organization with this slug.
    fn organization_named(&self, slug: &str) -> Result<Option<OrganizationId>>;

    /// The organization with this slug, for an administrator.
    fn expect_organization(&self, by: &Administrator, slug: &str) -> Result<Organization>;

    /// All organizations within reach, by slug.
    fn organizations(&self, by: &Administrator) -> Result<Vec<Organization>>;
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

/// Reads of members, sessions, passkeys and links.
pub trait MemberQueries {
    /// A member by their number.
    fn member(&self, id: MemberId) -> Result<Option<Member>>;

    /// The member with this e-mail.
    fn member_by_email(&self, email: &Email) -> Result<Option<Member>>;

    /// All members of all organizations.
    fn members(&self) -> Result<Vec<Member>>;

    /// The session with this digest, if it is not over, and whose it is.
    fn live_session(&self, digest: &SessionDigest, now: Millis) -> Result<Option<(Member, Session)>>;

    /// When a session was last used, as far as it is recorded.
    fn session_use(&self, digest: &SessionDigest, session: &Session) -> Result<Millis>;

    /// All sessions, over or not.
    fn sessions(&self) -> Result<Vec<StoredSession>>;

    /// The link with this digest, over or not.
    fn link(&self, digest: &LinkDigest) -> Result<Option<Link>>;

    /// All links, over or not.
    fn links(&self) -> Result<Vec<(LinkDigest, Link)>>;

    /// The passkey that its device calls this.
    fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>>;

    /// The passkeys of a member, in no order that means anything.
    fn passkeys_of(&self, member: MemberId) -> Result<Vec<Passkey>>;

    /// What a role in an organization reaches: every library, ordered by slug.
    fn grants_of_role(&self, organization: OrganizationId, role: Role) -> Result<Vec<Grant>>;
}

/// Reads of tags.
pub trait TagQueries {
    /// The first tags of a library, most used first, then by text.
    fn tags(&self, grant: &ReadGrant, limit: usize) -> Result<Vec<TagCount>>;

    /// How many different tags a library has.
    fn tag_total(&self, grant: &ReadGrant) -> Result<u64>;
}
