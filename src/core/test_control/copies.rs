//! Many assets of the same files, for tests of large libraries: records alone, since files are stored once anyway.

use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::Asset;
use crate::core::model::id::AssetId;
use crate::core::model::page::{AssetPageRequest, PageStart};
use crate::core::model::time::Millis;
use crate::core::store::{AssetCommands, AssetLists, NewAsset};
use crate::error::Result;

/// How many assets one transaction adds.
const BATCH: usize = 5000;

impl Core {
    /// Copies the assets of a library in turn until there are `count` more of them, each uploaded `apart` before the one
    /// before it, and all before those that were there. The copies are called `copy 000000`, and so on.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; when the library is empty.
    pub async fn add_copies(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        count: usize,
        apart: Millis,
    ) -> Result<()> {
        let grant = caller.write(path)?;
        let first = AssetPageRequest { start: PageStart::Offset(0), size: 100 };
        let read = caller.read(path)?;
        let originals = caller.snapshot().listed(std::slice::from_ref(&read), first)?.items;
        let oldest = originals.iter().map(|asset| asset.created).min().unwrap_or_default();
        let copies = originals.iter().cycle().take(count).enumerate().map(|(number, original)| Asset {
            id: AssetId::random(),
            name: format!("copy {number:06}"),
            created: oldest.saturating_sub(apart * (number as u64 + 1)),
            ..original.clone()
        });
        let copies: Vec<Asset> = copies.collect();
        for some in copies.chunks(BATCH) {
            let some = some.to_vec();
            self.change(&grant, move |tx, grant, _| {
                some.iter().try_for_each(|asset| tx.add_asset(grant, NewAsset(asset.clone())).map(drop))
            })
            .await?;
        }
        Ok(())
    }
}
