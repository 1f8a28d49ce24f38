//! Changes of the trash: restoring assets, and deleting them for good. What can't be undone is confirmed first.

use actix_web::HttpResponse;
use askama::Template;

use super::InLibrary;
use crate::core::access::LibraryPath;
use crate::error::{Error, Result};
use crate::webapp::answer::page;
use crate::webapp::form::Form;
use crate::webapp::format::numbers::counted;
use crate::webapp::layout::{Layout, NavSection};
use crate::webapp::pages::libraries::answers::{error_answer, success_answer};
use crate::webapp::path::LocalPath;
use crate::webapp::signed_in_user::SignedInUser;

/// The field that says that the person has confirmed.
const SURE: &str = "sure";

/// Asks before assets are deleted for good, if no dialog did.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/confirm.html")]
struct ConfirmPage {
    layout: Layout,
    question: String,
    action: LocalPath,
    back: LocalPath,
    label: &'static str,
    ids: Vec<String>,
}

pub async fn change(user: SignedInUser, path: InLibrary, form: Form) -> Result<HttpResponse> {
    let (organization, library) = path.into_inner();
    let caller = user.caller(&organization)?;
    let path = LibraryPath { organization: &organization, library: &library };
    let back = LocalPath::to(&[&organization, &library, "trash"]);
    let ids: Vec<String> = form.texts("id").map(str::to_owned).collect();
    let done = match form.text("do") {
        "restore" => {
            let mut moved = Ok(0);
            for ids in parts(&user, &ids) {
                let restored = user.core.restore_assets(&caller, &path, ids).await;
                moved = moved.and_then(|moved| Ok(moved + restored?.len()));
            }
            moved.map(|moved| format!("Restored {}.", assets(moved)))
        }
        "purge" if !form.has(SURE) && !ids.is_empty() => {
            caller.write(&path)?;
            let question = format!("Delete {} for good?", assets(ids.len()));
            let layout = user.layout(question.clone())?.within(&caller, NavSection::Libraries);
            let action = back.below("selected");
            return page(&ConfirmPage { layout, question, action, back, label: "Delete for good", ids });
        }
        "purge" => {
            let mut removed = Ok(0);
            for ids in parts(&user, &ids) {
                let purged = user.core.purge_assets(&caller, &path, ids).await;
                removed = removed.and_then(|removed| Ok(removed + purged?.len()));
            }
            removed.map(|removed| format!("Deleted {} for good.", assets(removed)))
        }
        _ => Err(Error::bad_input("Say what to do with the selection: use the buttons of the page.")),
    };
    match done {
        Ok(text) => success_answer(&user.context, &next_or(&form, back), text),
        Err(error) => error_answer(&user.context, &back, error),
    }
}

pub async fn empty(user: SignedInUser, path: InLibrary, form: Form) -> Result<HttpResponse> {
    let (organization, library) = path.into_inner();
    let caller = user.caller(&organization)?;
    let path = LibraryPath { organization: &organization, library: &library };
    let back = LocalPath::to(&[&organization, &library, "trash"]);
    if !form.has(SURE) {
        caller.write(&path)?;
        let name = user.core.get_library(&caller, &path)?.library.name;
        let question = format!("Empty the trash of “{name}”?");
        let layout = user.layout(question.clone())?.within(&caller, NavSection::Libraries);
        let action = back.below("empty");
        return page(&ConfirmPage {
            layout,
            question,
            action,
            back,
            label: "Empty the trash",
            ids: Vec::new(),
        });
    }
    let removed = user.core.empty_trash(&caller, &path).await?;
    success_answer(&user.context, &back, format!("Deleted {} for good.", assets(removed)))
}

/// As many ids at a time as one call may name; one part without any where there are none, for the message about that.
fn parts<'a>(user: &SignedInUser, ids: &'a [String]) -> Vec<&'a [String]> {
    if ids.is_empty() {
        return vec![ids];
    }
    ids.chunks(user.core.settings().limits.ids_per_call.max(1)).collect()
}

fn assets(count: usize) -> String {
    counted(u64::try_from(count).unwrap_or(u64::MAX), "asset")
}

/// The page that a form names as the next one, if it is one of ours.
fn next_or(form: &Form, back: LocalPath) -> LocalPath {
    LocalPath::parse(form.text("next")).unwrap_or(back)
}
