//! API keys: how they are drawn, written, recognised and hashed, and what is done with them.
//!
//! The plain key exists only in what its maker is shown and in the requests that carry it.

use std::borrow::Cow;

use super::App;
use super::access::{Administrator, Caller};
use super::audit::{Action, Actor};
use super::clock::Millis;
use super::id::{BASE62, KeyId, random_base62};
use super::model::{Access, Grant, Key, Organization};
use super::name::parse_name;
use super::store::{KeyQueries, LibraryQueries, Reader, Tx};
use crate::error::{Code, Error, Result};

const PREFIX: &str = "pk_";
/// 39 base-62 characters are 232 random bits.
const SECRET: usize = 39;
/// 6 base-62 characters hold any CRC-32.
const CHECKSUM: usize = 6;
const LENGTH: usize = PREFIX.len() + SECRET + CHECKSUM;
/// How much of a key is kept in the clear to recognise it by; 24 of its 232 bits.
const START: usize = PREFIX.len() + 4;
/// What a key's digest is good for; changing it makes every stored key unknown.
const HASH_CONTEXT: &str = "rasterd 2026-11 api key digest v1";
/// Why a key does not get a new value: a form was sent twice, or another owner was faster.
const REGENERATED_SINCE: &str = "The key has a newer value than the one you saw, so it was left alone. That value was shown once; regenerate the key if it is lost.";

/// A plain key: `pk_`, 39 random base-62 characters, and the CRC-32 of all that in 6 more.
pub struct PlainKey(String);

impl PlainKey {
    /// Draws a new key.
    #[must_use]
    pub fn random() -> Self {
        let mut key = String::from(PREFIX);
        key.extend(random_base62::<SECRET>().iter().map(|&byte| char::from(byte)));
        key.push_str(&checksum(&key));
        Self(key)
    }

    /// Reads a key that a client sent. One that fails its checksum never existed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(PREFIX)?;
        if body.len() != SECRET + CHECKSUM || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (checked, sum) = text.split_at(PREFIX.len() + SECRET);
        (checksum(checked) == sum).then(|| Self(text.to_owned()))
    }

    /// The key, to be shown to its maker once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the store knows the key by. 232 random bits have no dictionary, so a fast hash is enough.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest(blake3::derive_key(HASH_CONTEXT, self.0.as_bytes()))
    }

    fn start(&self) -> String {
        self.0.chars().take(START).collect()
    }
}

/// A text as a log may show it: of each key that a client put into it by mistake, only the start is left.
#[must_use]
pub fn without_keys(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    for (at, _) in text.match_indices(PREFIX) {
        if let Some(key) = text.get(at..at + LENGTH).and_then(PlainKey::parse) {
            shown = Cow::Owned(shown.replace(key.reveal(), &format!("{}…", key.start())));
        }
    }
    shown
}

/// The domain-separated blake3 hash of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|&byte| char::from(byte)).collect()
}

/// A key with what only the store knows of it.
#[derive(Debug, Clone)]
pub struct KeyInfo {
    /// The key's record.
    pub key: Key,
    /// The organization it belongs to.
    pub organization: Organization,
    /// When it was last used, to the minute.
    pub last_used: Option<Millis>,
}

/// A change of a key's grants: a library's slug, and the new level or none.
pub type GrantChange = (String, Option<Access>);

impl App {
    /// Finds out who a request with this bearer token comes from.
    ///
    /// # Errors
    /// `INVALID_API_KEY` when the token is not a live key.
    pub fn authenticate(&self, token: &str) -> Result<Caller> {
        let key = PlainKey::parse(token).ok_or_else(Error::invalid_api_key)?;
        let caller = Caller::find(self.store().view()?, key.digest(), self.now())?;
        caller.key_id().into_iter().for_each(|id| self.key_use().note(id, self.now()));
        Ok(caller)
    }

    /// Deals with a key that travelled in the clear: says so in the log, and revokes it when configured.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key_exposed(&self, token: &str, peer: std::net::SocketAddr) -> Result<()> {
        let by = Administrator::of_this_box();
        let Some(id) = self.authenticate(token).ok().and_then(|caller| caller.key_id().cloned()) else {
            return Ok(());
        };
        tracing::warn!(key = %id, %peer, "a live key was sent over plain HTTP and may have been read on its way; regenerate it");
        let exposed = id.clone();
        self.administrate(by.clone(), move |tx, by, now| {
            let (_, key) = tx.expect_key(by, &exposed)?;
            let (actor, detail) = (Actor::key(&key, Some(peer.ip())), "sent over plain HTTP".to_owned());
            tx.note(now, key.organization, &actor, Action::KeyExposed, &key.name, detail)
        })
        .await?;
        if self.settings().revoke_exposed_keys {
            self.delete_key(by, &id).await?;
            tracing::warn!(key = %id, "the exposed key was deleted");
        }
        Ok(())
    }

    /// Makes a key, which ends by itself after its lifetime (in milliseconds) if it is given one. The plain key is
    /// in the answer and nowhere else.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`, or `BAD_USER_INPUT` for a name, a library or a number of keys that won't do.
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
            return Err(Error::bad_input("The key would already be expired. Give it a longer life."));
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
                tx.put_key(&digest, &key)?;
                note_key(tx, now, by, &key, Action::KeyCreated, reach_of(&key))?;
                Ok(KeyInfo { key, organization, last_used: None })
            })
            .await?;
        Ok((plain, info))
    }

    /// The keys of one organization or of all, oldest first.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub fn list_keys(&self, by: &Administrator, organization: Option<&str>) -> Result<Vec<KeyInfo>> {
        let view = self.store().view()?;
        let organization = organization.map(|slug| view.expect_organization(by, slug)).transpose()?;
        let mut keys = view.keys(by, organization.map(|organization| organization.id))?;
        keys.sort_by_key(|key| key.created);
        keys.into_iter().map(|key| Ok(self.with_latest_use(key_info(&view, key)?))).collect()
    }

    /// One key.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn show_key(&self, by: &Administrator, id: &KeyId) -> Result<KeyInfo> {
        let view = self.store().view()?;
        let (_, key) = view.expect_key(by, id)?;
        Ok(self.with_latest_use(key_info(&view, key)?))
    }

    /// What is written down of a key's use may be a minute old.
    fn with_latest_use(&self, info: KeyInfo) -> KeyInfo {
        KeyInfo { last_used: info.last_used.max(self.key_use().latest(&info.key.id)), ..info }
    }

    /// Gives a key another name.
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
            Ok(reach_of(key))
        })
        .await
    }

    /// Gives a key a new value. The old one stops working with the next request. Whoever saw it tells when that was
    /// drawn, so that no other one goes.
    ///
    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` when the value of that time is not the present one any more.
    pub async fn regenerate_key(
        &self,
        by: Administrator,
        id: &KeyId,
        drawn: Option<Millis>,
    ) -> Result<(PlainKey, KeyInfo)> {
        let id = id.clone();
        let plain = PlainKey::random();
        let (digest, start) = (plain.digest(), plain.start());
        let info = self
            .administrate(by, move |tx, by, now| {
                let (old, mut key) = tx.expect_key(by, &id)?;
                if drawn.is_some_and(|drawn| drawn != key.regenerated) {
                    return Err(Error::new(Code::Conflict, REGENERATED_SINCE));
                }
                key.start.clone_from(&start);
                key.regenerated = now;
                tx.forget_key(&old, &key)?;
                tx.put_key(&digest, &key)?;
                note_key(tx, now, by, &key, Action::KeyRegenerated, String::new())?;
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
        self.administrate(by, move |tx, by, now| {
            let (digest, key) = tx.expect_key(by, &id)?;
            tx.forget_key(&digest, &key)?;
            note_key(tx, now, by, &key, Action::KeyDeleted, String::new())?;
            key_info(tx, key)
        })
        .await
    }

    /// Runs `change` on a key; what it answers says more about the change in the audit log.
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
        self.administrate(by, move |tx, by, now| {
            let (digest, key) = tx.expect_key(by, &id)?;
            let mut info = key_info(tx, key)?;
            let detail = change(tx, by, &info.organization, &mut info.key)?;
            tx.put_key(&digest, &info.key)?;
            note_key(tx, now, by, &info.key, action, detail)?;
            Ok(info)
        })
        .await
    }

    /// Writes down when keys were last used. Called now and then, and at the end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_key_use(&self) -> Result<()> {
        let used = self.key_use().take();
        if used.is_empty() {
            return Ok(());
        }
        self.store().write(move |tx| used.iter().try_for_each(|(key, when)| tx.put_key_use(key, *when))).await
    }
}

fn note_key(
    tx: &Tx<'_>,
    now: Millis,
    by: &Administrator,
    key: &Key,
    action: Action,
    detail: String,
) -> Result<()> {
    tx.note(now, key.organization, by.actor(), action, &format!("{} ({})", key.name, key.id), detail)
}

/// What a key may do where, for the audit log.
fn reach_of(key: &Key) -> String {
    let reach = key.grants.iter().map(|grant| format!("{}={}", grant.slug, grant.access.as_str()));
    let reach = reach.collect::<Vec<_>>().join(" ");
    if reach.is_empty() { "no library".to_owned() } else { reach }
}

fn key_info(reader: &impl Reader, key: Key) -> Result<KeyInfo> {
    let organization = reader
        .organization(key.organization)?
        .ok_or_else(|| Error::internal("a key belongs to an organization that is not there"))?;
    let last_used = reader.key_use(&key.id)?;
    Ok(KeyInfo { key, organization, last_used })
}

fn changed_grants(
    reader: &impl Reader,
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

    use proptest::prelude::*;

    use super::*;
    use crate::app::clock::Clock;
    use crate::testing::settings;

    #[test]
    fn a_drawn_key_reads_back_and_has_48_characters() {
        let key = PlainKey::random();
        assert_eq!(key.reveal().len(), 48);
        assert_eq!(PlainKey::parse(key.reveal()).unwrap().digest(), key.digest());
    }

    #[test]
    fn the_checksum_is_a_plain_crc_32_in_base_62() {
        // CRC-32 of "123456789" is 0xCBF43926, the check value of its specification.
        assert_eq!(0xCBF4_3926_u64, [3, 45, 35, 27, 22, 14].iter().fold(0, |n, d| n * 62 + d));
        assert_eq!(checksum("123456789"), "3jZRME");
    }

    #[test]
    fn a_log_shows_the_start_of_a_key_and_all_of_anything_else() {
        let key = PlainKey::random();
        let text = format!("/pk_/{}/a/pk_é{}x", key.reveal(), key.reveal());
        let start = &key.reveal()[..START];
        assert_eq!(without_keys(&text), format!("/pk_/{start}…/a/pk_é{start}…x"));
        let unknown = format!("/{}", key.reveal().replace('_', "-"));
        assert_eq!(without_keys(&unknown), unknown);
    }

    #[tokio::test]
    async fn of_two_who_replace_the_same_value_one_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let app = App::open(settings(dir.path(), "https://localhost"), clock.clone()).unwrap();
        let by = Administrator::of_this_box;
        app.create_organization(by(), "acme", None).await.unwrap();
        let (_, info) = app.create_key(by(), "acme", "Website", Vec::new(), None).await.unwrap();
        let (id, drawn) = (&info.key.id, Some(info.key.regenerated));
        clock.advance(Duration::from_secs(1));
        let (one, other) =
            tokio::join!(app.regenerate_key(by(), id, drawn), app.regenerate_key(by(), id, drawn));
        let (done, refused): (Vec<_>, Vec<_>) = [one, other].into_iter().partition(Result::is_ok);
        assert_eq!((done.len(), refused.len()), (1, 1));
        assert!(
            refused.into_iter().all(|refused| refused.is_err_and(|error| error.code() == Code::Conflict))
        );
    }

    proptest! {
        #[test]
        fn one_changed_character_makes_a_key_unknown(at in 0usize..48, to in "[0-9A-Za-z_]") {
            let key = PlainKey::random();
            let mut text = key.reveal().to_owned();
            text.replace_range(at..=at, &to);
            prop_assert_eq!(PlainKey::parse(&text).is_some(), text == key.reveal());
        }

        #[test]
        fn reading_never_panics(text in ".*") {
            prop_assert!(PlainKey::parse(&text).is_none());
        }
    }
}
