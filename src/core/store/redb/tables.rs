//! All tables on one page, and how a record becomes bytes. A change of layout gets a new table name.
//!
//! A record is one version byte and its postcard encoding, so that fields can be added later and
//! older records still be read.

use std::fmt;

use redb::TableDefinition;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::older;
use crate::core::model::audit::{AuditChain, Event};
use crate::core::model::{
    Asset, Key, Library, Member, MemberLink, OpenUpload, Organization, Passkey, Quota, Session,
};
use crate::error::{Error, Result};

/// Where the ids of assets begin and end in a range of keys.
pub(super) const FIRST_ID: &[u8; 16] = &[0; 16];
pub(super) const LAST_ID: &[u8; 16] = &[0xFF; 16];

/// `(library, id)` and other keys hold asset ids as their 16 bytes.
type Id = &'static [u8; 16];
/// A blake3 hash: of a key, or of a file.
type Hash = &'static [u8; 32];
type Record = &'static [u8];

/// Counters and stamps by name: `schema`, `database`, `next_id`, `sequence`, `pruned`, `audit`,
/// `worked_types`, `files_marked`, `backup_made`, `backup_failed`,
/// `scrub_position`, and `seen_…` of what time was seen to pass.
pub const META: TableDefinition<&str, u64> = TableDefinition::new("meta.v1");
/// organization → [`Organization`].
pub const ORGANIZATIONS: TableDefinition<u64, Record> = TableDefinition::new("organizations.v1");
/// slug → organization.
pub const ORGANIZATION_SLUGS: TableDefinition<&str, u64> = TableDefinition::new("organization_slugs.v1");
/// organization → [`Quota`], where one was set.
pub const QUOTAS: TableDefinition<u64, Record> = TableDefinition::new("quotas.v1");
/// organization → (bytes of its files, how many files, how many libraries), variants and trash included.
pub const ORGANIZATION_USE: TableDefinition<u64, (u64, u64, u64)> =
    TableDefinition::new("organization_use.v1");
/// library → [`Library`].
pub const LIBRARIES: TableDefinition<u64, Record> = TableDefinition::new("libraries.v1");
/// library → how many bytes its assets' files have, variants and trash included.
pub const LIBRARY_BYTES: TableDefinition<u64, u64> = TableDefinition::new("library_bytes.v1");
/// (organization, slug) → library.
pub const LIBRARY_SLUGS: TableDefinition<(u64, &str), u64> = TableDefinition::new("library_slugs.v1");
/// organization → how often libraries were added to it, renamed in it or deleted from it.
pub const LIBRARY_NAMINGS: TableDefinition<u64, u64> = TableDefinition::new("library_namings.v1");
/// hash of the key → [`Key`].
pub const KEYS: TableDefinition<Hash, Record> = TableDefinition::new("keys.v1");
/// key id → hash of the key.
pub const KEY_IDS: TableDefinition<&str, Hash> = TableDefinition::new("key_ids.v1");
/// key id → the e-mail of the owner who was shown its present value; none where that was at the machine.
pub const KEY_CREATORS: TableDefinition<&str, &str> = TableDefinition::new("key_makers.v1");
/// key id → when it was last used, in unix milliseconds, coarsely.
pub const KEY_USE: TableDefinition<&str, u64> = TableDefinition::new("key_use.v1");
/// (library, asset) → [`Asset`]; listed, trashed and variants alike.
pub const ASSETS: TableDefinition<(u64, Id), Record> = TableDefinition::new("assets.v1");
/// asset → (organization, library).
pub const ASSET_HOMES: TableDefinition<Id, (u64, u64)> = TableDefinition::new("asset_homes.v1");
/// (library, newest first, asset): the listed assets.
pub const LISTED: TableDefinition<(u64, u64, Id), ()> = TableDefinition::new("listed.v1");
/// (library, level, period): how many listed assets have an age in it; see `order.rs`.
pub const LISTED_COUNTS: TableDefinition<(u64, u8, u64), u64> = TableDefinition::new("listed_counts.v1");
/// (library, folded tag, newest first, asset): the listed assets that carry it.
pub const TAGGED: TableDefinition<(u64, &str, u64, Id), ()> = TableDefinition::new("tagged.v1");
/// (library, folded tag) → (the tag as first written, how many listed assets carry it).
pub const TAGS: TableDefinition<(u64, &str), (&str, u64)> = TableDefinition::new("tags.v1");
/// (library, most used first, the tag as first written, folded tag): the tags in the order in which they are shown.
pub const TAG_RANKS: TableDefinition<(u64, u64, &str, &str), ()> = TableDefinition::new("tag_ranks.v1");
/// library → how many different tags its listed assets carry.
pub const TAG_TOTALS: TableDefinition<u64, u64> = TableDefinition::new("tag_totals.v1");
/// (trashed at, library, asset): the trash, oldest first.
pub const TRASH: TableDefinition<(u64, u64, Id), ()> = TableDefinition::new("trash.v1");
/// (library, latest first, asset): the trash of each library.
pub const LIBRARY_TRASH: TableDefinition<(u64, u64, Id), ()> = TableDefinition::new("library_trash.v1");
/// (library, original, variant).
pub const VARIANTS: TableDefinition<(u64, Id, Id), ()> = TableDefinition::new("variants.v1");
/// hash of the file → how many assets have it.
pub const BLOBS: TableDefinition<Hash, u64> = TableDefinition::new("blobs.v1");
/// (since when, hash of the file): files that no asset has any more.
pub const ORPHANS: TableDefinition<(u64, Hash), ()> = TableDefinition::new("orphans.v1");
/// hash of the file → since when it is known to be damaged or missing.
pub const DAMAGED: TableDefinition<Hash, u64> = TableDefinition::new("damaged.v1");
/// sequence number → (library, asset): the changes that search can see, for the index to follow.
pub const CHANGES: TableDefinition<u64, (u64, Id)> = TableDefinition::new("changes.v2");
/// library → sequence number of its last change that search can see.
pub const LIBRARY_CHANGES: TableDefinition<u64, u64> = TableDefinition::new("library_changes.v1");
/// member → [`Member`].
pub const MEMBERS: TableDefinition<u64, Record> = TableDefinition::new("members.v1");
/// folded e-mail → member.
pub const MEMBER_EMAILS: TableDefinition<&str, u64> = TableDefinition::new("member_emails.v1");
/// hash of the session's token → [`Session`].
pub const SESSIONS: TableDefinition<Hash, Record> = TableDefinition::new("sessions.v1");
/// hash of the session's token → when it was last used, in unix milliseconds, coarsely.
pub const SESSION_USE: TableDefinition<Hash, u64> = TableDefinition::new("session_use.v1");
/// hash of the link's token → [`Link`].
pub const LINKS: TableDefinition<Hash, Record> = TableDefinition::new("links.v1");
/// hash of an upload address's token → [`OpenUpload`].
pub const OPEN_UPLOADS: TableDefinition<Hash, Record> = TableDefinition::new("open_uploads.v1");
/// (organization, hash of the holder's credential, hash of the token) → how many bytes arrived.
pub const UPLOADS_OF: TableDefinition<(u64, Hash, Hash), u64> = TableDefinition::new("uploads_of.v1");
/// what its device calls it → [`Passkey`].
pub const PASSKEYS: TableDefinition<&[u8], Record> = TableDefinition::new("passkeys.v1");
/// (organization, number) → [`Event`]: the audit log, oldest first.
pub const AUDIT: TableDefinition<(u64, u64), Record> = TableDefinition::new("audit.v1");
/// (organization, number) → hash of the event and of all before it in its organization.
pub const AUDIT_HASHES: TableDefinition<(u64, u64), Hash> = TableDefinition::new("audit_hashes.v1");
/// (asset, number of an event) → (organization, what it did to the asset): the history of each asset, oldest first.
pub const ASSET_EVENTS: TableDefinition<(Id, u64), (u64, &str)> = TableDefinition::new("asset_events.v1");
/// (number of an event, asset): the assets whose history it is in.
pub const EVENT_ASSETS: TableDefinition<(u64, Id), ()> = TableDefinition::new("event_assets.v1");
/// organization → [`AuditChain`].
pub const AUDIT_CHAINS: TableDefinition<u64, Record> = TableDefinition::new("audit_chains.v1");
/// (not before, newest upload first, asset) → organization: the assets whose file is to be worked on.
pub const WAITING_WORK: TableDefinition<(u64, u64, Id), u64> = TableDefinition::new("waiting_work.v1");
/// (organization, newest failure first, asset): the assets whose file could not be worked on.
pub const FAILED_WORK: TableDefinition<(u64, u64, Id), ()> = TableDefinition::new("failed_work.v1");

/// Runs a macro over the names of all tables on this page, for what is done to each: creation, copying, checks. A test
/// compares the list with the page.
macro_rules! with_every_table {
    ($run:ident) => {
        $run! {
            META ORGANIZATIONS ORGANIZATION_SLUGS LIBRARIES LIBRARY_BYTES LIBRARY_SLUGS
            LIBRARY_NAMINGS KEYS KEY_IDS KEY_CREATORS KEY_USE ASSETS ASSET_HOMES LISTED LISTED_COUNTS TAGGED TAGS
            TAG_RANKS TAG_TOTALS TRASH LIBRARY_TRASH VARIANTS BLOBS ORPHANS DAMAGED CHANGES LIBRARY_CHANGES
            MEMBERS MEMBER_EMAILS SESSIONS SESSION_USE LINKS PASSKEYS AUDIT AUDIT_HASHES AUDIT_CHAINS
            QUOTAS ORGANIZATION_USE WAITING_WORK FAILED_WORK ASSET_EVENTS EVENT_ASSETS OPEN_UPLOADS UPLOADS_OF
        }
    };
}
pub(super) use with_every_table;

/// A record that is stored: its layout's version.
pub trait Stored: Serialize + DeserializeOwned {
    /// The version that is written today.
    const VERSION: u8;

    /// The record in the layout of an earlier version; nothing when there was no such version.
    fn read_older(_version: u8, _bytes: &[u8]) -> Option<postcard::Result<Self>> {
        None
    }
}

impl Stored for Organization {
    const VERSION: u8 = 1;
}
impl Stored for Quota {
    const VERSION: u8 = 1;
}
impl Stored for Library {
    const VERSION: u8 = 1;
}
impl Stored for Key {
    const VERSION: u8 = 1;
}
impl Stored for Asset {
    const VERSION: u8 = 3;

    fn read_older(version: u8, bytes: &[u8]) -> Option<postcard::Result<Self>> {
        match version {
            1 => Some(older::asset_of_version_1(bytes)),
            2 => Some(older::asset_of_version_2(bytes)),
            _ => None,
        }
    }
}
impl Stored for Member {
    const VERSION: u8 = 1;
}
impl Stored for Session {
    const VERSION: u8 = 1;
}
impl Stored for MemberLink {
    const VERSION: u8 = 1;
}
impl Stored for OpenUpload {
    const VERSION: u8 = 1;
}
impl Stored for Passkey {
    const VERSION: u8 = 1;
}
impl Stored for Event {
    const VERSION: u8 = 1;
}
impl Stored for AuditChain {
    const VERSION: u8 = 1;
}

/// A record's bytes.
pub fn encode<T: Stored>(record: &T) -> Result<Vec<u8>> {
    postcard::to_extend(record, vec![T::VERSION]).map_err(Error::internal)
}

/// The record that these bytes are.
pub fn decode<T: Stored>(bytes: &[u8]) -> Result<T> {
    let (&version, rest) = bytes.split_first().ok_or_else(|| unreadable("it is empty"))?;
    if version == T::VERSION {
        return postcard::from_bytes(rest).map_err(unreadable);
    }
    let unknown = || unreadable(format!("it has the unknown version {version}"));
    T::read_older(version, rest).ok_or_else(unknown)?.map_err(unreadable)
}

fn unreadable(why: impl fmt::Display) -> Error {
    Error::internal(Unreadable { why: why.to_string(), place: None })
}

/// A record that can't be decoded.
#[derive(thiserror::Error)]
pub struct Unreadable {
    why: String,
    /// The table and the key, once the reader of the table added them.
    place: Option<(String, String)>,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some((table, key)) => write!(
                f,
                "the record {key} of the table {table} can't be read ({}); run `rasterd doctor`",
                self.why
            ),
            None => f.write_str(&self.why),
        }
    }
}

// The log shows causes in this form.
impl fmt::Debug for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An error of what reads the entry of a table. A record that can't be decoded is named.
pub fn located(error: Error, table: &str, key: &impl fmt::Debug) -> Error {
    match error.cause().and_then(|cause| cause.downcast_ref::<Unreadable>()) {
        Some(Unreadable { why, place: None }) => {
            let place = Some((table.to_owned(), format!("{key:?}")));
            Error::internal(Unreadable { why: why.clone(), place })
        }
        Some(_) | None => error,
    }
}

/// Turns a count into a key part that sorts the greatest first, and back.
pub const fn most_first(count: u64) -> u64 {
    u64::MAX - count
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use redb::TableHandle;

    #[test]
    fn the_list_of_tables_has_every_table_of_the_page() {
        let mut listed = BTreeSet::new();
        macro_rules! add {
            ($($table:ident)+) => { $( listed.insert(super::$table.name().to_owned()); )+ };
        }
        with_every_table!(add);
        let page = include_str!("tables.rs").split("mod tests").next().unwrap();
        let names = page.split("TableDefinition::new(\"").skip(1);
        let defined: BTreeSet<String> =
            names.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
        assert_eq!(listed, defined);
    }
}
