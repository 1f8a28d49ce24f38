//! Keys and organizations.

use crate::core::access::grant::Administrator;
use crate::core::model::api_key::KeyDigest;
use crate::core::model::id::{KeyId, OrganizationId};
use crate::core::model::name::Slug;
use crate::core::model::time::Millis;
use crate::core::model::{Key, Organization};
use crate::error::Result;

/// Reads of keys and organizations.
pub trait KeyQueries {
    /// The key with this digest, live or expired.
    fn key(&self, digest: &KeyDigest) -> Result<Option<Key>>;

    /// When a key was last used, as far as it is recorded.
    fn key_use(&self, id: &KeyId) -> Result<Option<Millis>>;

    /// The e-mail of the owner who was shown the present value of a key; empty where that was at the machine, or by a
    /// rasterd that did not write it down.
    fn key_creator(&self, id: &KeyId) -> Result<String>;

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

/// Changes of keys and organizations.
pub trait KeyCommands {
    /// Writes a key under its digest, for an administrator of its organization.
    fn put_key(&self, by: &Administrator, digest: &KeyDigest, key: &Key) -> Result<()>;

    /// Deletes a key, for an administrator of its organization.
    fn delete_key(&self, by: &Administrator, digest: &KeyDigest, key: &Key) -> Result<()>;

    /// Records who was shown the present value of a key.
    fn put_key_creator(&self, id: &KeyId, by: &Administrator) -> Result<()>;

    /// Records when a key was last used, if there still is such a key.
    fn put_key_use(&self, id: &KeyId, when: Millis) -> Result<()>;

    /// Adds an organization under a slug that is free.
    fn add_organization(
        &self,
        by: &Administrator,
        slug: Slug,
        name: String,
        now: Millis,
    ) -> Result<Organization>;

    /// Writes an organization that is there.
    fn put_organization(&self, by: &Administrator, organization: &Organization) -> Result<()>;
}
