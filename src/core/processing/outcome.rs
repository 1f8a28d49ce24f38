//! Records the outcome of the work on a file in its asset. What people changed in the asset meanwhile is kept.

use super::after_failure;
use crate::core::access::Administrator;
use crate::core::model::id::AssetId;
use crate::core::model::name::Tag;
use crate::core::model::time::Millis;
use crate::core::model::{Asset, Content, ContentHash, PendingWork, ProcessingState};
use crate::core::renditions::LibraryFile;
use crate::core::settings::Limits;
use crate::core::store::{Tx, WorkCommands};
use crate::error::{Error, Result};
use crate::pictures::Failure;

/// What the work found out.
pub(super) struct ProcessingOutcome {
    /// The content with what was found out about it.
    pub content: Content,
    /// The perceptual hash of its picture.
    pub perceptual_hash: Option<u64>,
    /// The caption in the file.
    pub caption: Option<String>,
    /// The keywords in the file.
    pub keywords: Vec<String>,
}

/// Records the outcome of the work on an asset's file. Does nothing when the asset is gone, or has another file since a
/// variant was promoted: the file is in the queue under the asset that it moved to.
pub(super) fn settle(
    tx: &Tx<'_>,
    by: &Administrator,
    id: &AssetId,
    hash: ContentHash,
    outcome: &Result<ProcessingOutcome, Failure>,
    limits: &Limits,
    now: Millis,
) -> Result<()> {
    let Some(before) = tx.asset_with_file(by, id, hash)? else { return Ok(()) };
    let ProcessingState::Waiting(pending) = before.content.processing else { return Ok(()) };
    let mut after = before.clone();
    match outcome {
        Ok(outcome) => {
            after.content = outcome.content.clone();
            after.perceptual_hash = outcome.perceptual_hash;
            import(tx, by, &mut after, pending, outcome, limits)?;
        }
        Err(failure) => after.content.processing = after_failure(pending, failure, now),
    }
    // An attempt that will be repeated changes nothing that clients can see.
    if !after.content.is_waiting() {
        after = after.touched(now);
        tx.touch_original(by, &after, now)?;
    }
    tx.put_work(by, &before, &after)
}

/// Imports the caption and keywords in the file. Not for a variant: people describe and tag its original.
fn import(
    tx: &Tx<'_>,
    by: &Administrator,
    asset: &mut Asset,
    pending: PendingWork,
    outcome: &ProcessingOutcome,
    limits: &Limits,
) -> Result<()> {
    if asset.parent.is_some() {
        return Ok(());
    }
    if let Some(caption) = &outcome.caption
        && pending.import_caption
        && asset.description.is_empty()
    {
        asset.description = caption.chars().take(limits.description_length).collect();
    }
    // A keyword that can't be a tag is left out.
    let tags = outcome.keywords.iter().filter_map(|keyword| Tag::parse(keyword).ok());
    for tag in tags.filter(|_| pending.import_keywords) {
        if asset.tags.len() >= limits.tags_per_asset {
            break;
        }
        tx.import_tag(by, asset, &tag, limits.tags_per_library)?;
    }
    Ok(())
}

/// Puts failed work back into the queue, of one asset or of up to `max`, and returns their files.
pub(super) fn retry(
    tx: &Tx<'_>,
    by: &Administrator,
    only: Option<AssetId>,
    max: usize,
    now: Millis,
) -> Result<Vec<LibraryFile>> {
    let assets = match only {
        Some(id) => vec![tx.asset_with_failed_work(by, &id)?.ok_or_else(Error::asset_not_found)?],
        None => tx.assets_with_failed_work(by, max)?,
    };
    let mut retried = Vec::with_capacity(assets.len());
    for before in assets {
        let ProcessingState::Failed { pending, .. } = before.content.processing else { continue };
        let mut after = before.clone().touched(now);
        after.content.processing = ProcessingState::Waiting(PendingWork { tries: 0, due: 0, ..pending });
        tx.put_work(by, &before, &after)?;
        retried.push(LibraryFile::of(&after));
    }
    Ok(retried)
}
