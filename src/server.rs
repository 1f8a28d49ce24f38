//! The composition root: one listener, one actix server, all transports; run and drain.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

/// How the server listens and what it allows a client to take of it.
pub struct Options {
    /// Where it listens; bound already, so that its port is known.
    pub listener: TcpListener,
    /// The certificate chain, PEM.
    pub cert_file: PathBuf,
    /// The certificate's private key, PEM.
    pub key_file: PathBuf,
    /// Host names (without port) that `/mcp` answers to.
    pub allowed_hosts: Vec<String>,
    /// Origins (scheme, host, port) whose pages may call, by CORS and on `/mcp`; `*` allows all by CORS.
    pub allowed_origins: Vec<String>,
    /// Host names where `/` is the MCP endpoint, too.
    pub mcp_hosts: Vec<String>,
    /// How many threads answer; 0 is one a core.
    pub workers: usize,
    /// What slow or greedy clients may take.
    pub patience: Patience,
}

/// Limits against slow and greedy clients.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Until the head of a request is there, and until a TLS handshake is done.
    pub head: Duration,
    /// Until a body is there as a whole.
    pub body: Duration,
    /// The least bytes per second of a body, measured over ten seconds.
    pub body_rate: u64,
    /// How long an idle connection is kept.
    pub idle: Duration,
    /// How long requests in flight may take to finish when the server stops.
    pub drain: Duration,
    /// Connections at a time, in all.
    pub connections: usize,
    /// Connections at a time from one address.
    pub connections_per_address: usize,
}
