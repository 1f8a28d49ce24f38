//! Finds out which assets of a library have the same file.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use super::parse_id;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::Asset;
use crate::core::newest_first::newest_first;
use crate::core::store::AssetQueries;
use crate::error::Result;

impl Core {
    /// For each of these assets, another one of the library that has the same file, if there is one: the oldest. Looks at
    /// nothing outside the library, so that it tells nothing about other libraries, not even by its time.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `BAD_USER_INPUT` for too many ids.
    pub async fn find_same_files(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        ids: &[String],
    ) -> Result<Vec<(Asset, Asset)>> {
        let grant = caller.read(path)?;
        super::within("asset ids", ids.len(), 0, self.settings().limits.ids_per_call)?;
        // What was deleted meanwhile has no duplicates.
        let find = |id: &String| caller.snapshot().asset(&grant, &parse_id(id).ok()?).ok();
        let asked: Vec<Asset> = ids.iter().filter_map(find).collect();
        self.scans()
            .run(caller.client_id(), move || {
                let mut oldest: HashMap<_, Asset> = HashMap::new();
                let hashes: HashSet<_> = asked.iter().map(|asset| asset.content.hash).collect();
                newest_first(caller.snapshot(), std::slice::from_ref(&grant), |asset| {
                    // The last one that is kept is the oldest.
                    if hashes.contains(&asset.content.hash) {
                        oldest.insert(asset.content.hash, asset);
                    }
                    ControlFlow::Continue(())
                })?;
                let pair = |asset: Asset| {
                    let other = oldest.get(&asset.content.hash).filter(|other| other.id != asset.id)?;
                    Some((asset, other.clone()))
                };
                Ok(asked.into_iter().filter_map(pair).collect())
            })
            .await
    }
}
