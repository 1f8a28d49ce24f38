//! Uploads: the files of a form, on their way to the disk as they arrive. A script sends them one by one and gets
//! the new tile, or the reason why there is none; without one they come together, and the next page tells.

use actix_multipart::Field;
use actix_web::HttpResponse;
use askama::Template;
use futures_util::StreamExt;

use super::browsing::Browsing;
use super::selected::again;
use super::tile::Tile;
use super::{InLibrary, May, OfAsset};
use crate::app::uploads::{Upload, Uploaded};
use crate::edge::files::{receive, unreadable};
use crate::error::{Code, Error, Result};
use crate::web::flash::Flash;
use crate::web::form::Parts;
use crate::web::page::{page, redirect_with};
use crate::web::path::LocalPath;
use crate::web::signed::Signed;
use crate::web::visit::Visit;

/// The field that holds a file; it is repeated.
const FILES: &str = "files";

/// The tiles of what was uploaded.
#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "libraries/tiles.html")]
struct Tiles {
    may: May,
    tiles: Vec<Tile>,
}

/// Why a file was left out.
#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "libraries/refused.html")]
struct Refused {
    reasons: Vec<String>,
}

pub async fn upload(signed: Signed, path: InLibrary, parts: Parts) -> Result<HttpResponse> {
    let browsing = Browsing::parse(path.into_inner(), "");
    let caller = signed.caller(&browsing.organization)?;
    let may = May::of(&caller);
    let mut upload = signed.app.begin_upload(&caller, &browsing.path())?;
    // No snapshot is kept while the visitor is waited for.
    drop(caller);
    let visit = &signed.visit;
    if let Err(error) = take_in(&mut upload, parts).await {
        return again(visit, &browsing.whole(), error);
    }
    let reasons = reasons(&upload);
    match upload.finish().await {
        Ok(uploaded) if visit.is_partial() => {
            let tile = |detail: &_| new_tile(&browsing, detail);
            page(&Tiles { may, tiles: uploaded.assets.iter().map(tile).collect() })
        }
        Ok(uploaded) => told(visit, &browsing.whole(), &uploaded, &reasons),
        Err(error) => refused(visit, &browsing.whole(), reasons, error),
    }
}

pub async fn upload_variant(signed: Signed, path: OfAsset, parts: Parts) -> Result<HttpResponse> {
    let (organization, library, asset) = path.into_inner();
    let browsing = Browsing::parse((organization, library), "");
    let caller = signed.caller(&browsing.organization)?;
    let mut upload = signed.app.begin_upload(&caller, &browsing.path())?;
    drop(caller);
    let (visit, back) = (&signed.visit, browsing.asset(&asset));
    if let Err(error) = take_in(&mut upload, parts).await {
        return again(visit, &back, error);
    }
    let reasons = reasons(&upload);
    match upload.finish_as_variant(&asset).await {
        Ok(uploaded) => told(visit, &back, &uploaded, &reasons),
        Err(error) => refused(visit, &back, reasons, error),
    }
}

async fn take_in(upload: &mut Upload, mut parts: Parts) -> Result<()> {
    while let Some(mut field) = parts.next().await? {
        match field.name() {
            Some(FILES) if is_nothing(&field) => pass_over(field).await?,
            Some(FILES) => receive(upload, &mut field).await?,
            name => {
                let name = name.unwrap_or_default();
                return Err(Error::bad_input(format!("The form has a field “{name}”, which is not known.")));
            }
        }
    }
    Ok(())
}

/// What a browser sends for a file field in which nothing was picked.
fn is_nothing(field: &Field) -> bool {
    let name = field.content_disposition().and_then(|disposition| disposition.get_filename());
    name == Some("")
}

async fn pass_over(mut field: Field) -> Result<()> {
    while let Some(bytes) = field.next().await {
        bytes.map_err(unreadable)?;
    }
    Ok(())
}

fn new_tile(browsing: &Browsing, detail: &crate::app::assets::AssetDetail) -> Tile {
    let href = browsing.asset(detail.asset.id.as_str()).to_string();
    Tile::new(detail, href, String::new())
}

fn reasons(upload: &Upload) -> Vec<String> {
    upload.left_out().map(|(_, reason)| format!("It was left out: {reason}.")).collect()
}

fn told(visit: &Visit, back: &LocalPath, uploaded: &Uploaded, reasons: &[String]) -> Result<HttpResponse> {
    let flash = if reasons.is_empty() { Flash::done(&uploaded.text) } else { Flash::problem(&uploaded.text) };
    redirect_with(visit, back, &flash)
}

/// No file was taken: a script gets the reasons alone, because it knows which file it sent.
fn refused(visit: &Visit, back: &LocalPath, reasons: Vec<String>, error: Error) -> Result<HttpResponse> {
    if visit.is_partial() && error.code() == Code::BadUserInput && !reasons.is_empty() {
        return page(&Refused { reasons });
    }
    again(visit, back, error)
}
