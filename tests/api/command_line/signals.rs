//! Signals: SIGTERM and SIGINT end the server after the requests in flight, SIGHUP makes it read its certificate again.

use std::fs;

use rustix::process::Signal;
use x509_parser::parse_x509_certificate;

use crate::rest::{Form, picture};
use crate::support::program::{ASSETS, Program, TestDir, poll};
use crate::support::raw::{DEADLINE, Raw};

/// Begins an upload of one picture. Returns when the server reads its body, with the body in two halves.
fn begin_upload(connection: &mut Raw, key: &str) -> (Vec<u8>, Vec<u8>) {
    let mut form = Form::default();
    form.file("files", "last.png", &picture("last"));
    let body = form.finish();
    connection.send(format!(
        "POST {ASSETS} HTTP/1.1\r\nHost: localhost\r\nApi-Version: 2026-07-08\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        Form::CONTENT_TYPE,
        body.len()
    ));
    connection.is_asked_for_the_body();
    let (first, second) = body.split_at(body.len() / 2);
    (first.to_vec(), second.to_vec())
}

#[tokio::test]
async fn an_upload_in_flight_finishes_before_the_server_ends() {
    for signal in [Signal::TERM, Signal::INT] {
        let test_dir = TestDir::new();
        let mut program = test_dir.serve();
        let key = program.first_key().to_owned();
        let mut connection = program.connect();
        let (first, second) = begin_upload(&mut connection, &key);
        connection.send(first);
        program.signal(signal);
        program.wait_for_log("requests in flight finish");
        poll("nobody new is let in", || program.try_to_connect().is_err().then_some(()));
        connection.send(second);
        let answer = connection.answer();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(program.wait().code(), Some(0), "{}", program.log());
        let program = test_dir.serve();
        let listed = program.rest_of(&key).get(ASSETS).await.json();
        assert_eq!(listed["data"][0]["name"], "last");
    }
}

#[test]
fn an_idle_connection_does_not_delay_the_stop() {
    let test_dir = TestDir::new();
    let mut program = test_dir.serve();
    let mut idle = program.connect();
    idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(idle.answer().starts_with("HTTP/1.1 200"));
    program.signal(Signal::TERM);
    assert_eq!(program.wait().code(), Some(0), "{}", program.log());
    assert!(idle.closes_within(DEADLINE));
}

/// The serial number of the certificate that a new connection gets.
fn serial(program: &Program) -> String {
    let connection = program.connect();
    let chain = connection.tls().peer_certificates().unwrap();
    parse_x509_certificate(&chain[0]).unwrap().1.raw_serial_as_string()
}

#[test]
fn sighup_loads_a_new_certificate_and_a_bad_one_changes_nothing() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let first = serial(&program);
    let mut open = program.connect();
    let (cert, key) =
        (test_dir.certificates().join("server.pem"), test_dir.certificates().join("server-key.pem"));
    let good = (fs::read(&cert).unwrap(), fs::read(&key).unwrap());

    fs::write(&cert, "no certificate").unwrap();
    program.signal(Signal::HUP);
    program.wait_for_log("the previous one stays in use");
    assert!(
        program.log().contains(&format!("{}: no certificate in it", cert.display())),
        "{}",
        program.log()
    );
    assert_eq!(serial(&program), first);

    // The certificate of this one is renewed, by the same authority.
    fs::remove_file(&cert).unwrap();
    test_dir.done(&["certs"]);
    let renewed = (fs::read(&cert).unwrap(), fs::read(&key).unwrap());
    assert_ne!(renewed.0, good.0);
    program.signal(Signal::HUP);
    let second = poll("the new certificate is served", || Some(serial(&program)).filter(|now| *now != first));

    // The key of another certificate.
    fs::write(&cert, good.0).unwrap();
    fs::write(&key, renewed.1).unwrap();
    program.signal(Signal::HUP);
    program.wait_for_log("not the key of the certificate");
    assert_eq!(serial(&program), second);

    open.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(open.answer().starts_with("HTTP/1.1 200"), "connections from before go on");
}
