//! What is done to several assets at once: tag, untag, transfer, trash.

use actix_web::HttpResponse;
use askama::Template;

use super::browsing::Browsing;
use super::{InLibrary, is_mistake};
use crate::app::access::{Caller, LibraryPath};
use crate::error::{Error, Result};
use crate::web::figures::counted;
use crate::web::flash::Flash;
use crate::web::form::Form;
use crate::web::page::{page, redirect, redirect_with};
use crate::web::path::LocalPath;
use crate::web::signed::Signed;
use crate::web::visit::Visit;

/// A message for the page that is open, which may offer to undo what it tells of.
#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "libraries/toast.html")]
pub struct Toast {
    text: String,
    undo: Option<Undo>,
}

/// The form that takes assets back out of the trash.
pub struct Undo {
    /// Where it is sent.
    pub action: LocalPath,
    /// The visitor's token.
    pub csrf: String,
    /// The assets.
    pub ids: Vec<String>,
}

impl Toast {
    /// A message.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None }
    }
}

/// What is done to a selection.
enum Deed {
    Tag,
    Untag,
    Transfer,
    Trash,
}

impl Deed {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "tag" => Some(Self::Tag),
            "untag" => Some(Self::Untag),
            "transfer" => Some(Self::Transfer),
            "trash" => Some(Self::Trash),
            _ => None,
        }
    }
}

pub async fn change(signed: Signed, path: InLibrary, form: Form) -> Result<HttpResponse> {
    let back = LocalPath::parse(form.text("next"));
    let query = back.as_ref().and_then(|back| back.as_str().split_once('?')).map_or("", |(_, query)| query);
    let browsing = Browsing::parse(path.into_inner(), query);
    let caller = signed.caller(&browsing.organization)?;
    let ids: Vec<String> = form.texts("id").map(str::to_owned).collect();
    let done = carry_out(&signed, &caller, &browsing.path(), &ids, &form).await;
    let visit = &signed.visit;
    match done {
        Ok(Done::Trashed(text)) if visit.is_partial() => {
            let action = browsing.whole().below("trash").below("selected");
            page(&Toast { text, undo: Some(Undo { action, csrf: visit.csrf(), ids }) })
        }
        Ok(Done::Trashed(_)) => Ok(redirect(visit, &browsing.without(&ids))),
        Ok(Done::Changed(text)) => told(visit, &browsing.list(), text),
        Err(error) => again(visit, &browsing.list(), error),
    }
}

enum Done {
    Changed(String),
    Trashed(String),
}

async fn carry_out(
    signed: &Signed,
    caller: &Caller,
    path: &LibraryPath<'_>,
    ids: &[String],
    form: &Form,
) -> Result<Done> {
    let app = &signed.app;
    let number = counted(u64::try_from(ids.len()).unwrap_or(u64::MAX), "asset");
    let tags = tags_in(form.text("tags"));
    match Deed::parse(form.text("do")) {
        Some(Deed::Tag) => {
            app.tag_assets(caller, path, ids, &tags).await?;
            Ok(Done::Changed(format!("Put {} on {number}.", quoted(&tags))))
        }
        Some(Deed::Untag) => {
            app.untag_assets(caller, path, ids, &tags).await?;
            Ok(Done::Changed(format!("Took {} off {number}.", quoted(&tags))))
        }
        Some(Deed::Transfer) => {
            let target = LibraryPath { organization: path.organization, library: form.text("target") };
            app.transfer_assets(caller, path, &target, ids).await?;
            let name = app.get_library(caller, &target)?.library.name;
            Ok(Done::Changed(format!("Moved {number} to “{name}”.")))
        }
        Some(Deed::Trash) => {
            app.delete_assets(caller, path, ids).await?;
            Ok(Done::Trashed(format!("Moved {number} to the trash.")))
        }
        None => Err(Error::bad_input("Say what to do with the selection: use the buttons of the page.")),
    }
}

/// Tags as people write several of them: with commas between.
pub fn tags_in(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn quoted(tags: &[String]) -> String {
    tags.iter().map(|tag| format!("“{tag}”")).collect::<Vec<_>>().join(", ")
}

/// Tells what was done: in the page that is open, or on the one that comes back.
pub fn told(visit: &Visit, back: &LocalPath, text: String) -> Result<HttpResponse> {
    if visit.is_partial() { page(&Toast::new(text)) } else { redirect_with(visit, back, &Flash::done(text)) }
}

/// Tells what is wrong: an error of its own for a script and for what can't be put right here.
pub fn again(visit: &Visit, back: &LocalPath, error: Error) -> Result<HttpResponse> {
    if visit.is_partial() || !is_mistake(&error) {
        return Err(error);
    }
    redirect_with(visit, back, &Flash::problem(error.message()))
}
