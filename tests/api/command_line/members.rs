//! `rasterd member`: unused links are listed and withdrawn.

use serde_json::Value;

use crate::support::program::TestDir;

#[test]
fn links_are_listed_and_withdrawn() {
    let test_dir = TestDir::new();
    let _program = test_dir.serve();
    let anyone = test_dir.done(&["member", "invite", "--org", "default", "--role", "owner"]);
    assert!(anyone.contains("/app/welcome/"), "{anyone}");
    test_dir.done(&["member", "invite", "grace@example.org", "--org", "default", "--role", "editor"]);
    let links = || test_dir.json(&["member", "links", "--org", "default"]);
    let to_grace = |links: &Value| {
        let list = links.as_array().unwrap().clone();
        list.into_iter().find(|link| link["email"] == "grace@example.org")
    };
    let link = to_grace(&links()).expect("it is open");
    assert_eq!(link["role"], "editor");
    assert!(link.get("url").is_none(), "what lets in is shown once: {link}");
    let id = link["id"].as_str().unwrap();
    let left = test_dir.json(&["member", "withdraw", id, "--org", "default"]);
    assert_eq!(to_grace(&left), None);
    assert_eq!(to_grace(&links()), None);
    let stderr = test_dir.run(&["member", "withdraw", id, "--org", "default"]).failed(1);
    assert!(stderr.contains("This link no longer exists"), "{stderr}");
}
