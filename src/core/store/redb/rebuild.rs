//! Derives everything again that is derived from records: lists, counts, references, and names. Records themselves stay
//! as they are, also those that can't be read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use redb::TableDefinition;

use super::changes::{PRUNED, SEQUENCE};
use super::tables::{
    ASSET_HOMES, ASSETS, BLOBS, FAILED_WORK, KEY_IDS, KEYS, LIBRARIES, LIBRARY_BYTES, LIBRARY_SLUGS,
    LIBRARY_TRASH, LISTED, LISTED_COUNTS, MEMBER_EMAILS, MEMBERS, META, ORGANIZATION_SLUGS, ORGANIZATION_USE,
    ORGANIZATIONS, ORPHANS, Stored, TAG_RANKS, TAG_TOTALS, TAGGED, TAGS, TRASH, VARIANTS, WAITING_WORK,
    decode,
};
use super::{Reader, Tx, everything};
use crate::core::model::email::Email;
use crate::core::model::id::OrganizationId;
use crate::core::model::time::Millis;
use crate::core::model::{Asset, ContentHash, Key, Library, Member, Organization, OrganizationUse};
use crate::core::store::records::RepairCommands;
use crate::error::Result;

/// The key of an asset, oldest first.
type Age = (Millis, u64, [u8; 16]);

/// A library, and what its assets add up to.
struct Counted {
    organization: OrganizationId,
    /// None when it can't be read; its assets are listed all the same.
    record: Option<Library>,
    files: u64,
    bytes: u64,
}

impl Counted {
    fn of(organization: OrganizationId, record: Option<Library>) -> Self {
        let record = record.map(|library| Library { assets: 0, trashed: 0, ..library });
        Self { organization, record, files: 0, bytes: 0 }
    }

    fn add(&mut self, asset: &Asset) {
        self.files += 1;
        self.bytes += asset.content.size;
        if let Some(library) = self.record.as_mut().filter(|_| asset.parent.is_none()) {
            library.assets += u64::from(asset.trashed.is_none());
            library.trashed += u64::from(asset.trashed.is_some());
        }
    }
}

impl RepairCommands for Tx<'_> {
    fn rebuild_derived(&self, now: Millis) -> Result<()> {
        self.rebuild_names()?;
        let mut libraries = self.rebuild_library_names()?;
        let alone = self.clear_lists()?;
        let (assets, unreadable) = self.assets_by_age()?;
        let mut files: BTreeMap<ContentHash, u64> = BTreeMap::new();
        for (_, library, id) in assets {
            // One at a time, because all of them may not fit into memory.
            let Some(asset) = self.lookup(ASSETS, (library, &id), decode::<Asset>)? else { continue };
            *files.entry(asset.content.hash).or_default() += 1;
            if (asset.library.0, asset.id.bytes()) != (library, &id) {
                continue;
            }
            if let Some(counted) = libraries.get_mut(&library) {
                counted.add(&asset);
                self.rebuild_asset(&asset, counted.organization, &alone)?;
            }
        }
        self.rebuild_counts(libraries)?;
        self.rebuild_references(files, unreadable > 0, now)?;
        self.rebuild_index()
    }

    fn rebuild_index(&self) -> Result<()> {
        // The index finds that it does not know the oldest change any more.
        let sequence = self.next(SEQUENCE)?;
        self.put(META, PRUNED, sequence)
    }
}

impl Tx<'_> {
    /// The records of a table that can be read.
    fn readable<K: redb::Key + 'static, T: Stored>(
        &self,
        table: TableDefinition<'static, K, &'static [u8]>,
    ) -> Result<Vec<T>> {
        let mut records = Vec::new();
        self.scan(table, everything(), |_, bytes| {
            records.extend(decode::<T>(bytes));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(records)
    }

    /// The assets that can be read, oldest first, since a tag is shown as it was first written; and how many can't be.
    fn assets_by_age(&self) -> Result<(Vec<Age>, usize)> {
        let (mut assets, mut unreadable) = (Vec::new(), 0);
        self.scan(ASSETS, everything(), |(library, id), bytes| {
            match decode::<Asset>(bytes) {
                Ok(asset) => assets.push((asset.created, library, *id)),
                Err(_) => unreadable += 1,
            }
            Ok(ControlFlow::Continue(()))
        })?;
        assets.sort_unstable();
        Ok((assets, unreadable))
    }

    /// Whether a record is there and can't be read.
    fn is_unreadable<K: redb::Key + 'static, T: Stored>(
        &self,
        table: TableDefinition<'static, K, &'static [u8]>,
        key: K::SelfType<'_>,
    ) -> Result<bool> {
        Ok(self.lookup(table, key, |bytes| Ok(decode::<T>(bytes).is_err()))?.unwrap_or(false))
    }

    /// Empties a table of names, except for those of records that can't be read: nothing else knows them.
    fn clear_names<V: redb::Value + 'static>(
        &self,
        names: TableDefinition<'static, &'static str, V>,
        is_unreadable: impl Fn(V::SelfType<'_>) -> Result<bool>,
    ) -> Result<()> {
        let mut known: Vec<String> = Vec::new();
        self.scan(names, everything(), |name, id| {
            if !is_unreadable(id)? {
                known.push(name.to_owned());
            }
            Ok(ControlFlow::Continue(()))
        })?;
        known.iter().try_for_each(|name| self.delete(names, name.as_str()))
    }

    fn rebuild_names(&self) -> Result<()> {
        self.clear_names(ORGANIZATION_SLUGS, |id| self.is_unreadable::<_, Organization>(ORGANIZATIONS, id))?;
        for organization in self.readable::<_, Organization>(ORGANIZATIONS)? {
            self.put(ORGANIZATION_SLUGS, organization.slug.as_str(), organization.id.0)?;
        }
        self.clear_names(MEMBER_EMAILS, |id| self.is_unreadable::<_, Member>(MEMBERS, id))?;
        for member in self.readable::<_, Member>(MEMBERS)? {
            let Ok(email) = Email::parse(&member.email) else { continue };
            self.put(MEMBER_EMAILS, email.folded().as_str(), member.id.0)?;
        }
        let mut keys: Vec<(String, [u8; 32])> = Vec::new();
        self.scan(KEYS, everything(), |digest, bytes| {
            keys.extend(decode::<Key>(bytes).map(|key| (key.id.to_string(), *digest)));
            Ok(ControlFlow::Continue(()))
        })?;
        self.clear_names(KEY_IDS, |digest| self.is_unreadable::<_, Key>(KEYS, digest))?;
        keys.iter().try_for_each(|(id, digest)| self.put(KEY_IDS, id.as_str(), digest))
    }

    /// Returns the libraries, with nothing counted yet. Of one that can't be read, only its name knows the organization.
    fn rebuild_library_names(&self) -> Result<BTreeMap<u64, Counted>> {
        let mut libraries = BTreeMap::new();
        let mut names: Vec<(u64, String)> = Vec::new();
        self.scan(LIBRARY_SLUGS, everything(), |(organization, slug), id| {
            if self.is_unreadable::<_, Library>(LIBRARIES, id)? {
                libraries.insert(id, Counted::of(OrganizationId(organization), None));
            } else {
                names.push((organization, slug.to_owned()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (organization, slug) in &names {
            self.delete(LIBRARY_SLUGS, (*organization, slug.as_str()))?;
        }
        for library in self.readable::<_, Library>(LIBRARIES)? {
            self.put(LIBRARY_SLUGS, (library.organization.0, library.slug.as_str()), library.id.0)?;
            libraries.insert(library.id.0, Counted::of(library.organization, Some(library)));
        }
        Ok(libraries)
    }

    fn rebuild_counts(&self, libraries: BTreeMap<u64, Counted>) -> Result<()> {
        self.clear(LIBRARY_BYTES)?;
        self.clear(ORGANIZATION_USE)?;
        let mut organizations: BTreeMap<u64, OrganizationUse> = BTreeMap::new();
        for (id, counted) in libraries {
            let used = organizations.entry(counted.organization.0).or_default();
            used.libraries += 1;
            used.assets += counted.files;
            used.storage += counted.bytes;
            if counted.files > 0 {
                self.put(LIBRARY_BYTES, id, counted.bytes)?;
            }
            counted.record.map_or(Ok(()), |library| self.put_library(&library))?;
        }
        organizations
            .into_iter()
            .try_for_each(|(organization, used)| self.put_use(OrganizationId(organization), used))
    }

    /// Empties the lists of assets, and returns which were in the trash by themselves: only the list says so of variants.
    fn clear_lists(&self) -> Result<BTreeSet<(Millis, [u8; 16])>> {
        let mut alone = BTreeSet::new();
        self.scan(TRASH, everything(), |(when, _, id), ()| {
            alone.insert((when, *id));
            Ok(ControlFlow::Continue(()))
        })?;
        self.clear(LISTED)?;
        self.clear(LISTED_COUNTS)?;
        self.clear(TAGGED)?;
        self.clear(TAGS)?;
        self.clear(TAG_RANKS)?;
        self.clear(TAG_TOTALS)?;
        self.clear(TRASH)?;
        self.clear(LIBRARY_TRASH)?;
        self.clear(VARIANTS)?;
        self.clear(ASSET_HOMES)?;
        self.clear(WAITING_WORK)?;
        self.clear(FAILED_WORK)?;
        Ok(alone)
    }

    fn rebuild_asset(
        &self,
        asset: &Asset,
        organization: OrganizationId,
        alone: &BTreeSet<(Millis, [u8; 16])>,
    ) -> Result<()> {
        let (library, id) = (asset.library, asset.id.bytes());
        self.put(ASSET_HOMES, id, (organization.0, library.0))?;
        match (&asset.parent, asset.trashed) {
            (Some(parent), trashed) => {
                self.put(VARIANTS, (library.0, parent.bytes(), id), ())?;
                if let Some(when) = trashed.filter(|when| alone.contains(&(*when, *id))) {
                    self.enter_trash(when, library, &asset.id)?;
                }
            }
            (None, Some(when)) => self.enter_trash(when, library, &asset.id)?,
            (None, None) => drop(self.list(asset)?),
        }
        self.queue_work(asset)
    }

    /// Counts the references to files. Those that have none are due to be deleted, since when it is known or from now on.
    /// When records of assets can't be read, the files that were counted stay, because theirs are among them.
    fn rebuild_references(
        &self,
        mut files: BTreeMap<ContentHash, u64>,
        keep_known: bool,
        now: Millis,
    ) -> Result<()> {
        let mut known: BTreeMap<[u8; 32], u64> = BTreeMap::new();
        self.scan(BLOBS, everything(), |hash, refs| {
            known.insert(*hash, refs);
            Ok(ControlFlow::Continue(()))
        })?;
        let mut due: BTreeMap<[u8; 32], Millis> = BTreeMap::new();
        self.scan(ORPHANS, everything(), |(since, hash), ()| {
            due.entry(*hash).or_insert(since);
            Ok(ControlFlow::Continue(()))
        })?;
        self.clear(BLOBS)?;
        self.clear(ORPHANS)?;
        for (hash, refs) in known {
            let counted = files.entry(ContentHash(hash)).or_insert(0);
            *counted = (*counted).max(if keep_known { refs } else { 0 });
        }
        let from = self.counted_from(now)?;
        for (hash, refs) in files {
            self.put(BLOBS, &hash.0, refs)?;
            if refs == 0 {
                let since = due.get(&hash.0).copied().unwrap_or(from);
                self.put(ORPHANS, (since, &hash.0), ())?;
            }
        }
        Ok(())
    }
}
