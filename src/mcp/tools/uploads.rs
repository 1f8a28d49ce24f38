//! The upload tools: each reads its arguments, calls the one operation, replies.

use super::Context;
use crate::app::uploads::Source;
use crate::error::Result;
use crate::mcp::answer::Reply;
use crate::mcp::arguments::{LibraryId, OrganizationId, UploadAsset, UploadAssets, path};
use crate::wire::v2026_07_08::Uploaded;

pub async fn upload_asset(context: Context, arguments: UploadAsset) -> Result<Reply<Uploaded>> {
    let UploadAsset { organization_id, library_id, source, parent_id } = arguments;
    upload(context, &organization_id, &library_id, vec![source.into()], parent_id.as_deref()).await
}

pub async fn upload_assets(context: Context, arguments: UploadAssets) -> Result<Reply<Uploaded>> {
    let UploadAssets { organization_id, library_id, sources } = arguments;
    let sources = sources.into_iter().map(Source::from).collect();
    upload(context, &organization_id, &library_id, sources, None).await
}

async fn upload(
    context: Context,
    organization: &OrganizationId,
    library: &LibraryId,
    sources: Vec<Source>,
    parent: Option<&str>,
) -> Result<Reply<Uploaded>> {
    let Context { app, caller, reporter, .. } = context;
    let report = move |progress| reporter.report(progress);
    let uploaded = app.upload_sources(caller, &path(organization, library), sources, parent, report).await?;
    Ok(Uploaded::new(uploaded, &app.settings().public_url).into())
}
