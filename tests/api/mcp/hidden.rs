//! Text that would not show to the person beside a model.

use serde_json::json;

use super::{World, svg, text};

#[tokio::test]
async fn hidden_characters_are_escaped_in_the_text_and_verbatim_in_the_value() {
    let world = World::new().await;
    let mcp = world.client();
    let name = "a\u{202E}gpj\u{200B}\u{E0049}";
    let asset = mcp.upload(&format!("{name}.svg"), &svg(1)).await;
    assert_eq!(asset["name"], name);
    let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "assetId": asset["id"] });
    let result = mcp.call("get_asset", arguments).await;
    assert!(text(&result).contains(r"a\u202egpj\u200b\udb40\udc49"), "{}", text(&result));
    assert_eq!(result["structuredContent"]["name"], name);

    let misfit =
        mcp.call("search_assets", json!({ "organizationId": "acme", "approval": "a\u{202E}b" })).await;
    assert!(text(&misfit).contains(r"a\u202eb"), "{}", text(&misfit));
    let resource = json!({ "uri": "raster://organizations/acme/libraries/photos/assets" });
    let contents = mcp.result("resources/read", resource).await;
    assert!(contents["contents"][0]["text"].as_str().unwrap().contains(r"\u202e"));
}
