//! GraphQL over HTTPS: what clients send, what comes back, and what is refused.

use rasterd::core::model::Access;
use rasterd::testing::TestServer;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::{Client, Reply, configured, send};

mod changes;
mod documents;
mod errors;
mod explorer;
mod limits;
mod protocol;
mod uploads;

/// An organization `acme` with the libraries `brand` and `archive`, and `secret`, which no key here reaches.
struct Site {
    server: TestServer,
    /// Writes in `brand` and reads `archive`.
    writer: Client,
    /// Reads `brand`.
    reader: Client,
    stranger: Client,
}

impl Site {
    async fn start() -> Self {
        Self::of(TestServer::start()).await
    }

    async fn of(server: TestServer) -> Self {
        for name in ["Acme", "Other"] {
            server.organization(name).await;
        }
        for name in ["Brand", "Archive", "Secret"] {
            server.library("acme", name).await;
        }
        server.library("other", "Theirs").await;
        let grants = [("brand", Access::Write), ("archive", Access::Read)];
        let writer = server.key("acme", &grants).await;
        let reader = server.key("acme", &[("brand", Access::Read)]).await;
        let stranger = server.key("other", &[("theirs", Access::Write)]).await;
        let client = Client::new(&server);
        Self {
            writer: client.with_key(&writer.token),
            reader: client.with_key(&reader.token),
            stranger: client.with_key(&stranger.token),
            server,
        }
    }

    /// Uploads pictures with these names to `brand`, and returns their ids.
    async fn pictures(&self, names: &[&str]) -> Vec<String> {
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, PICTURE)).collect();
        let answer = upload(&self.writer, "brand", &json!({}), &files).await.json();
        let assets =
            answer["data"]["uploadAssets"]["assets"].as_array().unwrap_or_else(|| panic!("{answer}"));
        assets.iter().map(|asset| asset["id"].as_str().unwrap().to_owned()).collect()
    }
}

const PICTURE: &[u8] = include_bytes!("../fixtures/umang.webp");

const UPLOAD: &str = "mutation ($o: ID!, $l: ID!, $files: [Upload!]!, $email: String, $parent: ID) {
    uploadAssets(organizationId: $o, libraryId: $l, files: $files, email: $email, parentId: $parent) {
        responseText
        assets { id parentId name filename contentType created tags status progress url appUrl }
    }
}";

/// Posts a document with its variables.
async fn ask(client: &Client, query: &str, variables: Value) -> Reply {
    client.post_json("/graphql", &json!({ "query": query, "variables": variables })).await
}

/// What a document answers that can't fail.
async fn data(client: &Client, query: &str, variables: Value) -> Value {
    let reply = ask(client, query, variables).await;
    let mut json = reply.json();
    assert_eq!((reply.status, json.get("errors")), (200, None), "{json}");
    json["data"].take()
}

/// The one error of an answer without data: status, code, message. Checks its shape on the way.
fn failure(reply: &Reply) -> (u16, String, String) {
    let json = reply.json();
    assert_eq!(json["data"], Value::Null, "{json}");
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["data", "errors"]);
    assert_eq!(reply.header("content-type"), "application/json");
    let errors = json["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{json}");
    let extensions = &errors[0]["extensions"];
    assert_eq!(extensions["http"]["status"], reply.status, "{json}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (reply.status, text(&extensions["code"]), text(&errors[0]["message"]))
}

/// Uploads files, with the names of their parts counted from 0, as clients do.
async fn upload(client: &Client, library: &str, more: &Value, files: &[(&str, &[u8])]) -> Reply {
    let mut variables = json!({ "o": "acme", "l": library, "files": vec![Value::Null; files.len()] });
    variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let map: serde_json::Map<String, Value> =
        (0..files.len()).map(|n| (n.to_string(), json!([format!("variables.files.{n}")]))).collect();
    let operations = json!({ "query": UPLOAD, "variables": variables }).to_string();
    let mut form =
        MultipartBody::default().text("operations", &operations).text("map", &Value::Object(map).to_string());
    for (number, (name, bytes)) in files.iter().enumerate() {
        form = form.file(&number.to_string(), name, bytes);
    }
    form.send(client).await
}

/// A multipart form, written by hand so that tests can send wrong ones.
#[derive(Default)]
struct MultipartBody(Vec<u8>);

impl MultipartBody {
    const TYPE: &str = "multipart/form-data; boundary=cut";

    fn text(mut self, name: &str, text: &str) -> Self {
        let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self
    }

    fn file(mut self, name: &str, file_name: &str, bytes: &[u8]) -> Self {
        let head = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: image/x\r\n\r\n"
        );
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    fn ended(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"--cut--\r\n");
        self.0
    }

    async fn send(self, client: &Client) -> Reply {
        let request = client
            .request(Method::POST, "/graphql")
            .header(CONTENT_TYPE, Self::TYPE)
            .header("Apollo-Require-Preflight", "true")
            .body(self.ended());
        send(request).await
    }
}

#[test]
fn the_schema_is_the_one_that_clients_know() {
    insta::assert_snapshot!(rasterd::transport::graphql::sdl(&configured()));
}
