//! The commands that print what there is: schemas, certificates, help.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::program::{Ended, Home, RASTERD};
use crate::support::send;

fn names(tools: &Value) -> BTreeSet<String> {
    tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_printed_schemas_are_those_of_the_server() {
    let home = Home::new();
    let program = home.serve();
    let client = program.client_of(program.first_key());
    let printed: Value = serde_json::from_str(&home.done(&["schema", "openapi"])).unwrap();
    assert_eq!(printed["paths"], client.get("/openapi.json").await.json()["paths"]);
    let printed: Value = serde_json::from_str(&home.done(&["schema", "mcp"])).unwrap();
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let request = client.request(reqwest::Method::POST, "/mcp").header("Content-Type", "application/json");
    let listed = send(request.body(list)).await.json();
    assert_eq!(names(&printed["tools"]), names(&listed["result"]["tools"]));
    let sdl = home.done(&["schema", "graphql"]);
    let fields = json!({ "query": "{ __schema { mutationType { fields { name } } } }" });
    let fields = client.post_json("/graphql", &fields).await.json();
    for field in names(&fields["data"]["__schema"]["mutationType"]["fields"]) {
        assert!(sdl.contains(&format!("\t{field}(")), "{field} in {sdl}");
    }
}

#[test]
fn certificates_are_made_without_a_server_and_kept() {
    let home = Home::new();
    let said = home.done(&["certs"]);
    let files = ["server.pem", "server-key.pem", "ca.pem"].map(|name| home.certificates().join(name));
    for file in &files {
        assert!(said.contains(&file.display().to_string()), "{said}");
    }
    let read = || files.clone().map(|file| std::fs::read(file).unwrap());
    let before = read();
    assert_eq!(home.done(&["certs"]), said);
    assert_eq!(read(), before);
    assert!(!home.data_dir().exists());
    let program = home.serve();
    assert_eq!(read(), before, "the server takes what is there: {}", program.url());
}

#[test]
fn help_and_version_are_output_and_no_failure() {
    let home = Home::new();
    assert_eq!(home.done(&["--version"]), format!("rasterd {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in
        [&["--help"][..], &["help"], &["key", "--help"], &["key", "create", "--help"], &["serve", "--help"]]
    {
        assert!(home.done(arguments).contains("Usage: rasterd"), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let home = Home::new();
    let script = format!("set -o pipefail; \"{RASTERD}\" schema openapi | head -c 1");
    let ended = Ended::of(home.command_of("bash").args(["-c", &script]));
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(0), "{", ""));
}
