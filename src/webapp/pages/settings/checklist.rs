//! What a new owner does first, as a list on the page of libraries. Each step ticks itself; the list can be dismissed.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;

use super::OwnerRequest;
use crate::core::access::Caller;
use crate::core::model::Library;
use crate::error::{Error, Result};
use crate::webapp::answer::redirect;
use crate::webapp::cookie::{self, CookieLifetime};
use crate::webapp::path::LocalPath;
use crate::webapp::signed_in_user::SignedInUser;

/// The name that the first start gives an organization.
const UNNAMED: &str = "Default";
/// For how long a browser remembers that the list was dismissed: as long as it keeps any cookie.
const DISMISSED_FOR: Duration = Duration::from_hours(24 * 400);

/// The list.
pub struct Checklist {
    /// The steps, in their order.
    pub steps: Vec<ChecklistStep>,
    /// Where it is dismissed.
    pub dismiss: String,
}

/// One step.
pub struct ChecklistStep {
    /// What to do.
    pub label: &'static str,
    /// Why, in one sentence.
    pub about: &'static str,
    /// Where it is done.
    pub href: String,
    /// Whether it is done.
    pub is_done: bool,
    /// Whether only the browser knows that.
    pub is_of_browser: bool,
}

impl Checklist {
    /// The list for an owner; none for anybody else, or once everything is done, or when it was dismissed.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(user: &SignedInUser, caller: &Caller, libraries: &[Library]) -> Result<Option<Self>> {
        let Ok(by) = caller.administer() else { return Ok(None) };
        if user.context.has_dismissed_checklist() {
            return Ok(None);
        }
        let (core, organization) = (&user.core, caller.organization());
        let slug = organization.slug.as_str();
        let settings = |below: &[&str]| LocalPath::to(&[&[slug, "settings"], below].concat()).to_string();
        let first_library = libraries.first().map_or(slug, |library| library.slug.as_str());
        let upload =
            LocalPath::to(&if libraries.is_empty() { vec![slug] } else { vec![slug, first_library] });
        let keys = core.list_keys(&by, Some(slug))?;
        let step =
            |label, about, href, is_done| ChecklistStep { label, about, href, is_done, is_of_browser: false };
        let mut steps = vec![
            step(
                "Name the organization",
                "Everybody who is invited sees its name.",
                settings(&[]),
                organization.name != UNNAMED,
            ),
            step(
                "Upload the first pictures",
                "Drop them on a library.",
                upload.to_string(),
                libraries.iter().any(|library| library.assets > 0),
            ),
            step(
                "Connect a program or an agent",
                "Done once a key was used.",
                settings(&["connect"]),
                keys.iter().any(|info| info.last_used.is_some()),
            ),
            ChecklistStep {
                is_of_browser: true,
                ..step(
                    "Trust the server’s certificate",
                    "So that this browser, and programs on this machine, warn no more.",
                    settings(&["connect"]),
                    false,
                )
            },
        ];
        if let Some(backups) = core.backups_for(&by)? {
            steps.push(step(
                "Make a backup",
                "One command, or a folder for scheduled ones.",
                "/docs/back-up-and-restore#make-one".to_owned(),
                backups.made.is_some(),
            ));
        }
        let is_all_done = steps.iter().all(|step| step.is_done || step.is_of_browser);
        Ok((!is_all_done).then(|| Self { steps, dismiss: settings(&["checklist"]) }))
    }
}

/// `POST …/settings/checklist`: dismisses it, in this browser.
pub async fn dismiss(owner: OwnerRequest) -> Result<HttpResponse> {
    let kept = CookieLifetime::For(DISMISSED_FOR);
    let cookie = cookie::written(cookie::CHECKLIST, "dismissed", kept).map_err(Error::internal)?;
    let mut answer = redirect(&owner.user.context, &LocalPath::to(&[owner.slug()]));
    answer.headers_mut().append(SET_COOKIE, cookie);
    Ok(answer)
}
