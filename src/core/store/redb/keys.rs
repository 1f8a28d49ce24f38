//! Keys and organizations in the tables.

use std::ops::ControlFlow;

use super::tables::{
    KEY_CREATORS, KEY_IDS, KEY_USE, KEYS, ORGANIZATION_SLUGS, ORGANIZATIONS, decode, encode,
};
use super::{Reader, Tx, everything};
use crate::core::access::grant::Administrator;
use crate::core::model::api_key::KeyDigest;
use crate::core::model::id::{KeyId, OrganizationId};
use crate::core::model::name::Slug;
use crate::core::model::time::Millis;
use crate::core::model::{Key, Organization};
use crate::core::store::records::{KeyCommands, KeyQueries};
use crate::error::{Code, Error, Result};

impl<R: Reader> KeyQueries for R {
    fn key(&self, digest: &KeyDigest) -> Result<Option<Key>> {
        self.lookup(KEYS, &digest.0, decode)
    }

    fn key_use(&self, id: &KeyId) -> Result<Option<Millis>> {
        self.lookup(KEY_USE, id.as_str(), Ok)
    }

    fn key_creator(&self, id: &KeyId) -> Result<String> {
        Ok(self.lookup(KEY_CREATORS, id.as_str(), |creator| Ok(creator.to_owned()))?.unwrap_or_default())
    }

    fn expect_key(&self, by: &Administrator, id: &KeyId) -> Result<(KeyDigest, Key)> {
        let digest = self.lookup(KEY_IDS, id.as_str(), |digest| Ok(KeyDigest(*digest)))?;
        let key = digest.map(|digest| self.key(&digest)).transpose()?.flatten();
        digest.zip(key).filter(|(_, key)| by.reaches(key.organization)).ok_or_else(|| {
            Error::new(Code::NotFound, format!("There is no key {id}. `rasterd key list` shows the ids."))
        })
    }

    fn keys(&self, by: &Administrator, organization: Option<OrganizationId>) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        self.scan(KEYS, everything(), |_, bytes| {
            let key: Key = decode(bytes)?;
            if by.reaches(key.organization) && organization.is_none_or(|id| id == key.organization) {
                keys.push(key);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(keys)
    }

    fn organization(&self, id: OrganizationId) -> Result<Option<Organization>> {
        self.lookup(ORGANIZATIONS, id.0, decode)
    }

    fn organization_named(&self, slug: &str) -> Result<Option<OrganizationId>> {
        self.lookup(ORGANIZATION_SLUGS, slug, |id| Ok(OrganizationId(id)))
    }

    fn expect_organization(&self, by: &Administrator, slug: &str) -> Result<Organization> {
        let id = self.organization_named(slug)?.filter(|id| by.reaches(*id));
        id.map(|id| self.organization(id)).transpose()?.flatten().ok_or_else(|| {
            Error::new(
                Code::OrganizationNotFound,
                format!("There is no organization \"{slug}\". `rasterd org list` shows them."),
            )
        })
    }

    fn organizations(&self, by: &Administrator) -> Result<Vec<Organization>> {
        let mut organizations: Vec<Organization> = Vec::new();
        self.scan(ORGANIZATIONS, everything(), |_, bytes| {
            organizations.push(decode(bytes)?);
            Ok(ControlFlow::Continue(()))
        })?;
        organizations.retain(|organization| by.reaches(organization.id));
        organizations.sort_by(|one, other| one.slug.cmp(&other.slug));
        Ok(organizations)
    }
}

impl KeyCommands for Tx<'_> {
    fn put_key(&self, by: &Administrator, digest: &KeyDigest, key: &Key) -> Result<()> {
        by.expect_reach(key.organization)?;
        self.write_key(digest, key)
    }

    fn delete_key(&self, by: &Administrator, digest: &KeyDigest, key: &Key) -> Result<()> {
        by.expect_reach(key.organization)?;
        self.delete(KEYS, &digest.0)?;
        self.delete(KEY_USE, key.id.as_str())?;
        self.delete(KEY_CREATORS, key.id.as_str())?;
        self.delete(KEY_IDS, key.id.as_str())
    }

    fn put_key_creator(&self, id: &KeyId, by: &Administrator) -> Result<()> {
        match by.actor().id.as_str() {
            "" => self.delete(KEY_CREATORS, id.as_str()),
            email => self.put(KEY_CREATORS, id.as_str(), email),
        }
    }

    fn put_key_use(&self, id: &KeyId, when: Millis) -> Result<()> {
        if self.lookup(KEY_IDS, id.as_str(), |_| Ok(()))?.is_none() {
            return Ok(());
        }
        self.put(KEY_USE, id.as_str(), when)
    }

    fn add_organization(
        &self,
        by: &Administrator,
        slug: Slug,
        name: String,
        now: Millis,
    ) -> Result<Organization> {
        by.expect_whole_server()?;
        let organization =
            Organization { id: OrganizationId(self.next("next_id")?), slug, name, created: now };
        self.put(ORGANIZATION_SLUGS, organization.slug.as_str(), organization.id.0)?;
        self.put_organization(by, &organization)?;
        Ok(organization)
    }

    fn put_organization(&self, by: &Administrator, organization: &Organization) -> Result<()> {
        by.expect_reach(organization.id)?;
        self.put(ORGANIZATIONS, organization.id.0, encode(organization)?.as_slice())
    }
}

impl Tx<'_> {
    /// Writes a key under its digest.
    pub(super) fn write_key(&self, digest: &KeyDigest, key: &Key) -> Result<()> {
        self.put(KEYS, &digest.0, encode(key)?.as_slice())?;
        self.put(KEY_IDS, key.id.as_str(), &digest.0)
    }
}
