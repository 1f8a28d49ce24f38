//! Uploads: the files of a form, written to the disk as they arrive. A script sends them one by one and gets the new
//! tile, or the reason why there is none; without a script they come together, and the next page says what was done.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::json;

use super::browsing::Browsing;
use super::tile::Tile;
use super::{InLibrary, OfAsset};
use crate::core::assets::AssetDetail;
use crate::core::model::text::shown;
use crate::core::uploads::{Upload, Uploaded};
use crate::error::{Code, Error, Result, excerpt};
use crate::pictures::media::MediaType;
use crate::transport::files::receive;
use crate::transport::form::FormPart;
use crate::webapp::answer::{page, redirect_with};
use crate::webapp::flash::Flash;
use crate::webapp::form::CheckedMultipartForm;
use crate::webapp::pages::libraries::answers::error_answer;
use crate::webapp::path::LocalPath;
use crate::webapp::request_context::RequestContext;
use crate::webapp::signed_in_user::SignedInUser;

/// The field that holds a file; it is repeated.
const FILES: &str = "files";

/// The tiles of what was uploaded.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/tiles.html")]
pub struct TileList {
    /// The tiles.
    pub(super) tiles: Vec<Tile>,
    /// How many the list has that they are a part of, if they are.
    pub(super) total: Option<usize>,
    /// What to say about what was uploaded; usually nothing.
    pub(super) warning: &'static str,
}

/// What is said about a picture whose file was cut off before it was uploaded. It is kept: a part of it may be all there is.
pub const ENDS_EARLY: &str = "This file ends early: the lower part of the picture is missing.";

/// Why a file was left out.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/upload_refused.html")]
struct Refused {
    reasons: Vec<String>,
}

pub async fn upload(
    user: SignedInUser,
    path: InLibrary,
    parts: CheckedMultipartForm,
) -> Result<HttpResponse> {
    let browsing = Browsing::parse(path.into_inner(), "");
    let caller = user.caller(&browsing.organization)?;
    let mut upload = user.core.begin_upload(&caller, &browsing.path())?;
    // No snapshot is held while the files arrive.
    drop(caller);
    let context = &user.context;
    if let Err(error) = receive_files(&mut upload, parts).await {
        return error_answer(context, &browsing.library_address(), error);
    }
    let reasons = reasons(&upload);
    match upload.finish().await {
        Ok(uploaded) if context.is_partial() => page(&new_tiles(&user, &browsing, &uploaded.assets).await),
        Ok(uploaded) => uploaded_answer(&user, &browsing.library_address(), &uploaded, &reasons).await,
        Err(error) => refused_answer(context, &browsing.library_address(), reasons, error),
    }
}

/// `GET …/{asset}/tile`: the tile of an asset that a script has just uploaded.
pub async fn tile(user: SignedInUser, path: OfAsset) -> Result<HttpResponse> {
    let (organization, library, asset) = path.into_inner();
    let browsing = Browsing::parse((organization, library), "");
    let caller = user.caller(&browsing.organization)?;
    let detail = user.core.get_asset(&caller, &browsing.path(), &asset)?;
    // No snapshot is held while the file is read.
    drop(caller);
    page(&new_tiles(&user, &browsing, &[detail]).await)
}

/// `GET …/same-files?id=…`: which of these assets have the same file as another one of the library, as JSON.
pub async fn same_files(user: SignedInUser, path: InLibrary, request: HttpRequest) -> Result<HttpResponse> {
    let browsing = Browsing::parse(path.into_inner(), "");
    let query = url::form_urlencoded::parse(request.query_string().as_bytes());
    let ids: Vec<String> =
        query.filter(|(name, _)| name == "id").map(|(_, value)| value.into_owned()).collect();
    let caller = user.caller(&browsing.organization)?;
    let found = user.core.find_same_files(caller, &browsing.path(), &ids).await?;
    let matches = found.into_iter().map(|(asset, other)| {
        let href = browsing.asset_address(other.id.as_str());
        json!({ "id": asset.id.as_str(), "name": shown(&other.name), "href": href.as_str() })
    });
    Ok(HttpResponse::Ok().json(matches.collect::<Vec<_>>()))
}

/// The extensions of the files that are accepted, as alternatives of a pattern: a script refuses others before it sends
/// them. The server decides by the bytes.
pub fn accepted_extensions() -> String {
    const OTHER_SPELLINGS: [&str; 8] = ["jpeg", "jpe", "jfif", "tiff", "heif", "m4v", "qt", "dib"];
    let usual = MediaType::ALL.iter().map(|media_type| media_type.extension());
    usual.chain(OTHER_SPELLINGS).collect::<Vec<_>>().join("|")
}

pub async fn upload_variant(
    user: SignedInUser,
    path: OfAsset,
    request: HttpRequest,
    parts: CheckedMultipartForm,
) -> Result<HttpResponse> {
    let (organization, library, asset) = path.into_inner();
    let browsing = Browsing::parse((organization, library), request.query_string());
    let caller = user.caller(&browsing.organization)?;
    let mut upload = user.core.begin_upload(&caller, &browsing.path())?;
    drop(caller);
    let (context, back) = (&user.context, browsing.asset_address(&asset));
    if let Err(error) = receive_files(&mut upload, parts).await {
        return error_answer(context, &back, error);
    }
    let reasons = reasons(&upload);
    match upload.finish_as_variant(&asset).await {
        Ok(uploaded) => uploaded_answer(&user, &back, &uploaded, &reasons).await,
        Err(error) => refused_answer(context, &back, reasons, error),
    }
}

async fn receive_files(upload: &mut Upload, mut parts: CheckedMultipartForm) -> Result<()> {
    while let Some(mut part) = parts.next().await? {
        match part.name.as_str() {
            FILES if is_nothing(&part) => skip(part).await?,
            FILES => receive(upload, &mut part).await?,
            name => {
                let name = excerpt(name);
                return Err(Error::bad_input(format!("The form has a field “{name}”, which is not known.")));
            }
        }
    }
    Ok(())
}

/// What a browser sends for a file field in which nothing was picked.
fn is_nothing(part: &FormPart) -> bool {
    part.file_name.as_deref() == Some("")
}

async fn skip(mut part: FormPart) -> Result<()> {
    while part.chunk().await?.is_some() {}
    Ok(())
}

async fn new_tiles(user: &SignedInUser, browsing: &Browsing, assets: &[AssetDetail]) -> TileList {
    let tile = |detail: &AssetDetail| {
        let href = browsing.asset_address(detail.asset.id.as_str()).to_string();
        Tile::new(detail, href, String::new())
    };
    let warning = if count_cut_off(user, assets).await > 0 { ENDS_EARLY } else { "" };
    TileList { tiles: assets.iter().map(tile).collect(), total: None, warning }
}

/// How many of these assets have a file that ends early.
async fn count_cut_off(user: &SignedInUser, assets: &[AssetDetail]) -> u64 {
    let mut count = 0;
    for detail in assets {
        count += u64::from(user.core.ends_early(&detail.asset).await);
    }
    count
}

fn reasons(upload: &Upload) -> Vec<String> {
    upload.rejected_files().map(|(_, reason)| format!("It was left out: {reason}.")).collect()
}

async fn uploaded_answer(
    user: &SignedInUser,
    back: &LocalPath,
    uploaded: &Uploaded,
    reasons: &[String],
) -> Result<HttpResponse> {
    let warning = match (uploaded.assets.len(), count_cut_off(user, &uploaded.assets).await) {
        (_, 0) => String::new(),
        (1, _) => format!(" {ENDS_EARLY}"),
        (_, 1) => " 1 file ends early: the lower part of its picture is missing.".to_owned(),
        (_, more) => format!(" {more} files end early: the lower parts of their pictures are missing."),
    };
    let text = format!("{}{warning}", uploaded.text);
    let is_fine = reasons.is_empty() && warning.is_empty();
    let flash = if is_fine { Flash::success(text) } else { Flash::problem(text) };
    redirect_with(&user.context, back, &flash)
}

/// No file was stored: a script gets the reasons alone, because it knows which file it sent.
fn refused_answer(
    context: &RequestContext,
    back: &LocalPath,
    reasons: Vec<String>,
    error: Error,
) -> Result<HttpResponse> {
    if context.is_partial() && error.code() == Code::BadUserInput && !reasons.is_empty() {
        return page(&Refused { reasons });
    }
    error_answer(context, back, error)
}
