//! What every request to the web app passes, so that no page can forget it: a change comes from a page of ours and
//! carries its visitor's token; an error is a page; the security headers are strict.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error as WebError, HttpMessage, HttpRequest, HttpResponse};
use futures_util::FutureExt;

use super::cookie::{self, CookieLifetime};
use super::error_page;
use super::form::{self, CheckedMultipartForm, Form};
use crate::core::Core;
use crate::error::{Code, Error, Result};
use crate::transport::{self, Transport, compression};
use crate::webapp::request_context::RequestContext;

/// The header that carries the token where no form does.
const TOKEN_HEADER: &str = "X-CSRF-Token";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The checks, and what they need to know about the server.
pub struct Gate {
    public_url: String,
    policy: HeaderValue,
    largest_form: usize,
}

impl Gate {
    pub fn of(core: &Core) -> Self {
        let settings = core.settings();
        let public_url = settings.public_url.clone();
        // Images may be addressed by the public url, which need not be where this page was opened.
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: {public_url}; \
             media-src 'self' {public_url}; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'"
        );
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Self { public_url, policy, largest_form: settings.limits.json_bytes }
    }

    /// Checks a request, runs its handler, and adds the headers to the answer.
    pub async fn pass(
        self: Rc<Self>,
        request: ServiceRequest,
        next: Next<impl MessageBody + 'static>,
    ) -> Result<ServiceResponse<BoxBody>, WebError> {
        transport::record_transport(Transport::WebApp);
        let context = RequestContext::of(request.request());
        request.extensions_mut().insert(context.clone());
        let (request, payload) = request.into_parts();
        let outcome = match self.admit(&request, payload, &context).await {
            Ok(payload) => run(next, ServiceRequest::from_parts(request, payload)).await,
            Err(error) => {
                return Ok(ServiceResponse::new(request, self.error_response(error.into(), &context)));
            }
        };
        match outcome {
            Ok(answer) => {
                let (request, answer) = answer.into_parts();
                let answer = self.with_security_headers(answer, &context);
                let is_for_script = context.is_partial();
                let answer =
                    if is_for_script { compression::answer_to_script(&request, answer) } else { answer };
                Ok(ServiceResponse::new(request, answer))
            }
            Err(error) => {
                let answer = self.error_response(error, &context);
                Err(InternalError::from_response("answered with a page", answer).into())
            }
        }
    }

    fn error_response(&self, error: WebError, context: &RequestContext) -> HttpResponse {
        self.with_security_headers(HttpResponse::from_error(error), context)
    }

    /// Checks a request that may change something, and reads as much of the body as that needs. Returns the rest of it.
    async fn admit(
        &self,
        request: &HttpRequest,
        payload: Payload,
        context: &RequestContext,
    ) -> Result<Payload> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(payload);
        }
        let headers = request.headers();
        self.expect_our_origin(headers)?;
        let sent = headers.get(TOKEN_HEADER).and_then(|token| token.to_str().ok());
        if let Some(token) = sent {
            expect_token(context, token)?;
        }
        match form::body_format(headers) {
            form::BodyFormat::UrlEncoded => {
                let form = Form::receive(payload, self.largest_form).await?;
                if sent.is_none() {
                    expect_token(context, form.text(form::TOKEN))?;
                }
                request.extensions_mut().insert(form);
                Ok(Payload::None)
            }
            form::BodyFormat::Multipart => {
                let mut parts = transport::form::MultipartForm::new(headers, payload)?;
                if sent.is_none() {
                    expect_token(context, &form::first_part(&mut parts).await?)?;
                }
                request.extensions_mut().insert(CheckedMultipartForm::from(parts));
                Ok(Payload::None)
            }
            form::BodyFormat::Other if sent.is_some() => Ok(payload),
            form::BodyFormat::Other => Err(no_token()),
        }
    }

    /// A page of another site must not change anything here in the name of the signed-in user.
    fn expect_our_origin(&self, headers: &HeaderMap) -> Result<()> {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let origin = text(ORIGIN).unwrap_or_default();
        let here = text(HOST).map(|host| format!("https://{host}")).unwrap_or_default();
        if !origin.is_empty()
            && [here.as_str(), &self.public_url].iter().any(|ours| ours.eq_ignore_ascii_case(origin))
        {
            return Ok(());
        }
        Err(Error::new(
            Code::Forbidden,
            "This change did not come from a page of this server, so it was not made. Open the page here and try again.",
        ))
    }

    /// Makes an error a page, and adds the headers that every answer has.
    fn with_security_headers(
        &self,
        answer: HttpResponse<impl MessageBody + 'static>,
        context: &RequestContext,
    ) -> HttpResponse {
        let mut answer = error_page::for_answer(answer.map_into_boxed_body(), context);
        let is_page =
            answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let shows_flash = is_page && answer.status().is_success() && !context.is_partial();
        let headers = answer.headers_mut();
        if is_page && let Some(value) = context.new_visitor() {
            set_cookie(headers, cookie::written(cookie::VISITOR, value, CookieLifetime::Session));
        }
        if shows_flash && context.flash().is_some() {
            set_cookie(headers, cookie::written(cookie::FLASH, "", CookieLifetime::Gone));
        }
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        answer
    }
}

fn set_cookie(headers: &mut HeaderMap, cookie: Result<HeaderValue, impl std::error::Error>) {
    match cookie {
        Ok(cookie) => headers.append(SET_COOKIE, cookie),
        Err(error) => tracing::error!(%error, "a cookie can't be written"),
    }
}

/// Runs the handler; a panic in it becomes an error.
async fn run(
    next: Next<impl MessageBody + 'static>,
    request: ServiceRequest,
) -> Result<ServiceResponse<BoxBody>, WebError> {
    // Routing runs within `call`, so a panic there is caught, too.
    let running = catch_unwind(AssertUnwindSafe(|| next.call(request)));
    let outcome = match running {
        Ok(running) => AssertUnwindSafe(running).catch_unwind().await,
        Err(panic) => Err(panic),
    };
    match outcome {
        Ok(answer) => answer.map(ServiceResponse::map_into_boxed_body),
        Err(_) => Err(Error::internal("a page's handler panicked").into()),
    }
}

fn expect_token(context: &RequestContext, token: &str) -> Result<()> {
    if context.accepts(token) { Ok(()) } else { Err(no_token()) }
}

fn no_token() -> Error {
    Error::new(
        Code::Forbidden,
        "This form is out of date: you signed in or out since its page was opened. Open the page again and repeat the change.",
    )
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, read_body, try_call_service};
    use actix_web::{App, web};

    use super::*;

    const HERE: &str = "https://here.example";

    #[expect(clippy::panic, reason = "that is what is tested")]
    fn boom() -> HttpResponse {
        panic!("the secret reason")
    }

    async fn first_file(mut parts: CheckedMultipartForm) -> Result<String> {
        let file = parts.next().await?;
        Ok(file.map(|file| file.name).unwrap_or_default())
    }

    /// What a request gets: its status, its type and its text.
    async fn answered(request: TestRequest) -> (u16, String, String) {
        let policy = HeaderValue::from_static("default-src 'none'");
        let gate = Rc::new(Gate { public_url: HERE.to_owned(), policy, largest_form: 100 });
        let pages = web::scope("/app")
            .route("/panic", web::get().to(|| async { boom() }))
            .route("/form", web::post().to(|form: Form| async move { form.text("a").to_owned() }))
            .route("/files", web::post().to(first_file))
            .wrap(from_fn(move |request, next| Rc::clone(&gate).pass(request, next)));
        let service = init_service(App::new().service(pages)).await;
        let request = request.insert_header((ORIGIN, HERE)).insert_header(("Cookie", "__Host-visitor=ada"));
        let answer = match try_call_service(&service, request.to_request()).await {
            Ok(answer) => answer,
            Err(error) => ServiceResponse::new(TestRequest::get().to_http_request(), error.error_response()),
        };
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let status = answer.status().as_u16();
        let text = String::from_utf8(read_body(answer).await.to_vec()).unwrap();
        (status, kind.unwrap_or_default(), text)
    }

    fn token() -> String {
        let request = TestRequest::get().insert_header(("Cookie", "__Host-visitor=ada"));
        RequestContext::of(&request.to_http_request()).csrf()
    }

    fn form(text: &str) -> TestRequest {
        let kind = (CONTENT_TYPE, "application/x-www-form-urlencoded");
        TestRequest::post().uri("/app/form").insert_header(kind).set_payload(text.to_owned())
    }

    fn files(parts: &[(&str, &str)]) -> TestRequest {
        let part = |(name, text): &(&str, &str)| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let body = parts.iter().map(part).collect::<String>() + "--x--\r\n";
        let kind = (CONTENT_TYPE, "multipart/form-data; boundary=x");
        TestRequest::post().uri("/app/files").insert_header(kind).set_payload(body)
    }

    #[actix_web::test]
    async fn a_panic_is_a_page_that_says_nothing_of_it() {
        let (status, kind, text) = answered(TestRequest::get().uri("/app/panic")).await;
        assert_eq!((status, kind.as_str()), (500, "text/html; charset=utf-8"));
        assert!(text.contains("Something went wrong") && !text.contains("secret"), "{text}");
    }

    #[actix_web::test]
    async fn a_form_is_read_up_to_its_limit_and_handed_on() {
        let (status, _, text) = answered(form(&format!("csrf={}&a=b+c", token()))).await;
        assert_eq!((status, text.as_str()), (200, "b c"));
        let (status, kind, _) = answered(form(&format!("csrf={}&a={}", token(), "b".repeat(100)))).await;
        assert_eq!((status, kind.as_str()), (413, "text/html; charset=utf-8"));
    }

    #[actix_web::test]
    async fn files_come_after_the_token_or_with_it_in_a_header() {
        let (token, file) = (token(), ("file", "bytes"));
        for request in [
            files(&[("csrf", &token), file]),
            files(&[file]).insert_header((TOKEN_HEADER, token.as_str())),
            files(&[("csrf", "any"), file]).insert_header((TOKEN_HEADER, token.as_str())),
        ] {
            let (status, _, text) = answered(request).await;
            assert_eq!((status, text.as_str()), (200, "file"));
        }
        for request in [files(&[file, ("csrf", &token)]), files(&[("csrf", "0"), file]), files(&[])] {
            assert_eq!(answered(request).await.0, 403);
        }
    }
}
