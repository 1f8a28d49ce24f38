//! The perceptual hashes of pictures that were processed by a version without them. Each is computed in the background,
//! like an upload; clients see no difference meanwhile.

use super::STORE_RETRY_DELAY;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::model::{Asset, ProcessingState};
use crate::core::renditions::LibraryFile;
use crate::core::store::{ChangeQueries, WorkCommands};
use crate::error::Result;
use crate::pictures::RenderableTypes;

/// How many assets are scanned at a time.
const BATCH: usize = 500;

impl Core {
    /// Computes the perceptual hash of every picture that has none. What can't be decoded now is tried again at the next start.
    pub(super) async fn find_missing_perceptual_hashes(&self) -> Result<()> {
        let renderable_types = self.renderable_types();
        let mut last: Option<Asset> = None;
        loop {
            let mut assets = self.store().snapshot()?.every_asset(last.as_ref(), BATCH)?;
            for asset in assets.iter().filter(|asset| is_without_perceptual_hash(asset, renderable_types)) {
                while !self.is_writable() || self.store().reserve().is_short() {
                    tokio::time::sleep(STORE_RETRY_DELAY).await;
                }
                self.find_perceptual_hash(asset).await?;
            }
            let Some(asset) = assets.pop() else { return Ok(()) };
            last = Some(asset);
        }
    }

    async fn find_perceptual_hash(&self, asset: &Asset) -> Result<()> {
        let permit = self.renditions().background_permit().await;
        let derived = self.derive_renditions(&permit, LibraryFile::of(asset), &asset.content).await;
        let Ok(derived) = derived else { return Ok(()) };
        let (by, id, hash) = (Administrator::local(), asset.id, asset.content.hash);
        self.store()
            .write(move |tx| {
                let Some(before) = tx.asset_with_file(&by, &id, hash)? else { return Ok(()) };
                let after = Asset { perceptual_hash: Some(derived.perceptual_hash), ..before.clone() };
                tx.put_work(&by, &before, &after)
            })
            .await
    }
}

fn is_without_perceptual_hash(asset: &Asset, renderable_types: RenderableTypes) -> bool {
    let is_done = match &asset.content.processing {
        ProcessingState::Done(result) => result.blurhash.is_some(),
        ProcessingState::Nothing | ProcessingState::Waiting(_) | ProcessingState::Failed { .. } => false,
    };
    is_done && asset.perceptual_hash.is_none() && renderable_types.includes(asset.content.media_type)
}
