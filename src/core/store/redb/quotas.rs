//! Quotas in the tables, and the counts that are kept for them. Every asset and library is counted where it is written,
//! so that no way in goes past a quota, and no two uploads exceed it together.

use std::collections::BTreeMap;

use redb::{ReadableTable, WriteTransaction};

use super::open_uploads::partial_bytes;
use super::tables::{ASSETS, LIBRARIES, LIBRARY_BYTES, ORGANIZATION_USE, QUOTAS, decode, encode};
use super::{Reader, Tx, storage};
use crate::core::access::grant::{Administrator, WriteGrant};
use crate::core::model::id::OrganizationId;
use crate::core::model::{Library, OrganizationUse, Quota, StorageRoom};
use crate::core::store::records::{QuotaCommands, QuotaQueries};
use crate::error::Result;

fn quota_of(reader: &impl Reader, organization: OrganizationId) -> Result<Quota> {
    Ok(reader.lookup(QUOTAS, organization.0, decode)?.unwrap_or_default())
}

fn use_of(reader: &impl Reader, organization: OrganizationId) -> Result<OrganizationUse> {
    let found = reader.lookup(ORGANIZATION_USE, organization.0, Ok)?.unwrap_or_default();
    let (storage, assets, libraries) = found;
    Ok(OrganizationUse { storage, libraries, assets })
}

impl<R: Reader> QuotaQueries for R {
    fn quota(&self, by: &Administrator, organization: OrganizationId) -> Result<Quota> {
        by.expect_reach(organization)?;
        quota_of(self, organization)
    }

    fn organization_use(&self, by: &Administrator, organization: OrganizationId) -> Result<OrganizationUse> {
        by.expect_reach(organization)?;
        use_of(self, organization)
    }

    fn storage_room(&self, grant: &WriteGrant) -> Result<Option<StorageRoom>> {
        let Some(max) = quota_of(self, grant.organization())?.storage else { return Ok(None) };
        let partial = partial_bytes(self, grant.organization())?;
        let used = use_of(self, grant.organization())?.storage.saturating_add(partial);
        Ok(Some(StorageRoom { max, left: max.saturating_sub(used) }))
    }
}

impl QuotaCommands for Tx<'_> {
    fn put_quota(&self, by: &Administrator, organization: OrganizationId, quota: &Quota) -> Result<()> {
        by.expect_whole_server()?;
        self.put(QUOTAS, organization.0, encode(quota)?.as_slice())
    }
}

impl Tx<'_> {
    /// Counts a new file of this size.
    ///
    /// # Errors
    /// `STORAGE_LIMIT_EXCEEDED`.
    pub(super) fn count_asset_in(&self, organization: OrganizationId, bytes: u64) -> Result<()> {
        let before = use_of(self, organization)?;
        let storage = before.storage.saturating_add(bytes);
        let after = OrganizationUse { storage, assets: before.assets + 1, ..before };
        self.put_use(organization, after)?;
        self.expect_storage(organization)
    }

    /// Checks that an organization has no more than its quota allows, with what arrived of open uploads.
    ///
    /// # Errors
    /// `STORAGE_LIMIT_EXCEEDED`.
    pub(super) fn expect_storage(&self, organization: OrganizationId) -> Result<()> {
        let (quota, mut used) = (quota_of(self, organization)?, use_of(self, organization)?);
        if quota.storage.is_some() {
            used.storage = used.storage.saturating_add(partial_bytes(self, organization)?);
        }
        quota.expect_files(&used)
    }

    /// Counts a file of this size that is deleted.
    pub(super) fn count_asset_out(&self, organization: OrganizationId, bytes: u64) -> Result<()> {
        let before = use_of(self, organization)?;
        // Whatever the counts say, deleting must work.
        let storage = before.storage.saturating_sub(bytes);
        self.put_use(
            organization,
            OrganizationUse { storage, assets: before.assets.saturating_sub(1), ..before },
        )
    }

    /// Counts a new library.
    ///
    /// # Errors
    /// `LIBRARY_LIMIT_EXCEEDED`.
    pub(super) fn count_library_in(&self, organization: OrganizationId) -> Result<()> {
        let before = use_of(self, organization)?;
        let after = OrganizationUse { libraries: before.libraries + 1, ..before };
        quota_of(self, organization)?.expect_libraries(&after)?;
        self.put_use(organization, after)
    }

    /// Counts a library that is deleted.
    pub(super) fn count_library_out(&self, organization: OrganizationId) -> Result<()> {
        let before = use_of(self, organization)?;
        self.put_use(
            organization,
            OrganizationUse { libraries: before.libraries.saturating_sub(1), ..before },
        )
    }

    pub(super) fn put_use(&self, organization: OrganizationId, now: OrganizationUse) -> Result<()> {
        let OrganizationUse { storage, libraries, assets } = now;
        self.put(ORGANIZATION_USE, organization.0, (storage, assets, libraries))
    }
}

/// Counts what each organization has, which a rasterd before the first with quotas did not.
pub fn count_use(tx: &WriteTransaction) -> Result<()> {
    let mut files: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in tx.open_table(ASSETS).map_err(storage)?.iter().map_err(storage)? {
        let (key, _) = entry.map_err(storage)?;
        *files.entry(key.value().0).or_default() += 1;
    }
    let bytes = tx.open_table(LIBRARY_BYTES).map_err(storage)?;
    let mut uses: BTreeMap<u64, (u64, u64, u64)> = BTreeMap::new();
    for entry in tx.open_table(LIBRARIES).map_err(storage)?.iter().map_err(storage)? {
        let (id, value) = entry.map_err(storage)?;
        let library: Library = decode(value.value())?;
        let counted = uses.entry(library.organization.0).or_default();
        counted.0 += bytes.get(id.value()).map_err(storage)?.map_or(0, |bytes| bytes.value());
        counted.1 += files.get(&id.value()).copied().unwrap_or_default();
        counted.2 += 1;
    }
    let mut table = tx.open_table(ORGANIZATION_USE).map_err(storage)?;
    for (organization, counted) in uses {
        table.insert(organization, counted).map_err(storage)?;
    }
    Ok(())
}
