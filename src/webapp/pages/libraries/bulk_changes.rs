//! Changes of several assets at once: tag, untag, transfer, trash.

use actix_web::HttpResponse;
use askama::Template;

use super::InLibrary;
use super::browsing::Browsing;
use crate::core::access::{Caller, LibraryPath};
use crate::core::selection::Selection;
use crate::error::{Code, Error, Result};
use crate::webapp::flash::Flash;
use crate::webapp::form::Form;
use crate::webapp::format::numbers::counted;
use crate::webapp::path::LocalPath;
use crate::webapp::reply::{page, redirect, redirect_with};
use crate::webapp::request_context::RequestContext;
use crate::webapp::signed_in_user::SignedInUser;

/// A message for the page that is open, which may offer to undo the change.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/toast.html")]
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
enum BulkAction {
    Tag,
    Untag,
    Transfer,
    Trash,
}

impl BulkAction {
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

pub async fn change(user: SignedInUser, path: InLibrary, form: Form) -> Result<HttpResponse> {
    let back = LocalPath::parse(form.text("next"));
    let query = back.as_ref().and_then(|back| back.as_str().split_once('?')).map_or("", |(_, query)| query);
    let browsing = Browsing::parse(path.into_inner(), query);
    let caller = user.caller(&browsing.organization)?;
    let ids: Vec<String> = form.texts("id").map(str::to_owned).collect();
    let done = carry_out(&user, &caller, &browsing.path(), &ids, &form).await;
    let context = &user.context;
    match done {
        Ok(BulkOutcome::Trashed { text, ids }) if context.is_partial() => {
            let action = browsing.whole().below("trash").below("selected");
            let undo = Undo { action, csrf: context.csrf(), ids };
            page(&Toast { text, undo: (!undo.ids.is_empty()).then_some(undo) })
        }
        Ok(BulkOutcome::Trashed { ids, .. }) => Ok(redirect(context, &browsing.offering_restore(&ids))),
        Ok(BulkOutcome::Changed(text)) => success_reply(context, &browsing.list(), text),
        Err(error) => error_reply(context, &browsing.list(), error),
    }
}

/// What was done.
enum BulkOutcome {
    Changed(String),
    Trashed {
        text: String,
        /// What was moved now, and by nobody before.
        ids: Vec<String>,
    },
}

async fn carry_out(
    user: &SignedInUser,
    caller: &Caller,
    path: &LibraryPath<'_>,
    ids: &[String],
    form: &Form,
) -> Result<BulkOutcome> {
    let core = &user.core;
    let deed = BulkAction::parse(form.text("do"))
        .ok_or_else(|| Error::bad_input("Say what to do with the selection: use the buttons of the page."))?;
    let Selection { present: ids, missing } = core.sort_selection(caller, path, ids)?;
    if ids.is_empty() {
        return Err(Error::new(Code::Conflict, format!("Nothing was changed.{}", left_out(&missing))));
    }
    let tags = tags_in(form.text("tags"));
    let text = match deed {
        BulkAction::Tag => {
            core.tag_assets(caller, path, &ids, &tags).await?;
            format!("Added {} to {}.", quoted(&tags), number(&ids))
        }
        BulkAction::Untag => {
            core.untag_assets(caller, path, &ids, &tags).await?;
            format!("Removed {} from {}.", quoted(&tags), number(&ids))
        }
        BulkAction::Transfer => {
            let target = LibraryPath { organization: path.organization, library: form.text("target") };
            core.transfer_assets(caller, path, &target, &ids).await?;
            let name = core.get_library(caller, &target)?.library.name;
            format!("Moved {} to “{name}”.", number(&ids))
        }
        BulkAction::Trash => {
            let moved = core.delete_assets(caller, path, &ids).await?;
            let ids: Vec<String> = moved.iter().map(ToString::to_string).collect();
            let text = format!("Moved {} to the trash.{}", number(&ids), left_out(&missing));
            return Ok(BulkOutcome::Trashed { text, ids });
        }
    };
    Ok(BulkOutcome::Changed(text + &left_out(&missing)))
}

fn number(ids: &[String]) -> String {
    counted(u64::try_from(ids.len()).unwrap_or(u64::MAX), "asset")
}

/// Names the assets that somebody else removed from the library since they were selected.
fn left_out(missing: &[String]) -> String {
    /// How many are named.
    const NAMED: usize = 5;
    if missing.is_empty() {
        return String::new();
    }
    let named = quoted(missing.get(..NAMED).unwrap_or(missing));
    let more = match missing.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let verb = if missing.len() == 1 { "is" } else { "are" };
    format!(" Left out: {named}{more}, which {verb} no longer in this library.")
}

/// Tags as people write several of them: with commas between.
pub fn tags_in(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn quoted(tags: &[String]) -> String {
    tags.iter().map(|tag| format!("“{tag}”")).collect::<Vec<_>>().join(", ")
}

/// Says what was done: as a message in the page that is open, or on the next page.
pub fn success_reply(context: &RequestContext, back: &LocalPath, text: String) -> Result<HttpResponse> {
    if context.is_partial() {
        page(&Toast::new(text))
    } else {
        redirect_with(context, back, &Flash::success(text))
    }
}

/// Says what is wrong on the next page; for a script, and for what the person can't fix there, it stays an error.
pub fn error_reply(context: &RequestContext, back: &LocalPath, error: Error) -> Result<HttpResponse> {
    if context.is_partial() || !error.is_user_fixable() {
        return Err(error);
    }
    redirect_with(context, back, &Flash::problem(error.message()))
}
