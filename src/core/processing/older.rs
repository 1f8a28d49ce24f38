//! Work for assets that were uploaded when their type needed none: under an earlier rasterd, or before a tool for the type
//! was turned on. All assets are scanned once, and again whenever another type becomes renderable.

use super::needs_work;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::model::id::AssetId;
use crate::core::model::{Asset, Content, ContentHash, PendingWork, ProcessingState};
use crate::core::store::{ChangeQueries, Tx, WorkCommands, WorkQueries};
use crate::error::Result;
use crate::pictures::RenderableTypes;
use crate::pictures::media::MediaType;

/// How many assets are scanned at a time.
const BATCH: usize = 500;

impl Core {
    /// Queues the work for files that were never processed. A scan that was interrupted starts over.
    pub(super) async fn queue_older_assets(&self) -> Result<()> {
        let by = Administrator::local();
        let renderable_types = self.renderable_types();
        let types = work_by_type(renderable_types);
        if self.store().snapshot()?.worked_types()? == Some(types) {
            return Ok(());
        }
        let mut last: Option<Asset> = None;
        loop {
            let mut assets = self.store().snapshot()?.every_asset(last.as_ref(), BATCH)?;
            let found: Vec<(AssetId, ContentHash)> = assets
                .iter()
                .filter(|asset| is_overlooked(&asset.content, renderable_types))
                .map(|asset| (asset.id, asset.content.hash))
                .collect();
            if !found.is_empty() {
                let by = by.clone();
                self.store()
                    .write(move |tx| {
                        found.iter().try_for_each(|(id, hash)| queue(tx, &by, renderable_types, id, *hash))
                    })
                    .await?;
            }
            let Some(asset) = assets.pop() else { break };
            last = Some(asset);
        }
        self.store().write(move |tx| tx.set_worked_types(&by, types)).await
    }
}

/// Whether there is work for this file that was never done: all of it, or only its pictures.
fn is_overlooked(content: &Content, renderable_types: RenderableTypes) -> bool {
    match &content.processing {
        ProcessingState::Nothing => needs_work(content.media_type, renderable_types),
        ProcessingState::Done(result) => {
            result.blurhash.is_none() && renderable_types.includes(content.media_type)
        }
        ProcessingState::Waiting(_) | ProcessingState::Failed { .. } => false,
    }
}

/// Queues the work for a file, unless that happened meanwhile. Its caption and keywords are not imported: people already
/// know the asset as it is.
fn queue(
    tx: &Tx<'_>,
    by: &Administrator,
    renderable_types: RenderableTypes,
    id: &AssetId,
    hash: ContentHash,
) -> Result<()> {
    let Some(before) = tx.asset_with_file(by, id, hash)? else { return Ok(()) };
    if !is_overlooked(&before.content, renderable_types) {
        return Ok(());
    }
    let mut after = before.clone();
    after.content.processing = ProcessingState::Waiting(PendingWork::default());
    tx.put_work(by, &before, &after)
}

/// Which work each type gets, as one number with two bits for each type.
fn work_by_type(renderable_types: RenderableTypes) -> u64 {
    MediaType::ALL.into_iter().fold(0, |types, media_type| {
        types << 2
            | u64::from(needs_work(media_type, renderable_types)) << 1
            | u64::from(renderable_types.includes(media_type))
    })
}
