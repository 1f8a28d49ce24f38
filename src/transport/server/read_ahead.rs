//! Connections of which the beginning is looked at before the TLS handshake.

use actix_rt::net::{TcpStream, UnixStream};
use tokio::io::BufReader;
use tokio_util::either::Either;

/// How much of a connection is read ahead of its TLS handshake.
const READ_AHEAD: usize = 256;

/// A connection before its TLS handshake. What is read ahead stays in it.
pub type Socket = BufReader<Either<TcpStream, UnixStream>>;

/// A connection of which the beginning can be looked at.
pub fn read_ahead(stream: Either<TcpStream, UnixStream>) -> Socket {
    BufReader::with_capacity(READ_AHEAD, stream)
}
