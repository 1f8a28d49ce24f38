//! One operation on one transport: its request, and the meaning of its answer. Knows nothing about callers.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rasterd::error::Code;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::values::Values;
use crate::rest::Form;
use crate::support::{Client, Reply, send};

/// The code of a call that the input schema of its tool refuses: plain text without a code of its own.
pub const REFUSED_BY_SCHEMA: &str = "REFUSED_BY_SCHEMA";
/// A revision of MCP in which every request stands for itself once the handshake is over.
pub const REVISION: &str = "2025-06-18";

/// The request of a transport. `<names>` are placeholders for [`Values`].
#[derive(Clone)]
pub enum Ask {
    Rest { version: &'static str, method: Method, path: &'static str, body: &'static str },
    RestUpload { version: &'static str, path: &'static str },
    GraphQl(&'static str),
    GraphQlUpload(&'static str),
    Tool { name: &'static str, arguments: &'static str },
    Resource(&'static str),
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rest { version, method, path, .. } => write!(f, "REST {version} {method} {path}"),
            Self::RestUpload { version, path } => write!(f, "REST {version} POST {path}"),
            Self::GraphQl(document) | Self::GraphQlUpload(document) => write!(f, "GraphQL {document}"),
            Self::Tool { name, .. } => write!(f, "MCP tool {name}"),
            Self::Resource(uri) => write!(f, "MCP resource {uri}"),
        }
    }
}

/// A request without a key.
pub struct Request {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub async fn send(&self, client: &Client, authorization: Option<&str>) -> Reply {
        let mut request = client.request(self.method.clone(), &self.path).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        send(request).await
    }

    /// The head as it is on the wire, for tests that send the body in pieces.
    pub fn head(&self, authorization: &str) -> String {
        self.head_with(authorization, "")
    }

    /// The head of a client that sends the body only when the server asks for it.
    pub fn head_that_waits(&self, authorization: &str) -> String {
        self.head_with(authorization, "Expect: 100-continue\r\n")
    }

    fn head_with(&self, authorization: &str, line: &str) -> String {
        let headers: Vec<String> =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!(
            "{} {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n{headers}{line}Content-Length: {}\r\n\r\n",
            self.method,
            self.path,
            self.body.len(),
            headers = headers.concat(),
        )
    }
}

/// What a client learns about a failure, on any transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub status: u64,
    pub code: String,
    pub message: String,
}

impl Failure {
    pub fn new(code: Code, message: &str) -> Self {
        Self { status: code.status().into(), code: code.name().to_owned(), message: message.to_owned() }
    }

    /// Reads `code` and `message` of an object.
    fn read(status: u64, error: &Value) -> Self {
        Self { status, code: text(&error["code"]), message: text(&error["message"]) }
    }
}

impl Ask {
    /// Its name on its transport: method and path, field, tool, or uri.
    pub fn name(&self) -> String {
        match self {
            Self::Rest { method, path, .. } => format!("{method} {}", template(path)),
            Self::RestUpload { path, .. } => format!("POST {}", template(path)),
            Self::GraphQl(document) | Self::GraphQlUpload(document) => {
                let fields = document.split_once('{').map_or("", |(_, fields)| fields).trim_start();
                fields.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
            }
            Self::Tool { name, .. } => (*name).to_owned(),
            Self::Resource(uri) => template(uri).replace("organizationId", "orgId"),
        }
    }

    /// Whether it goes to the endpoint of MCP.
    pub fn is_mcp(&self) -> bool {
        match self {
            Self::Tool { .. } | Self::Resource(_) => true,
            Self::Rest { .. } | Self::RestUpload { .. } | Self::GraphQl(_) | Self::GraphQlUpload(_) => false,
        }
    }

    /// Whether it names existing assets.
    pub fn names_assets(&self) -> bool {
        match self {
            Self::Rest { path, body, .. } => path.contains("<asset") || body.contains("<asset"),
            Self::RestUpload { .. } | Self::Resource(_) => false,
            Self::GraphQl(text) | Self::GraphQlUpload(text) | Self::Tool { arguments: text, .. } => {
                text.contains("<asset") || text.contains("<parent")
            }
        }
    }

    /// The request.
    pub fn request(&self, values: &Values) -> Request {
        match self {
            Self::Rest { version, method, path, body } => {
                let headers = vec![("Api-Version", (*version).to_owned()), json_type()];
                let body = values.filled(body).into_bytes();
                Request { method: method.clone(), path: values.filled_path(path), headers, body }
            }
            Self::RestUpload { version, path } => {
                let mut form = Form::default();
                if let Some(parent) = &values.parent {
                    form.text("parentId", parent);
                }
                for (name, bytes) in &values.files {
                    form.file("files", name, bytes);
                }
                let headers = vec![("Api-Version", (*version).to_owned()), form_type()];
                Request { method: Method::POST, path: values.filled_path(path), headers, body: form.finish() }
            }
            Self::GraphQl(document) => {
                let body = json!({ "query": values.filled(document) }).to_string().into_bytes();
                Request { method: Method::POST, path: "/graphql".into(), headers: vec![json_type()], body }
            }
            Self::GraphQlUpload(document) => {
                let headers = vec![("Apollo-Require-Preflight", "true".to_owned()), form_type()];
                let body = graphql_form(&values.filled(document), &values.files);
                Request { method: Method::POST, path: "/graphql".into(), headers, body }
            }
            Self::Tool { name, arguments } => {
                let arguments: Value = serde_json::from_str(&values.filled(arguments)).expect(name);
                json_rpc("tools/call", &json!({ "name": name, "arguments": arguments }))
            }
            Self::Resource(uri) => json_rpc("resources/read", &json!({ "uri": values.filled_path(uri) })),
        }
    }

    /// The meaning of an answer: the data, or the failure. Checks the shape of either.
    pub fn result(&self, reply: &Reply) -> Result<Value, Failure> {
        let status = reply.status.into();
        let mut json = reply.json();
        match self {
            Self::Rest { .. } | Self::RestUpload { .. } => {
                if json.get("error").is_none() {
                    assert!(status < 300, "{json}");
                    return Ok(json["data"].take());
                }
                reply.error_code();
                Err(Failure::read(status, &json["error"]))
            }
            Self::GraphQl(_) | Self::GraphQlUpload(_) => {
                let Some(error) = json.get("errors").map(|errors| errors[0].clone()) else {
                    assert_eq!(status, 200, "{json}");
                    return Ok(json["data"].take());
                };
                let extensions = &error["extensions"];
                assert_eq!(
                    (&json["data"], &extensions["http"]["status"]),
                    (&Value::Null, &json!(status)),
                    "{json}"
                );
                Err(Failure { status, code: text(&extensions["code"]), message: text(&error["message"]) })
            }
            Self::Tool { .. } | Self::Resource(_) if status != 200 => {
                reply.error_code();
                Err(Failure::read(status, &json["error"]))
            }
            Self::Tool { .. } => {
                let result = &mut json["result"];
                assert!(result.is_object(), "{json}");
                if result["isError"] == true {
                    Err(tool_failure(result))
                } else {
                    Ok(result["structuredContent"].take())
                }
            }
            Self::Resource(_) => {
                if let Some(error) = json.get("error") {
                    let data = &error["data"];
                    let status = data["status"].as_u64().unwrap();
                    return Err(Failure {
                        status,
                        code: text(&data["code"]),
                        message: text(&error["message"]),
                    });
                }
                Ok(serde_json::from_str(&text(&json["result"]["contents"][0]["text"])).unwrap())
            }
        }
    }
}

fn tool_failure(result: &Value) -> Failure {
    assert_eq!(result.get("structuredContent"), None, "a failure has no structured content");
    let content = text(&result["content"][0]["text"]);
    if content.starts_with("MCP error -32602: Input validation error: Invalid arguments for tool ") {
        return Failure { status: 0, code: REFUSED_BY_SCHEMA.to_owned(), message: content };
    }
    let error = serde_json::from_str::<Value>(&content).unwrap_or_else(|error| panic!("{error}: {content}"))
        ["error"]
        .take();
    Failure::read(error["status"].as_u64().unwrap(), &error)
}

/// All values of this name, anywhere in an answer, because transports wrap answers differently.
pub fn all_named<'a>(answer: &'a Value, name: &str) -> Vec<&'a Value> {
    match answer {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(field, value)| if field == name { vec![value] } else { all_named(value, name) })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| all_named(item, name)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// A message to the MCP endpoint.
pub fn json_rpc(method: &str, params: &Value) -> Request {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let headers = vec![
        json_type(),
        ("Accept", "application/json, text/event-stream".to_owned()),
        ("MCP-Protocol-Version", REVISION.to_owned()),
    ];
    Request { method: Method::POST, path: "/mcp".into(), headers, body: message.to_string().into_bytes() }
}

/// One file as a source of an MCP upload.
pub fn source((name, bytes): &(String, Vec<u8>)) -> Value {
    json!({ "kind": "base64", "filename": name, "mimeType": "image/png", "data": STANDARD.encode(bytes) })
}

fn graphql_form(document: &str, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let nulls = vec![Value::Null; files.len()];
    let map = (0..files.len()).map(|n| (n.to_string(), json!([format!("variables.files.{n}")]))).collect();
    let mut form = Form::default();
    form.text("operations", &json!({ "query": document, "variables": { "files": nulls } }).to_string());
    form.text("map", &Value::Object(map).to_string());
    for (number, (name, bytes)) in files.iter().enumerate() {
        form.file(&number.to_string(), name, bytes);
    }
    form.finish()
}

/// A path without its query, with the names of its parameters as in the documents.
fn template(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let names = [("<org>", "{organizationId}"), ("<library>", "{libraryId}"), ("<asset>", "{assetId}")];
    names.iter().fold(path.to_owned(), |path, (ours, theirs)| path.replace(ours, theirs))
}

fn json_type() -> (&'static str, String) {
    ("Content-Type", "application/json".to_owned())
}

fn form_type() -> (&'static str, String) {
    ("Content-Type", Form::CONTENT_TYPE.to_owned())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}
