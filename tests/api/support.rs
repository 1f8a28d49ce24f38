//! A client for tests that trusts a test server and has a key.

use std::net::IpAddr;
use std::path::Path;

use rasterd::testing::TestServer;
use rasterd::transport::wire::configured::Configured;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

pub mod gate;
pub mod mcp;
pub mod memory;
pub mod output;
pub mod ports;
pub mod program;
pub mod raw;
pub mod waiting;

/// The limits in documents, with the default configuration of tests.
pub fn configured() -> Configured {
    Configured::new(&rasterd::testing::settings(Path::new("/data"), "https://localhost:8443"))
}

/// A client of one server, with a key or without.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

/// An answer, read as a whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Client {
    /// A client without a key.
    pub fn new(server: &TestServer) -> Self {
        Self::of(server.url(), &server.ca_pem())
    }

    /// A client without a key, for the server at an origin whose certificate is from this authority.
    pub fn of(url: &str, ca_pem: &str) -> Self {
        Self { http: http(ca_pem).build().unwrap(), url: url.to_owned(), token: None }
    }

    /// [`Client::of`], at this address of the machine. All of 127.0.0.0/8 are.
    pub fn bound_to(address: IpAddr, url: &str, ca_pem: &str) -> Self {
        let http = http(ca_pem).local_address(address).build().unwrap();
        Self { http, url: url.to_owned(), token: None }
    }

    /// The same client, with a key; it shares the connections.
    pub fn with_key(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// A request of this client.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post_json(&self, path: &str, body: &serde_json::Value) -> Reply {
        send(self.request(Method::POST, path).header(CONTENT_TYPE, "application/json").body(body.to_string()))
            .await
    }
}

fn http(ca_pem: &str) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(trusting(ca_pem))
        .redirect(reqwest::redirect::Policy::none())
}

/// Sends a request and reads the answer.
pub async fn send(request: reqwest::RequestBuilder) -> Reply {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Reply { status, headers, body: answer.bytes().await.unwrap().to_vec() }
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The value of a header, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is an error in the envelope and nothing else, and returns its code.
    pub fn error_code(&self) -> String {
        let json = self.json();
        let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&json), ["error"]);
        assert_eq!(keys(&json["error"]), ["code", "message"]);
        assert_eq!(self.header("content-type"), "application/json");
        json["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// TLS that trusts only this server's authority.
pub fn tls_config(server: &TestServer) -> rustls::ClientConfig {
    trusting(&server.ca_pem())
}

/// TLS that trusts only one authority.
pub fn trusting(ca_pem: &str) -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(rasterd::transport::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(ca_pem))
        .with_no_client_auth()
}

/// The roots with only one authority.
pub fn roots(ca_pem: &str) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    roots
}
