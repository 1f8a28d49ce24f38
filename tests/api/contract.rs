//! What clients rely on, as it was when somebody last looked at it: a change shows up here before it reaches them.
//! The OpenAPI document and the GraphQL schema have such snapshots beside the tests of their interfaces.

use rasterd::error::Code;

#[test]
fn the_tools_are_what_they_were() {
    insta::assert_json_snapshot!(
        "tools",
        rasterd::transport::mcp::tools_document(&crate::support::configured())
    );
}

#[test]
fn the_codes_are_what_they_were() {
    let table: Vec<String> =
        Code::ALL.iter().map(|code| format!("{} {}", code.status(), code.name())).collect();
    insta::assert_snapshot!("codes", table.join("\n"));
}
