//! An operation as a REST endpoint: reads its input from the path, the query or the body, and writes its answer in the
//! version that was asked for.

use actix_web::{HttpResponse, http};
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};

use super::authorized::{Authorized, RequestHead};
use super::document::schemas::Schemas;
use super::query::QueryString;
use super::{answer, upload};
use crate::core::access::{Caller, LibraryPath};
use crate::error::{Error, Result};
use crate::operations::{Answer, Declaration, Endpoint, EndpointInput, Method, Operation};
use crate::transport::wire::Version;

/// An endpoint.
pub struct Route {
    /// The operation's declaration.
    pub declaration: Declaration,
    /// The part of it that is about REST.
    pub endpoint: Endpoint,
    /// What answers it.
    pub answer: fn(Authorized) -> LocalBoxFuture<'static, Result<HttpResponse>>,
    /// The shape of its body.
    pub body: fn(&mut Schemas) -> RefOr<Schema>,
    /// The shape of `data` in a version.
    pub data: fn(&mut Schemas, Version) -> RefOr<Schema>,
}

impl Route {
    /// The endpoint of an operation, if it has one.
    pub fn of<O: Operation>() -> Option<Self> {
        let declaration = O::DECLARATION;
        let endpoint = declaration.rest?;
        let answer: fn(Authorized) -> LocalBoxFuture<'static, Result<HttpResponse>> = match endpoint.input {
            EndpointInput::Files => |authorized| Box::pin(upload::upload(authorized)),
            EndpointInput::Json(_) => |authorized| Box::pin(with_body::<O>(authorized)),
            EndpointInput::Query(_) | EndpointInput::Nothing => {
                |authorized| Box::pin(without_body::<O>(authorized))
            }
        };
        Some(Self {
            declaration,
            endpoint,
            answer,
            body: Schemas::read::<O::Input>,
            data: shape::<O::Output>,
        })
    }

    /// Its method.
    pub fn method(&self) -> http::Method {
        match self.endpoint.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Patch => http::Method::PATCH,
            Method::Delete => http::Method::DELETE,
        }
    }
}

fn shape<A: Answer>(schemas: &mut Schemas, version: Version) -> RefOr<Schema> {
    match version {
        Version::V20260520 => schemas.written::<A::V20260520>(),
        Version::V20260708 => schemas.written::<A::V20260708>(),
    }
}

async fn without_body<O: Operation>(Authorized { caller, head, .. }: Authorized) -> Result<HttpResponse> {
    let query = head.query();
    check_libraries::<O>(&caller, &head, |name| query.list(name))?;
    let input = serde_json::from_value(query_input::<O>(&query, head.version)?).map_err(Error::internal)?;
    run::<O>(caller, head, input).await
}

/// The input that a query holds.
fn query_input<O: Operation>(query: &QueryString, version: Version) -> Result<Value> {
    let parameters = O::DECLARATION.rest.map_or(&[][..], |endpoint| endpoint.input.parameters());
    let mut input = Map::new();
    for parameter in parameters.iter().filter(|parameter| parameter.since <= version) {
        if let Some(value) = query.value(parameter)? {
            input.insert(parameter.name.to_owned(), value);
        }
    }
    Ok(Value::Object(input))
}

async fn with_body<O: Operation>(authorized: Authorized) -> Result<HttpResponse> {
    let Authorized { caller, head, payload } = authorized;
    O::check(head.core(), &caller, &head.library(), head.asset())?;
    // No snapshot is kept while the client is waited for.
    drop(caller);
    let (caller, head, body) = head.read_body(payload).await?;
    if !O::DECLARATION.also_needs.is_empty() {
        let sent: Value = body.json()?;
        check_libraries::<O>(&caller, &head, |name| texts(&sent[name]))?;
    }
    let input = body.json()?;
    run::<O>(caller, head, input).await
}

/// Checks the libraries that the input names besides the one in the path. They are checked before the rest of the
/// input, like the library in the path.
fn check_libraries<O: Operation>(
    caller: &Caller,
    head: &RequestHead,
    named: impl Fn(&str) -> Vec<String>,
) -> Result<()> {
    let organization = head.library().organization;
    for (name, needs) in O::DECLARATION.also_needs {
        for library in &named(name) {
            needs.check(caller, &LibraryPath { organization, library })?;
        }
    }
    Ok(())
}

/// A text, or several.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

async fn run<O: Operation>(caller: Caller, head: RequestHead, input: O::Input) -> Result<HttpResponse> {
    let output = O::run(head.context(caller), input).await?;
    let next = output.next();
    let status = O::DECLARATION.rest.map_or(200, |endpoint| endpoint.status);
    answer::with_next_link(
        answer::data(status, output, head.version, head.origin())?,
        head.request(),
        head.origin(),
        next,
    )
}
