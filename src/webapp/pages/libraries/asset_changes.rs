//! Changes of one asset on its page: its description, its tags, its default file, moving it to the trash.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::OfAsset;
use super::asset::{asset_tags, description_conflict, wanted_variant};
use super::browsing::Browsing;
use crate::core::assets::description_mark;
use crate::error::{Code, Error, Result};
use crate::webapp::answer::{page, redirect, redirect_with};
use crate::webapp::flash::Flash;
use crate::webapp::form::Form;
use crate::webapp::pages::libraries::answers::{error_answer, success_answer};
use crate::webapp::pages::libraries::bulk_changes::tags_in;
use crate::webapp::signed_in_user::SignedInUser;

/// The answer to saving a description from a page that stays open.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/description_saved.html")]
struct Described {
    seen: String,
}

/// The list that an asset's page was opened from, and the asset.
fn browsing_and_asset(path: OfAsset, request: &HttpRequest) -> (Browsing, String) {
    let (organization, library, asset) = path.into_inner();
    (Browsing::parse((organization, library), request.query_string()), asset)
}

pub async fn describe(
    user: SignedInUser,
    path: OfAsset,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse> {
    let (browsing, asset) = browsing_and_asset(path, &request);
    let caller = user.caller(&browsing.organization)?;
    // Browsers send line ends as the network has them; people and other clients write them as text has them.
    let text = form.text("description").replace("\r\n", "\n");
    let (seen, path, back) = (form.text("seen"), browsing.path(), browsing.asset_address(&asset));
    let done = user.core.revise_asset_description(&caller, &path, &asset, seen, &text).await;
    let saved = "The description is saved.";
    match done {
        Ok(asset) if user.context.is_partial() => {
            let seen = description_mark(&asset.description);
            page(&Described { seen })
        }
        Ok(_) => success_answer(&user.context, &back, saved.to_owned()),
        Err(error) if error.code() == Code::Conflict && !user.context.is_partial() => {
            drop(caller);
            description_conflict(&user, &request, &browsing, &asset, text).await
        }
        Err(error) => error_answer(&user.context, &back, error),
    }
}

/// Renames the asset.
pub async fn rename(
    user: SignedInUser,
    path: OfAsset,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse> {
    let (browsing, asset) = browsing_and_asset(path, &request);
    let caller = user.caller(&browsing.organization)?;
    match user.core.rename_asset(&caller, &browsing.path(), &asset, form.text("name")).await {
        Ok(_) if user.context.is_partial() => Ok(HttpResponse::NoContent().finish()),
        Ok(asset_now) => {
            let text = format!("Renamed to “{}”.", asset_now.name);
            success_answer(&user.context, &browsing.asset_address(&asset), text)
        }
        Err(error) => error_answer(&user.context, &browsing.asset_address(&asset), error),
    }
}

pub async fn tag(
    user: SignedInUser,
    path: OfAsset,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse> {
    let (browsing, asset) = browsing_and_asset(path, &request);
    let caller = user.caller(&browsing.organization)?;
    let (ids, back) = ([asset.clone()], browsing.asset_address(&asset));
    let (on, off) = (tags_in(form.text("add")), form.text("remove").to_owned());
    let done = if off.is_empty() {
        user.core.tag_assets(&caller, &browsing.path(), &ids, &on).await
    } else {
        user.core.untag_assets(&caller, &browsing.path(), &ids, &[off]).await
    };
    match done {
        Ok(_) if user.context.is_partial() => {
            // Another snapshot, because the caller's own is from before the change.
            let caller = user.caller(&browsing.organization)?;
            let detail = user.core.get_asset(&caller, &browsing.path(), &asset)?;
            page(&asset_tags(&user, &caller, &browsing, &detail.asset)?)
        }
        Ok(_) => Ok(redirect(&user.context, &back)),
        Err(error) => error_answer(&user.context, &back, error),
    }
}

pub async fn promote(
    user: SignedInUser,
    path: OfAsset,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse> {
    let (browsing, asset) = browsing_and_asset(path, &request);
    let caller = user.caller(&browsing.organization)?;
    let variant = form.text("variant");
    let back = browsing.asset_address(&asset);
    match user.core.promote_variant(&caller, &browsing.path(), &asset, variant).await {
        Ok(_) => {
            let flash = Flash::success("The asset’s address now serves this file.");
            redirect_with(&user.context, &back, &flash)
        }
        Err(error) => error_answer(&user.context, &back, error),
    }
}

/// Moves the asset, or the variant that the page shows, to the trash.
pub async fn trash(user: SignedInUser, path: OfAsset, request: HttpRequest) -> Result<HttpResponse> {
    let (browsing, asset) = browsing_and_asset(path, &request);
    let caller = user.caller(&browsing.organization)?;
    let variant = wanted_variant(request.query_string());
    let trashed = [variant.clone().unwrap_or_else(|| asset.clone())];
    let moved = user.core.delete_assets(&caller, &browsing.path(), &trashed).await?;
    if moved.is_empty() {
        return Err(Error::asset_not_found());
    }
    let to = match variant {
        Some(_) => browsing.asset_address(&asset),
        None => browsing.offering_restore(&trashed),
    };
    Ok(redirect(&user.context, &to))
}
