//! What is done to one asset on its page: described, tagged, another file made its default, put into the trash.

use actix_web::{HttpRequest, HttpResponse};

use super::OfAsset;
use super::asset::{asset_tags, wanted_variant};
use super::browsing::Browsing;
use super::selected::{again, tags_in, told};
use crate::error::{Error, Result};
use crate::web::flash::Flash;
use crate::web::form::Form;
use crate::web::page::{page, redirect, redirect_with};
use crate::web::signed::Signed;

/// Where an asset is, and the list that its page was reached from.
fn place(path: OfAsset, request: &HttpRequest) -> (Browsing, String) {
    let (organization, library, asset) = path.into_inner();
    (Browsing::parse((organization, library), request.query_string()), asset)
}

pub async fn describe(
    signed: Signed,
    path: OfAsset,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse> {
    let (browsing, asset) = place(path, &request);
    let caller = signed.caller(&browsing.organization)?;
    // Browsers send line ends as the network has them; people and other clients write them as text has them.
    let text = form.text("description").replace("\r\n", "\n");
    let done = signed.app.update_asset_description(&caller, &browsing.path(), &asset, &text).await;
    let back = browsing.asset(&asset);
    match done {
        Ok(_) => told(&signed.visit, &back, "The description is saved.".to_owned()),
        Err(error) => again(&signed.visit, &back, error),
    }
}

pub async fn tag(signed: Signed, path: OfAsset, request: HttpRequest, form: Form) -> Result<HttpResponse> {
    let (browsing, asset) = place(path, &request);
    let caller = signed.caller(&browsing.organization)?;
    let (ids, back) = ([asset.clone()], browsing.asset(&asset));
    let (on, off) = (tags_in(form.text("add")), form.text("remove").to_owned());
    let done = if off.is_empty() {
        signed.app.tag_assets(&caller, &browsing.path(), &ids, &on).await
    } else {
        signed.app.untag_assets(&caller, &browsing.path(), &ids, &[off]).await
    };
    match done {
        Ok(_) if signed.visit.is_partial() => {
            // Another look, because the caller's own is from before the change.
            let caller = signed.caller(&browsing.organization)?;
            let detail = signed.app.get_asset(&caller, &browsing.path(), &asset)?;
            page(&asset_tags(&signed, &caller, &browsing, &detail.asset)?)
        }
        Ok(_) => Ok(redirect(&signed.visit, &back)),
        Err(error) => again(&signed.visit, &back, error),
    }
}

pub async fn promote(
    signed: Signed,
    path: OfAsset,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse> {
    let (browsing, asset) = place(path, &request);
    let caller = signed.caller(&browsing.organization)?;
    let variant = form.text("variant");
    let back = browsing.asset(&asset);
    match signed.app.promote_variant(&caller, &browsing.path(), &asset, variant).await {
        Ok(_) => {
            let flash = Flash::done("This file is what the asset’s address serves now.");
            redirect_with(&signed.visit, &back, &flash)
        }
        Err(error) => again(&signed.visit, &back, error),
    }
}

/// Puts the asset, or the variant that is looked at, into the trash.
pub async fn trash(signed: Signed, path: OfAsset, request: HttpRequest) -> Result<HttpResponse> {
    let (browsing, asset) = place(path, &request);
    let caller = signed.caller(&browsing.organization)?;
    let variant = wanted_variant(request.query_string());
    let trashed = [variant.clone().unwrap_or_else(|| asset.clone())];
    let moved = signed.app.delete_assets(&caller, &browsing.path(), &trashed).await?;
    if moved.is_empty() {
        return Err(Error::asset_not_found());
    }
    let to = match variant {
        Some(_) => browsing.asset(&asset),
        None => browsing.without(&trashed),
    };
    Ok(redirect(&signed.visit, &to))
}
