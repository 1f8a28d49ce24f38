//! The load: keep-alive connections over TLS, each of which repeats the same request.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A server to send requests to.
pub struct Target {
    address: SocketAddr,
    connector: TlsConnector,
}

/// One answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// A `tools/call` of MCP.
pub fn tool_call(key: &str, tool: &str, arguments: &serde_json::Value) -> Vec<u8> {
    let body = serde_json::json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    })
    .to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-06-18\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// A GET without a key.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

impl Target {
    pub fn new(address: SocketAddr, ca: &Path) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ca).expect("the CA")).expect("a CA");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { address, connector: TlsConnector::from(Arc::new(config)) }
    }

    /// Opens a connection.
    pub async fn open(&self) -> Connection {
        Connection::open(self).await
    }

    /// Sends one request, on a connection of its own.
    pub async fn ask(&self, request: &[u8]) -> Answer {
        Connection::open(self).await.ask(request).await
    }

    /// Calls a tool and returns its result.
    pub async fn call(&self, key: &str, tool: &str, arguments: &serde_json::Value) -> serde_json::Value {
        let answer = self.ask(&tool_call(key, tool, arguments)).await;
        let message: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        let result = &message["result"];
        assert!(result["isError"] != true && result.is_object(), "{tool}: {message}");
        result["structuredContent"].clone()
    }

    /// Repeats a request on several connections for some time, and returns the number of answers.
    pub async fn repeat(&self, request: &[u8], connections: usize, time: Duration) -> u64 {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(Connection::open(self).await);
        }
        let end = Instant::now() + time;
        let counts = open.into_iter().map(|mut connection| async move {
            let mut count = 0;
            while Instant::now() < end {
                connection.ask(request).await;
                count += 1;
            }
            count
        });
        futures_util::future::join_all(counts).await.into_iter().sum()
    }
}

/// A connection that stays open.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(target: &Target) -> Self {
        let tcp = TcpStream::connect(target.address).await.expect("a connection");
        tcp.set_nodelay(true).expect("no delay");
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = target.connector.connect(name, tcp).await.expect("TLS");
        Self { stream, buffer: vec![0; 256 * 1024] }
    }

    /// Sends the request and waits for the answer.
    pub async fn ask(&mut self, request: &[u8]) -> Answer {
        self.stream.write_all(request).await.expect("the request goes out");
        self.stream.flush().await.expect("the request goes out");
        let (mut got, mut head) = (Vec::new(), None);
        while head.is_none() {
            let read = self.stream.read(&mut self.buffer).await.expect("an answer");
            assert!(read > 0, "the server closed the connection");
            got.extend_from_slice(&self.buffer[..read]);
            head = got.windows(4).position(|four| four == b"\r\n\r\n");
        }
        let body = got.split_off(head.expect("a head") + 4);
        let head = String::from_utf8(got).expect("a head of text").to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.and_then(|length| length.parse().ok()).expect("a Content-Length");
        Answer { status, body: self.rest(body, length).await }
    }

    async fn rest(&mut self, mut body: Vec<u8>, length: usize) -> Vec<u8> {
        body.reserve(length - body.len());
        while body.len() < length {
            let read = self.stream.read(&mut self.buffer).await.expect("an answer");
            assert!(read > 0, "the server closed the connection");
            body.extend_from_slice(&self.buffer[..read]);
        }
        body
    }
}
