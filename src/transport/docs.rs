//! The documentation under `/docs`, and its texts for models. It takes no key, reads no data, and answers everybody alike:
//! what is in the binary, with the configured limits. No page has a script.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, LazyLock};

use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, EntityTag, Header, HeaderName, IfNoneMatch,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use url::form_urlencoded;

use crate::core::settings::Settings;
use crate::docs::{DocPage, Documentation, FILES, PAGES, Site};
use crate::error::{Code, Error, Result};
use crate::transport;
use crate::transport::compression;

/// Styles and pictures of this server, and a search that is sent to it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Kept by browsers and proxies, who ask each time whether it has changed.
const REVALIDATED: &str = "public, no-cache";
/// For an address that changes with its content.
const FOR_A_YEAR: &str = "public, max-age=31536000, immutable";
const HTML: &str = "text/html; charset=utf-8";
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const READ: &[Method] = &[Method::GET, Method::HEAD];

/// The documentation of one server. It is written when it is first requested. Cheap to clone.
#[derive(Clone)]
pub struct RenderedDocs(Arc<LazyLock<Written, Box<dyn FnOnce() -> Written + Send>>>);

/// Everything but the answers to searches.
struct Written {
    documentation: Documentation,
    /// By path.
    answers: HashMap<String, Answer>,
}

/// An answer that is the same for everybody.
struct Answer {
    content_type: &'static str,
    etag: EntityTag,
    body: Bytes,
}

impl Answer {
    fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            content_type,
            // Weak, because the compressed text has the same.
            etag: EntityTag::new_weak(blake3::hash(&body).to_hex()[..32].to_owned()),
            body,
        }
    }

    /// The answer to a request; an empty one when the client has it already.
    fn to(&self, request: &HttpRequest, cache: &'static str) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        answer.insert_header((CACHE_CONTROL, cache)).insert_header((ETAG, self.etag.to_string()));
        for (name, value) in [
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (OPENER_POLICY, "same-origin"),
            (RESOURCE_POLICY, "same-origin"),
        ] {
            answer.insert_header((name, value));
        }
        let is_known = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(&self.etag)),
            Err(_) => false,
        };
        if is_known {
            return answer.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
        }
        answer.content_type(self.content_type);
        compression::answer(request, &mut answer, self.body.clone())
    }
}

impl RenderedDocs {
    /// The documentation of a server with these settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let (limits, public_url) = (settings.limits.clone(), settings.public_url.clone());
        let write: Box<dyn FnOnce() -> Written + Send> =
            Box::new(move || Written::new(Documentation::new(&limits), &public_url));
        Self(Arc::new(LazyLock::new(write)))
    }

    /// The front page, or what a search found.
    fn front(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let mut query = form_urlencoded::parse(request.query_string().as_bytes());
        let Some((_, words)) = query.find(|(name, words)| name == "q" && !words.trim().is_empty()) else {
            return self.answer(request, "/docs");
        };
        let results = self.0.documentation.results_html(&words)?;
        Ok(Answer::new(HTML, results).to(request, REVALIDATED))
    }

    fn answer(&self, request: &HttpRequest, path: &str) -> Result<HttpResponse> {
        let answer = self.0.answers.get(path).ok_or_else(|| {
            Error::new(Code::EndpointNotFound, "There is no such page. /docs lists all pages.")
        })?;
        let is_versioned = Site::Web.file(path.trim_start_matches("/docs/")) == *request.uri().to_string();
        Ok(answer.to(request, if is_versioned { FOR_A_YEAR } else { REVALIDATED }))
    }
}

impl Written {
    fn new(documentation: Documentation, public_url: &str) -> Self {
        let mut answers = HashMap::new();
        let mut add = |path: String, content_type, text: String| {
            answers.insert(path, Answer::new(content_type, text));
        };
        for complete in documentation.pages() {
            let path = Site::Web.page(complete.page.name());
            // A template that fails is found by the tests, which open every page.
            add(path.clone(), HTML, documentation.page_html(complete, Site::Web).unwrap_or_default());
            add(format!("{path}.md"), MARKDOWN, complete.markdown.clone());
        }
        for (name, content_type, text) in FILES {
            add(format!("/docs/{name}"), content_type, text.to_owned());
        }
        add("/docs".to_owned(), HTML, documentation.front_html(Site::Web).unwrap_or_default());
        add("/llms.txt".to_owned(), TEXT, text_for_models(public_url));
        add("/llms-full.txt".to_owned(), TEXT, documentation.whole_text());
        Self { documentation, answers }
    }
}

/// What leads models to the interfaces and to the documentation.
fn text_for_models(public_url: &str) -> String {
    let line = |page: &DocPage| {
        format!("- [{}]({public_url}{}.md): {}\n", page.title(), Site::Web.page(page.name()), page.summary)
    };
    let pages: String = PAGES.iter().map(line).collect();
    format!(
        "# rasterd\n\n\
         > A self-hosted store of images, videos and PDFs that agents, programs and people share.\n\n\
         Everything needs an API key in the header `Authorization: Bearer <key>`; ask the \
         server's administrator for one. A key reaches some libraries of one organization, to read or to write.\n\n\
         ## Interfaces\n\n\
         - [MCP]({public_url}/mcp): Streamable HTTP, for agents. Call the tool `whoami` first.\n\
         - [Server card]({public_url}/.well-known/mcp/server-card.json): how to connect an MCP client.\n\
         - [REST]({public_url}/openapi.json): its OpenAPI document; send `Api-Version: 2026-07-08`.\n\
         - [GraphQL]({public_url}/graphql): the same operations; ask it for its schema.\n\n\
         ## Documentation\n\n\
         {pages}\n\
         ## Optional\n\n\
         - [The whole documentation]({public_url}/llms-full.txt): all pages in one text.\n"
    )
}

/// Mounts the documentation. Comes after the references of the interfaces, which are under `/docs`, too.
pub fn configure(routes: &mut web::ServiceConfig, pages: &RenderedDocs) {
    let of = pages.clone();
    let front = move |request: HttpRequest| ready(of.front(&request));
    routes.service(read_only("/docs").route(web::get().to(front.clone())).route(web::head().to(front)));
    for path in ["/docs/{name}", "/llms.txt", "/llms-full.txt"] {
        let of = pages.clone();
        let page = move |request: HttpRequest| ready(of.answer(&request, request.path()));
        routes.service(read_only(path).route(web::get().to(page.clone())).route(web::head().to(page)));
    }
}

fn read_only(path: &str) -> actix_web::Resource {
    transport::resource(path, READ)
}
