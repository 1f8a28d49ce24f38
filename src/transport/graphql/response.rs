//! Turns results and errors into the JSON of the response. The only place that writes GraphQL errors.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, ContentType, RETRY_AFTER, WWW_AUTHENTICATE};
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, PathSegment, Pos, Response, ServerError, Value};
use serde::Serialize;

use crate::error::{Code, Error, MAX_MESSAGE, excerpt};
use crate::transport;

/// The longest word that is shown of a message with the client's words in it, in characters.
const LONGEST_WORD: usize = 50;

/// What is wrong with a request as a whole; no field has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestErrorKind {
    /// A code of the table that all transports share.
    Shared(Code),
    /// The HTTP request is not a GraphQL request.
    BadRequest,
    /// The document is not GraphQL.
    Syntax,
    /// The document does not match the schema, or is too large.
    Invalid,
}

impl RequestErrorKind {
    fn name(self) -> &'static str {
        match self {
            Self::Shared(code) => code.name(),
            Self::BadRequest => "BAD_REQUEST",
            Self::Syntax => "GRAPHQL_PARSE_FAILED",
            Self::Invalid => "GRAPHQL_VALIDATION_FAILED",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::Shared(code) => code.status(),
            Self::BadRequest | Self::Syntax | Self::Invalid => 400,
        }
    }
}

/// An error of a whole request.
#[derive(Debug)]
pub struct RequestError {
    kind: RequestErrorKind,
    message: String,
    locations: Vec<Pos>,
    retry_after: Option<u64>,
}

impl RequestError {
    fn new(kind: RequestErrorKind, message: String, locations: Vec<Pos>) -> Self {
        Self { kind, message, locations, retry_after: None }
    }

    /// The HTTP request is not a GraphQL request.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(RequestErrorKind::BadRequest, message.into(), Vec::new())
    }

    /// The document does not match the schema, or is too large.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(RequestErrorKind::Invalid, message.into(), Vec::new())
    }

    /// The document is not GraphQL.
    pub fn syntax(message: impl Into<String>, locations: Vec<Pos>) -> Self {
        Self::new(RequestErrorKind::Syntax, message.into(), locations)
    }

    /// Says where in the document it is.
    pub fn at(mut self, place: Pos) -> Self {
        self.locations.push(place);
        self
    }

    /// The answer.
    pub fn answer(self) -> HttpResponse {
        let status = self.kind.status();
        let error = WireError {
            message: self.message,
            locations: self.locations,
            path: Vec::new(),
            extensions: Extensions::new(self.kind),
        };
        GraphQlResponse::new(
            status,
            self.retry_after,
            &ResponseBody { errors: vec![error], data: &Value::Null },
        )
        .into()
    }
}

impl From<Error> for RequestError {
    fn from(error: Error) -> Self {
        transport::log_cause(&error);
        Self {
            kind: RequestErrorKind::Shared(error.code()),
            message: transport::message_for_client(&error).into_owned(),
            locations: Vec::new(),
            retry_after: error.seconds_to_wait(),
        }
    }
}

#[derive(Serialize)]
struct ResponseBody<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<WireError>,
    data: &'a Value,
}

#[derive(Serialize)]
struct WireError {
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Pos>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<PathSegment>,
    extensions: Extensions,
}

#[derive(Serialize)]
struct Extensions {
    code: &'static str,
    http: Http,
}

#[derive(Serialize)]
struct Http {
    status: u16,
}

impl Extensions {
    fn new(kind: RequestErrorKind) -> Self {
        Self { code: kind.name(), http: Http { status: kind.status() } }
    }
}

/// The answer to an executed request. When every field of the root failed, there is no data, and the answer has the
/// status of its first error; an answer with some data has the status 200.
///
/// `roots` are the fields of the root by their names in the answer and in the schema, in order; `never_null` are
/// those that make all of the data null when they fail.
pub fn answer(response: Response, roots: &[(Name, Name)], never_null: &[&str]) -> GraphQlResponse {
    let Response { data, errors, .. } = response;
    let data = completed(data, &errors, roots, never_null);
    let retry_after = errors.iter().find_map(|error| error.source::<Error>()?.seconds_to_wait());
    let errors: Vec<WireError> = errors.into_iter().map(wire).collect();
    let status = match (&data, errors.first()) {
        (Value::Null, Some(error)) => error.extensions.http.status,
        _ => 200,
    };
    GraphQlResponse::new(status, retry_after, &ResponseBody { errors, data: &data })
}

/// The data with a null for each field that failed: the library leaves those out.
fn completed(data: Value, errors: &[ServerError], roots: &[(Name, Name)], never_null: &[&str]) -> Value {
    let Value::Object(mut fields) = data else { return data };
    let failed = |shown: &Name| {
        errors
            .iter()
            .any(|error| matches!(error.path.first(), Some(PathSegment::Field(field)) if shown == field))
    };
    let mut all = IndexMap::with_capacity(roots.len());
    for (shown, name) in roots {
        match fields.swap_remove(shown) {
            Some(value) => all.insert(shown.clone(), value),
            None if !failed(shown) => None,
            None if never_null.contains(&name.as_str()) => return Value::Null,
            None => all.insert(shown.clone(), Value::Null),
        };
    }
    Value::Object(all)
}

/// An error as clients see it. One with a path comes from a field: from its operation, or from the value of an argument.
/// One without a path comes from the validation of the document.
fn wire(error: ServerError) -> WireError {
    let ours = error.source::<Error>();
    let (kind, message) = match ours {
        Some(ours) => {
            transport::log_cause(ours);
            (RequestErrorKind::Shared(ours.code()), transport::message_for_client(ours).into_owned())
        }
        None if error.path.is_empty() => (RequestErrorKind::Invalid, abridged(&error.message)),
        None => (RequestErrorKind::Shared(Code::BadUserInput), abridged(&error.message)),
    };
    let locations = if error.path.is_empty() { error.locations } else { Vec::new() };
    WireError { message, locations, path: error.path, extensions: Extensions::new(kind) }
}

/// A message of the GraphQL library, which may repeat text of the client: long words are shortened, and the whole.
fn abridged(message: &str) -> String {
    let words: Vec<String> =
        message.split(' ').map(|word| excerpt(word).at_most(LONGEST_WORD).to_string()).collect();
    let message = words.join(" ");
    match message.char_indices().nth(MAX_MESSAGE - 1) {
        Some((cut, _)) => format!("{}…", message.get(..cut).unwrap_or_default()),
        None => message,
    }
}

/// A response, ready to be sent.
pub struct GraphQlResponse {
    status: u16,
    retry_after: Option<u64>,
    /// The code of the first error, for the log.
    code: Option<&'static str>,
    body: serde_json::Result<Vec<u8>>,
}

impl GraphQlResponse {
    fn new(status: u16, retry_after: Option<u64>, envelope: &ResponseBody<'_>) -> Self {
        let code = envelope.errors.first().map(|error| error.extensions.code);
        Self { status, retry_after, code, body: serde_json::to_vec(envelope) }
    }
}

impl From<GraphQlResponse> for HttpResponse {
    fn from(GraphQlResponse { status, retry_after, code, body }: GraphQlResponse) -> Self {
        code.into_iter().for_each(transport::record_code);
        let body = match body {
            Ok(body) => body,
            Err(error) => return RequestError::from(Error::internal(error)).answer(),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = Self::build(status);
        if status == StatusCode::UNAUTHORIZED {
            answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            answer.insert_header((ALLOW, "POST"));
        }
        if let Some(seconds) = retry_after {
            answer.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        answer.content_type(ContentType::json()).body(body)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    fn complete(data: Value, failed: &[&str]) -> Value {
        let roots = ["a", "b", "c"].map(|name| (Name::new(name), Name::new(format!("field_{name}"))));
        let error = |field: &&str| {
            ServerError::new("no", None).with_path(vec![PathSegment::Field((*field).to_owned())])
        };
        let errors: Vec<ServerError> = failed.iter().map(error).collect();
        completed(data, &errors, &roots, &["field_c"])
    }

    #[test]
    fn failed_fields_are_null_and_skipped_fields_are_left_out() {
        assert_eq!(complete(value!({ "b": 1 }), &["a"]), value!({ "a": null, "b": 1 }));
        assert_eq!(complete(value!({ "b": 1 }), &[]), value!({ "b": 1 }));
        assert_eq!(complete(value!({ "c": 3, "a": 1 }), &["b"]).to_string(), "{a: 1, b: null, c: 3}");
    }

    #[test]
    fn a_non_null_field_that_fails_makes_the_data_null() {
        assert_eq!(complete(value!({ "a": 1, "b": 2 }), &["c"]), Value::Null);
        assert_eq!(complete(Value::Null, &["a", "b"]), Value::Null);
    }
}
