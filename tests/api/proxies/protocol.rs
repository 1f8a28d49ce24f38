//! The PROXY protocol: only proxies may speak it, they have to, and whatever comes after their header is the client's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rasterd::testing::TestServer;

use super::{PROXY, server_behind_a_proxy};
use crate::support::program::{Program, TestDir};
use crate::support::raw::{DEADLINE, Raw, closes_within, tcp, tcp_to};
use crate::support::{tls_config, trusting};

const HEALTHZ: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const CLIENT: &str = "PROXY TCP4 203.0.113.7 127.0.0.1 4711 443\r\n";
const OTHER: &str = "PROXY TCP4 203.0.113.8 127.0.0.1 4711 443\r\n";

fn server() -> TestServer {
    server_behind_a_proxy(|_, options| options.proxies.protocol = true)
}

/// A connection that begins with these bytes, if the server accepts it.
fn announced(server: &TestServer, header: impl AsRef<[u8]>) -> std::io::Result<Raw> {
    let mut tcp = tcp(server);
    tcp.write_all(header.as_ref())?;
    Raw::over(tcp, tls_config(server))
}

fn status(connection: &mut Raw, request: &str) -> String {
    connection.send(request);
    connection.read_to_end().lines().next().unwrap_or_default().to_owned()
}

/// Version 2, with this command and family.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x20 | command, family][..], &length, rest].concat()
}

#[test]
fn both_versions_are_accepted_in_any_pieces() {
    let server = server();
    let v4 = binary(1, 0x11, &[203, 0, 113, 7, 127, 0, 0, 1, 1, 1, 1, 1]);
    for header in [CLIENT.as_bytes().to_vec(), b"PROXY UNKNOWN\r\n".to_vec(), v4, binary(0, 0, &[])] {
        let mut whole = announced(&server, &header).unwrap();
        assert_eq!(status(&mut whole, HEALTHZ), "HTTP/1.1 200 OK", "{}", header.escape_ascii());
        let mut tcp = tcp(&server);
        tcp.set_nodelay(true).unwrap();
        for byte in &header {
            tcp.write_all(&[*byte]).unwrap();
        }
        let mut pieces = Raw::over(tcp, tls_config(&server)).unwrap();
        assert_eq!(status(&mut pieces, HEALTHZ), "HTTP/1.1 200 OK", "{}", header.escape_ascii());
    }
}

#[test]
fn a_connection_without_a_header_or_from_elsewhere_is_refused() {
    let server = server();
    for header in [&b""[..], b"PROXY TCP4 nonsense\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        assert!(announced(&server, header).is_err(), "{}", header.escape_ascii());
    }
    // The same header that a proxy may send.
    let elsewhere = |header: &[u8]| {
        let mut tcp = connect_from("127.0.0.9", server.port());
        tcp.write_all(header).unwrap();
        Raw::over(tcp, tls_config(&server))
    };
    for header in [CLIENT.as_bytes(), b"PROXY UNKNOWN\r\n", b""] {
        assert!(elsewhere(header).is_err(), "{}", header.escape_ascii());
    }
}

/// A TCP connection from this address of the machine.
fn connect_from(address: &str, port: u16) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let connected = runtime.block_on(socket.connect(([127, 0, 0, 1], port).into())).unwrap();
    let tcp = connected.into_std().unwrap();
    tcp.set_nonblocking(false).unwrap();
    tcp.set_read_timeout(Some(DEADLINE)).unwrap();
    tcp
}

#[test]
fn a_header_that_a_client_sends_after_that_of_the_proxy_is_no_header() {
    let server = server();
    let mut tcp = tcp(&server);
    tcp.write_all(format!("{CLIENT}{OTHER}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "not TLS: {answer}");
    // Inside of TLS it is a malformed request, and what follows it is not answered, either.
    let mut connection = announced(&server, CLIENT).unwrap();
    connection.send(format!("{OTHER}{HEALTHZ}"));
    let answer = connection.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && !answer.contains("200 OK"), "{answer}");
}

#[test]
fn a_header_is_limited_in_bytes_and_time() {
    let server = server_behind_a_proxy(|_, options| {
        options.proxies.protocol = true;
        options.timeouts.head = Duration::from_millis(300);
    });
    let endless = [format!("PROXY UNKNOWN {}", "x".repeat(200)).into_bytes(), binary(1, 0x11, &[0; 4000])];
    for header in endless {
        let mut tcp = tcp(&server);
        // It may be closed before everything is sent.
        let _sent = tcp.write_all(&header);
        assert!(closes_within(&mut tcp, DEADLINE), "{} bytes", header.len());
    }
    // Bytes that arrive one by one, so that there is always something to read.
    let mut tcp = tcp(&server);
    let mut slow = tcp.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let started = Instant::now();
        while started.elapsed() < DEADLINE && slow.write_all(b"P").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert!(closes_within(&mut tcp, DEADLINE), "a header that never ends");
    sender.join().unwrap();
    let mut silent = tcp_to(server.port()).unwrap();
    assert!(closes_within(&mut silent, DEADLINE), "no header at all");
}

#[test]
fn connections_count_for_the_client_that_the_proxy_names() {
    let server = server_behind_a_proxy(|_, options| {
        options.proxies.protocol = true;
        options.timeouts.connections_per_address = 2;
    });
    let _two = [announced(&server, CLIENT).unwrap(), announced(&server, CLIENT).unwrap()];
    assert!(announced(&server, CLIENT).is_err(), "a third connection of one client");
    let mut other = announced(&server, OTHER).unwrap();
    assert_eq!(status(&mut other, HEALTHZ), "HTTP/1.1 200 OK");
    let _own: Vec<Raw> = (0..4).map(|_| announced(&server, "PROXY UNKNOWN\r\n").unwrap()).collect();
}

#[test]
fn a_client_behind_the_header_cannot_claim_an_address_and_a_second_proxy_can() {
    let directory = TestDir::new()
        .with("RASTERD__SERVER__PROXY_PROTOCOL", "true")
        .with("RASTERD__SERVER__TRUSTED_PROXIES", &format!("{PROXY},10.0.0.0/8"));
    let program = directory.serve();
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.1\r\nConnection: close\r\n\r\n";
    for (header, expected) in [
        (CLIENT, "203.0.113.7"),
        ("PROXY TCP4 10.0.0.2 127.0.0.1 1 2\r\n", "198.51.100.1"),
        ("PROXY UNKNOWN\r\n", "198.51.100.1"),
    ] {
        let mut connection = announced_to(&directory, &program, header);
        assert_eq!(status(&mut connection, request), "HTTP/1.1 200 OK");
        program.wait_for_log_line(&["/healthz", &format!("address={expected}")]);
    }
}

fn announced_to(directory: &TestDir, program: &Program, header: &str) -> Raw {
    let mut tcp = tcp_to(program.port()).unwrap();
    tcp.write_all(header.as_bytes()).unwrap();
    let ca_pem = std::fs::read_to_string(directory.certificates().join("ca.pem")).unwrap();
    Raw::over(tcp, trusting(&ca_pem)).unwrap()
}

#[test]
fn the_health_check_speaks_the_protocol_and_says_when_it_may_not() {
    let directory = TestDir::new()
        .with("RASTERD__SERVER__PROXY_PROTOCOL", "true")
        .with("RASTERD__SERVER__TRUSTED_PROXIES", "127.0.0.1");
    let program = directory.serve();
    let bind = format!("server.bind=127.0.0.1:{}", program.port());
    assert!(directory.done(&["--set", &bind, "health"]).starts_with("ready at "));
    let refused =
        directory.run(&["--set", &bind, "--set", "server.trusted_proxies=10.0.0.1", "health"]).failed(1);
    assert!(refused.contains("comes from 127.0.0.1; add that"), "{refused}");
}
