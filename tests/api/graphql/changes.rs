//! Mutations: what they do, and that each sees what the one before it did.

use serde_json::json;

use super::{Site, ask, data, failure};

const IN_BRAND: &str = "organizationId: \"acme\", libraryId: \"brand\"";

#[tokio::test]
async fn every_change_does_what_it_says() {
    let site = Site::start().await;
    let ids = site.pictures(&["a.webp", "b.webp"]).await;
    let change = format!("mutation ($ids: [ID!]!, $id: ID!) {{
        tagAssets({IN_BRAND}, assetIds: $ids, tags: [\"red\", \"blue\"]) {{ taggedCount }}
        untagAssets({IN_BRAND}, assetIds: [$id], tags: [\"blue\", \"green\"]) {{ untaggedCount }}
        updateAssetDescription({IN_BRAND}, assetId: $id, description: \" as it is \") {{ assetId description }}
        renameLibrary({IN_BRAND}, name: \"Brand new\") {{ id name assetsCount photosCount trashCount tags {{ id count }} }}
    }}");
    let answer = data(&site.writer, &change, json!({ "ids": ids, "id": ids[0] })).await;
    let expected = json!({
        "tagAssets": { "taggedCount": 4 },
        "untagAssets": { "untaggedCount": 1 },
        "updateAssetDescription": { "assetId": ids[0], "description": " as it is " },
        "renameLibrary": {
            "id": "brand", "name": "Brand new", "assetsCount": 2, "photosCount": 2, "trashCount": 0,
            "tags": [{ "id": "red", "count": 2 }, { "id": "blue", "count": 1 }],
        },
    });
    assert_eq!(answer, expected);

    let delete = format!(
        "mutation ($ids: [ID!]!) {{ deleteAssets({IN_BRAND}, assets: $ids) {{ success message ids }} }}"
    );
    let deleted = data(&site.writer, &delete, json!({ "ids": [ids[1]] })).await;
    let expected = json!({ "success": true, "message": "Moved 1 asset to trash", "ids": [ids[1]] });
    assert_eq!(deleted["deleteAssets"], expected);
}

#[tokio::test]
async fn a_change_sees_what_the_one_before_it_did() {
    let site = Site::start().await;
    let ids = site.pictures(&["a.webp"]).await;
    let change = "mutation ($ids: [ID!]!) {
        createLibrary(organizationId: \"acme\", name: \"Summer 2026\") { id }
        transferAssets(organizationId: \"acme\", sourceLibraryId: \"brand\", targetLibraryId: \"summer-2026\", assetIds: $ids) {
            transferredCount sourceLibraryId targetLibraryId
        }
    }";
    let expected = json!({
        "createLibrary": { "id": "summer-2026" },
        "transferAssets": { "transferredCount": 1, "sourceLibraryId": "brand", "targetLibraryId": "summer-2026" },
    });
    assert_eq!(data(&site.writer, change, json!({ "ids": ids })).await, expected);
}

#[tokio::test]
async fn a_revoked_key_is_refused_with_the_next_request() {
    let site = Site::start().await;
    let key = site.server.key("acme", &[("brand", rasterd::core::model::Access::Write)]).await;
    let client = site.writer.with_key(&key.token);
    let rename = format!("mutation {{ renameLibrary({IN_BRAND}, name: \"X\") {{ id }} }}");
    data(&client, &rename, json!({})).await;
    site.server.core().delete_key(site.server.administrator(), &key.id).await.unwrap();
    assert_eq!(failure(&ask(&client, &rename, json!({})).await).1, "INVALID_API_KEY");
}

#[tokio::test]
async fn failures_have_the_codes_of_all_transports() {
    let site = Site::start().await;
    let create =
        "mutation ($s: String) { createLibrary(organizationId: \"acme\", name: \"Brand\", slug: $s) { id } }";
    for (client, slug, status, code) in [
        (&site.writer, json!("brand"), 409, "LIBRARY_URL_TAKEN"),
        (&site.writer, json!("No slug"), 400, "BAD_USER_INPUT"),
        (&site.reader, json!(null), 403, "API_KEY_READ_ONLY"),
    ] {
        let reply = ask(client, create, json!({ "s": slug })).await;
        let (found_status, found, _) = failure(&reply);
        assert_eq!((found_status, found.as_str()), (status, code));
        assert_eq!(reply.json()["errors"][0]["path"], json!(["createLibrary"]));
    }
    let tag = format!(
        "mutation {{ tagAssets({IN_BRAND}, assetIds: [\"x\"], tags: [\"index\"]) {{ taggedCount }} }}"
    );
    assert_eq!(failure(&ask(&site.writer, &tag, json!({})).await).1, "BAD_USER_INPUT");
    let tag =
        format!("mutation {{ tagAssets({IN_BRAND}, assetIds: [\"x\"], tags: [\"a\"]) {{ taggedCount }} }}");
    assert_eq!(failure(&ask(&site.writer, &tag, json!({})).await).1, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn a_non_null_mutation_that_fails_makes_the_data_null() {
    let site = Site::start().await;
    let change = format!(
        "mutation {{
            done: renameLibrary({IN_BRAND}, name: \"Renamed\") {{ id }}
            failed: renameLibrary({IN_BRAND}, name: \"\") {{ id }}
        }}"
    );
    let reply = ask(&site.writer, &change, json!({})).await;
    assert_eq!(failure(&reply).1, "BAD_USER_INPUT");
    assert_eq!(reply.json()["errors"][0]["path"], json!(["failed"]));
    let query = "{ libraries(organizationId: \"acme\") { name } }";
    assert_eq!(data(&site.reader, query, json!({})).await, json!({ "libraries": [{ "name": "Renamed" }] }));
}
