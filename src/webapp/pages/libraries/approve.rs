//! The approval of an asset on its page. That of a selection is in `bulk_changes.rs`.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::browsing::Browsing;
use super::filters::FilterChoice;
use super::{Can, OfAsset};
use crate::core::access::Caller;
use crate::core::approvals::Decision;
use crate::core::model::{ApprovalFilter, ApprovalState, Asset};
use crate::error::{Error, Result};
use crate::webapp::answer::{page, redirect};
use crate::webapp::form::Form;
use crate::webapp::format::times::Time;
use crate::webapp::pages::libraries::answers::error_answer;
use crate::webapp::signed_in_user::SignedInUser;

/// The approval of an asset on its page, with the form to change it.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/asset_approval.html")]
pub struct AssetApproval {
    csrf: String,
    action: String,
    can_change: bool,
    choices: Vec<FilterChoice>,
    /// The word for it, and the tone of its badge; none when nobody has decided.
    current: Option<(&'static str, &'static str)>,
    note: String,
    by: String,
    when: Time,
}

impl AssetApproval {
    /// The approval of an asset in a list.
    pub fn new(user: &SignedInUser, caller: &Caller, browsing: &Browsing, asset: &Asset) -> Self {
        let here = browsing.asset_address(asset.id.as_str());
        let (path, query) = here.as_str().split_once('?').unwrap_or((here.as_str(), ""));
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let current = ApprovalFilter::from(asset.approval_state());
        let choice = |choice: ApprovalFilter| FilterChoice {
            value: choice.as_str().to_owned(),
            label: choice.label().to_owned(),
            is_on: choice == current,
        };
        let approval = asset.approval.as_ref();
        Self {
            csrf: user.context.csrf(),
            action: format!("{path}/approval{query}"),
            can_change: Can::of(caller).change,
            choices: ApprovalFilter::ALL.into_iter().map(choice).collect(),
            current: asset.approval_state().map(badge),
            note: approval.and_then(|approval| approval.note.clone()).unwrap_or_default(),
            by: approval.map(|approval| approval.by.clone()).unwrap_or_default(),
            when: Time(approval.map_or(0, |approval| approval.at)),
        }
    }
}

/// The word for an approval, and the tone of its badge.
pub const fn badge(state: ApprovalState) -> (&'static str, &'static str) {
    let tone = match state {
        ApprovalState::Approved => "good",
        ApprovalState::InReview => "accent",
        ApprovalState::NeedsChanges => "warn",
    };
    (state.label(), tone)
}

/// The decision in a form.
///
/// # Errors
/// `BAD_USER_INPUT` when nothing is chosen.
pub fn decision(form: &Form) -> Result<Decision> {
    let state = ApprovalFilter::parse(form.text("approval"))
        .ok_or_else(|| Error::bad_input("Choose the approval first."))?;
    Ok(Decision { state: state.state(), note: form.text("note").replace("\r\n", "\n") })
}

/// Decides about one asset.
pub async fn decide(
    user: SignedInUser,
    path: OfAsset,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse> {
    let (organization, library, asset) = path.into_inner();
    let browsing = Browsing::parse((organization, library), request.query_string());
    let caller = user.caller(&browsing.organization)?;
    let back = browsing.asset_address(&asset);
    let done = match decision(&form) {
        Ok(decision) => user.core.set_asset_approval(&caller, &browsing.path(), &asset, &decision).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(_) if user.context.is_partial() => {
            // Another snapshot, because the caller's own is from before the change.
            let caller = user.caller(&browsing.organization)?;
            let detail = user.core.get_asset(&caller, &browsing.path(), &asset)?;
            page(&AssetApproval::new(&user, &caller, &browsing, &detail.asset))
        }
        Ok(_) => Ok(redirect(&user.context, &back)),
        Err(error) => error_answer(&user.context, &back, error),
    }
}
