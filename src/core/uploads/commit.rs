//! The end of an upload: its files are kept, and all of its assets appear in one commit.

use super::addresses::no_such_upload;
use super::file::AcceptedFile;
use super::{Upload, Uploaded, WritePermission, blocking, expect_original, message};
use crate::core::Core;
use crate::core::access::WriteGrant;
use crate::core::assets::AssetDetail;
use crate::core::maintenance::log_failure;
use crate::core::model::audit::{Action, some_of};
use crate::core::model::id::{AssetId, UploadId};
use crate::core::model::name::asset_name;
use crate::core::model::time::Millis;
use crate::core::model::token::UploadDigest;
use crate::core::model::{Asset, Content};
use crate::core::processing::work_on_upload;
use crate::core::store::files::KeptFile;
use crate::core::store::{AssetCommands, AuditCommands, NewAsset, OpenUploadCommands, OpenUploadQueries, Tx};
use crate::error::{Code, Result};
use crate::pictures::media::Inspected;

impl Upload {
    /// Stores the accepted files as assets, all in one commit or none.
    pub(super) async fn commit(self) -> Result<Uploaded> {
        let Self {
            permission: WritePermission { core, grant, .. },
            organization,
            uploaded_by,
            parent,
            accepted,
            rejected,
            address,
            ..
        } = self;
        let stored = keep_files(&core, accepted).await?;
        let records: Vec<Asset> = stored
            .iter()
            .map(|(file_name, inspected, kept)| {
                let content = new_content(&core, *inspected, kept);
                new_asset(&grant, asset_name(file_name), content, parent, &uploaded_by)
            })
            .collect();
        let committed = core
            .change(&grant, move |tx, grant, now| {
                let ended = address.map(|address| end_address(tx, &address)).transpose()?;
                if let Some(parent) = &parent {
                    let original = expect_original(tx, grant, parent)?;
                    tx.put_asset(grant, &original.touched(now))?;
                }
                let added = add_assets(tx, grant, &records, now)?;
                record_upload(tx, now, grant, parent, &added)?;
                Ok((added, ended))
            })
            .await;
        let (file_names, kept) = stored.into_iter().map(|(file_name, _, kept)| (file_name, kept)).unzip();
        let (assets, ended) = settle(&core, kept, committed).await?;
        if let Some(id) = ended {
            remove_parts(&core, id).await;
        }
        let text = message::summary(assets.len(), &rejected);
        let library = grant.slug();
        let detail = |asset| AssetDetail {
            asset,
            variants: Vec::new(),
            organization: organization.clone(),
            library: library.clone(),
            renderable_types: core.renderable_types(),
        };
        Ok(Uploaded { assets: assets.into_iter().map(detail).collect(), file_names, text })
    }
}

/// Keeps the files for good, each with its name and what was found in it.
async fn keep_files(core: &Core, accepted: Vec<AcceptedFile>) -> Result<Vec<(String, Inspected, KeptFile)>> {
    let blobs = core.blobs().clone();
    let keep = move |accepted: AcceptedFile| {
        Ok((accepted.file_name, accepted.inspected, blobs.keep(accepted.file)?))
    };
    blocking(move || accepted.into_iter().map(keep).collect()).await
}

/// Adds the assets, with creation times in the order of their files.
fn add_assets(tx: &Tx<'_>, grant: &WriteGrant, records: &[Asset], now: Millis) -> Result<Vec<Asset>> {
    let times = tx.creation_times(grant, records.len(), now)?;
    let add = |(asset, time): (&Asset, Millis)| {
        tx.add_asset(grant, NewAsset(Asset { created: time, updated: time, ..asset.clone() }))
    };
    records.iter().zip(times).map(add).collect()
}

/// Removes what arrived in parts of an upload that is stored now.
async fn remove_parts(core: &Core, id: UploadId) {
    let blobs = core.blobs().clone();
    log_failure("remove the parts of an upload", blocking(move || Ok(blobs.remove_partial(&id)?)).await);
}

/// Records an upload: of assets, or of a variant, which is in the history of its original, too.
fn record_upload(
    tx: &Tx<'_>,
    now: Millis,
    grant: &WriteGrant,
    parent: Option<AssetId>,
    added: &[Asset],
) -> Result<()> {
    let names = some_of(added.iter().map(|asset| asset.name.as_str()));
    let mut histories: Vec<(AssetId, &str)> = added.iter().map(|asset| (asset.id, "")).collect();
    let Some(parent) = parent else {
        return tx.record_asset_event(now, grant, Action::AssetsUploaded, names, &histories);
    };
    histories.extend(added.iter().map(|asset| (parent, asset.name.as_str())));
    tx.record_asset_event(now, grant, Action::VariantUploaded, names, &histories)
}

/// Ends an address, so that nobody uses it again. What arrived of it in parts has this id.
fn end_address(tx: &Tx<'_>, address: &UploadDigest) -> Result<UploadId> {
    let open = tx.open_upload(address)?.ok_or_else(no_such_upload)?;
    tx.delete_open_upload(address, &open)?;
    Ok(open.id)
}

/// The record of a new asset, without its time, which is set when it is committed.
fn new_asset(
    grant: &WriteGrant,
    name: String,
    content: Content,
    parent: Option<AssetId>,
    uploaded_by: &str,
) -> Asset {
    Asset {
        id: AssetId::random(),
        library: grant.library(),
        parent,
        name,
        content,
        description: String::new(),
        tags: Vec::new(),
        created: 0,
        updated: 0,
        uploaded_by: uploaded_by.to_owned(),
        trashed: None,
        approval: None,
        perceptual_hash: None,
    }
}

fn new_content(core: &Core, inspected: Inspected, kept: &KeptFile) -> Content {
    let Inspected { media_type, width, height } = inspected;
    let processing =
        work_on_upload(media_type, core.renderable_types(), core.settings().media.import_metadata);
    Content { hash: kept.hash(), size: kept.size(), media_type, width, height, processing }
}

/// Deletes the files when their commit was refused. Keeps them when it is unknown whether it succeeded.
async fn settle<T>(core: &Core, kept: Vec<KeptFile>, committed: Result<T>) -> Result<T> {
    let refused = committed.as_ref().is_err_and(|error| error.code() != Code::ServiceUnavailable);
    if refused {
        let store = core.store().clone();
        blocking(move || kept.into_iter().try_for_each(|file| file.discard(&store))).await?;
    }
    committed
}
