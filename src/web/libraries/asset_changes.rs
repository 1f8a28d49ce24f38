//! What is done to one asset on its page: described, tagged, another file made its default, put into the trash.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::OfAsset;
use super::asset::{asset_tags, described_since, wanted_variant};
use super::browsing::Browsing;
use super::selected::{Toast, again, tags_in, told};
use crate::app::assets::description_mark;
use crate::error::{Code, Error, Result};
use crate::web::flash::Flash;
use crate::web::form::Form;
use crate::web::page::{page, redirect, redirect_with};
use crate::web::signed::Signed;

/// The answer to a description that a page which stays open has saved.
#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "libraries/described.html")]
struct Described {
    toast: Toast,
    seen: String,
}

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
    let (seen, path, back) = (form.text("seen"), browsing.path(), browsing.asset(&asset));
    let done = signed.app.revise_asset_description(&caller, &path, &asset, seen, &text).await;
    let saved = "The description is saved.";
    match done {
        Ok(asset) if signed.visit.is_partial() => {
            let seen = description_mark(&asset.description);
            page(&Described { toast: Toast::new(saved), seen })
        }
        Ok(_) => told(&signed.visit, &back, saved.to_owned()),
        Err(error) if error.code() == Code::Conflict && !signed.visit.is_partial() => {
            drop(caller);
            described_since(&signed, &browsing, &asset, text).await
        }
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
