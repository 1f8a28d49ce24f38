//! Text that would not show to the person beside a model.

use serde_json::json;

use super::{McpWorld, svg, text};

#[tokio::test]
async fn a_file_name_keeps_joiners_and_loses_hidden_characters() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let asset = mcp.upload("a\u{202E}gpj\u{200B}\u{E0049}.svg", &svg(1)).await;
    assert_eq!(asset["name"], "a_gpj_");
    let name = "👩\u{200D}🚀";
    let asset = mcp.upload(&format!("{name}.svg"), &svg(2)).await;
    assert_eq!(asset["name"], name);
    let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "assetId": asset["id"] });
    let result = mcp.call("get_asset", arguments).await;
    // Verbatim in the value, and spelled as an escape in the text.
    assert!(text(&result).contains(r"\u200d"), "{}", text(&result));
    assert_eq!(result["structuredContent"]["name"], name);

    let refused =
        mcp.call("search_assets", json!({ "organizationId": "acme", "approval": "a\u{202E}b" })).await;
    assert!(text(&refused).contains(r"a\u202eb"), "{}", text(&refused));
}
