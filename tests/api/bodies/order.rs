//! Files of one upload are listed in the order in which they were sent, later ones as newer, on every endpoint.

use serde_json::{Value, json};

use super::endpoints::{exchange, uploads};
use crate::rest::picture;
use crate::support::mcp::{base64_source, call};
use crate::support::program::{ASSETS, Program, TestDir};

const FILES: usize = 20;

/// The names in the list, newest first; each must be younger than the next.
async fn listed(program: &Program) -> Vec<String> {
    let assets = program.rest_of(program.first_key()).get(&format!("{ASSETS}?pageSize=500")).await.json();
    let assets = assets["data"].as_array().unwrap().clone();
    let created: Vec<u64> = assets.iter().map(|asset| asset["created"].as_u64().unwrap()).collect();
    assert!(created.windows(2).all(|pair| pair[0] > pair[1]), "{created:?}");
    assets.iter().map(|asset| asset["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn later_files_are_newer() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let mut sent = Vec::new();
    for endpoint in uploads(&test_dir, &program).await {
        let names: Vec<String> = (0..FILES).map(|number| format!("{} {number}", endpoint.name)).collect();
        let heads: Vec<String> = names.iter().map(|name| format!("filename=\"{name}.png\"")).collect();
        let files: Vec<(&str, Vec<u8>)> = heads.iter().map(|head| (head.as_str(), picture(head))).collect();
        let answer = exchange(&program, &endpoint.request(&endpoint.files(&files)), 1 << 20);
        assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 303"), "{answer}");
        sent.extend(names);
    }
    let names: Vec<String> = (0..FILES).map(|number| format!("MCP {number}")).collect();
    let sources: Vec<Value> =
        names.iter().map(|name| base64_source(&format!("{name}.png"), &picture(name))).collect();
    let arguments = json!({ "organizationId": "default", "libraryId": "library", "sources": sources });
    call(&program.client_of(program.first_key()), "upload_assets", &arguments).await.unwrap();
    sent.extend(names);
    sent.reverse();
    assert_eq!(listed(&program).await, sent);
}
