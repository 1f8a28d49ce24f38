//! What a client asks, read from the HTTP request: JSON, a form, or the query of a GET.
//! What the document in it means is not looked at here.

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web;
use async_graphql::Variables;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::Deserialize;

use super::answer::Refusal;
use crate::error::{Code, Error};

/// Headers that a page can send to another origin only after that origin agreed to it in a preflight.
const PREFLIGHT_HEADERS: [&str; 2] = ["apollo-require-preflight", "x-apollo-operation-name"];

/// One GraphQL request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The document.
    pub query: String,
    /// Which of its operations.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// The values of its variables; what the document does not declare is ignored.
    #[serde(default)]
    pub variables: Variables,
}

impl Asked {
    /// Reads a body of JSON.
    pub fn from_json(body: &[u8]) -> Result<Self, Refusal> {
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(Refusal::bad_request("Send one operation a request, not an array of them."));
        }
        let asked: Self = serde_json::from_slice(body).map_err(|error| {
            Refusal::bad_request(format!("The body is not a GraphQL request in JSON: {error}."))
        })?;
        asked.checked()
    }

    /// Reads the query of a url.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        Self::from_form(query.as_bytes())
    }

    /// Reads a form; the variables in it are JSON.
    pub fn from_form(form: &[u8]) -> Result<Self, Refusal> {
        let mut asked = Self { query: String::new(), operation_name: None, variables: Variables::default() };
        for (name, value) in url::form_urlencoded::parse(form) {
            match &*name {
                "query" => asked.query = value.into_owned(),
                "operationName" => asked.operation_name = Some(value.into_owned()),
                "variables" if !value.is_empty() => {
                    asked.variables = serde_json::from_str(&value).map_err(|error| {
                        Refusal::bad_request(format!("The variables are not an object in JSON: {error}."))
                    })?;
                }
                // As in JSON, what is not known is ignored: clients send more (`extensions`).
                _ => {}
            }
        }
        asked.checked()
    }

    fn checked(self) -> Result<Self, Refusal> {
        if self.query.trim().is_empty() {
            return Err(Refusal::bad_request("The request has no `query`. Send a GraphQL document in it."));
        }
        Ok(Self { operation_name: self.operation_name.filter(|name| !name.is_empty()), ..self })
    }
}

/// How the request is written down in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data` with files.
    Multipart,
}

impl Body {
    /// Reads the content type. The types that a page may send anywhere without a preflight need a header that it
    /// may not, or else any page could use the keys in a browser's reach.
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let body = match media_type.as_str() {
            "application/json" => return Ok(Self::Json),
            "" | "text/plain" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart,
            other => {
                return Err(Refusal::bad_request(format!(
                    "The content type `{other}` is not known here. Send `application/json`."
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

/// Refuses what a page of another site could have sent unasked.
pub fn expect_preflight_header(headers: &HeaderMap) -> Result<(), Refusal> {
    if has_preflight_header(headers) {
        return Ok(());
    }
    Err(Refusal::bad_request(
        "Send `application/json` by POST, or add the header `Apollo-Require-Preflight: true`.",
    ))
}

/// Reads a body of at most `most` bytes.
pub async fn read(mut payload: web::Payload, most: usize) -> Result<Bytes, Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|cause| broken_off(cause.to_string()))?;
        if body.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The error for a body that did not come as a whole.
pub fn broken_off(cause: String) -> Error {
    Error::bad_input("The body broke off before its end. Send the request again.").caused_by(cause)
}

/// The error for a document with its variables that is above the limit.
pub fn too_large(most: usize) -> Error {
    Error::new(
        Code::PayloadTooLarge,
        format!("A GraphQL request without its files has at most {most} bytes; this one has more."),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_form_holds_what_json_holds() {
        let form = b"query=%7Bviewer%7Bplan%7D%7D&operationName=&variables=%7B%22a%22%3A1%7D&extensions=x";
        let asked = Asked::from_form(form).unwrap();
        assert_eq!((asked.query.as_str(), asked.operation_name), ("{viewer{plan}}", None));
        assert_eq!(asked.variables.len(), 1);
        let json = br#"{"query":"{viewer{plan}}","variables":null,"operationName":null,"extensions":{}}"#;
        assert!(Asked::from_json(json).unwrap().variables.is_empty());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for body in [
            "",
            "[]",
            " [{\"query\":\"{a}\"}]",
            "{}",
            r#"{"query":" "}"#,
            r#"{"query":"{a}","variables":[]}"#,
        ] {
            assert!(Asked::from_json(body.as_bytes()).is_err(), "{body}");
        }
        for form in ["", "query=", "query={a}&variables=[1]", "query={a}&variables=x"] {
            assert!(Asked::from_query(form).is_err(), "{form}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(body: Vec<u8>) {
            let _ = Asked::from_json(&body);
            let _ = Asked::from_form(&body);
        }
    }
}
