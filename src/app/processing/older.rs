//! Work for assets that were uploaded when there was none for their type: by an earlier rasterd, or before a type
//! could be opened. They are looked through once, and then again when another type can be opened.

use super::is_worked_on;
use crate::app::App;
use crate::app::access::Administrator;
use crate::app::id::AssetId;
use crate::app::media::MediaType;
use crate::app::model::{Asset, Content, ContentHash, Pending, Work};
use crate::app::pictures::Pictured;
use crate::app::store::Tx;
use crate::error::Result;

/// How many assets are looked through at a time.
const BATCH: usize = 500;

impl App {
    /// Queues the work on files that nobody worked on. Where it was stopped, it begins again.
    pub(super) async fn queue_older_assets(&self) -> Result<()> {
        let by = Administrator::of_this_box();
        let pictured = self.pictured();
        let types = worked_types(pictured);
        if self.store().view()?.worked_types()? == Some(types) {
            return Ok(());
        }
        let mut last: Option<Asset> = None;
        loop {
            let mut assets = self.store().view()?.every_asset(last.as_ref(), BATCH)?;
            let found: Vec<(AssetId, ContentHash)> = assets
                .iter()
                .filter(|asset| is_overlooked(&asset.content, pictured))
                .map(|asset| (asset.id, asset.content.hash))
                .collect();
            if !found.is_empty() {
                let by = by.clone();
                self.store()
                    .write(move |tx| {
                        found.iter().try_for_each(|(id, hash)| queue(tx, &by, pictured, id, *hash))
                    })
                    .await?;
            }
            let Some(asset) = assets.pop() else { break };
            last = Some(asset);
        }
        self.store().write(move |tx| tx.set_worked_types(&by, types)).await
    }
}

/// Whether work can be done on a file that nobody did: any, or that on its picture.
fn is_overlooked(content: &Content, pictured: Pictured) -> bool {
    match &content.work {
        Work::Nothing => is_worked_on(content.media_type, pictured),
        Work::Done(look) => look.blurhash.is_none() && pictured.includes(content.media_type),
        Work::Waiting(_) | Work::Failed { .. } => false,
    }
}

/// Queues the work on a file, unless that happened meanwhile. Nothing in it is imported: people have had the asset as
/// it is.
fn queue(tx: &Tx<'_>, by: &Administrator, pictured: Pictured, id: &AssetId, hash: ContentHash) -> Result<()> {
    let Some(before) = tx.asset_with_file(by, id, hash)? else { return Ok(()) };
    if !is_overlooked(&before.content, pictured) {
        return Ok(());
    }
    let mut after = before.clone();
    after.content.work = Work::Waiting(Pending::default());
    tx.put_work(by, &before, &after)
}

/// What can be done for which types, as one number: two bits for each.
fn worked_types(pictured: Pictured) -> u64 {
    MediaType::ALL.into_iter().fold(0, |types, media_type| {
        types << 2
            | u64::from(is_worked_on(media_type, pictured)) << 1
            | u64::from(pictured.includes(media_type))
    })
}
