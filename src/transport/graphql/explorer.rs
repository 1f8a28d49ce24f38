//! The GraphQL explorer: the page that a browser gets at `/graphql`. All of it is in the binary; nothing is fetched from
//! elsewhere. The page needs no key; its user enters one.

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};

use crate::transport;
use crate::transport::compression;

/// Only what this server serves, and only to this server. The editor writes styles of its own into the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const NO_SNIFF: (HeaderName, &str) = (HeaderName::from_static("x-content-type-options"), "nosniff");

/// What the page is made of: path, content type, text.
const FILES: [(&str, &str, &str); 5] = [
    ("/graphql/explorer/react.js", SCRIPT, include_str!("graphiql/react.production.min.js")),
    ("/graphql/explorer/react-dom.js", SCRIPT, include_str!("graphiql/react-dom.production.min.js")),
    ("/graphql/explorer/graphiql.js", SCRIPT, include_str!("graphiql/graphiql.min.js")),
    ("/graphql/explorer/graphiql.css", "text/css; charset=utf-8", include_str!("graphiql/graphiql.min.css")),
    ("/graphql/explorer/start.js", SCRIPT, include_str!("graphiql/start.js")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Mounts what the page is made of.
pub fn configure(routes: &mut web::ServiceConfig) {
    for (path, content_type, text) in FILES {
        let file = move |request: HttpRequest| async move {
            let mut answer = HttpResponse::Ok();
            answer
                .content_type(content_type)
                .insert_header(NO_SNIFF)
                .insert_header((CACHE_CONTROL, "public, max-age=3600"));
            compression::answer(&request, &mut answer, Bytes::from_static(text.as_bytes()))
        };
        routes.service(transport::resource(path, &[Method::GET]).route(web::get().to(file)));
    }
}

/// The page.
pub fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(NO_SNIFF)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((HeaderName::from_static("referrer-policy"), "no-referrer"))
        .body(include_str!("graphiql/page.html"))
}
