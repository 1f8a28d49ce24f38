//! Cross-origin requests of web pages: which origins may call, and the answer to a browser's preflight request.

use actix_http::{HttpMessage, Request};
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};

use super::allowed_addresses::AllowedAddresses;

const METHODS: &str = "GET, POST, PATCH, DELETE";
/// The headers that a page may send: those that REST and GraphQL need, and those that MCP clients add.
const HEADERS: &str = "Authorization, Api-Version, Content-Type, Apollo-Require-Preflight, Mcp-Protocol-Version, Mcp-Method, Mcp-Name";
/// The headers that a page may read, besides those that it always may.
const EXPOSED: &str = "Link, Retry-After, X-Request-Id";
/// How long a browser caches the answer, in seconds; more than Chromium's limit would have no effect.
const MAX_AGE: &str = "7200";

/// The origins whose pages may call; `*` among them allows all.
#[derive(Debug, Clone)]
pub struct Cors {
    addresses: AllowedAddresses,
}

impl Cors {
    /// Allows the origins among these addresses, as they are with each request.
    #[must_use]
    pub fn new(addresses: AllowedAddresses) -> Self {
        Self { addresses }
    }

    /// The request's origin, when it is allowed.
    #[must_use]
    pub fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        let addresses = self.addresses.now();
        let is_allowed = |allowed: &String| allowed == "*" || allowed.as_bytes() == origin.as_bytes();
        addresses.origins.iter().any(is_allowed).then(|| origin.clone())
    }

    /// The answer to the preflight request of an allowed origin.
    #[must_use]
    pub fn preflight(&self, request: &Request, origin: Option<&HeaderValue>) -> Option<HttpResponse> {
        let is_preflight = request.method() == Method::OPTIONS
            && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        (is_preflight && origin.is_some()).then(|| {
            HttpResponse::NoContent()
                .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
                .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, HEADERS))
                .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE))
                .finish()
        })
    }

    /// Lets the page read the answer, unless the handler has already set which origins may.
    pub fn allow(&self, headers: &mut HeaderMap, origin: Option<HeaderValue>) {
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        // Also without an allowed origin: caches must keep answers for allowed and other origins apart.
        if !self.addresses.now().origins.is_empty() {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }
}
