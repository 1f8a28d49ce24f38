//! Reads a GraphQL request from an HTTP request: JSON, a form, or the query of a GET. The document in it is not parsed
//! here.

use actix_web::http::header::HeaderMap;
use async_graphql::Variables;
use serde::Deserialize;

use super::response::RequestError;
use crate::error::{Code, Error, excerpt};
use crate::transport::media_type::content_type;
use crate::transport::wire::describe_json_error;

/// Headers that a page can send to another origin only after that origin agreed to it in a preflight.
const PREFLIGHT_HEADERS: [&str; 2] = ["apollo-require-preflight", "x-apollo-operation-name"];

/// One GraphQL request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphQlRequest {
    /// The document.
    pub query: String,
    /// Which of its operations.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// The values of its variables; what the document does not declare is ignored.
    #[serde(default)]
    pub variables: Variables,
}

impl GraphQlRequest {
    /// Reads a body of JSON.
    pub fn from_json(body: &[u8]) -> Result<Self, RequestError> {
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(RequestError::bad_request("Send one operation per request, not an array of them."));
        }
        let request: Self = serde_json::from_slice(body).map_err(|error| {
            RequestError::bad_request(format!(
                "The body is not a GraphQL request in JSON: {}.",
                describe_json_error(&error)
            ))
        })?;
        request.checked()
    }

    /// Reads the query of a url.
    pub fn from_query(query: &str) -> Result<Self, RequestError> {
        Self::from_form(query.as_bytes())
    }

    /// Reads a form; the variables in it are JSON.
    pub fn from_form(form: &[u8]) -> Result<Self, RequestError> {
        let mut request =
            Self { query: String::new(), operation_name: None, variables: Variables::default() };
        for (name, value) in url::form_urlencoded::parse(form) {
            match &*name {
                "query" => request.query = value.into_owned(),
                "operationName" => request.operation_name = Some(value.into_owned()),
                "variables" if !value.is_empty() => {
                    request.variables = serde_json::from_str(&value).map_err(|error| {
                        RequestError::bad_request(format!(
                            "The variables are not a JSON object: {}.",
                            describe_json_error(&error)
                        ))
                    })?;
                }
                // As in JSON, what is not known is ignored: clients send more (`extensions`).
                _ => {}
            }
        }
        request.checked()
    }

    fn checked(self) -> Result<Self, RequestError> {
        if self.query.trim().is_empty() {
            return Err(RequestError::bad_request(
                "The request has no `query`. Send a GraphQL document in it.",
            ));
        }
        Ok(Self { operation_name: self.operation_name.filter(|name| !name.is_empty()), ..self })
    }
}

/// The format of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data` with files.
    Multipart,
}

impl BodyFormat {
    /// Reads the content type. For the types that a page may send to any origin without a preflight request, a header is
    /// required that does need one: otherwise any page could send requests with a key that the browser holds.
    pub fn of(headers: &HeaderMap) -> Result<Self, RequestError> {
        let media_type = content_type(headers).to_ascii_lowercase();
        let body = match media_type.as_str() {
            "application/json" => return Ok(Self::Json),
            "" | "text/plain" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart,
            other => {
                return Err(RequestError::bad_request(format!(
                    "The content type `{}` is not supported. Send `application/json`.",
                    excerpt(other)
                )));
            }
        };
        expect_preflight_header(headers)?;
        Ok(body)
    }
}

/// Whether the request carries a header that makes browsers ask before they send it for another site.
pub fn has_preflight_header(headers: &HeaderMap) -> bool {
    PREFLIGHT_HEADERS.iter().any(|name| headers.get(*name).is_some_and(|value| !value.is_empty()))
}

/// Refuses what a page of another site could have sent without a preflight request.
pub fn expect_preflight_header(headers: &HeaderMap) -> Result<(), RequestError> {
    if has_preflight_header(headers) {
        return Ok(());
    }
    Err(RequestError::bad_request(
        "Send `application/json` by POST, or add the header `Apollo-Require-Preflight: true`.",
    ))
}

/// The error for a document with its variables that is above the limit.
pub fn too_large(most: usize) -> Error {
    Error::new(
        Code::PayloadTooLarge,
        format!("The GraphQL request, without its files, is larger than {most} bytes."),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_form_holds_what_json_holds() {
        let form = b"query=%7Bviewer%7Bplan%7D%7D&operationName=&variables=%7B%22a%22%3A1%7D&extensions=x";
        let request = GraphQlRequest::from_form(form).unwrap();
        assert_eq!((request.query.as_str(), request.operation_name), ("{viewer{plan}}", None));
        assert_eq!(request.variables.len(), 1);
        let json = br#"{"query":"{viewer{plan}}","variables":null,"operationName":null,"extensions":{}}"#;
        assert!(GraphQlRequest::from_json(json).unwrap().variables.is_empty());
    }

    #[test]
    fn an_invalid_request_is_refused() {
        for body in [
            "",
            "[]",
            " [{\"query\":\"{a}\"}]",
            "{}",
            r#"{"query":" "}"#,
            r#"{"query":"{a}","variables":[]}"#,
        ] {
            assert!(GraphQlRequest::from_json(body.as_bytes()).is_err(), "{body}");
        }
        for form in ["", "query=", "query={a}&variables=[1]", "query={a}&variables=x"] {
            assert!(GraphQlRequest::from_query(form).is_err(), "{form}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(body: Vec<u8>) {
            let _ = GraphQlRequest::from_json(&body);
            let _ = GraphQlRequest::from_form(&body);
        }
    }
}
