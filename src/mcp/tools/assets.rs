//! The tools for assets: each reads its arguments, calls one operation, replies.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{ContentBlock, Resource};

use super::Context;
use super::libraries::PAGE_SIZE;
use crate::app::access::LibraryPath;
use crate::app::page::Page;
use crate::error::Result;
use crate::mcp::answer::Reply;
use crate::mcp::arguments::{
    ApprovalFilter, DeleteAssets, GetAsset, ListAssets, PromoteVariant, SearchAssets, TagAssets,
    TransferAssets, UpdateAssetDescription, path,
};
use crate::wire::v2026_07_08::{Asset, SearchResult};
use crate::wire::{Deleted, Described, Tagged, TransferResult, Untagged};

/// Hits on a page unless a client asks for another number.
const HITS: usize = 20;

pub async fn list_assets(context: Context, arguments: ListAssets) -> Result<Reply<Vec<Asset>>> {
    let settings = context.app.settings();
    let number = arguments.page.map(|page| page.0);
    let page = Page::new(number, arguments.page_size, PAGE_SIZE, settings.limits.page_size);
    let library = path(&arguments.organization_id, &arguments.library_id);
    let tags = arguments.tags.unwrap_or_default();
    let assets = context.app.list_assets(&context.caller, &library, &tags, page)?;
    Ok(Asset::list(assets, &settings.public_url).into())
}

pub async fn get_asset(context: Context, arguments: GetAsset) -> Result<Reply<Asset>> {
    let library = path(&arguments.organization_id, &arguments.library_id);
    let id = &arguments.asset_id.0;
    let detail = context.app.get_asset(&context.caller, &library, id)?;
    let value = Asset::new(detail, &context.app.settings().public_url);
    let mut blocks = Vec::new();
    if arguments.preview.unwrap_or(false)
        && let Some((media_type, bytes)) = context.app.preview(&context.caller, &library, id).await?
    {
        blocks.push(ContentBlock::image(STANDARD.encode(bytes), media_type.mime()));
    }
    if context.knows_links {
        blocks.push(ContentBlock::resource_link(link_to_original(&value)));
    }
    Ok(Reply { value, blocks })
}

fn link_to_original(asset: &Asset) -> Resource {
    Resource::new(asset.url.clone(), asset.name.clone())
        .with_mime_type(asset.content_type.clone())
        .with_size(asset.size)
}

pub async fn search_assets(context: Context, arguments: SearchAssets) -> Result<Reply<SearchResult>> {
    let settings = context.app.settings();
    let number = arguments.page.map(|page| page.0);
    let page = Page::new(number, arguments.page_size, HITS, settings.limits.search_page_size);
    let (query, libraries) = (arguments.q.unwrap_or_default(), arguments.libraries.unwrap_or_default());
    let organization = &arguments.organization_id.0;
    let mut found =
        context.app.search_assets(&context.caller, organization, &query, &libraries, page).await?;
    match arguments.approval {
        None | Some(ApprovalFilter::None) => {}
        // Nobody can set an approval yet, so no asset has one.
        Some(ApprovalFilter::InReview | ApprovalFilter::Approved | ApprovalFilter::NeedsChanges) => {
            found.hits.clear();
            found.total = 0;
        }
    }
    Ok(SearchResult::new(found, number.unwrap_or(1).max(1), &settings.public_url).into())
}

pub async fn delete_assets(context: Context, arguments: DeleteAssets) -> Result<Reply<Deleted>> {
    let library = path(&arguments.organization_id, &arguments.library_id);
    let moved = context.app.delete_assets(&context.caller, &library, &arguments.ids).await?;
    Ok(Deleted::from(moved).into())
}

pub async fn tag_assets(context: Context, arguments: TagAssets) -> Result<Reply<Tagged>> {
    let TagAssets { organization_id, library_id, asset_ids, tags } = arguments;
    let library = path(&organization_id, &library_id);
    let tagged_count = context.app.tag_assets(&context.caller, &library, &asset_ids, &tags).await?;
    Ok(Tagged { tagged_count }.into())
}

pub async fn untag_assets(context: Context, arguments: TagAssets) -> Result<Reply<Untagged>> {
    let TagAssets { organization_id, library_id, asset_ids, tags } = arguments;
    let library = path(&organization_id, &library_id);
    let untagged_count = context.app.untag_assets(&context.caller, &library, &asset_ids, &tags).await?;
    Ok(Untagged { untagged_count }.into())
}

pub async fn update_asset_description(
    context: Context,
    arguments: UpdateAssetDescription,
) -> Result<Reply<Described>> {
    let UpdateAssetDescription { organization_id, library_id, asset_id, description } = arguments;
    let library = path(&organization_id, &library_id);
    let asset =
        context.app.update_asset_description(&context.caller, &library, &asset_id.0, &description).await?;
    Ok(Described::from(asset).into())
}

pub async fn transfer_assets(context: Context, arguments: TransferAssets) -> Result<Reply<TransferResult>> {
    let TransferAssets { organization_id, source_library_id, target_library_id, asset_ids } = arguments;
    let organization = organization_id.0.as_str();
    let source = LibraryPath { organization, library: &source_library_id };
    let target = LibraryPath { organization, library: &target_library_id };
    let done = context.app.transfer_assets(&context.caller, &source, &target, &asset_ids).await?;
    Ok(TransferResult::from(done).into())
}

pub async fn promote_variant(context: Context, arguments: PromoteVariant) -> Result<Reply<Asset>> {
    let PromoteVariant { organization_id, library_id, asset_id, variant_id } = arguments;
    let library = path(&organization_id, &library_id);
    let promoted = context.app.promote_variant(&context.caller, &library, &asset_id.0, &variant_id).await?;
    Ok(Asset::new(promoted, &context.app.settings().public_url).into())
}
