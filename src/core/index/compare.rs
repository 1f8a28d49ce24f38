//! Compares the index with the store: whether it has every listed asset once, and nothing else.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::segment::Segment;
use super::{Index, IndexSnapshot};
use crate::core::model::Asset;
use crate::core::model::id::AssetId;
use crate::core::store::{ChangeQueries, Snapshot, Store};
use crate::error::Result;

/// How many changes or assets are read from the store at a time.
const BATCH: usize = 1000;
/// How long to wait for an index that is being opened.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often to look whether it is.
const PAUSE: Duration = Duration::from_millis(20);

/// How an index differs from the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexDifference {
    /// Listed assets that are not in the index, or not as they are listed.
    pub missing: u64,
    /// Documents in the index that no listed asset has.
    pub extra: u64,
    /// How many listed assets were compared.
    pub compared: u64,
}

impl IndexDifference {
    /// Whether there is one.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.missing == 0 && self.extra == 0
    }
}

impl Index {
    /// Compares the index with the store, on a thread that may block. `None` when it is being built, or will be.
    ///
    /// # Errors
    /// When one of the two can't be read, or `report` answers an error.
    pub fn compare(
        &self,
        store: &Store,
        report: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<Option<IndexDifference>> {
        let until = Instant::now() + PATIENCE;
        let index = loop {
            match self.now.load_full() {
                Some(index) => break index,
                None if Instant::now() >= until => return Ok(None),
                None => std::thread::sleep(PAUSE),
            }
            report(0)?;
        };
        // Read after the index, so that it is at least as new.
        let snapshot = store.snapshot()?;
        let Some(unsettled) = unsettled(&index, &snapshot)? else { return Ok(None) };
        let (mut difference, mut found) = (IndexDifference::default(), 0);
        let mut last: Option<Asset> = None;
        loop {
            let mut assets = snapshot.every_asset(last.as_ref(), BATCH)?;
            report(assets.len() as u64)?;
            let listed = assets.iter().filter(|asset| asset.is_listed());
            for asset in listed.filter(|asset| !unsettled.contains(&(asset.library.0, asset.id))) {
                difference.compared += 1;
                let documents = index.documents_of(asset.library.0, &asset.id)?;
                found += documents.len() as u64;
                difference.missing += u64::from(documents != [asset.created]);
            }
            let Some(asset) = assets.pop() else { break };
            last = Some(asset);
        }
        for (library, id) in &unsettled {
            found += index.documents_of(*library, id)?.len() as u64;
        }
        let all: u64 = index.committed.segments().map(Segment::documents).sum();
        difference.extra = all.saturating_sub(found);
        Ok(Some(difference))
    }
}

/// The assets that changed after the index was committed. `None` when the log of changes does not continue there.
fn unsettled(index: &IndexSnapshot, store: &Snapshot) -> Result<Option<HashSet<(u64, AssetId)>>> {
    let in_memory =
        index.pending.libraries().flat_map(|(library, changes)| changes.ids().map(move |id| (library, *id)));
    let mut unsettled: HashSet<(u64, AssetId)> = in_memory.collect();
    let mut at = index.sequence;
    loop {
        let Some((changes, last)) = store.changes_after(at, BATCH)? else { return Ok(None) };
        unsettled.extend(changes.iter().map(|change| (change.library, change.id)));
        if last == at {
            return Ok(Some(unsettled));
        }
        at = last;
    }
}

impl IndexSnapshot {
    /// The upload times in the committed documents of an asset; one, if all is well.
    fn documents_of(&self, library: u64, id: &AssetId) -> Result<Vec<u64>> {
        let mut times = Vec::new();
        for segment in self.committed.segments() {
            let documents = segment.documents_of(library, id)?;
            times.extend(documents.into_iter().map(|document| segment.created(document)));
        }
        Ok(times)
    }
}
