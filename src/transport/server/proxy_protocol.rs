//! The PROXY protocol: how a proxy that passes bytes on says, before the first of them, whose connection it is. Reads
//! exactly that, so that whatever a client sends comes after it.

use std::io;
use std::net::IpAddr;

use ppp::{v1, v2};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The longest line of version 1, with its end.
const MAX_LINE: usize = 107;
/// The fixed part of version 2, which ends with the length of the rest.
const FIXED_PART: usize = 16;
/// The longest rest of version 2: addresses, and what the proxy adds. Unix paths take 216 bytes, and the names in a
/// client's certificate some hundred.
const MAX_REST: usize = 2048;
/// As many bytes as tell the versions apart.
const BEGINNING: usize = v2::PROTOCOL_PREFIX.len();

/// What a proxy says about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// It is of the client with this address.
    Client(IpAddr),
    /// It is the proxy's own, to check whether the server is there, or the client has no address.
    Own,
}

/// Why a connection is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ProxyProtocolError {
    /// It ended, or begins with something else.
    #[error("it does not begin with a header of the PROXY protocol")]
    Missing,
    /// The header is too long.
    #[error("its header of the PROXY protocol is longer than {} bytes", MAX_REST + FIXED_PART)]
    TooLong,
    /// The header can't be read.
    #[error("its header of the PROXY protocol can't be read: {0}")]
    Malformed(String),
    /// The connection broke or ended.
    #[error("it ended before its header of the PROXY protocol: {0}")]
    Ended(#[from] io::Error),
}

/// Reads the header, of version 1 or 2. The caller limits the time.
///
/// # Errors
/// When there is none.
pub async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Announced, ProxyProtocolError> {
    let mut header = vec![0; BEGINNING];
    stream.read_exact(&mut header).await?;
    if header == v2::PROTOCOL_PREFIX {
        return read_binary(stream, header).await;
    }
    if header.starts_with(v1::PROTOCOL_PREFIX.as_bytes()) {
        return read_line(stream, header).await;
    }
    Err(ProxyProtocolError::Missing)
}

async fn read_line(
    stream: &mut (impl AsyncBufRead + Unpin),
    mut line: Vec<u8>,
) -> Result<Announced, ProxyProtocolError> {
    let rest = u64::try_from(MAX_LINE - line.len()).unwrap_or_default();
    stream.take(rest).read_until(b'\n', &mut line).await?;
    let header = v1::Header::try_from(line.as_slice()).map_err(malformed)?;
    Ok(match header.addresses {
        v1::Addresses::Tcp4(addresses) => Announced::Client(addresses.source_address.into()),
        v1::Addresses::Tcp6(addresses) => Announced::Client(addresses.source_address.into()),
        v1::Addresses::Unknown => Announced::Own,
    })
}

async fn read_binary(
    stream: &mut (impl AsyncBufRead + Unpin),
    mut bytes: Vec<u8>,
) -> Result<Announced, ProxyProtocolError> {
    bytes.resize(FIXED_PART, 0);
    stream.read_exact(bytes.get_mut(BEGINNING..).unwrap_or_default()).await?;
    let length = bytes.last_chunk().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
    if length > MAX_REST {
        return Err(ProxyProtocolError::TooLong);
    }
    bytes.resize(FIXED_PART + length, 0);
    stream.read_exact(bytes.get_mut(FIXED_PART..).unwrap_or_default()).await?;
    let header = v2::Header::try_from(bytes.as_slice()).map_err(malformed)?;
    Ok(match (header.command, header.addresses) {
        (v2::Command::Proxy, v2::Addresses::IPv4(addresses)) => {
            Announced::Client(addresses.source_address.into())
        }
        (v2::Command::Proxy, v2::Addresses::IPv6(addresses)) => {
            Announced::Client(addresses.source_address.into())
        }
        (v2::Command::Proxy, v2::Addresses::Unix(_) | v2::Addresses::Unspecified)
        | (v2::Command::Local, _) => Announced::Own,
    })
}

fn malformed(error: impl std::fmt::Display) -> ProxyProtocolError {
    ProxyProtocolError::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is read from these bytes, and what is left of them.
    fn read_from(bytes: &[u8]) -> (Result<Announced, ProxyProtocolError>, Vec<u8>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut rest = bytes;
        let read = runtime.block_on(read(&mut rest));
        (read, rest.to_vec())
    }

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [v2::PROTOCOL_PREFIX, &[0x20 | command, family], &length, rest].concat()
    }

    fn client(address: &str) -> Announced {
        Announced::Client(address.parse().unwrap())
    }

    #[test]
    fn the_client_is_read_and_nothing_after_the_header() {
        let v4 = [203, 0, 113, 7, 127, 0, 0, 1, 0x12, 0x34, 0x01, 0xBB];
        let v6 = [&"2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap().octets()[..], &[0; 20]].concat();
        for (header, expected) in [
            (b"PROXY TCP4 203.0.113.7 127.0.0.1 4660 443\r\n".to_vec(), client("203.0.113.7")),
            (b"PROXY TCP6 2001:db8::7 ::1 4660 443\r\n".to_vec(), client("2001:db8::7")),
            (b"PROXY UNKNOWN\r\n".to_vec(), Announced::Own),
            (b"PROXY UNKNOWN 203.0.113.7 127.0.0.1 1 2\r\n".to_vec(), Announced::Own),
            (binary(1, 0x11, &v4), client("203.0.113.7")),
            (binary(1, 0x11, &[&v4[..], &[4; 300]].concat()), client("203.0.113.7")),
            (binary(1, 0x21, &v6), client("2001:db8::7")),
            (binary(1, 0x31, &[1; 216]), Announced::Own),
            (binary(1, 0x00, &[]), Announced::Own),
            (binary(0, 0x00, &[]), Announced::Own),
            (binary(0, 0x11, &v4), Announced::Own),
        ] {
            // A client that begins with such a header itself.
            for after in [&b"\x16\x03\x01"[..], b"PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n", b""] {
                let (read, rest) = read_from(&[&header, after].concat());
                assert_eq!(read.unwrap(), expected, "{}", header.escape_ascii());
                assert_eq!(rest, after, "{}", header.escape_ascii());
            }
        }
    }

    #[test]
    fn what_is_not_a_header_is_refused() {
        for bytes in [
            &b""[..],
            b"PROXY",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00",
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"PROXY TCP4 203.0.113.7 127.0.0.1 4660 443\n",
            b"PROXY TCP4 203.0.113.7 127.0.0.1 4660 443",
            b"PROXY TCP4 2001:db8::7 ::1 4660 443\r\n",
            b"PROXY TCP4 203.0.113.7 127.0.0.1 4660 65536\r\n",
            b"PROXY TCP4 203.0.113.7\r\n",
            b"PROXY UDP4 203.0.113.7 127.0.0.1 4660 443\r\n",
            b"proxy TCP4 203.0.113.7 127.0.0.1 4660 443\r\n",
        ] {
            assert!(read_from(bytes).0.is_err(), "{}", bytes.escape_ascii());
        }
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(MAX_LINE));
        assert!(read_from(long.as_bytes()).0.is_err());
        for bytes in [
            binary(2, 0x11, &[0; 12]),
            binary(1, 0x11, &[0; 11]),
            binary(1, 0x41, &[0; 12]),
            binary(1, 0x00, &[0; MAX_REST + 1]),
        ] {
            assert!(read_from(&bytes).0.is_err(), "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic_and_no_more_than_the_limit(
            begins in 0..3, version_and_family: [u8; 2], bytes in prop::collection::vec(any::<u8>(), 0..4096),
        ) {
            let start = match begins {
                0 => Vec::new(),
                1 => b"PROXY TCP4 ".to_vec(),
                _ => [v2::PROTOCOL_PREFIX, &version_and_family].concat(),
            };
            let all = [start, bytes].concat();
            let (_, rest) = read_from(&all);
            prop_assert!(all.len() - rest.len() <= FIXED_PART + MAX_REST);
        }
    }
}
