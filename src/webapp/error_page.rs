//! Errors as people see them: a page that says what is wrong and what to do, a message in the open page, or a redirect
//! to the sign-in page. Never JSON.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use askama::Template;

use super::path::LocalPath;
use crate::error::{Code, Error};
use crate::transport;
use crate::webapp::answer;
use crate::webapp::layout::Layout;
use crate::webapp::request_context::RequestContext;

/// A whole page about an error.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "layout/error.html")]
struct ErrorPage<'a> {
    layout: Layout,
    message: &'a str,
    request_id: Option<String>,
}

/// A message about an error, for the page that is open.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "layout/error_toast.html")]
struct ErrorToast<'a> {
    message: &'a str,
    request_id: Option<String>,
}

/// The answer as it is, unless it is an error that is not a page yet; then the page for the error.
pub fn for_answer(answer: HttpResponse, context: &RequestContext) -> HttpResponse {
    let status = answer.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let kind = answer.headers().get(CONTENT_TYPE);
    if !is_error || kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return answer;
    }
    let error = answer.error().and_then(|error| error.as_error::<Error>());
    let mut readable = match error.map(Error::code) {
        Some(Code::Unauthenticated) => return sign_in_first(context),
        Some(code) => about(status, title_of(code), &sentence(code, error), context),
        None => about(status, title_of_status(status), sentence_of_status(status), context),
    };
    for name in [ALLOW, RETRY_AFTER] {
        if let Some(value) = answer.headers().get(&name) {
            readable.headers_mut().insert(name, value.clone());
        }
    }
    readable
}

/// Redirects to the sign-in page, and back from there.
fn sign_in_first(context: &RequestContext) -> HttpResponse {
    let is_page = context.asks_for_page();
    let back = if is_page { Some(context.address()) } else { context.from() };
    let to = back.map_or_else(LocalPath::sign_in, |back| LocalPath::sign_in().with("next", back.as_str()));
    answer::redirect(context, &to)
}

fn about(status: StatusCode, title: &str, message: &str, context: &RequestContext) -> HttpResponse {
    let request_id = status.is_server_error().then(transport::request_id).flatten().map(|id| id.to_string());
    let text = if context.is_partial() {
        ErrorToast { message, request_id }.render()
    } else {
        ErrorPage { layout: Layout::new(context, title), message, request_id }.render()
    };
    let mut answer = HttpResponse::build(status);
    answer.content_type("text/html; charset=utf-8");
    if context.is_partial() {
        // The part that was to be replaced stays; the message goes to the other messages.
        answer.insert_header(("HX-Retarget", "#toasts")).insert_header(("HX-Reswap", "beforeend"));
    }
    answer.body(text.unwrap_or_else(|_| title.to_owned()))
}

/// The heading of a page about an error.
fn title_of(code: Code) -> &'static str {
    match code {
        Code::Unauthenticated => "Sign in first",
        Code::InvalidApiKey | Code::ApiKeyReadOnly | Code::ApprovalRequiresUser | Code::Forbidden => {
            "That is not allowed"
        }
        Code::LibraryNotAuthorized
        | Code::OrganizationNotFound
        | Code::ResourceNotFound
        | Code::NotFound
        | Code::EndpointNotFound => "Not found",
        Code::MethodNotAllowed | Code::ApiVersionRequired | Code::HttpsRequired | Code::BadUserInput => {
            "That did not work"
        }
        Code::PayloadTooLarge => "Too large",
        Code::LibraryUrlTaken | Code::Conflict => "That can’t be done now",
        Code::StorageLimitExceeded
        | Code::LibraryLimitExceeded
        | Code::EphemeralStorageLimitExceeded
        | Code::EphemeralLibraryLimitExceeded => "A limit is reached",
        Code::StorageFull => "The disk is full",
        Code::RateLimited => "Too many attempts",
        Code::Internal => "Something went wrong",
        Code::ServiceUnavailable => "Not available",
    }
}

/// The error's own message, except if it is about keys and endpoints, which people have nothing to do with.
fn sentence(code: Code, error: Option<&Error>) -> String {
    let own = match code {
        Code::LibraryNotAuthorized => "There is no such library, or you have no access to it.",
        Code::OrganizationNotFound => "There is no such organization, or you are not a member of it.",
        Code::EndpointNotFound => "There is no such page. Check its address.",
        Code::ApiKeyReadOnly => "Your role does not allow this. Ask an owner of the organization.",
        Code::Internal => {
            "It is the server’s fault, not yours. Try again; if it happens again, give the administrator the id below."
        }
        Code::Unauthenticated
        | Code::InvalidApiKey
        | Code::ApiVersionRequired
        | Code::HttpsRequired
        | Code::ApprovalRequiresUser
        | Code::Forbidden
        | Code::ResourceNotFound
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::BadUserInput
        | Code::PayloadTooLarge
        | Code::LibraryUrlTaken
        | Code::Conflict
        | Code::StorageLimitExceeded
        | Code::LibraryLimitExceeded
        | Code::EphemeralStorageLimitExceeded
        | Code::EphemeralLibraryLimitExceeded
        | Code::RateLimited
        | Code::StorageFull
        | Code::ServiceUnavailable => error.map(Error::message).unwrap_or_default(),
    };
    own.to_owned()
}

fn title_of_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::PAYLOAD_TOO_LARGE => "Too large",
        status if status.is_client_error() => "That did not work",
        _ => "Something went wrong",
    }
}

/// The same for what the framework refused.
fn sentence_of_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is no such page. Check its address.",
        StatusCode::METHOD_NOT_ALLOWED => {
            "This address does not accept this kind of request. Go back and use the page’s own buttons."
        }
        StatusCode::PAYLOAD_TOO_LARGE => "More was sent than this address accepts.",
        status if status.is_client_error() => {
            "What was sent can’t be understood. Go back, reload the page and try again."
        }
        _ => {
            "It is the server’s fault, not yours. Try again; if it happens again, give the administrator the id below."
        }
    }
}
