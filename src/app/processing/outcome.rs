//! What came of the work on a file, written into its asset. Whatever people did to the asset meanwhile stands.

use super::after_failure;
use crate::app::access::Administrator;
use crate::app::clock::Millis;
use crate::app::id::AssetId;
use crate::app::model::{Asset, Content, ContentHash, Pending, Work};
use crate::app::name::Tag;
use crate::app::pictures::Failure;
use crate::app::settings::Limits;
use crate::app::store::Tx;
use crate::error::{Error, Result};

/// What came of it.
pub(super) struct Outcome {
    /// The content with what was found out about it.
    pub content: Content,
    /// The caption in the file.
    pub caption: Option<String>,
    /// The keywords in the file.
    pub keywords: Vec<String>,
}

/// Writes down what came of the work on an asset's file. Does nothing when the asset is gone, or has another file
/// since a variant was promoted: the file is in the queue under the asset that it went to.
pub(super) fn settle(
    tx: &Tx<'_>,
    by: &Administrator,
    id: &AssetId,
    hash: ContentHash,
    outcome: &Result<Outcome, Failure>,
    limits: &Limits,
    now: Millis,
) -> Result<()> {
    let Some(before) = tx.asset_with_file(by, id, hash)? else { return Ok(()) };
    let Work::Waiting(pending) = before.content.work else { return Ok(()) };
    let mut after = before.clone();
    match outcome {
        Ok(outcome) => {
            after.content = outcome.content.clone();
            import(tx, by, &mut after, pending, outcome, limits)?;
        }
        Err(failure) => after.content.work = after_failure(pending, failure, now),
    }
    // A try that will be repeated changes nothing that anybody can see.
    if !after.content.is_waiting() {
        after = after.touched(now);
        tx.touch_original(by, &after, now)?;
    }
    tx.put_work(by, &before, &after)
}

/// Takes over what the file says about itself. A variant's says nothing: people describe and tag its original.
fn import(
    tx: &Tx<'_>,
    by: &Administrator,
    asset: &mut Asset,
    pending: Pending,
    outcome: &Outcome,
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
        tx.import_tag(by, asset, &tag)?;
    }
    Ok(())
}

/// Puts failed work back into the queue, of one asset or of up to `most`, and returns whose file it is about.
pub(super) fn retry(
    tx: &Tx<'_>,
    by: &Administrator,
    only: Option<AssetId>,
    most: usize,
    now: Millis,
) -> Result<Vec<ContentHash>> {
    let assets = match only {
        Some(id) => vec![tx.asset_with_failed_work(by, &id)?.ok_or_else(Error::asset_not_found)?],
        None => tx.assets_with_failed_work(by, most)?,
    };
    let mut retried = Vec::with_capacity(assets.len());
    for before in assets {
        let Work::Failed { pending, .. } = before.content.work else { continue };
        let mut after = before.clone().touched(now);
        after.content.work = Work::Waiting(Pending { tries: 0, due: 0, ..pending });
        tx.put_work(by, &before, &after)?;
        retried.push(after.content.hash);
    }
    Ok(retried)
}
