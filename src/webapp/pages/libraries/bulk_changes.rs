//! Changes of several assets at once: those that are named, or all that a list has. A script sends them in parts and gets
//! JSON; without a script one request does all of it, and the next page says what was done.

use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use serde::Serialize;

use super::InLibrary;
use super::answers::error_answer;
use super::approve::decision;
use super::browsing::Browsing;
use super::image::file_path;
use crate::core::model::ApprovalFilter;
use crate::core::model::text::shown;
use crate::core::selection::{MadeDecision, SelectionChange, SelectionOutcome};
use crate::error::{Error, Result};
use crate::webapp::answer::{redirect, redirect_with};
use crate::webapp::flash::Flash;
use crate::webapp::form::Form;
use crate::webapp::path::LocalPath;
use crate::webapp::request_context::RequestContext;
use crate::webapp::signed_in_user::SignedInUser;

pub(super) mod parts;
mod sums;
mod undo;

use parts::SelectionParts;
use sums::Sums;
use undo::UndoStep;

/// How many assets one request of a script changes, so that it can show how far it is, and stop.
const MAX_AT_ONCE: usize = 1000;
/// After how long a request of a script stops early.
const LONGEST: Duration = Duration::from_secs(1);
/// How many assets the next page offers to restore where no script runs; their ids are in its address.
const MAX_TO_RESTORE: usize = 100;

/// What a script gets after a part of a change.
#[derive(Serialize)]
struct DonePart {
    /// What was done so far, in this request and those before it.
    text: String,
    /// The same for the next request.
    sums: String,
    /// The assets that this request changed.
    changed: Vec<String>,
    /// What undoes this part.
    undo: Vec<UndoStep>,
    /// Where to go on; none at the end.
    next: Option<String>,
    /// How many assets of a query are left.
    left: usize,
    /// Why it did not go on to its end.
    problem: Option<String>,
}

pub async fn change(user: SignedInUser, path: InLibrary, form: Form) -> Result<HttpResponse> {
    let back = LocalPath::parse(form.text("next"));
    let query = back.as_ref().and_then(|back| back.as_str().split_once('?')).map_or("", |(_, query)| query);
    let browsing = Browsing::parse(path.into_inner(), query);
    if form.text("do") == "addresses" {
        return addresses(&user, &browsing, &form).await;
    }
    if form.text("do") == "overlap" {
        return overlap(&user, &browsing, &form).await;
    }
    if form.text("do") == "download" {
        return super::download::download(user, browsing, &form).await;
    }
    match carry_out(&user, &browsing, &form).await {
        Ok(done) if user.context.is_partial() => {
            let DonePart { problem, .. } = &done;
            // Nothing was done at all: an error like any other.
            match problem {
                Some(problem) if done.changed.is_empty() => Err(Error::bad_input(problem.clone())),
                Some(_) | None => Ok(HttpResponse::Ok().json(done)),
            }
        }
        Ok(done) => without_script(&user.context, &browsing, &form, &done),
        Err(error) => error_answer(&user.context, &browsing.list_address(), error),
    }
}

/// Shows the next page of a browser without a script.
fn without_script(
    context: &RequestContext,
    browsing: &Browsing,
    form: &Form,
    done: &DonePart,
) -> Result<HttpResponse> {
    if form.text("do") == "trash" && (1..=MAX_TO_RESTORE).contains(&done.changed.len()) {
        return Ok(redirect(context, &browsing.offering_restore(&done.changed)));
    }
    let flash = match &done.problem {
        Some(problem) => Flash::problem(format!("{} {problem}", done.text)),
        None if done.changed.is_empty() => Flash::problem(&done.text),
        None => Flash::success(&done.text),
    };
    redirect_with(context, &browsing.list_address(), &flash)
}

async fn carry_out(user: &SignedInUser, browsing: &Browsing, form: &Form) -> Result<DonePart> {
    // Also where there is nothing to change.
    user.caller(&browsing.organization)?.write(&browsing.path())?;
    let change = wanted(form)?;
    let target = target_name(user, browsing, &change)?;
    let mut parts = SelectionParts::of(user, browsing, form)?;
    let mut sums = Sums::parse(form.text("sums"));
    let (mut changed, mut undo, mut problem) = (Vec::new(), Vec::new(), None);
    let (begun, is_partial) = (Instant::now(), user.context.is_partial());
    while let Some(ids) = parts.next().await? {
        let caller = user.caller(&browsing.organization)?;
        let outcome = if ids.is_empty() {
            SelectionOutcome::default()
        } else {
            match user.core.change_selection(&caller, &browsing.path(), &ids, &change).await {
                Ok(outcome) => outcome,
                Err(error) if error.is_user_fixable() && sums.is_any() => {
                    problem = Some(error.message().to_owned());
                    parts.stop();
                    break;
                }
                Err(error) => return Err(error),
            }
        };
        sums.add(&outcome);
        undo.extend(undo::steps(&browsing.library, &browsing.organization, &change, &outcome));
        changed.extend(outcome.changed.iter().map(|asset| asset.id.to_string()));
        if is_partial && (changed.len() >= MAX_AT_ONCE || begun.elapsed() > LONGEST) {
            break;
        }
    }
    let text = sums.text(&change, target.as_deref());
    Ok(DonePart {
        text: shown(&text).into_owned(),
        sums: sums.to_text(),
        changed,
        undo,
        next: parts.rest(),
        left: parts.left(),
        problem,
    })
}

/// What the form wants done.
fn wanted(form: &Form) -> Result<SelectionChange> {
    let tags = || {
        let several = tags_in(form.text("tags"));
        several.into_iter().chain(form.texts("tag").map(str::to_owned)).collect()
    };
    let lines = |field| form.text(field).replace("\r\n", "\n");
    let is_about_tags = matches!(form.text("do"), "tag" | "untag");
    if is_about_tags && tags_in(form.text("tags")).is_empty() && !form.has("tag") {
        return Err(Error::bad_input("Type the tags first, with commas between them."));
    }
    Ok(match form.text("do") {
        "tag" => SelectionChange::Tag(tags()),
        "untag" => SelectionChange::Untag(tags()),
        "describe" => SelectionChange::Describe {
            text: lines("description"),
            only_after: form.has("only_text").then(|| lines("only_text")),
        },
        "approve" => SelectionChange::Approve { decision: decision(form)?, only_after: made_decision(form) },
        "transfer" if form.text("target").is_empty() => {
            return Err(Error::bad_input("Choose the library first."));
        }
        "transfer" => SelectionChange::Transfer(form.text("target").to_owned()),
        "trash" => SelectionChange::Trash,
        "restore" => SelectionChange::Restore,
        _ => return Err(Error::bad_input("Say what to do with the selection: use the buttons of the page.")),
    })
}

/// The decision that an undo takes back.
fn made_decision(form: &Form) -> Option<MadeDecision> {
    let state = ApprovalFilter::parse(form.text("only_state"))?.state();
    Some(MadeDecision { state, at: form.text("only_at").parse().ok() })
}

/// The name of the library that assets are moved to.
fn target_name(user: &SignedInUser, browsing: &Browsing, change: &SelectionChange) -> Result<Option<String>> {
    let SelectionChange::Transfer(library) = change else { return Ok(None) };
    let caller = user.caller(&browsing.organization)?;
    let path = crate::core::access::LibraryPath { organization: &browsing.organization, library };
    Ok(Some(user.core.get_library(&caller, &path)?.library.name))
}

/// Which of some assets a list has, too: a script counts what is selected in two ways once.
#[derive(Serialize)]
struct Overlap {
    ids: Vec<String>,
}

async fn overlap(user: &SignedInUser, browsing: &Browsing, form: &Form) -> Result<HttpResponse> {
    let caller = user.caller(&browsing.organization)?;
    let ids: Vec<String> = form.texts("id").map(str::to_owned).collect();
    let (_, ids) = user.core.found_among(caller, &browsing.path(), &browsing.query, &ids).await?;
    Ok(HttpResponse::Ok().json(Overlap { ids }))
}

/// The public addresses of a selection, for a script to copy.
#[derive(Serialize)]
struct Addresses {
    addresses: Vec<String>,
    next: Option<String>,
}

async fn addresses(user: &SignedInUser, browsing: &Browsing, form: &Form) -> Result<HttpResponse> {
    let mut parts = SelectionParts::of(user, browsing, form)?;
    let mut addresses = Vec::new();
    let public_url = &user.core.settings().public_url;
    while let Some(ids) = parts.next().await? {
        let caller = user.caller(&browsing.organization)?;
        let found = ids.iter().filter_map(|id| user.core.get_asset(&caller, &browsing.path(), id).ok());
        addresses.extend(found.map(|detail| format!("{public_url}{}", file_path(&detail, &detail.asset))));
        if addresses.len() >= MAX_AT_ONCE {
            break;
        }
    }
    Ok(HttpResponse::Ok().json(Addresses { addresses, next: parts.rest() }))
}

/// Tags as people write several of them: with commas between.
pub fn tags_in(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}
