//! Libraries and their assets: browsing, changing, uploading. The routes of these pages are here, and the list of
//! libraries; the rest is a file for each page.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::libraries::LibraryDetail;
use crate::core::model::Role;
use crate::core::model::page::PageRequest;
use crate::error::Result;
use crate::transport;
use crate::webapp::answer::{page, page_again, redirect_with};
use crate::webapp::flash::Flash;
use crate::webapp::form::Form;
use crate::webapp::format::numbers::counted;
use crate::webapp::layout::{Layout, NavSection};
use crate::webapp::pages::settings::checklist::Checklist;
use crate::webapp::path::LocalPath;
use crate::webapp::signed_in_user::SignedInUser;

mod answers;
mod approve;
mod asset;
mod asset_changes;
mod asset_history;
mod browsing;
mod bulk_changes;
mod download;
mod duplicates;
mod filters;
mod grid;
mod image;
mod resumable_upload;
mod tile;
mod trash;
mod trash_changes;
mod upload;

use image::Image;

/// How many images the card of a library shows.
const MOSAIC: usize = 5;
/// How many of its newest assets are looked at for those: not all of them have an image.
const MOSAIC_LOOKED_AT: usize = 12;
/// All of a list that is short by itself.
const ALL: PageRequest = PageRequest { offset: 0, size: usize::MAX };
/// How many tags the card of a library shows.
const TAGS: usize = 3;

/// The path of a library: its organization and itself.
type InLibrary = web::Path<(String, String)>;
/// The path of an asset: organization, library, itself.
type OfAsset = web::Path<(String, String, String)>;

/// The routes. Comes after everything else that is below an organization.
pub fn configure(routes: &mut web::ServiceConfig) {
    let get_and_post = &[Method::GET, Method::POST];
    let libraries = transport::resource("/{organization}", get_and_post);
    let library = transport::resource("/{organization}/{library}", get_and_post);
    let trash = transport::resource("/{organization}/{library}/trash", &[Method::GET]);
    let duplicates = transport::resource("/{organization}/{library}/duplicates", &[Method::GET]);
    let trashed = transport::resource("/{organization}/{library}/trash/{asset}", &[Method::GET]);
    let asset = transport::resource("/{organization}/{library}/{asset}", &[Method::GET]);
    let tile = transport::resource("/{organization}/{library}/{asset}/tile", &[Method::GET]);
    let same_files = transport::resource("/{organization}/{library}/same-files", &[Method::GET]);
    let details = transport::resource("/{organization}/{library}/{asset}/details", &[Method::GET]);
    routes
        .service(libraries.route(web::get().to(list)).route(web::post().to(create)))
        .service(library.route(web::get().to(grid::show)).route(web::post().to(rename)))
        .service(change("/selected").route(web::post().to(bulk_changes::change)))
        .service(change("/upload").route(web::post().to(upload::upload)))
        .service(duplicates.route(web::get().to(duplicates::show)))
        .service(change("/uploads").route(web::post().to(resumable_upload::create)))
        .service(trash.route(web::get().to(trash::show)))
        .service(change("/trash/selected").route(web::post().to(trash_changes::change)))
        .service(change("/trash/empty").route(web::post().to(trash_changes::empty)))
        .service(trashed.route(web::get().to(trash::image)))
        .service(same_files.route(web::get().to(upload::same_files)))
        .service(asset.route(web::get().to(asset::show)))
        .service(tile.route(web::get().to(upload::tile)))
        .service(details.route(web::get().to(asset::details)))
        .service(change("/{asset}/name").route(web::post().to(asset_changes::rename)))
        .service(change("/{asset}/description").route(web::post().to(asset_changes::describe)))
        .service(change("/{asset}/tags").route(web::post().to(asset_changes::tag)))
        .service(change("/{asset}/variants").route(web::post().to(upload::upload_variant)))
        .service(change("/{asset}/approval").route(web::post().to(approve::decide)))
        .service(change("/{asset}/promote").route(web::post().to(asset_changes::promote)))
        .service(change("/{asset}/trash").route(web::post().to(asset_changes::trash)));
}

/// A change of what is in a library.
fn change(path: &str) -> actix_web::Resource {
    transport::resource(&format!("/{{organization}}/{{library}}{path}"), &[Method::POST])
}

/// What somebody's role lets them do in every library of the organization.
#[derive(Debug, Clone, Copy)]
struct Can {
    /// Change its assets.
    change: bool,
    /// Create and rename libraries.
    manage: bool,
}

impl Can {
    /// Only for what a page offers: the operation itself decides.
    fn of(caller: &Caller) -> Self {
        match caller.role() {
            Some(Role::Owner) => Self { change: true, manage: true },
            Some(Role::Editor) => Self { change: true, manage: false },
            Some(Role::Viewer) | None => Self { change: false, manage: false },
        }
    }
}

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/list.html")]
struct LibraryListPage {
    layout: Layout,
    organization: String,
    can: Can,
    cards: Vec<LibraryCard>,
    checklist: Option<Checklist>,
    typed: String,
    problem: String,
}

/// One library in the list.
struct LibraryCard {
    slug: String,
    name: String,
    count: String,
    tags: Vec<String>,
    mosaic: Vec<Image>,
}

async fn list(user: SignedInUser, organization: web::Path<String>) -> Result<HttpResponse> {
    page(&list_page(&user, &organization, "", "")?)
}

fn list_page(user: &SignedInUser, organization: &str, typed: &str, problem: &str) -> Result<LibraryListPage> {
    let caller = user.caller(organization)?;
    let libraries = user.core.list_libraries_with(&caller, organization, ALL, TAGS)?;
    let all: Vec<_> = libraries.iter().map(|detail| detail.library.clone()).collect();
    let cards = libraries.into_iter().map(|library| card(&user.core, &caller, organization, library));
    Ok(LibraryListPage {
        layout: user.layout("Libraries")?.within(&caller, NavSection::Libraries),
        organization: organization.to_owned(),
        can: Can::of(&caller),
        cards: cards.collect::<Result<_>>()?,
        checklist: Checklist::of(user, &caller, &all)?,
        typed: typed.to_owned(),
        problem: problem.to_owned(),
    })
}

fn card(core: &Core, caller: &Caller, organization: &str, detail: LibraryDetail) -> Result<LibraryCard> {
    let LibraryDetail { library, tags } = detail;
    let path = LibraryPath { organization, library: library.slug.as_str() };
    let newest = PageRequest { offset: 0, size: MOSAIC_LOOKED_AT };
    let assets = core.list_assets(caller, &path, &[], newest)?;
    let mosaic = assets.iter().filter_map(|detail| Image::of(detail, &detail.asset)).take(MOSAIC).collect();
    Ok(LibraryCard {
        slug: library.slug.to_string(),
        name: library.name,
        count: counted(library.assets, "asset"),
        tags: tags.into_iter().map(|tag| tag.text).collect(),
        mosaic,
    })
}

async fn create(user: SignedInUser, organization: web::Path<String>, form: Form) -> Result<HttpResponse> {
    let caller = user.caller(&organization)?;
    match user.core.create_library(&caller, &organization, form.text("name"), None).await {
        Ok(LibraryDetail { library, .. }) => {
            let to = LocalPath::to(&[&organization, library.slug.as_str()]);
            let flash = Flash::success(format!("Created library “{}”.", library.name));
            redirect_with(&user.context, &to, &flash)
        }
        Err(error) if error.is_user_fixable() => {
            page_again(&list_page(&user, &organization, form.text("name"), error.message())?)
        }
        Err(error) => Err(error),
    }
}

async fn rename(user: SignedInUser, path: InLibrary, form: Form) -> Result<HttpResponse> {
    let (organization, library) = path.into_inner();
    let caller = user.caller(&organization)?;
    let to = LocalPath::to(&[&organization, &library]);
    let path = LibraryPath { organization: &organization, library: &library };
    let flash = match user.core.rename_library(&caller, &path, form.text("name")).await {
        Ok(detail) => Flash::success(format!("Renamed to “{}”.", detail.library.name)),
        Err(error) if error.is_user_fixable() => Flash::problem(error.message()),
        Err(error) => return Err(error),
    };
    redirect_with(&user.context, &to, &flash)
}
