//! GraphQL: the operations as fields, at `/graphql` and, for clients that post to the API's root, at `POST /`.
//! How a request travels through its checks is here; what a field does is in `query.rs` and `mutation.rs`.

use std::sync::{Arc, LazyLock};

use actix_web::guard::{self, GuardContext};
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use async_graphql::parser::types::OperationType;
use async_graphql::{EmptySubscription, Name, Request, Response};

use crate::app::App;
use crate::edge;
use crate::error::{Code, Error};

mod answer;
mod asked;
mod document;
mod explorer;
mod limits;
mod mutation;
mod parts;
mod query;
mod types;
mod variables;

use answer::Refusal;
use asked::{Asked, Body};
use document::Prepared;
use mutation::{Mutation, Writing};
use parts::Parts;
use query::{Query, Reading};

type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::build_with_ignore_name_conflicts(Query, Mutation, EmptySubscription, types::RENAMED).finish()
});

/// What an administrator decides about GraphQL.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether a client may ask for the schema itself.
    pub introspection: bool,
    /// Host names (without port) whose `/` is not GraphQL.
    pub mcp_hosts: Vec<String>,
}

/// The schema in its definition language.
#[must_use]
pub fn sdl() -> String {
    SCHEMA.sdl()
}

/// Mounts `/graphql`, its explorer page, and `POST /`.
pub fn configure(routes: &mut web::ServiceConfig, app: &App, options: &Options) {
    let api = web::Data::new(Api { app: app.clone(), introspection: options.introspection });
    let mcp_hosts: Arc<[String]> = options.mcp_hosts.as_slice().into();
    routes
        .service(
            edge::resource("/graphql", &[Method::GET, Method::POST])
                .app_data(api.clone())
                .route(web::get().to(get))
                .route(web::post().to(post)),
        )
        .service(
            web::resource("/")
                .guard(guard::Post())
                .guard(guard::fn_guard(move |request| !is_for(request, &mcp_hosts)))
                .app_data(api)
                .route(web::post().to(post)),
        );
    explorer::configure(routes);
}

fn is_for(request: &GuardContext<'_>, hosts: &[String]) -> bool {
    let host = request.head().headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
}

/// What the handlers share.
struct Api {
    app: App,
    introspection: bool,
}

async fn post(request: HttpRequest, payload: web::Payload, api: web::Data<Api>) -> HttpResponse {
    api.post(&request, payload).await.unwrap_or_else(Refusal::answer)
}

async fn get(request: HttpRequest, api: web::Data<Api>) -> HttpResponse {
    if wants_page(request.headers()) {
        return explorer::page();
    }
    api.get(&request).await.unwrap_or_else(Refusal::answer)
}

/// A browser that opens the address, and not a program that asks a question by GET.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepts.contains("text/html") && !asked::has_preflight_header(headers)
}

impl Api {
    async fn get(&self, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
        edge::authenticate(&self.app, request)?;
        asked::expect_preflight_header(request.headers())?;
        let prepared = self.prepare(Asked::from_query(request.query_string())?)?;
        match prepared.kind {
            OperationType::Query => self.read(request, prepared).await,
            OperationType::Mutation | OperationType::Subscription => {
                Err(Error::new(Code::MethodNotAllowed, "Send mutations by POST; GET is for queries.").into())
            }
        }
    }

    async fn post(&self, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Refusal> {
        // Checked before the body is read, and again afterwards: a `Caller` holds a snapshot of the store, and
        // none is kept while waiting for a client.
        edge::authenticate(&self.app, request)?;
        let most = self.app.settings().limits.json_bytes;
        let (asked, parts) = match Body::of(request.headers())? {
            Body::Json => (Asked::from_json(&asked::read(payload, most).await?)?, None),
            Body::Form => (Asked::from_form(&asked::read(payload, most).await?)?, None),
            Body::Multipart => {
                let mut parts = Parts::new(request.headers(), payload);
                let asked = parts.operations(most).await?;
                (asked, Some(parts))
            }
        };
        let prepared = self.prepare(asked)?;
        match prepared.kind {
            OperationType::Query => self.read(request, prepared).await,
            OperationType::Mutation => self.write(request, prepared, parts).await,
            OperationType::Subscription => Err(Refusal::invalid("There are no subscriptions.")),
        }
    }

    fn prepare(&self, asked: Asked) -> Result<Prepared, Refusal> {
        Prepared::new(asked, self.introspection)
    }

    /// Answers a query from one snapshot.
    async fn read(&self, request: &HttpRequest, prepared: Prepared) -> Result<HttpResponse, Refusal> {
        let reading = Reading { app: self.app.clone(), caller: edge::authenticate(&self.app, request)? };
        let (response, roots) = execute(prepared, reading).await;
        Ok(answer::answer(response, &roots, &[]))
    }

    /// Runs mutations, one after the other. Files arrive while the mutation that takes them runs.
    async fn write(
        &self,
        request: &HttpRequest,
        prepared: Prepared,
        parts: Option<Parts>,
    ) -> Result<HttpResponse, Refusal> {
        let token = edge::bearer_token(request.headers())?.to_owned();
        let address = request.peer_addr().map(|peer| peer.ip());
        let (files, feed) = parts::files(parts);
        let running = execute(prepared, Writing { app: self.app.clone(), token, address, files });
        let ((response, roots), leftover) = feed.until(running).await;
        let mut answer = answer::answer(response, &roots, &mutation::NEVER_NULL);
        if leftover {
            // The client is still sending what nobody will read.
            answer.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        Ok(answer)
    }
}

/// Runs an operation, and hands back what its root asks for.
async fn execute<T: Send + Sync + 'static>(prepared: Prepared, data: T) -> (Response, Vec<(Name, Name)>) {
    let mut request = Request::new("").variables(prepared.variables).data(data);
    request.set_parsed_query(prepared.document);
    (SCHEMA.execute(request).await, prepared.roots)
}
