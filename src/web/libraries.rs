//! Libraries and what is in them, as people look at them, sort them and add to them. The list of these pages' routes
//! is here, and the list of libraries; the rest is a file for each page.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::figures::counted;
use super::flash::Flash;
use super::form::Form;
use super::page::{page, page_again, redirect_with};
use super::path::LocalPath;
use super::shell::{Section, Shell};
use super::signed::Signed;
use crate::app::App;
use crate::app::access::{Caller, LibraryPath};
use crate::app::libraries::LibraryDetail;
use crate::app::model::Role;
use crate::app::page::Page;
use crate::edge;
use crate::error::{Code, Error, Result};

mod asset;
mod asset_changes;
mod browsing;
mod picture;
mod pictures;
mod selected;
mod tile;
mod trash;
mod trash_changes;
mod upload;

use picture::Picture;

/// How many pictures of a library are shown of it.
const MOSAIC: usize = 5;
/// How many of its newest assets are looked at for those: not all of them have a picture.
const MOSAIC_LOOKED_AT: usize = 12;
/// All of a list that is short by itself.
const ALL: Page = Page { offset: 0, size: usize::MAX };

/// The path of a library: its organization and itself.
type InLibrary = web::Path<(String, String)>;
/// The path of an asset: organization, library, itself.
type OfAsset = web::Path<(String, String, String)>;

/// The routes. Comes after everything else that is below an organization.
pub fn configure(routes: &mut web::ServiceConfig) {
    let get_and_post = &[Method::GET, Method::POST];
    let libraries = edge::resource("/{organization}", get_and_post);
    let library = edge::resource("/{organization}/{library}", get_and_post);
    let trash = edge::resource("/{organization}/{library}/trash", &[Method::GET]);
    let trashed = edge::resource("/{organization}/{library}/trash/{asset}", &[Method::GET]);
    let asset = edge::resource("/{organization}/{library}/{asset}", &[Method::GET]);
    routes
        .service(libraries.route(web::get().to(list)).route(web::post().to(create)))
        .service(library.route(web::get().to(pictures::show)).route(web::post().to(rename)))
        .service(change("/selected").route(web::post().to(selected::change)))
        .service(change("/upload").route(web::post().to(upload::upload)))
        .service(trash.route(web::get().to(trash::show)))
        .service(change("/trash/selected").route(web::post().to(trash_changes::change)))
        .service(change("/trash/empty").route(web::post().to(trash_changes::empty)))
        .service(trashed.route(web::get().to(trash::picture)))
        .service(asset.route(web::get().to(asset::show)))
        .service(change("/{asset}/description").route(web::post().to(asset_changes::describe)))
        .service(change("/{asset}/tags").route(web::post().to(asset_changes::tag)))
        .service(change("/{asset}/variants").route(web::post().to(upload::upload_variant)))
        .service(change("/{asset}/promote").route(web::post().to(asset_changes::promote)))
        .service(change("/{asset}/trash").route(web::post().to(asset_changes::trash)));
}

/// A change of what is in a library.
fn change(path: &str) -> actix_web::Resource {
    edge::resource(&format!("/{{organization}}/{{library}}{path}"), &[Method::POST])
}

/// What somebody's role lets them do in every library of the organization.
#[derive(Debug, Clone, Copy)]
struct May {
    /// Change what is in it.
    change: bool,
    /// Make libraries and name them.
    manage: bool,
}

impl May {
    /// Only for what a page offers: whether it is done is for the operation to say.
    fn of(caller: &Caller) -> Self {
        match caller.role() {
            Some(Role::Owner) => Self { change: true, manage: true },
            Some(Role::Editor) => Self { change: true, manage: false },
            Some(Role::Viewer) | None => Self { change: false, manage: false },
        }
    }
}

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "libraries/list.html")]
struct ListPage {
    shell: Shell,
    organization: String,
    may: May,
    cards: Vec<Card>,
    asked: String,
    problem: String,
}

/// One library in the list.
struct Card {
    slug: String,
    name: String,
    count: String,
    tags: Vec<String>,
    mosaic: Vec<Picture>,
}

async fn list(signed: Signed, organization: web::Path<String>) -> Result<HttpResponse> {
    page(&list_page(&signed, &organization, "", "")?)
}

fn list_page(signed: &Signed, organization: &str, asked: &str, problem: &str) -> Result<ListPage> {
    let caller = signed.caller(organization)?;
    let libraries = signed.app.list_libraries(&caller, organization, ALL)?;
    let cards = libraries.into_iter().map(|library| card(&signed.app, &caller, organization, library));
    Ok(ListPage {
        shell: signed.shell("Libraries")?.within(&caller, Section::Libraries),
        organization: organization.to_owned(),
        may: May::of(&caller),
        cards: cards.collect::<Result<_>>()?,
        asked: asked.to_owned(),
        problem: problem.to_owned(),
    })
}

fn card(app: &App, caller: &Caller, organization: &str, detail: LibraryDetail) -> Result<Card> {
    let LibraryDetail { library, tags } = detail;
    let path = LibraryPath { organization, library: library.slug.as_str() };
    let newest = Page { offset: 0, size: MOSAIC_LOOKED_AT };
    let assets = app.list_assets(caller, &path, &[], newest)?;
    let mosaic = assets.iter().filter_map(|detail| Picture::of(detail, &detail.asset)).take(MOSAIC).collect();
    Ok(Card {
        slug: library.slug.to_string(),
        name: library.name,
        count: counted(library.assets, "asset"),
        tags: tags.into_iter().take(3).map(|tag| tag.text).collect(),
        mosaic,
    })
}

async fn create(signed: Signed, organization: web::Path<String>, form: Form) -> Result<HttpResponse> {
    let caller = signed.caller(&organization)?;
    match signed.app.create_library(&caller, &organization, form.text("name"), None).await {
        Ok(LibraryDetail { library, .. }) => {
            let to = LocalPath::to(&[&organization, library.slug.as_str()]);
            let flash = Flash::done(format!("The library “{}” is there.", library.name));
            redirect_with(&signed.visit, &to, &flash)
        }
        Err(error) if is_mistake(&error) => {
            page_again(&list_page(&signed, &organization, form.text("name"), error.message())?)
        }
        Err(error) => Err(error),
    }
}

async fn rename(signed: Signed, path: InLibrary, form: Form) -> Result<HttpResponse> {
    let (organization, library) = path.into_inner();
    let caller = signed.caller(&organization)?;
    let to = LocalPath::to(&[&organization, &library]);
    let path = LibraryPath { organization: &organization, library: &library };
    let flash = match signed.app.rename_library(&caller, &path, form.text("name")).await {
        Ok(detail) => Flash::done(format!("The library is called “{}” now.", detail.library.name)),
        Err(error) if is_mistake(&error) => Flash::problem(error.message()),
        Err(error) => return Err(error),
    };
    redirect_with(&signed.visit, &to, &flash)
}

/// Something that the person can put right on the page where they are.
fn is_mistake(error: &Error) -> bool {
    matches!(error.code(), Code::BadUserInput | Code::Conflict | Code::LibraryUrlTaken)
}
