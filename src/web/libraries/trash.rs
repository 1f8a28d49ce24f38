//! The trash of a library: what is in it, and how long each of it stays. Its pictures have no public address any
//! more, so they come from here, for members only.

use std::os::unix::fs::FileExt;

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::tile::Tile;
use super::{InLibrary, May, OfAsset};
use crate::app::access::LibraryPath;
use crate::app::clock::Millis;
use crate::app::model::Library;
use crate::app::page::Page;
use crate::app::renditions::{Asked, AskedFormat};
use crate::app::trash::Trashed;
use crate::error::{Error, Result};
use crate::web::figures::counted;
use crate::web::page::page;
use crate::web::path::LocalPath;
use crate::web::shell::{Section, Shell};
use crate::web::signed::Signed;
use crate::web::when::When;

/// How many assets a page has.
const PAGE: usize = 60;
/// The longer edge of its pictures, in pixels.
const EDGE: u32 = 400;
const DAY: Millis = 24 * 60 * 60 * 1000;
/// As long as a page is looked at; what is restored is addressed differently anyway.
const KEPT: HeaderValue = HeaderValue::from_static("private, max-age=300");

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "libraries/trash.html")]
struct TrashPage {
    shell: Shell,
    library: Library,
    address: String,
    may: May,
    rows: Vec<Row>,
    summary: String,
    back: String,
    next: String,
}

/// One asset in the trash.
struct Row {
    tile: Tile,
    is_variant: bool,
    until: When,
    left: String,
}

pub async fn show(signed: Signed, path: InLibrary, request: HttpRequest) -> Result<HttpResponse> {
    let (organization, library) = path.into_inner();
    let caller = signed.caller(&organization)?;
    let path = LibraryPath { organization: &organization, library: &library };
    let number = page_number(request.query_string());
    // One more than is shown tells whether there is another page.
    let first = Page::new(Some(number), Some(PAGE as u64), PAGE, PAGE);
    let mut trashed = signed.app.list_trash(&caller, &path, Page { size: PAGE + 1, ..first })?;
    let has_more = trashed.len() > PAGE;
    trashed.truncate(PAGE);
    let now = signed.app.now();
    let address = LocalPath::to(&[&organization, &library, "trash"]);
    let numbered = |number: u64| address.with("page", &number.to_string()).to_string();
    let detail = signed.app.get_library(&caller, &path)?;
    let shell = signed.shell("Trash")?.within(&caller, Section::Libraries);
    page(&TrashPage {
        shell: shell
            .under("Libraries", format!("/app/{organization}"))
            .under(detail.library.name.clone(), format!("/app/{organization}/{library}")),
        may: May::of(&caller),
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

fn row(trashed: &Trashed, address: &LocalPath, now: Millis) -> Row {
    let asset = &trashed.detail.asset;
    let has_pictures = asset.content.has_pictures(trashed.detail.pictured);
    let src = has_pictures.then(|| format!("{address}/{}", asset.id));
    let days = trashed.until.saturating_sub(now).div_ceil(DAY);
    Row {
        tile: Tile::without_page(asset, src),
        is_variant: asset.parent.is_some(),
        until: When(trashed.until),
        left: if days == 0 { "today".to_owned() } else { format!("in {}", counted(days, "day")) },
    }
}

/// A picture of something in the trash.
pub async fn picture(signed: Signed, path: OfAsset) -> Result<HttpResponse> {
    let (organization, library, asset) = path.into_inner();
    let caller = signed.caller(&organization)?;
    let path = LibraryPath { organization: &organization, library: &library };
    let asked = Asked {
        width: Some(EDGE),
        height: Some(EDGE),
        format: AskedFormat::Auto { webp: true },
        ..Asked::default()
    };
    let made = signed.app.trashed_rendition(caller, &path, &asset, &asked).await?;
    let mut bytes = vec![0; usize::try_from(made.size).map_err(Error::internal)?];
    made.file.read_exact_at(&mut bytes, 0)?;
    Ok(HttpResponse::Ok()
        .content_type(made.media_type.mime())
        .insert_header((CACHE_CONTROL, KEPT))
        .body(bytes))
}
