//! Out of the trash: back to where it was, or gone for good. What can't be undone is asked about first.

use actix_web::HttpResponse;
use askama::Template;

use super::InLibrary;
use super::selected::{again, told};
use crate::app::access::LibraryPath;
use crate::error::{Error, Result};
use crate::web::figures::counted;
use crate::web::form::Form;
use crate::web::page::page;
use crate::web::path::LocalPath;
use crate::web::shell::{Section, Shell};
use crate::web::signed::Signed;

/// The field that says that somebody was asked and is sure.
const SURE: &str = "sure";

/// Asks before something goes for good, where no dialog did.
#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "libraries/sure.html")]
struct SurePage {
    shell: Shell,
    question: String,
    action: LocalPath,
    back: LocalPath,
    label: &'static str,
    ids: Vec<String>,
}

pub async fn change(signed: Signed, path: InLibrary, form: Form) -> Result<HttpResponse> {
    let (organization, library) = path.into_inner();
    let caller = signed.caller(&organization)?;
    let path = LibraryPath { organization: &organization, library: &library };
    let back = LocalPath::to(&[&organization, &library, "trash"]);
    let ids: Vec<String> = form.texts("id").map(str::to_owned).collect();
    let done = match form.text("do") {
        "restore" => {
            let moved = signed.app.restore_assets(&caller, &path, &ids).await;
            moved.map(|moved| format!("Took {} out of the trash.", assets(moved.len())))
        }
        "purge" if !form.has(SURE) && !ids.is_empty() => {
            caller.write(&path)?;
            let question = format!("Delete {} for good?", assets(ids.len()));
            let shell = signed.shell(question.clone())?.within(&caller, Section::Libraries);
            let action = back.below("selected");
            return page(&SurePage { shell, question, action, back, label: "Delete for good", ids });
        }
        "purge" => {
            let removed = signed.app.purge_assets(&caller, &path, &ids).await;
            removed.map(|removed| format!("Deleted {} for good.", assets(removed.len())))
        }
        _ => Err(Error::bad_input("Say what to do with the selection: use the buttons of the page.")),
    };
    match done {
        Ok(text) => told(&signed.visit, &next_or(&form, back), text),
        Err(error) => again(&signed.visit, &back, error),
    }
}

pub async fn empty(signed: Signed, path: InLibrary, form: Form) -> Result<HttpResponse> {
    let (organization, library) = path.into_inner();
    let caller = signed.caller(&organization)?;
    let path = LibraryPath { organization: &organization, library: &library };
    let back = LocalPath::to(&[&organization, &library, "trash"]);
    if !form.has(SURE) {
        caller.write(&path)?;
        let name = signed.app.get_library(&caller, &path)?.library.name;
        let question = format!("Empty the trash of “{name}”?");
        let shell = signed.shell(question.clone())?.within(&caller, Section::Libraries);
        let action = back.below("empty");
        return page(&SurePage { shell, question, action, back, label: "Empty the trash", ids: Vec::new() });
    }
    let removed = signed.app.empty_trash(&caller, &path).await?;
    told(&signed.visit, &back, format!("Deleted {} for good.", assets(removed)))
}

fn assets(count: usize) -> String {
    counted(u64::try_from(count).unwrap_or(u64::MAX), "asset")
}

/// Where a form wants to go on, as far as that is a page of ours.
fn next_or(form: &Form, back: LocalPath) -> LocalPath {
    LocalPath::parse(form.text("next")).unwrap_or(back)
}
