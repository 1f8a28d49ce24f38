//! Every endpoint that accepts a body, with requests as bytes on a connection, without an HTTP client.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, ORIGIN, SET_COOKIE};

use crate::rest::NEW;
use crate::support::program::{ASSETS, Program, TestDir};
use crate::support::{Client, send};

/// Separates the parts of all forms here.
pub const BOUNDARY: &str = "cut";

/// What an endpoint accepts.
pub enum BodyFormat {
    /// A form that begins with these parts.
    Form(String),
    /// A form that begins with a GraphQL operation.
    GraphQl,
    /// One value that is read as a whole.
    Whole,
}

/// One endpoint.
pub struct Endpoint {
    pub name: &'static str,
    /// The head of a request, without its length and the empty line.
    pub head: String,
    format: BodyFormat,
}

impl Endpoint {
    /// Whether files are uploaded to it, in a form.
    pub fn takes_files(&self) -> bool {
        matches!(self.format, BodyFormat::Form(_) | BodyFormat::GraphQl)
    }

    /// A body with these bytes as its only file, or as the whole body.
    pub fn around(&self, bytes: &[u8]) -> Vec<u8> {
        if self.takes_files() { self.files(&[("filename=\"a.png\"", bytes)]) } else { bytes.to_vec() }
    }

    /// A form with files, each with the parameter for its name in the head of its part.
    pub fn files<B: AsRef<[u8]>>(&self, files: &[(&str, B)]) -> Vec<u8> {
        let parts: Vec<Vec<u8>> = files
            .iter()
            .enumerate()
            .map(|(number, (file_name, bytes))| self.part(number, file_name.as_bytes(), bytes.as_ref()))
            .collect();
        self.form(&parts)
    }

    /// A form of these parts, after the parts that must precede them.
    pub fn form(&self, parts: &[Vec<u8>]) -> Vec<u8> {
        let before = match &self.format {
            BodyFormat::Form(before) => before.clone(),
            BodyFormat::GraphQl => graphql_fields(parts.len()),
            BodyFormat::Whole => String::new(),
        };
        [before.as_bytes(), &parts.concat(), format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    /// The part with the file of this number; `name` is the parameter with its name.
    pub fn part(&self, number: usize, file_name: &[u8], bytes: &[u8]) -> Vec<u8> {
        let field = match self.format {
            BodyFormat::Form(_) | BodyFormat::Whole => "files".to_owned(),
            BodyFormat::GraphQl => number.to_string(),
        };
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; ");
        [head.as_bytes(), file_name, b"\r\n\r\n", bytes, b"\r\n"].concat()
    }

    /// A whole request in one piece.
    pub fn request(&self, body: &[u8]) -> Vec<u8> {
        let head = format!("{}Content-Length: {}\r\n\r\n", self.head, body.len());
        [head.as_bytes(), body].concat()
    }

    /// A whole request whose body comes in chunks of this size.
    pub fn in_chunks(&self, body: &[u8], size: usize) -> Vec<u8> {
        let mut request = format!("{}Transfer-Encoding: chunked\r\n\r\n", self.head).into_bytes();
        for chunk in body.chunks(size) {
            request.extend(format!("{:x}\r\n", chunk.len()).bytes());
            request.extend(chunk);
            request.extend(b"\r\n");
        }
        request.extend(b"0\r\n\r\n");
        request
    }
}

/// All endpoints, with the first key of a server and as the first owner of its web app.
pub async fn endpoints(test_dir: &TestDir, program: &Program) -> Vec<Endpoint> {
    let key = program.first_key();
    let form = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n");
    let json = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n".to_owned();
    let of_key = |path: &str, format: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
             Api-Version: {NEW}\r\nApollo-Require-Preflight: true\r\n{format}"
        )
    };
    let page = signed_in(test_dir, program).await;
    let origin = program.url();
    let of_page = format!(
        "POST /app/default/library/upload HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\
         Origin: {origin}\r\nCookie: {}\r\n{form}",
        program.port(),
        page.session,
    );
    let endpoint = |name, head, format| Endpoint { name, head, format };
    vec![
        endpoint("REST upload", of_key(ASSETS, &form), BodyFormat::Form(String::new())),
        endpoint("GraphQL upload", of_key("/graphql", &form), BodyFormat::GraphQl),
        endpoint("web upload", of_page, BodyFormat::Form(text("csrf", &page.token))),
        endpoint("REST JSON", of_key("/organizations/default/libraries", &json), BodyFormat::Whole),
        endpoint("GraphQL JSON", of_key("/graphql", &json), BodyFormat::Whole),
        endpoint("MCP", of_key("/mcp", &json), BodyFormat::Whole),
    ]
}

/// The endpoints that accept files in a form.
pub async fn uploads(test_dir: &TestDir, program: &Program) -> Vec<Endpoint> {
    endpoints(test_dir, program).await.into_iter().filter(Endpoint::takes_files).collect()
}

fn text(field: &str, value: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n")
}

/// The parts before this many files of a GraphQL upload.
fn graphql_fields(files: usize) -> String {
    let query = "mutation ($files: [Upload!]!) { uploadAssets(organizationId: \"default\", libraryId: \"library\", \
                 files: $files) { responseText assets { id name filename } } }";
    let variables = serde_json::json!({ "files": vec![(); files] });
    let operations = serde_json::json!({ "query": query, "variables": variables });
    let places = (0..files).map(|number| (number.to_string(), vec![format!("variables.files.{number}")]));
    let map = serde_json::to_string(&places.collect::<std::collections::BTreeMap<_, _>>()).unwrap();
    text("operations", &operations.to_string()) + &text("map", &map)
}

/// A browser's cookie, and the token of its forms.
pub struct Page {
    pub session: String,
    pub token: String,
}

/// Joins with the link that the first start prints.
pub async fn signed_in(test_dir: &TestDir, program: &Program) -> Page {
    let client = program.client();
    let link = test_dir.done(&["member", "invite", "ada@example.org", "--org", "default", "--role", "owner"]);
    let start = link.find("/app/welcome/").unwrap_or_else(|| panic!("no link in {link}"));
    let path = link[start..].split_whitespace().next().unwrap();
    let page = client.get(path).await;
    let visitor = cookie(&page.headers, "__Host-visitor");
    let fields = format!(
        "csrf={}&email=ada%40example.org&name=Ada&password=correct+horse+battery",
        token(&String::from_utf8(page.body).unwrap())
    );
    let answer = send(
        client
            .request(Method::POST, path)
            .header(COOKIE, visitor)
            .header(ORIGIN, program.url())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(fields),
    )
    .await;
    assert_eq!(answer.status, 303, "{}", String::from_utf8_lossy(&answer.body));
    let session = cookie(&answer.headers, "__Host-session");
    let page = open(&client, "/app/profile", &session).await;
    Page { token: token(&page), session }
}

async fn open(client: &Client, path: &str, session: &str) -> String {
    let page = send(client.request(Method::GET, path).header(COOKIE, session)).await;
    String::from_utf8(page.body).unwrap()
}

fn cookie(headers: &HeaderMap, name: &str) -> String {
    let mut set = headers.get_all(SET_COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let found = set.find(|cookie| cookie.starts_with(&format!("{name}="))).expect("a cookie");
    found.split(';').next().unwrap().to_owned()
}

fn token(page: &str) -> String {
    let rest = page.split_once("name=\"csrf\" value=\"").expect("a token").1;
    rest.split('"').next().unwrap().to_owned()
}

/// Sends a request in pieces of this size, as far as the server reads it, and waits for its answer.
pub fn exchange(program: &Program, request: &[u8], piece: usize) -> String {
    let mut connection = program.connect();
    let all_sent = request.chunks(piece).all(|piece| connection.try_send(piece).is_ok());
    let answer = connection.read_to_end();
    assert!(!all_sent || answer.starts_with("HTTP/1.1 "), "no answer: {answer:?}");
    answer
}
