//! The Unix socket: it speaks HTTPS, belongs to one server, and trusts whoever can open it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use crate::support::program::TestDir;
use crate::support::raw::{DEADLINE, encrypted, read_to_end};
use crate::support::trusting;

/// A directory whose server listens on this socket, too.
fn directory() -> (TestDir, PathBuf) {
    let directory = TestDir::new();
    let path = directory.path().join("http.sock");
    let directory = directory.with("RASTERD__SERVER__UNIX_SOCKET", path.to_str().unwrap());
    (directory, path)
}

fn connect(path: &PathBuf) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// The answer to a request for `/healthz` with this header, on a connection that begins with these bytes.
fn healthz(directory: &TestDir, path: &PathBuf, first: &str, header: &str) -> String {
    let ca_pem = fs::read_to_string(directory.certificates().join("ca.pem")).unwrap();
    let mut stream = connect(path);
    stream.write_all(first.as_bytes()).unwrap();
    let mut tls = encrypted(stream, trusting(&ca_pem)).unwrap();
    tls.write_all(
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{header}Connection: close\r\n\r\n").as_bytes(),
    )
    .unwrap();
    read_to_end(&mut tls)
}

#[tokio::test]
async fn a_proxy_on_the_socket_speaks_https_and_is_trusted() {
    let (directory, path) = directory();
    let program = directory.serve();
    let file = fs::symlink_metadata(&path).unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o660);
    let answer = healthz(&directory, &path, "", "X-Forwarded-For: 198.51.100.1, 203.0.113.7\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    program.wait_for_log_line(&["/healthz", "address=203.0.113.7"]);
    let answer = healthz(&directory, &path, "", "X-Forwarded-For: unknown\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    program.wait_for_log_line(&["/healthz", "address=127.0.0.1"]);
    // The port works as well, and trusts nobody.
    let rest = program.rest_of(program.first_key());
    let request = rest.request(reqwest::Method::GET, "/me").header("X-Forwarded-For", "198.51.100.1");
    assert_eq!(crate::support::send(request).await.status, 200);
    program.wait_for_log_line(&["/me", "address=127.0.0.1"]);
}

#[test]
fn a_proxy_on_the_socket_without_tls_is_told_so() {
    let (directory, path) = directory();
    let _program = directory.serve();
    let mut stream = connect(&path);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 403 Forbidden\r\n") && answer.contains("HTTPS_REQUIRED"),
        "{answer}"
    );
}

#[test]
fn the_proxy_protocol_counts_on_the_socket_too() {
    let (directory, path) = directory();
    let directory = directory.with("RASTERD__SERVER__PROXY_PROTOCOL", "true");
    let program = directory.serve();
    let answer = healthz(
        &directory,
        &path,
        "PROXY TCP4 203.0.113.7 127.0.0.1 4711 443\r\n",
        "X-Forwarded-For: 198.51.100.1\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    program.wait_for_log_line(&["/healthz", "address=203.0.113.7"]);
}

#[test]
fn the_socket_of_a_running_server_is_kept_and_that_of_a_killed_one_is_replaced() {
    let (first, path) = directory();
    let second = TestDir::new().with("RASTERD__SERVER__UNIX_SOCKET", path.to_str().unwrap());
    let program = first.serve();
    let Err(exit) = second.try_to_serve() else { panic!("two servers on one socket") };
    let message = exit.failed(1);
    assert!(
        message.contains(&format!("server.unix_socket: another server listens on {}", path.display())),
        "{message}"
    );
    assert!(healthz(&first, &path, "", "").starts_with("HTTP/1.1 200 OK\r\n"), "the first is still there");
    program.kill();
    assert!(path.exists(), "a killed server leaves its socket");
    let program = second.serve();
    assert!(healthz(&second, &path, "", "").starts_with("HTTP/1.1 200 OK\r\n"));
    program.stop();
    assert!(!path.exists(), "a stopped server removes its socket");
}

#[test]
fn a_socket_that_cannot_be_opened_is_a_problem_of_the_configuration() {
    let (directory, path) = directory();
    let checked = |value: &str| {
        let exit = directory.run(&["config", "check", "--set", &format!("server.unix_socket={value}")]);
        format!("{}{}", exit.stdout, exit.stderr)
    };
    fs::write(&path, "mine").unwrap();
    assert!(checked(path.to_str().unwrap()).contains("is not a socket; move it away"));
    let missing = directory.path().join("run/http.sock");
    assert!(checked(missing.to_str().unwrap()).contains("does not exist. Create it"));
    fs::remove_file(&path).unwrap();
    let _program = directory.serve();
    let fine = directory.run(&["config", "check"]);
    assert_eq!(fine.code, Some(0), "{}{}", fine.stdout, fine.stderr);
}
