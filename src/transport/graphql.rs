//! GraphQL: the operations as fields, at `/graphql` and, for clients that post to the API's root, at `POST /`.
//! The checks of a request are here; what a field does is in `query.rs` and `mutation.rs`.

use std::sync::{Arc, LazyLock};

use actix_web::guard::{self, GuardContext};
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use async_graphql::parser::types::OperationType;
use async_graphql::{EmptySubscription, Name, Request, Response};

use crate::core::Core;
use crate::error::{Code, Error};
use crate::transport::wire::configured::Configured;
use crate::transport::{self, Transport};

mod announce;
mod cost;
mod document;
mod explorer;
mod introspection;
mod limits;
mod multipart;
mod mutation;
mod query;
mod request;
mod response;
mod types;
mod variables;

use cost::CostBudget;
use document::PreparedOperation;
use multipart::MultipartRequest;
use mutation::{Mutation, MutationContext};
use query::{Query, QueryContext};
use request::{BodyFormat, GraphQlRequest};
use response::RequestError;

type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::build_with_ignore_name_conflicts(Query, Mutation, EmptySubscription, types::RENAMED).finish()
});

/// Queries of this cost or more run apart from the threads that answer all requests. Below it, they take about a
/// millisecond.
const APART: usize = 1_000;

/// What an administrator decides about GraphQL.
#[derive(Debug, Clone)]
pub struct GraphQlOptions {
    /// Whether a client may ask for the schema itself.
    pub introspection: bool,
    /// How many values one request may ask for at most.
    pub cost: usize,
    /// Host names (without port) whose `/` is not GraphQL.
    pub mcp_hosts: Vec<String>,
}

/// The schema in its definition language, as a server with this configuration describes it.
#[must_use]
pub fn sdl(configured: &Configured) -> String {
    configured.text(&SCHEMA.sdl())
}

/// Mounts `/graphql`, its explorer page, and `POST /`.
pub fn configure(routes: &mut web::ServiceConfig, core: &Core, options: &GraphQlOptions) {
    let api = web::Data::new(Handlers {
        core: core.clone(),
        introspection: options.introspection,
        cost: options.cost,
        configured: Arc::new(Configured::new(core.settings())),
    });
    let mcp_hosts: Arc<[String]> = options.mcp_hosts.as_slice().into();
    routes
        .service(
            transport::resource("/graphql", &[Method::GET, Method::POST])
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
struct Handlers {
    core: Core,
    introspection: bool,
    cost: usize,
    configured: Arc<Configured>,
}

async fn post(request: HttpRequest, payload: web::Payload, api: web::Data<Handlers>) -> HttpResponse {
    transport::record_transport(Transport::GraphQl);
    api.post(&request, payload).await.unwrap_or_else(RequestError::answer)
}

async fn get(request: HttpRequest, api: web::Data<Handlers>) -> HttpResponse {
    transport::record_transport(Transport::GraphQl);
    if wants_page(request.headers()) {
        return explorer::page();
    }
    api.get(&request).await.unwrap_or_else(RequestError::answer)
}

/// Whether this is a browser that opens the page, and not a program that sends a query by GET.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepts.contains("text/html") && !request::has_preflight_header(headers)
}

impl Handlers {
    async fn get(&self, request: &HttpRequest) -> Result<HttpResponse, RequestError> {
        transport::authenticate(&self.core, request)?;
        request::expect_preflight_header(request.headers())?;
        let prepared = self.prepare(GraphQlRequest::from_query(request.query_string())?)?;
        match prepared.kind {
            OperationType::Query => self.read(request, prepared).await,
            OperationType::Mutation | OperationType::Subscription => {
                Err(Error::new(Code::MethodNotAllowed, "Send mutations by POST; GET is for queries.").into())
            }
        }
    }

    async fn post(&self, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, RequestError> {
        // Checked before the body is read, and again afterwards: a `Caller` holds a snapshot of the store, and
        // none is kept while waiting for a client.
        transport::authenticate(&self.core, request)?;
        let most = self.core.settings().limits.json_bytes;
        let read = |payload| transport::body::read(payload, request.headers(), most, request::too_large);
        let (graphql_request, parts) = match BodyFormat::of(request.headers())? {
            BodyFormat::Json => (GraphQlRequest::from_json(&read(payload).await?)?, None),
            BodyFormat::Form => (GraphQlRequest::from_form(&read(payload).await?)?, None),
            BodyFormat::Multipart => {
                let mut parts = MultipartRequest::new(request.headers(), payload)?;
                let graphql_request = parts.operations(most).await?;
                (graphql_request, Some(parts))
            }
        };
        let prepared = self.prepare(graphql_request)?;
        match prepared.kind {
            OperationType::Query => self.read(request, prepared).await,
            OperationType::Mutation => self.write(request, prepared, parts).await,
            OperationType::Subscription => Err(RequestError::invalid("Subscriptions are not supported.")),
        }
    }

    fn prepare(&self, request: GraphQlRequest) -> Result<PreparedOperation, RequestError> {
        let limits = &self.core.settings().limits;
        let costs = cost::CostLimit { most: self.cost, limits };
        PreparedOperation::new(request, self.introspection, costs)
    }

    /// Answers a query from one snapshot. A query that may take long waits for its turn, and runs apart from the threads
    /// that answer all requests.
    async fn read(
        &self,
        request: &HttpRequest,
        prepared: PreparedOperation,
    ) -> Result<HttpResponse, RequestError> {
        let caller = transport::authenticate(&self.core, request)?;
        announce::announce(&self.core, &caller, &prepared).await?;
        let (core, budget, client) = (self.core.clone(), self.budget(&prepared), caller.client_id());
        if prepared.cost < APART {
            let (mut response, roots) = execute(prepared, QueryContext { core, caller }, budget).await;
            introspection::complete(&mut response.data, &roots, &self.configured);
            return Ok(response::answer(response, &roots, &[]).into());
        }
        // No snapshot is kept while it waits for its turn.
        drop(caller);
        let token = transport::bearer_token(request.headers())?.to_owned();
        let address = transport::client_address();
        let runtime = tokio::runtime::Handle::current();
        let configured = Arc::clone(&self.configured);
        let answered = move || {
            let caller = core.authenticate(&token)?.from_address(address);
            let (mut response, roots) =
                runtime.block_on(execute(prepared, QueryContext { core, caller }, budget));
            introspection::complete(&mut response.data, &roots, &configured);
            Ok(response::answer(response, &roots, &[]))
        };
        Ok(self.core.run_scan(client, answered).await?.into())
    }

    fn budget(&self, prepared: &PreparedOperation) -> CostBudget {
        CostBudget::new(prepared.cost, self.cost)
    }

    /// Runs mutations, one after the other. Files arrive while the mutation that takes them runs.
    async fn write(
        &self,
        request: &HttpRequest,
        prepared: PreparedOperation,
        parts: Option<MultipartRequest>,
    ) -> Result<HttpResponse, RequestError> {
        announce::announce(&self.core, &transport::authenticate(&self.core, request)?, &prepared).await?;
        let token = transport::bearer_token(request.headers())?.to_owned();
        let address = transport::client_address();
        let (files, feed) = multipart::files(parts);
        let budget = self.budget(&prepared);
        let cancellation = transport::cancellation();
        let mutation_context =
            MutationContext { core: self.core.clone(), token, address, cancellation, files };
        let running = execute(prepared, mutation_context, budget);
        let ((response, roots), leftover) = feed.until(running).await;
        let mut answer: HttpResponse = response::answer(response, &roots, &mutation::NEVER_NULL).into();
        if leftover {
            // The client is still sending bytes that will not be read.
            answer.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        Ok(answer)
    }
}

/// Runs an operation. Returns the response, and the fields of its root.
async fn execute<T: Send + Sync + 'static>(
    prepared: PreparedOperation,
    data: T,
    budget: CostBudget,
) -> (Response, Vec<(Name, Name)>) {
    let mut request = Request::new("").variables(prepared.variables).data(data).data(budget);
    request.set_parsed_query(prepared.document);
    (SCHEMA.execute(request).await, prepared.roots)
}
