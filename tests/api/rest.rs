//! REST: its checks and their order, its shapes in both versions, uploads, lists, and its document.

mod checks;
mod documents;
mod lists;
mod shapes;
mod uploads;

use rasterd::core::model::Access;
use rasterd::testing::{TestKey, TestServer};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use crate::support::{Client, Reply, send};

pub const OLD: &str = "2026-05-20";
pub const NEW: &str = "2026-07-08";
pub const VERSIONS: [&str; 2] = [OLD, NEW];
/// The assets of the library that a [`Scene`] is about.
pub const ASSETS: &str = "/organizations/acme/libraries/photos/assets";

/// One organization with a library that the writer and the reader reach, and one that only the writer does; and
/// a second organization.
pub struct Scene {
    pub server: TestServer,
    pub anyone: Client,
    pub writer: Rest,
    pub reader: Rest,
    pub writer_key: TestKey,
}

impl Scene {
    pub async fn new() -> Self {
        Self::on(TestServer::start()).await
    }

    pub async fn on(server: TestServer) -> Self {
        server.organization("Acme").await;
        for library in ["Photos", "Archive"] {
            server.library("acme", library).await;
        }
        server.organization("Other").await;
        server.library("other", "Photos").await;
        let both = [("photos", Access::Write), ("archive", Access::Write)];
        let writer_key = server.key("acme", &both).await;
        let reader_key = server.key("acme", &[("photos", Access::Read)]).await;
        let anyone = Client::new(&server);
        let writer = Rest::new(&anyone.with_key(&writer_key.token), NEW);
        let reader = Rest::new(&anyone.with_key(&reader_key.token), NEW);
        Self { server, anyone, writer, reader, writer_key }
    }
}

/// A client that names a version of the API.
#[derive(Clone)]
pub struct Rest {
    pub client: Client,
    version: &'static str,
}

impl Rest {
    pub fn new(client: &Client, version: &'static str) -> Self {
        Self { client: client.clone(), version }
    }

    pub fn in_version(&self, version: &'static str) -> Self {
        Self { version, ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, path).header("Api-Version", self.version)
    }

    pub async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    /// Sends JSON.
    pub async fn json(&self, method: Method, path: &str, body: Value) -> Reply {
        send(self.request(method, path).header(CONTENT_TYPE, "application/json").body(body.to_string())).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.json(Method::POST, path, body).await
    }

    /// Uploads files, each with its name, to the library of the [`Scene`].
    pub async fn upload(&self, files: &[(&str, &[u8])]) -> Reply {
        let mut form = Form::default();
        for (name, bytes) in files {
            form.file("files", name, bytes);
        }
        self.send_form(ASSETS, form).await
    }

    pub async fn send_form(&self, path: &str, form: Form) -> Reply {
        send(self.request(Method::POST, path).header(CONTENT_TYPE, Form::CONTENT_TYPE).body(form.finish()))
            .await
    }

    /// Uploads one picture and returns its id.
    pub async fn uploaded(&self, name: &str) -> String {
        let reply = self.upload(&[(name, &picture(name))]).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        reply.json()["data"]["assets"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The names that a list answers, and the path of the next part of it.
    pub async fn names(&self, path: &str) -> (Vec<String>, Option<String>) {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        let names =
            reply.json()["data"].as_array().unwrap().iter().map(|asset| text(&asset["name"])).collect();
        let link = reply.header("link");
        let next =
            link.strip_suffix(">; rel=\"next\"").and_then(|link| Some(link.split_once("/organizations/")?.1));
        (names, next.map(|path| format!("/organizations/{path}")))
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

/// A form as clients write it, byte by byte.
#[derive(Default)]
pub struct Form(Vec<u8>);

impl Form {
    pub const CONTENT_TYPE: &str = "multipart/form-data; boundary=----border";

    pub fn file(&mut self, field: &str, name: &str, bytes: &[u8]) {
        self.0.extend_from_slice(b"------border\r\n");
        let head = format!("Content-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(b"Content-Type: application/octet-stream\r\n\r\n");
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
    }

    pub fn text(&mut self, field: &str, value: &str) {
        let part =
            format!("------border\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
        self.0.extend_from_slice(part.as_bytes());
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"------border--\r\n");
        self.0
    }
}

/// A PNG of 3 × 2 pixels whose bytes are of this seed's own: one chunk of text in it has the seed.
pub fn picture(seed: &str) -> Vec<u8> {
    fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
        let mut checked = kind.to_vec();
        checked.extend_from_slice(data);
        let mut chunk = u32::try_from(data.len()).unwrap().to_be_bytes().to_vec();
        chunk.extend_from_slice(&checked);
        chunk.extend_from_slice(&crc32fast::hash(&checked).to_be_bytes());
        chunk
    }
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(*b"IHDR", &[0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]));
    png.extend(chunk(*b"tEXt", format!("Comment\0{seed}").as_bytes()));
    // Two rows of a filter byte and three grey pixels, stored without compression.
    let rows = [0, 10, 20, 30, 0, 40, 50, 60];
    let mut data = vec![0x78, 0x01, 0x01, 8, 0, 0xF7, 0xFF];
    data.extend(rows);
    let (mut one, mut other) = (1_u32, 0_u32);
    for byte in rows {
        one = (one + u32::from(byte)) % 65_521;
        other = (other + one) % 65_521;
    }
    data.extend((other << 16 | one).to_be_bytes());
    png.extend(chunk(*b"IDAT", &data));
    png.extend(chunk(*b"IEND", &[]));
    png
}
