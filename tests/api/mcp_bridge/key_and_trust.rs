//! What keeps a bridge from starting, and what it warns of: its address, its key, its authority.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rasterd::core::model::Access;
use rasterd::testing::TestServer;
use serde_json::json;

use super::some_key;
use crate::support::program::{Exit, RASTERD, TestDir};

const URL: &str = "https://assets.example.org";

/// Runs the bridge to its end, without input.
fn run(test_dir: &TestDir, arguments: &[&str], key: Option<&str>) -> Exit {
    let mut command = test_dir.command_of(RASTERD);
    command.arg("mcp").args(arguments);
    if let Some(key) = key {
        command.env("RASTERD_API_KEY", key);
    }
    Exit::of(&mut command)
}

#[test]
fn an_address_that_can_t_be_used_is_refused_before_anything_is_sent() {
    let test_dir = TestDir::new();
    let key = some_key();
    for (url, words) in [
        ("http://assets.example.org", "plain http would show the key to everybody on the way. Use https://"),
        ("HTTP://assets.example.org/mcp", "plain http would show the key"),
        ("assets.example.org", "with https://"),
        ("localhost:8443", "with https://"),
        ("ftp://assets.example.org", "expected the address of the server"),
        ("https://", "expected the address of the server"),
        ("https://assets.example.org/docs", "or its /mcp, and nothing after that"),
        ("https://assets.example.org/mcp?key=x", "or its /mcp, and nothing after that"),
        ("https://assets.example.org/#x", "or its /mcp, and nothing after that"),
        ("https://ada:secret@assets.example.org", "leave out what is before the @"),
        ("https://exa mple.org", "expected the address of the server"),
    ] {
        let stderr = run(&test_dir, &["--url", url], Some(&key)).failed(1);
        assert!(stderr.contains(words), "{url}: {stderr}");
        assert!(!stderr.contains(&key) && !stderr.contains("secret"), "{stderr}");
    }
    run(&test_dir, &[], Some(&key)).failed(2);
    for url in
        [URL, "https://assets.example.org/", "https://assets.example.org/mcp", "https://[::1]:8443/mcp/"]
    {
        let exit = run(&test_dir, &["--url", url], Some(&key));
        assert_eq!((exit.code, exit.stdout.as_str(), exit.stderr.as_str()), (Some(0), "", ""), "{url}");
    }
}

#[test]
fn a_key_that_can_t_be_used_is_named_by_its_place_and_never_printed() {
    let test_dir = TestDir::new();
    let good = some_key();
    let file = |name: &str, bytes: &[u8], mode: u32| {
        let path = test_dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let mistyped = format!("{}x", &good[..47]);
    let cases = [
        (test_dir.path().join("none").display().to_string(), "it can't be read: No such file"),
        (test_dir.path().display().to_string(), "it can't be read: Is a directory"),
        (file("empty", b"", 0o600), "there is no key in it"),
        (file("blank", b" \n", 0o600), "there is no key in it"),
        (file("other", b"-----BEGIN CERTIFICATE-----", 0o600), "not an API key, which begins with pk_"),
        (file("cut", &good.as_bytes()[..30], 0o600), "its key has 30 characters"),
        (file("mistyped", mistyped.as_bytes(), 0o600), "its key has 48 characters"),
        (file("two", format!("{good}\n{good}").as_bytes(), 0o600), "its key has 97 characters"),
        (file("binary", b"\xFF\xFE", 0o600), "what is in it is not text"),
    ];
    for (path, words) in &cases {
        let stderr = run(&test_dir, &["--url", URL, "--key-file", path], Some(&good)).failed(1);
        assert!(stderr.contains(words) && stderr.contains(path), "{path}: {stderr}");
        assert!(!stderr.contains(&good[..20]), "{stderr}");
    }
    for (key, words) in [
        (None, "set the variable RASTERD_API_KEY, or give a file that has it with --key-file"),
        (Some(""), "set the variable RASTERD_API_KEY"),
        (Some("secret"), "the variable RASTERD_API_KEY: what is in it is not an API key"),
        (Some(&*mistyped), "the variable RASTERD_API_KEY: its key has 48 characters"),
    ] {
        let stderr = run(&test_dir, &["--url", URL], key).failed(1);
        assert!(stderr.contains(words), "{key:?}: {stderr}");
        assert!(!stderr.contains("secret") && !stderr.contains(&good[..20]), "{stderr}");
    }
    for (mode, is_warned) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        let path = file("key", format!("{good}\n").as_bytes(), mode);
        let exit = run(&test_dir, &["--url", URL, "--key-file", &path], None);
        assert_eq!((exit.code, exit.stdout.as_str()), (Some(0), ""), "{mode:o}: {}", exit.stderr);
        let warning = format!("every user of this machine can read the key in {path}: chmod 600 {path}");
        assert_eq!(exit.stderr.contains(&warning), is_warned, "{mode:o}: {}", exit.stderr);
        assert!(!exit.stderr.contains(&good), "{}", exit.stderr);
    }
}

#[test]
fn an_authority_that_can_t_be_used_is_named() {
    let test_dir = TestDir::new();
    test_dir.done(&["certs"]);
    let certificates = test_dir.certificates();
    let file = |name: &str, text: &str| {
        let path = test_dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let path = |name: &str| certificates.join(name).display().to_string();
    for (ca, words) in [
        (test_dir.path().join("none").display().to_string(), "can't be read"),
        (file("empty", ""), "no certificate in it"),
        (
            file("damaged", "-----BEGIN CERTIFICATE-----\n***\n-----END CERTIFICATE-----\n"),
            "not readable as PEM",
        ),
        (path("ca-key.pem"), "there is a private key in it"),
        (path("server.pem"), "is a server's, not an authority's"),
    ] {
        let stderr = run(&test_dir, &["--url", URL, "--ca", &ca], Some(&some_key())).failed(1);
        assert!(stderr.contains(&format!("--ca {ca}: ")) && stderr.contains(words), "{ca}: {stderr}");
    }
}

#[tokio::test]
async fn files_in_the_home_folder_are_found_without_a_shell() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let library = server.library("acme", "Photos").await;
    let key = server.key("acme", &[(&library, Access::Read)]).await;
    let test_dir = TestDir::new();
    fs::write(test_dir.path().join("authority.crt"), server.ca_pem()).unwrap();
    fs::write(test_dir.path().join("key"), &key.token).unwrap();
    fs::set_permissions(test_dir.path().join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let script = format!(
        "echo '{message}' | {RASTERD} mcp --url {} --ca \"~/authority.crt\" --key-file \"~/key\"",
        server.url()
    );
    let exit = Exit::of(test_dir.command_of("sh").args(["-ec", &script]).env("HOME", test_dir.path()));
    assert_eq!(exit.stdout, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n", "{}", exit.stderr);
}
