//! Requests that no page of ours makes: by a program that sends any method, headers, cookies and body.

use rasterd::testing::TestServer;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, ORIGIN, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::people::PASSWORD;

/// Sends any request to a test server.
pub struct HttpClient {
    http: Client,
    url: String,
}

/// An answer with its whole body.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, text: answer.text().await.unwrap() }
}

impl HttpClient {
    pub fn new(server: &TestServer) -> Self {
        let mut trusted = rustls::RootCertStore::empty();
        trusted.add(CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).unwrap()).unwrap();
        let tls = rustls::ClientConfig::builder_with_provider(rasterd::transport::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let http =
            Client::builder().tls_backend_preconfigured(tls).redirect(reqwest::redirect::Policy::none());
        Self { http: http.build().unwrap(), url: server.url().to_owned() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str, cookies: &str) -> Answer {
        send(self.request(Method::GET, path).header(COOKIE, cookies)).await
    }

    /// A form with a file, as our page sends it.
    pub fn upload(&self, path: &str, cookies: &str, token: &str, file: &[u8]) -> RequestBuilder {
        let field = format!("--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n");
        let part = "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.jpg\"\r\n\r\n";
        let body = [field.as_bytes(), part.as_bytes(), file, b"\r\n--b--\r\n"].concat();
        self.request(Method::POST, path)
            .header(COOKIE, cookies)
            .header(ORIGIN, &self.url)
            .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
            .body(body)
    }

    /// A form, as our page sends it.
    pub fn form(&self, path: &str, cookies: &str, body: &str) -> RequestBuilder {
        self.request(Method::POST, path)
            .header(COOKIE, cookies)
            .header(ORIGIN, &self.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.to_owned())
    }
}

/// The value of a cookie that an answer sets.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let set = headers.get_all(SET_COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut found = set.filter_map(|cookie| cookie.strip_prefix(&format!("{name}=")));
    found.next().and_then(|rest| rest.split(';').next()).map(str::to_owned)
}

/// The token in a page's form.
pub fn token(page: &str) -> &str {
    let rest = page.split_once("name=\"csrf\" value=\"").expect("a token").1;
    rest.split('"').next().unwrap()
}

/// Signs somebody in, and returns their cookie and the token of their forms.
pub async fn signed_in(client: &HttpClient, email: &str) -> (String, String) {
    let page = client.get("/app/sign-in", "").await;
    let visitor = format!("__Host-visitor={}", cookie(&page.headers, "__Host-visitor").unwrap());
    let body = format!("csrf={}&email={email}&password={PASSWORD}", token(&page.text));
    let answer = send(client.form("/app/sign-in", &visitor, &body)).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/app"));
    let session = format!("__Host-session={}", cookie(&answer.headers, "__Host-session").unwrap());
    let page = client.get("/app/profile", &session).await;
    (session, token(&page.text).to_owned())
}
