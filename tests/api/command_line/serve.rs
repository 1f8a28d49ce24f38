//! `rasterd serve`: what it says when it is ready, and that it has its data directory for itself.

use serde_json::Value;

use crate::support::program::{Ended, Home};

/// What stands below a heading of the greeting, up to the next empty line.
fn below<'a>(greeting: &'a str, heading: &str) -> &'a str {
    let (_, rest) = greeting.split_once(&format!("\n{heading}: ")).unwrap_or_else(|| panic!("{greeting}"));
    let (_, text) = rest.split_once("\n\n").unwrap();
    text.split("\n\n").next().unwrap()
}

#[tokio::test]
async fn the_first_start_shows_a_key_once_and_later_starts_none() {
    let home = Home::new();
    let program = home.serve();
    let key = program.first_key().to_owned();
    assert_eq!(key.len(), 48);
    assert!(!program.log().contains("pk_"), "{}", program.log());
    let me = program.rest_of(&key).get("/me").await.json();
    assert_eq!(me["data"]["libraries"][0], serde_json::json!({ "library": "library", "access": "write" }));
    program.stop();
    for _ in 0..2 {
        let program = home.serve();
        assert!(!program.greeting().contains("pk_"), "{}", program.greeting());
        assert!(program.greeting().contains(&format!("{}/mcp", program.url())));
        assert_eq!(program.rest_of(&key).get("/me").await.json(), me);
        program.stop();
    }
    assert_eq!(home.json(&["key", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn each_client_is_told_how_to_come_in_and_whom_to_trust() {
    let home = Home::with_certificates_in("it's my certs");
    let program = home.serve();
    let (greeting, url, key) = (program.greeting(), program.url(), program.first_key());
    let ca = home.certificates().join("ca.pem").display().to_string();
    let quoted = format!("'{}'", ca.replace('\'', r"'\''"));
    let claude = below(greeting, "Claude Code");
    assert!(claude.starts_with(&format!("export NODE_EXTRA_CA_CERTS={quoted}\nclaude mcp add ")), "{claude}");
    assert!(
        claude.contains(&format!(" {url}/mcp "))
            && claude.contains(&format!("\"Authorization: Bearer {key}\""))
    );
    for (client, servers) in [("Cursor", "mcpServers"), ("VS Code", "servers")] {
        let settings: Value = serde_json::from_str(below(greeting, client)).unwrap();
        let server = &settings[servers]["rasterd"];
        assert_eq!(server["url"], format!("{url}/mcp"));
        assert_eq!(server["headers"]["Authorization"], format!("Bearer {key}"));
    }
    for program in ["cursor", "code"] {
        assert!(greeting.contains(&format!("NODE_EXTRA_CA_CERTS={quoted} {program}\n")), "{greeting}");
    }
    let python = below(greeting, "Python and other programs that use OpenSSL");
    assert_eq!(python.trim_end(), format!("export SSL_CERT_FILE={quoted}"));
    assert!(std::path::Path::new(&ca).is_file());
}

#[test]
fn the_printed_curl_command_works_as_it_is() {
    let home = Home::with_certificates_in("it's my certs");
    let program = home.serve();
    let command = below(program.greeting(), "curl");
    let ended = Ended::of(home.command_of("bash").args(["-c", command]));
    assert_eq!(ended.code, Some(0), "{command}\n{}", ended.err);
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    let whoami = &answer["result"]["structuredContent"];
    assert_eq!(whoami["organizationId"], "default", "{answer}");
    assert_eq!(whoami["libraries"][0]["access"], "write");
}

#[tokio::test]
async fn a_second_server_on_a_data_directory_says_who_holds_it_and_ends() {
    let home = Home::new();
    let program = home.serve();
    let said = home.run(&["serve"]).failed(1);
    let holder = format!("is in use by rasterd serve (process {})", program.process());
    assert!(said.contains(&holder) && said.contains(&home.data_dir().display().to_string()), "{said}");
    assert_eq!(program.rest_of(program.first_key()).get("/me").await.status, 200);
    program.kill();
    home.serve().stop();
}

#[test]
fn a_start_that_can_not_be_made_says_why() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = home.run(&["serve", "--bind", &address]).failed(1);
    assert!(said.contains(&format!("can't listen on {address}")) && said.contains("--bind"), "{said}");
    std::fs::write(home.path().join("file"), "no folder").unwrap();
    let said = home.run(&["serve", "--data-dir", "file/data"]).failed(1);
    assert!(said.contains("file/data can't be used"), "{said}");
    std::fs::write(home.path().join("cert.pem"), "no certificate").unwrap();
    let files = ["--set", "tls.cert_file=cert.pem", "--set", "tls.key_file=cert.pem"];
    let said = home.run(&[&["serve"], &files[..]].concat()).failed(1);
    assert!(said.contains("cert.pem: no certificate in it"), "{said}");
}

#[test]
fn a_damaged_database_is_named_and_left_as_it_is() {
    let home = Home::new();
    home.serve().stop();
    let database = home.data_dir().join("rasterd.redb");
    std::fs::write(&database, "no database").unwrap();
    let said = home.run(&["serve"]).failed(1);
    assert!(
        said.contains(&format!("the data directory {} can't be opened", home.data_dir().display())),
        "{said}"
    );
    assert_eq!(std::fs::read(&database).unwrap(), b"no database");
}

#[test]
fn what_is_private_is_this_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let program = home.serve();
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.data_dir()), 0o700);
    assert_eq!(mode(home.data_dir().join("rasterd.sock")), 0o600);
    assert_eq!(mode(home.certificates().join("server-key.pem")), 0o600);
    program.stop();
    assert!(!home.data_dir().join("rasterd.sock").exists(), "the socket goes away with its server");
    home.done(&["key", "list"]);
}
