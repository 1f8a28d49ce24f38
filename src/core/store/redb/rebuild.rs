//! Derives everything again that is derived from records: lists, counts, references, and names. Records themselves stay
//! as they are, also those that can't be read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::changes::{PRUNED, SEQUENCE};
use super::tables::{
    ASSET_HOMES, ASSETS, BLOBS, FAILED_WORK, KEY_IDS, KEYS, LIBRARIES, LIBRARY_BYTES, LIBRARY_SLUGS,
    LIBRARY_TRASH, LISTED, MEMBER_EMAILS, MEMBERS, META, ORGANIZATION_SLUGS, ORGANIZATION_USE, ORGANIZATIONS,
    ORPHANS, Stored, TAG_RANKS, TAG_TOTALS, TAGGED, TAGS, TRASH, VARIANTS, WAITING_WORK, decode,
};
use super::{Reader, Tx, everything};
use crate::core::model::email::Email;
use crate::core::model::id::OrganizationId;
use crate::core::model::time::Millis;
use crate::core::model::{Asset, ContentHash, Key, Library, Member, Organization};
use crate::core::store::records::RepairCommands;
use crate::error::Result;

impl RepairCommands for Tx<'_> {
    fn rebuild_derived(&self, now: Millis) -> Result<()> {
        self.rebuild_names()?;
        let libraries = self.rebuild_libraries()?;
        let (mut assets, unreadable) = self.readable::<_, Asset>(ASSETS)?;
        // A tag is shown as it was first written.
        assets.sort_by_key(|asset| asset.created);
        let alone = self.clear_lists()?;
        let mut files: BTreeMap<ContentHash, u64> = BTreeMap::new();
        for asset in &assets {
            *files.entry(asset.content.hash).or_default() += 1;
            let Some(&organization) = libraries.get(&asset.library.0) else { continue };
            self.rebuild_asset(asset, organization, &alone)?;
        }
        self.rebuild_references(files, unreadable > 0, now)?;
        // The index finds that it does not know the oldest change any more, and is built again.
        let sequence = self.next(SEQUENCE)?;
        self.put(META, PRUNED, sequence)
    }
}

impl Tx<'_> {
    /// The records of a table that can be read, and how many can't.
    fn readable<K: redb::Key + 'static, T: Stored>(
        &self,
        table: redb::TableDefinition<'static, K, &'static [u8]>,
    ) -> Result<(Vec<T>, usize)> {
        let (mut records, mut unreadable) = (Vec::new(), 0);
        self.scan(table, everything(), |_, bytes| {
            match decode::<T>(bytes) {
                Ok(record) => records.push(record),
                Err(_) => unreadable += 1,
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((records, unreadable))
    }

    fn rebuild_names(&self) -> Result<()> {
        self.clear(ORGANIZATION_SLUGS)?;
        for organization in self.readable::<_, Organization>(ORGANIZATIONS)?.0 {
            self.put(ORGANIZATION_SLUGS, organization.slug.as_str(), organization.id.0)?;
        }
        self.clear(MEMBER_EMAILS)?;
        for member in self.readable::<_, Member>(MEMBERS)?.0 {
            let email = Email::parse(&member.email)?.folded();
            self.put(MEMBER_EMAILS, email.as_str(), member.id.0)?;
        }
        let mut keys: Vec<(String, [u8; 32])> = Vec::new();
        self.scan(KEYS, everything(), |digest, bytes| {
            keys.extend(decode::<Key>(bytes).map(|key| (key.id.to_string(), *digest)));
            Ok(ControlFlow::Continue(()))
        })?;
        self.clear(KEY_IDS)?;
        keys.iter().try_for_each(|(id, digest)| self.put(KEY_IDS, id.as_str(), digest))
    }

    /// Returns the organization of each library.
    fn rebuild_libraries(&self) -> Result<BTreeMap<u64, OrganizationId>> {
        let (libraries, _) = self.readable::<_, Library>(LIBRARIES)?;
        self.clear(LIBRARY_SLUGS)?;
        self.clear(LIBRARY_BYTES)?;
        self.clear(ORGANIZATION_USE)?;
        let mut organizations = BTreeMap::new();
        for library in libraries {
            organizations.insert(library.id.0, library.organization);
            self.put(LIBRARY_SLUGS, (library.organization.0, library.slug.as_str()), library.id.0)?;
            self.recount_use(library.organization, |used| used.libraries += 1)?;
            self.put_library(&Library { assets: 0, trashed: 0, ..library })?;
        }
        Ok(organizations)
    }

    /// Empties the lists of assets, and returns which were in the trash by themselves: only the list says so of variants.
    fn clear_lists(&self) -> Result<BTreeSet<(Millis, [u8; 16])>> {
        let mut alone = BTreeSet::new();
        self.scan(TRASH, everything(), |(when, _, id), ()| {
            alone.insert((when, *id));
            Ok(ControlFlow::Continue(()))
        })?;
        self.clear(LISTED)?;
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
        self.adjust_bytes(library, asset.content.size.cast_signed())?;
        self.recount_use(organization, |used| {
            used.assets += 1;
            used.storage += asset.content.size;
        })?;
        match (&asset.parent, asset.trashed) {
            (Some(parent), trashed) => {
                self.put(VARIANTS, (library.0, parent.bytes(), id), ())?;
                if let Some(when) = trashed.filter(|when| alone.contains(&(*when, *id))) {
                    self.enter_trash(when, library, &asset.id)?;
                }
            }
            (None, Some(when)) => {
                self.enter_trash(when, library, &asset.id)?;
                self.adjust_counts(library, 0, 1)?;
            }
            (None, None) => {
                self.list(asset)?;
                self.adjust_counts(library, 1, 0)?;
            }
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
