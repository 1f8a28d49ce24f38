//! The trash of a library: its assets, and how long each stays. Their images no longer have a public address, so they
//! are served here, for members only.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::tile::Tile;
use super::{Can, InLibrary, OfAsset};
use crate::core::access::LibraryPath;
use crate::core::model::Library;
use crate::core::model::page::PageRequest;
use crate::core::model::time::Millis;
use crate::core::renditions::{RenditionRequest, RequestedFormat};
use crate::core::trash::Trashed;
use crate::error::{Error, Result};
use crate::webapp::answer::page;
use crate::webapp::format::numbers::counted;
use crate::webapp::format::times::Time;
use crate::webapp::layout::{Layout, NavSection};
use crate::webapp::path::LocalPath;
use crate::webapp::signed_in_user::SignedInUser;

/// How many assets a page has.
const PAGE: usize = 60;
/// The longer edge of their images, in pixels.
const EDGE: u32 = 400;
const DAY: Millis = 24 * 60 * 60 * 1000;
/// As long as a page is likely to stay open; a restored asset has another address anyway.
const KEPT: HeaderValue = HeaderValue::from_static("private, max-age=300");

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/trash.html")]
struct TrashPage {
    layout: Layout,
    library: Library,
    address: String,
    can: Can,
    rows: Vec<TrashedAsset>,
    summary: String,
    back: String,
    next: String,
}

/// One asset in the trash.
struct TrashedAsset {
    tile: Tile,
    is_variant: bool,
    until: Time,
    left: String,
}

pub async fn show(user: SignedInUser, path: InLibrary, request: HttpRequest) -> Result<HttpResponse> {
    let (organization, library) = path.into_inner();
    let caller = user.caller(&organization)?;
    let path = LibraryPath { organization: &organization, library: &library };
    let number = page_number(request.query_string());
    // One more than is shown indicates whether there is another page.
    let first = PageRequest::new(Some(number), Some(PAGE as u64), PAGE, PAGE);
    let mut trashed = user.core.list_trash(&caller, &path, PageRequest { size: PAGE + 1, ..first })?;
    let has_more = trashed.len() > PAGE;
    trashed.truncate(PAGE);
    let now = user.core.now();
    let address = LocalPath::to(&[&organization, &library, "trash"]);
    let numbered = |number: u64| address.with("page", &number.to_string()).to_string();
    let detail = user.core.get_library(&caller, &path)?;
    let layout = user.layout("Trash")?.within(&caller, NavSection::Libraries);
    page(&TrashPage {
        layout: layout
            .under("Libraries", format!("/app/{organization}"))
            .under(detail.library.name.clone(), format!("/app/{organization}/{library}")),
        can: Can::of(&caller),
        summary: counted(detail.library.trashed, "asset"),
        library: detail.library,
        rows: trashed.iter().map(|trashed| row(trashed, &address, now)).collect(),
        back: if number > 1 { numbered(number - 1) } else { String::new() },
        next: if has_more { numbered(number + 1) } else { String::new() },
        address: address.to_string(),
    })
}

fn page_number(query: &str) -> u64 {
    let page = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "page");
    page.and_then(|(_, number)| number.parse().ok()).filter(|number| *number > 0).unwrap_or(1)
}

fn row(trashed: &Trashed, address: &LocalPath, now: Millis) -> TrashedAsset {
    let asset = &trashed.detail.asset;
    let has_pictures = asset.content.has_pictures(trashed.detail.renderable_types);
    let src = has_pictures.then(|| format!("{address}/{}", asset.id));
    let days = trashed.until.saturating_sub(now).div_ceil(DAY);
    TrashedAsset {
        tile: Tile::without_page(asset, src),
        is_variant: asset.parent.is_some(),
        until: Time(trashed.until),
        left: if days == 0 { "today".to_owned() } else { format!("in {}", counted(days, "day")) },
    }
}

/// The image of an asset in the trash.
pub async fn image(user: SignedInUser, path: OfAsset) -> Result<HttpResponse> {
    let (organization, library, asset) = path.into_inner();
    let caller = user.caller(&organization)?;
    let path = LibraryPath { organization: &organization, library: &library };
    let request = RenditionRequest {
        width: Some(EDGE),
        height: Some(EDGE),
        format: RequestedFormat::Auto { webp: true },
        ..RenditionRequest::default()
    };
    let made = user.core.trashed_rendition(caller, &path, &asset, &request).await?;
    let mut bytes = vec![0; usize::try_from(made.size).map_err(Error::internal)?];
    made.file.read_range(0, &mut bytes)?;
    Ok(HttpResponse::Ok()
        .content_type(made.media_type.mime())
        .insert_header((CACHE_CONTROL, KEPT))
        .body(bytes))
}
