//! A TLS connection without an HTTP client, for requests that no client sends.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rasterd::testing::TestServer;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::tls_config;

/// How long any test waits before it fails.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// TLS over any stream, once both sides have agreed.
pub fn encrypted<S: Read + Write>(
    stream: S,
    config: ClientConfig,
) -> std::io::Result<StreamOwned<ClientConnection, S>> {
    encrypted_to("localhost", stream, config)
}

/// The same to a server of this name.
fn encrypted_to<S: Read + Write>(
    name: &str,
    stream: S,
    config: ClientConfig,
) -> std::io::Result<StreamOwned<ClientConnection, S>> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = stream;
    while tls.is_handshaking() {
        tls.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(tls, stream))
}

/// One connection.
pub struct Raw(StreamOwned<ClientConnection, TcpStream>);

impl Raw {
    pub fn open(server: &TestServer) -> Self {
        Self::open_with(server, tls_config(server)).unwrap()
    }

    /// A connection with other TLS than usual, if the server agrees.
    pub fn open_with(server: &TestServer, config: ClientConfig) -> std::io::Result<Self> {
        Self::to(server.port(), config)
    }

    /// A connection to a port of this machine, if the server there agrees.
    pub fn to(port: u16, config: ClientConfig) -> std::io::Result<Self> {
        Self::over(tcp_to(port)?, config)
    }

    /// A connection over TCP that is open already, if the server agrees.
    pub fn over(tcp: TcpStream, config: ClientConfig) -> std::io::Result<Self> {
        encrypted(tcp, config).map(Self)
    }

    /// A connection to a port of this machine as to a server of this name, if the server there agrees.
    pub fn to_name(name: &str, port: u16, config: ClientConfig) -> std::io::Result<Self> {
        encrypted_to(name, tcp_to(port)?, config).map(Self)
    }

    /// Its port on the side of the client.
    pub fn client_port(&self) -> u16 {
        self.0.sock.local_addr().unwrap().port()
    }

    pub fn tls(&self) -> &ClientConnection {
        &self.0.conn
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.write_all(bytes.as_ref())?;
        self.0.flush()
    }

    /// This many bytes.
    pub fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Waits until the server asks for the body of a request that was sent with `Expect: 100-continue`. From then on
    /// the request is authorized and its limits are chosen.
    pub fn is_asked_for_the_body(&mut self) {
        assert_eq!(self.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
    }

    /// Everything until the server closes.
    pub fn read_to_end(&mut self) -> String {
        read_to_end(&mut self.0)
    }

    /// One answer, which must have a `Content-Length`.
    pub fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        let mut byte = [0];
        while !is_whole(&answer) {
            assert_eq!(
                self.0.read(&mut byte).unwrap(),
                1,
                "closed after {}",
                String::from_utf8_lossy(&answer)
            );
            answer.push(byte[0]);
        }
        String::from_utf8(answer).unwrap()
    }

    /// Whether the server closes within this time. Anything it says is an error.
    pub fn closes_within(&mut self, time: Duration) -> bool {
        closes_within(&mut self.0.sock, time)
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    body.len() >= length.parse::<usize>().unwrap()
}

/// Whether the server on this port still has its end of the connection of a client that has closed the other end.
pub fn is_served(server_port: u16, client_port: u16) -> bool {
    // The states of an end that its process has not closed.
    const ESTABLISHED: &str = "01";
    const CLOSE_WAIT: &str = "08";
    let (local, remote) = (format!(":{server_port:04X}"), format!(":{client_port:04X}"));
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [_, from, to, state, ..] = fields[..] else { return false };
        from.ends_with(&local) && to.ends_with(&remote) && [ESTABLISHED, CLOSE_WAIT].contains(&state)
    })
}

/// A TCP connection that never waits longer than [`DEADLINE`].
pub fn tcp(server: &TestServer) -> TcpStream {
    tcp_to(server.port()).unwrap()
}

/// [`tcp`] to a port of this machine, if a server listens there.
pub fn tcp_to(port: u16) -> std::io::Result<TcpStream> {
    let tcp = TcpStream::connect(("127.0.0.1", port))?;
    tcp.set_read_timeout(Some(DEADLINE))?;
    tcp.set_write_timeout(Some(DEADLINE))?;
    Ok(tcp)
}

/// Everything until the server closes or resets the connection.
pub fn read_to_end(stream: &mut impl Read) -> String {
    let mut text = Vec::new();
    match stream.read_to_end(&mut text) {
        Ok(_) => {}
        Err(error)
            if error.kind() == ErrorKind::UnexpectedEof || error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error} after {}", String::from_utf8_lossy(&text)),
    }
    String::from_utf8(text).unwrap()
}

/// Whether the server closes within this time, whatever bytes it still sends.
pub fn closes_within(tcp: &mut TcpStream, time: Duration) -> bool {
    let until = Instant::now() + time;
    let mut bytes = [0; 1024];
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        tcp.set_read_timeout(Some(left)).unwrap();
        match tcp.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::ConnectionReset,
        }
    }
    false
}
