//! A server that answers what a test wants, over TLS, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use rasterd::testing::TempFolder;
use rasterd::transport::tls::{Certificates, development, server_config};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::support::raw::DEADLINE;

/// The names of its certificate.
const NAMES: [&str; 2] = ["localhost", RESERVED];
/// An address of this machine where only the tests of the bridges listen, so that a port there stays free.
pub const RESERVED: &str = "127.0.0.77";

/// What the server sends for a request: bytes of HTTP, of which the last end the connection.
pub type Answer = Box<dyn Fn(&ReceivedRequest) -> Vec<u8> + Send + Sync>;

/// A request.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// The request line and the headers, as they came.
    pub head: String,
    pub message: Value,
}

impl ReceivedRequest {
    /// The value of a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        let value = self.head.lines().filter_map(|line| line.split_once(": "));
        value
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next_back()
            .unwrap_or_default()
    }
}

/// A server. Its threads end with the test's process.
pub struct FakeServer {
    pub url: String,
    pub ca_pem: String,
    asked: Arc<Mutex<Vec<ReceivedRequest>>>,
}

/// An authority and a certificate for `localhost`.
pub struct Identity {
    folder: TempFolder,
    pub ca_pem: String,
}

impl Identity {
    pub fn new() -> Self {
        let folder = TempFolder::new();
        let files = development::ensure(folder.path(), &NAMES.map(str::to_owned), SystemTime::now()).unwrap();
        let ca_pem = std::fs::read_to_string(files.ca_file).unwrap();
        Self { folder, ca_pem }
    }

    fn config(&self) -> Arc<ServerConfig> {
        let files =
            development::ensure(self.folder.path(), &NAMES.map(str::to_owned), SystemTime::now()).unwrap();
        let certificates = Certificates::load(&files.cert_file, &files.key_file).unwrap();
        Arc::new(server_config(certificates, None).unwrap())
    }
}

impl FakeServer {
    /// A server that answers each request with this.
    pub fn start(answer: impl Fn(&ReceivedRequest) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::on(listener, &Identity::new(), Box::new(answer))
    }

    /// The same on a port that a test has chosen.
    pub fn on(listener: TcpListener, identity: &Identity, answer: Answer) -> Self {
        let address = listener.local_addr().unwrap();
        let host = if address.ip().to_string() == RESERVED { RESERVED } else { "localhost" };
        let url = format!("https://{host}:{}", address.port());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (config, log, answer) = (identity.config(), Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (config, log, answer) = (Arc::clone(&config), Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(connection.unwrap(), config, &log, &answer));
            }
        });
        Self { url, ca_pem: identity.ca_pem.clone(), asked }
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<ReceivedRequest> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(tcp: TcpStream, config: Arc<ServerConfig>, log: &Mutex<Vec<ReceivedRequest>>, answer: &Answer) {
    tcp.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), tcp);
    // A client may not trust the certificate, or leave.
    while let Some(asked) = read_request(&mut stream) {
        log.lock().unwrap().push(asked.clone());
        let answer = answer(&asked);
        let is_last = !String::from_utf8_lossy(&answer).contains("Content-Length");
        if stream.write_all(&answer).is_err() || stream.flush().is_err() {
            return;
        }
        if is_last {
            stream.conn.send_close_notify();
            let _sent = stream.flush();
            return;
        }
    }
}

fn read_request(stream: &mut impl Read) -> Option<ReceivedRequest> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let asked = ReceivedRequest { head, message: Value::Null };
    let mut body = vec![0; asked.header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(ReceivedRequest { message: serde_json::from_slice(&body).unwrap(), ..asked })
}

/// An answer with a body.
pub fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// An answer with this JSON.
pub fn in_json(body: &str) -> Vec<u8> {
    http("200 OK", "Content-Type: application/json\r\n", body)
}

/// An answer that is a stream of events, and ends with the connection.
pub fn in_events(events: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{events}")
        .into_bytes()
}

/// The result of a request.
pub fn result(asked: &ReceivedRequest, result: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": asked.message["id"], "result": result }).to_string()
}
