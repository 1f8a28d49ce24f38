//! Assets over REST: all but their upload.

use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Deserialize;

use super::call::Call;
use super::query::ApprovalFilter;
use super::reply::{data, linked};
use crate::app::access::LibraryPath;
use crate::app::assets::{AssetPart, expect_tag_filter};
use crate::error::Result;
use crate::wire::{Deleted, Described, Tagged, TransferResult, Untagged};

/// How many assets a page has when nobody says.
const PAGE: usize = 50;

/// Assets to move to the trash.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DeleteAssets")]
pub struct Delete {
    /// Their ids. Those that are in the trash already are skipped.
    #[schemars(length(min = 1, max = 100))]
    ids: Vec<String>,
}

/// A description to write.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DescribeAsset")]
pub struct Describe {
    /// Stored verbatim; empty clears it.
    #[schemars(length(max = 10_000))]
    description: String,
}

/// Tags to add to assets, or to take off them.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TagAssets")]
pub struct Tagging {
    /// The assets' ids.
    #[schemars(length(min = 1, max = 100))]
    asset_ids: Vec<String>,
    /// 1 to 64 characters each; "index" and "trash" are reserved.
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 64)))]
    tags: Vec<String>,
}

/// Assets to transfer to another library of the organization.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TransferAssets")]
pub struct Transfer {
    /// Where they go; needs Write, as the library they are in does.
    target_library_id: String,
    /// The assets' ids. Their variants go along.
    #[schemars(length(min = 1, max = 100))]
    asset_ids: Vec<String>,
}

/// A variant to make the default of its asset.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PromoteVariant")]
pub struct Promote {
    /// The variant's id, of those that the asset shows.
    variant_id: String,
}

/// What of [`Transfer`] is looked at first.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransferTarget {
    target_library_id: String,
}

pub fn list(Call { caller, asked, .. }: Call) -> Result<HttpResponse> {
    let query = asked.query();
    let slice = query.slice(PAGE, asked.limits().page_size)?;
    let tags = query.list("tags");
    expect_tag_filter(&tags, asked.version.tag_filter(asked.limits().tag_filter))?;
    let approval = if asked.version.has_approval() { query.approval()? } else { None };
    let AssetPart { assets, next } = match approval {
        Some(ApprovalFilter::Decided) => AssetPart { assets: Vec::new(), next: None },
        Some(ApprovalFilter::Missing) | None => {
            asked.app().browse_assets(&caller, &asked.library(), &tags, slice)?
        }
    };
    linked(asked.version.assets(assets, asked.origin()), asked.request(), asked.origin(), next)
}

pub fn get(Call { caller, asked, .. }: Call) -> Result<HttpResponse> {
    let asset = asked.app().get_asset(&caller, &asked.library(), asked.asset_id())?;
    Ok(asked.version.asset(asset, asked.origin()))
}

pub async fn delete(call: Call) -> Result<HttpResponse> {
    let (caller, asked, Delete { ids }) = call.read_json().await?;
    Ok(data(Deleted::from(asked.app().delete_assets(&caller, &asked.library(), &ids).await?)))
}

pub async fn describe(call: Call) -> Result<HttpResponse> {
    let (caller, asked, Describe { description }) = call.read_json().await?;
    let asset = asked
        .app()
        .update_asset_description(&caller, &asked.library(), asked.asset_id(), &description)
        .await?;
    Ok(data(Described::from(asset)))
}

pub async fn promote(call: Call) -> Result<HttpResponse> {
    let (caller, asked, Promote { variant_id }) = call.read_json().await?;
    let asset = asked.app().promote_variant(&caller, &asked.library(), asked.asset_id(), &variant_id).await?;
    Ok(asked.version.asset(asset, asked.origin()))
}

pub async fn tag(call: Call) -> Result<HttpResponse> {
    let (caller, asked, Tagging { asset_ids, tags }) = call.read_json().await?;
    let tagged_count = asked.app().tag_assets(&caller, &asked.library(), &asset_ids, &tags).await?;
    Ok(data(Tagged { tagged_count }))
}

pub async fn untag(call: Call) -> Result<HttpResponse> {
    let (caller, asked, Tagging { asset_ids, tags }) = call.read_json().await?;
    let untagged_count = asked.app().untag_assets(&caller, &asked.library(), &asset_ids, &tags).await?;
    Ok(data(Untagged { untagged_count }))
}

pub async fn transfer(call: Call) -> Result<HttpResponse> {
    let (caller, asked, body) = call.read_body().await?;
    let source = asked.library();
    let library = |library| LibraryPath { organization: source.organization, library };
    // The target is a library that the request names, so its grant comes before the rest of the body.
    let TransferTarget { target_library_id: named } = body.json()?;
    caller.write(&library(&named))?;
    let Transfer { target_library_id, asset_ids } = body.json()?;
    let target = library(&target_library_id);
    let transferred = asked.app().transfer_assets(&caller, &source, &target, &asset_ids).await?;
    Ok(data(TransferResult::from(transferred)))
}
