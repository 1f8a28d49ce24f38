//! What an owner does with a member: another role, out of the organization, a link for a new password.

use actix_web::HttpResponse;

use super::Owner;
use super::people::{HandedOut, role_in, with_link};
use crate::admin::members::link_url;
use crate::error::{Code, Result};
use crate::web::form::Form;
use crate::web::path::LocalPath;
use crate::web::when::When;

/// `POST …/settings/people/role`
pub async fn set_role(owner: Owner, form: Form) -> Result<HttpResponse> {
    let (email, role) = (form.text("email"), role_in(&form)?);
    match owner.signed.app.set_member_role(owner.by.clone(), owner.slug(), email, role).await {
        Ok(()) => owner.done(&after(&owner, email), format!("The role of {email} is {role} now.")),
        Err(error) => owner.refused(&owner.path(&["people"]), error),
    }
}

/// `POST …/settings/people/remove`
pub async fn remove(owner: Owner, form: Form) -> Result<HttpResponse> {
    let email = form.text("email");
    match owner.signed.app.remove_member(owner.by.clone(), owner.slug(), email).await {
        Ok(()) => owner.done(&after(&owner, email), format!("{email} is not in the organization any more.")),
        Err(error) => owner.refused(&owner.path(&["people"]), error),
    }
}

/// `POST …/settings/people/reset-password`: makes the link and shows it.
pub async fn reset_password(owner: Owner, form: Form) -> Result<HttpResponse> {
    let app = &owner.signed.app;
    let email = form.text("email");
    match app.request_password_reset(owner.by.clone(), email).await {
        Ok((token, info)) => with_link(
            &owner,
            HandedOut {
                title: format!("Link for {email} to choose a new password"),
                url: link_url(app, &token),
                expires: When(info.link.expires),
            },
        ),
        // Of a person who is in other organizations, too; the message says who can help.
        Err(error) if error.code() == Code::Forbidden => {
            owner.told(&owner.path(&["people"]), error.message())
        }
        Err(error) => owner.refused(&owner.path(&["people"]), error),
    }
}

/// Where a person goes on who changed somebody's place in the organization: from their own they may be out of reach
/// of this page.
fn after(owner: &Owner, email: &str) -> LocalPath {
    let is_own = owner.signed.person.member.email.eq_ignore_ascii_case(email);
    if is_own { LocalPath::default() } else { owner.path(&["people"]) }
}
