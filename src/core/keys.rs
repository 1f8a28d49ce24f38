//! API keys: create, list, rename, regenerate and delete them, and authenticate requests with them.
//!
//! The plain key exists only where it is shown to its creator and in requests.

use std::net::IpAddr;

use super::Core;
use super::model::api_key::PlainKey;
use super::model::{Access, Grant, Key, Organization};
use super::store::{AuditCommands, KeyCommands, KeyQueries, Queries, Tx};
use crate::core::access::{Administrator, Caller};
use crate::core::model::audit::{Action, Actor};
use crate::core::model::id::KeyId;
use crate::core::model::name::parse_name;
use crate::core::model::time::Millis;
use crate::error::{Code, Error, Result};
use crate::telemetry::metrics::Authentication;

/// Why a key does not get a new value: the form was sent twice, or another owner was faster.
const REGENERATED_SINCE: &str = "The key has a newer value than the one that you saw, so nothing was changed. That value was shown once; regenerate the key if it is lost.";

/// A key with its organization and use.
#[derive(Debug, Clone)]
pub struct KeyInfo {
    /// The key's record.
    pub key: Key,
    /// The organization it belongs to.
    pub organization: Organization,
    /// When it was last used, to the minute.
    pub last_used: Option<Millis>,
    /// The e-mail of the owner who was shown its current value; empty if that was the administrator of the machine.
    pub creator: String,
}

/// A change to a key's grants: a library's slug, and the new access or none.
pub type GrantChange = (String, Option<Access>);

impl Core {
    /// The caller with this bearer token.
    ///
    /// # Errors
    /// `INVALID_API_KEY` when the token is not a live key.
    pub fn authenticate(&self, token: &str) -> Result<Caller> {
        let key = PlainKey::parse(token).ok_or_else(Error::invalid_api_key)?;
        let caller = Caller::find(self.store().snapshot()?, key.digest(), self.now())?;
        caller.key_id().into_iter().for_each(|id| self.key_use().record(id, self.now()));
        Ok(caller)
    }

    /// Why a token is refused, for those who run the server; clients get one answer for all reasons.
    #[must_use]
    pub fn why_refused(&self, token: &str) -> Authentication {
        let Some(key) = PlainKey::parse(token) else { return Authentication::Malformed };
        let found = self.store().snapshot().and_then(|snapshot| snapshot.key(&key.digest()));
        match found {
            Ok(Some(_)) => Authentication::Expired,
            Ok(None) | Err(_) => Authentication::Unknown,
        }
    }

    /// Handles a key that was sent unencrypted: logs that, and revokes the key if configured.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key_exposed(&self, token: &str, address: IpAddr) -> Result<()> {
        let by = Administrator::local();
        let Some(id) = self.authenticate(token).ok().and_then(|caller| caller.key_id().cloned()) else {
            return Ok(());
        };
        tracing::warn!(key = %id, %address, "a live key was sent over plain HTTP and may have been read on its way; regenerate it");
        let exposed = id.clone();
        self.administrate_always(by.clone(), move |tx, by, now| {
            let (_, key) = tx.expect_key(by, &exposed)?;
            let (actor, detail) = (Actor::key(&key, Some(address)), "sent over plain HTTP".to_owned());
            tx.record_event(now, key.organization, &actor, Action::KeyExposed, &key.name, detail)
        })
        .await?;
        if self.settings().revoke_exposed_keys {
            self.delete_key(by, &id).await?;
            tracing::warn!(key = %id, "the exposed key was deleted");
        }
        Ok(())
    }

    /// Creates a key. It expires after its lifetime in milliseconds, if there is one. The plain key is only in the
    /// result.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`, or `BAD_USER_INPUT` for an invalid name or library, or too many keys.
    pub async fn create_key(
        &self,
        by: Administrator,
        organization: &str,
        name: &str,
        grants: Vec<GrantChange>,
        lifetime: Option<Millis>,
    ) -> Result<(PlainKey, KeyInfo)> {
        let name = parse_name(name, self.settings().limits.name_length)?;
        let organization = organization.to_owned();
        let plain = PlainKey::random();
        let (digest, start) = (plain.digest(), plain.start());
        let most = self.settings().limits.keys_per_organization;
        if lifetime == Some(0) {
            return Err(Error::bad_input("The key would already be expired. Give it a longer lifetime."));
        }
        let info = self
            .administrate(by, move |tx, by, now| {
                let organization = tx.expect_organization(by, &organization)?;
                if tx.keys(by, Some(organization.id))?.len() >= most {
                    return Err(Error::bad_input(format!(
                        "The organization already has {most} keys, which is its limit. Delete one first."
                    )));
                }
                let key = Key {
                    id: KeyId::random(),
                    organization: organization.id,
                    name: name.clone(),
                    start: start.clone(),
                    grants: changed_grants(tx, by, &organization, &[], &grants)?,
                    created: now,
                    regenerated: now,
                    expires: lifetime.map(|lifetime| now.saturating_add(lifetime)),
                };
                tx.put_key(by, &digest, &key)?;
                tx.put_key_creator(&key.id, by)?;
                record_key_event(tx, now, by, &key, Action::KeyCreated, grants_text(&key))?;
                let creator = tx.key_creator(&key.id)?;
                Ok(KeyInfo { key, organization, last_used: None, creator })
            })
            .await?;
        Ok((plain, info))
    }

    /// The keys of one organization or of all, oldest first.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub fn list_keys(&self, by: &Administrator, organization: Option<&str>) -> Result<Vec<KeyInfo>> {
        let snapshot = self.store().snapshot()?;
        let organization = organization.map(|slug| snapshot.expect_organization(by, slug)).transpose()?;
        let mut keys = snapshot.keys(by, organization.map(|organization| organization.id))?;
        keys.sort_by_key(|key| key.created);
        keys.into_iter().map(|key| Ok(self.with_latest_use(key_info(&snapshot, key)?))).collect()
    }

    /// One key.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn get_key(&self, by: &Administrator, id: &KeyId) -> Result<KeyInfo> {
        let snapshot = self.store().snapshot()?;
        let (_, key) = snapshot.expect_key(by, id)?;
        Ok(self.with_latest_use(key_info(&snapshot, key)?))
    }

    /// The recorded time may be a minute old. Rounded down to the minute, it may be before the key was created.
    fn with_latest_use(&self, info: KeyInfo) -> KeyInfo {
        let last_used = info.last_used.max(self.key_use().latest(&info.key.id));
        KeyInfo { last_used: last_used.map(|used| used.max(info.key.created)), ..info }
    }

    /// Renames a key.
    ///
    /// # Errors
    /// `NOT_FOUND`, or `BAD_USER_INPUT` for the name.
    pub async fn rename_key(&self, by: Administrator, id: &KeyId, name: &str) -> Result<KeyInfo> {
        let name = parse_name(name, self.settings().limits.name_length)?;
        self.change_key(by, id, Action::KeyRenamed, move |_, _, _, key| {
            let detail = format!("from \"{}\"", key.name);
            key.name.clone_from(&name);
            Ok(detail)
        })
        .await
    }

    /// Changes some of a key's grants; the others stay.
    ///
    /// # Errors
    /// `NOT_FOUND`, or `BAD_USER_INPUT` for a library that the key's organization does not have.
    pub async fn grant_key(
        &self,
        by: Administrator,
        id: &KeyId,
        changes: Vec<GrantChange>,
    ) -> Result<KeyInfo> {
        self.change_key(by, id, Action::KeyGranted, move |tx, by, organization, key| {
            key.grants = changed_grants(tx, by, organization, &key.grants, &changes)?;
            Ok(grants_text(key))
        })
        .await
    }

    /// Gives a key a new value. The old one stops working with the next request. A caller who saw the old value passes
    /// the time of its creation, so that no other value is replaced.
    ///
    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` when the value was replaced meanwhile.
    pub async fn regenerate_key(
        &self,
        by: Administrator,
        id: &KeyId,
        seen: Option<Millis>,
    ) -> Result<(PlainKey, KeyInfo)> {
        let id = id.clone();
        let plain = PlainKey::random();
        let (digest, start) = (plain.digest(), plain.start());
        let info = self
            .administrate_always(by, move |tx, by, now| {
                let (old, mut key) = tx.expect_key(by, &id)?;
                if seen.is_some_and(|seen| seen != key.regenerated) {
                    return Err(Error::new(Code::Conflict, REGENERATED_SINCE));
                }
                key.start.clone_from(&start);
                key.regenerated = now;
                tx.delete_key(by, &old, &key)?;
                tx.put_key(by, &digest, &key)?;
                tx.put_key_creator(&key.id, by)?;
                record_key_event(tx, now, by, &key, Action::KeyRegenerated, String::new())?;
                key_info(tx, key)
            })
            .await?;
        Ok((plain, info))
    }

    /// Deletes a key. It stops working with the next request.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn delete_key(&self, by: Administrator, id: &KeyId) -> Result<KeyInfo> {
        let id = id.clone();
        self.administrate_always(by, move |tx, by, now| {
            let (digest, key) = tx.expect_key(by, &id)?;
            tx.delete_key(by, &digest, &key)?;
            record_key_event(tx, now, by, &key, Action::KeyDeleted, String::new())?;
            key_info(tx, key)
        })
        .await
    }

    /// Runs `change` on a key; it returns a detail for the audit log.
    async fn change_key<F>(
        &self,
        by: Administrator,
        id: &KeyId,
        action: Action,
        mut change: F,
    ) -> Result<KeyInfo>
    where
        F: FnMut(&Tx<'_>, &Administrator, &Organization, &mut Key) -> Result<String> + Send + 'static,
    {
        let id = id.clone();
        self.administrate_always(by, move |tx, by, now| {
            let (digest, key) = tx.expect_key(by, &id)?;
            let mut info = key_info(tx, key)?;
            let detail = change(tx, by, &info.organization, &mut info.key)?;
            tx.put_key(by, &digest, &info.key)?;
            record_key_event(tx, now, by, &info.key, action, detail)?;
            Ok(info)
        })
        .await
    }

    /// Records when keys were last used. Called regularly, and before the server ends.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_key_use(&self) -> Result<()> {
        let used = self.key_use().take();
        if used.is_empty() {
            return Ok(());
        }
        self.store()
            .write_always(move |tx| used.iter().try_for_each(|(key, when)| tx.put_key_use(key, *when)))
            .await
    }
}

pub(super) fn record_key_event(
    tx: &Tx<'_>,
    now: Millis,
    by: &Administrator,
    key: &Key,
    action: Action,
    detail: String,
) -> Result<()> {
    tx.record_event(now, key.organization, by.actor(), action, &format!("{} ({})", key.name, key.id), detail)
}

/// A key's grants, for the audit log.
fn grants_text(key: &Key) -> String {
    let grants = key.grants.iter().map(|grant| format!("{}={}", grant.slug, grant.access.as_str()));
    let grants = grants.collect::<Vec<_>>().join(" ");
    if grants.is_empty() { "no library".to_owned() } else { grants }
}

fn key_info(reader: &impl Queries, key: Key) -> Result<KeyInfo> {
    let organization = reader
        .organization(key.organization)?
        .ok_or_else(|| Error::internal("the organization of a key does not exist"))?;
    let (last_used, creator) = (reader.key_use(&key.id)?, reader.key_creator(&key.id)?);
    Ok(KeyInfo { key, organization, last_used, creator })
}

fn changed_grants(
    reader: &impl Queries,
    by: &Administrator,
    organization: &Organization,
    grants: &[Grant],
    changes: &[GrantChange],
) -> Result<Vec<Grant>> {
    let mut grants = grants.to_vec();
    for (slug, access) in changes {
        let library = reader.library_named(by, organization.id, slug)?.ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("The organization \"{}\" has no library \"{slug}\".", organization.slug),
            )
        })?;
        grants.retain(|grant| grant.library != library.id);
        if let Some(access) = *access {
            grants.push(Grant { library: library.id, slug: library.slug, access });
        }
    }
    grants.sort_by(|one, other| one.slug.cmp(&other.slug));
    Ok(grants)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::clock::Clock;
    use crate::testing::settings;

    #[tokio::test]
    async fn replacing_the_same_value_twice_fails_the_second_time() {
        let dir = crate::testing::TempFolder::new();
        let clock = Clock::default();
        let core = Core::open(settings(dir.path(), "https://localhost"), clock.clone()).unwrap();
        let by = Administrator::local;
        core.create_organization(by(), "acme", None).await.unwrap();
        let (_, info) = core.create_key(by(), "acme", "Website", Vec::new(), None).await.unwrap();
        let (id, seen) = (&info.key.id, Some(info.key.regenerated));
        clock.advance(Duration::from_secs(1));
        let (one, other) =
            tokio::join!(core.regenerate_key(by(), id, seen), core.regenerate_key(by(), id, seen));
        let (done, refused): (Vec<_>, Vec<_>) = [one, other].into_iter().partition(Result::is_ok);
        assert_eq!((done.len(), refused.len()), (1, 1));
        assert!(
            refused.into_iter().all(|refused| refused.is_err_and(|error| error.code() == Code::Conflict))
        );
    }
}
