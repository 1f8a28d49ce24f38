//! The hash chain of each organization's audit log: appended to with each event, shortened at its start when old events
//! are deleted, and checked from end to end.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use redb::{ReadableTable, WriteTransaction};

use super::super::guard::guarded;
use super::super::tables::{AUDIT, AUDIT_CHAINS, AUDIT_HASHES, decode, encode};
use super::super::{Reader, Snapshot, Tx, storage};
use crate::core::access::grant::Administrator;
use crate::core::model::audit::{
    AuditChain, AuditEntry, ChainCheck, ChainDamage, ChainHash, ChainedEvent, Event,
};
use crate::core::model::id::OrganizationId;
use crate::core::store::records::AuditChainQueries;
use crate::error::{Error, Result};

/// The hash of an event that comes after the one with the hash `previous`.
fn chain_hash(previous: ChainHash, entry: &AuditEntry) -> Result<ChainHash> {
    let json = serde_json::to_vec(entry).map_err(Error::internal)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&previous.0).update(&json);
    Ok(ChainHash(*hasher.finalize().as_bytes()))
}

fn chain_of(reader: &impl Reader, organization: u64) -> Result<AuditChain> {
    Ok(reader.lookup(AUDIT_CHAINS, organization, decode)?.unwrap_or_default())
}

impl Tx<'_> {
    /// Adds an event at the end of its organization's chain.
    pub(super) fn append_event(&self, organization: u64, number: u64, event: Event) -> Result<()> {
        self.put(AUDIT, (organization, number), encode(&event)?.as_slice())?;
        let chain = chain_of(self, organization)?;
        let hash = chain_hash(chain.head, &AuditEntry::new(number, event))?;
        self.put(AUDIT_HASHES, (organization, number), &hash.0)?;
        let chain = AuditChain { entries: chain.entries + 1, last: number, head: hash, ..chain };
        self.put(AUDIT_CHAINS, organization, encode(&chain)?.as_slice())
    }

    /// Deletes the first event of a chain, which from now on begins after its hash.
    pub(super) fn prune_event(&self, (organization, number): (u64, u64)) -> Result<()> {
        let mut chain = chain_of(self, organization)?;
        // Without a hash, the chain was damaged before. A check finds that, too.
        if let Some(hash) = self.lookup(AUDIT_HASHES, (organization, number), |hash| Ok(*hash))? {
            chain.anchor = ChainHash(hash);
        }
        chain.entries = chain.entries.saturating_sub(1);
        chain.pruned += 1;
        self.put(AUDIT_CHAINS, organization, encode(&chain)?.as_slice())?;
        self.delete_asset_event(number)?;
        self.delete(AUDIT_HASHES, (organization, number))?;
        self.delete(AUDIT, (organization, number))
    }
}

impl AuditChainQueries for Snapshot {
    fn check_chain(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        expected: Option<ChainHash>,
    ) -> Result<ChainCheck> {
        by.expect_reach(organization)?;
        guarded(|| {
            let chain = chain_of(self, organization.0)?;
            let is_expected = |hash: ChainHash| expected.is_none_or(|expected| expected == hash);
            let mut previous = chain.anchor;
            let mut check = ChainCheck {
                has_expected: is_expected(previous),
                chain,
                whole: 0,
                from: None,
                to: None,
                damage: None,
            };
            let hashes = self.tx.open_table(AUDIT_HASHES).map_err(storage)?;
            let events = self.tx.open_table(AUDIT).map_err(storage)?;
            for stored in events.range((organization.0, 0)..=(organization.0, u64::MAX)).map_err(storage)? {
                let (key, value) = stored.map_err(storage)?;
                let number = key.value().1;
                let Ok(event) = decode::<Event>(value.value()) else {
                    check.damage = Some((number, ChainDamage::Unreadable));
                    return Ok(check);
                };
                let at = event.at;
                let hash = chain_hash(previous, &AuditEntry::new(number, event))?;
                let stored = hashes.get(key.value()).map_err(storage)?;
                if stored.is_none_or(|stored| *stored.value() != hash.0) {
                    check.damage = Some((number, ChainDamage::Changed));
                    return Ok(check);
                }
                check.whole += 1;
                check.from.get_or_insert(at);
                check.to = Some(at);
                check.has_expected |= is_expected(hash);
                previous = hash;
            }
            if previous != check.chain.head || check.whole != check.chain.entries {
                check.damage = Some((check.chain.last, ChainDamage::Missing));
            }
            Ok(check)
        })
    }

    fn chained_events(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        after: u64,
        most: usize,
    ) -> Result<Vec<ChainedEvent>> {
        by.expect_reach(organization)?;
        guarded(|| {
            let hashes = self.tx.open_table(AUDIT_HASHES).map_err(storage)?;
            let before =
                hashes.range((organization.0, 0)..=(organization.0, after)).map_err(storage)?.next_back();
            let mut previous = match before.transpose().map_err(storage)? {
                Some((_, hash)) => ChainHash(*hash.value()),
                None => chain_of(self, organization.0)?.anchor,
            };
            let mut found = Vec::new();
            let range =
                (Bound::Excluded((organization.0, after)), Bound::Included((organization.0, u64::MAX)));
            self.scan(AUDIT, range, |key, bytes| {
                if found.len() == most {
                    return Ok(ControlFlow::Break(()));
                }
                let entry = AuditEntry::new(key.1, decode(bytes)?);
                let hash = hashes.get(key).map_err(storage)?.map(|hash| ChainHash(*hash.value()));
                found.push(ChainedEvent { entry, previous, hash });
                previous = hash.unwrap_or(previous);
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(found)
        })
    }
}

/// Chains the events of a rasterd before the first that did so.
pub fn chain_older_events(tx: &WriteTransaction) -> Result<()> {
    let mut chains: BTreeMap<u64, AuditChain> = BTreeMap::new();
    let mut hashes = tx.open_table(AUDIT_HASHES).map_err(storage)?;
    for stored in tx.open_table(AUDIT).map_err(storage)?.iter().map_err(storage)? {
        let (key, value) = stored.map_err(storage)?;
        let (organization, number) = key.value();
        let chain = chains.entry(organization).or_default();
        let hash = chain_hash(chain.head, &AuditEntry::new(number, decode(value.value())?))?;
        hashes.insert(key.value(), &hash.0).map_err(storage)?;
        *chain = AuditChain { entries: chain.entries + 1, last: number, head: hash, ..AuditChain::default() };
    }
    let mut table = tx.open_table(AUDIT_CHAINS).map_err(storage)?;
    for (organization, chain) in chains {
        table.insert(organization, encode(&chain)?.as_slice()).map_err(storage)?;
    }
    Ok(())
}
