//! Organizations with libraries of the same slug stay separate, and a key sees and counts only what it has access to.

use rasterd::testing::TestKey;
use serde_json::{Value, json};

use super::ask::{all_named, json_rpc};
use super::operations::operation;
use super::values::Values;
use super::world::World;

/// The answers of a reading operation, one for each transport.
async fn answers(world: &World, key: &TestKey, name: &str, values: &Values) -> Vec<Value> {
    let mut answers = Vec::new();
    for ask in &operation(name).asks {
        let request = ask.request(values);
        let reply = request.send(&world.client, Some(&format!("Bearer {}", key.token))).await;
        answers.push(ask.result(&reply).unwrap_or_else(|failure| panic!("{ask:?}: {failure:?}")));
    }
    answers
}

/// All strings of this name, anywhere in an answer, sorted.
fn found(answer: &Value, name: &str) -> Vec<String> {
    let mut found: Vec<String> =
        all_named(answer, name).into_iter().filter_map(|value| value.as_str().map(str::to_owned)).collect();
    found.sort();
    found
}

struct Side {
    key: TestKey,
    organization: &'static str,
    assets: Vec<String>,
    tag: &'static str,
}

/// One asset with the tag `sea` in one library, two with the tag `sky` in the other; the libraries have the same slug.
async fn two_sides(world: &World) -> [Side; 2] {
    let mut sides = Vec::new();
    let plan = [(&world.writer_of_both, "acme", "sea", 1), (&world.stranger, "other", "sky", 2)];
    for (key, organization, tag, count) in plan {
        let mut assets = Vec::new();
        for _ in 0..count {
            assets.push(world.asset(key, organization, "photos").await);
        }
        assets.sort();
        let values = Values {
            organization: organization.into(),
            assets: assets.clone(),
            tags: vec![tag.into()],
            ..Values::default()
        };
        answers(world, key, "tag_assets", &values).await;
        sides.push(Side { key: key.clone(), organization, assets, tag });
    }
    sides.try_into().unwrap_or_else(|_| panic!("two sides"))
}

#[tokio::test]
async fn two_organizations_with_the_same_slugs_stay_apart() {
    let world = World::new().await;
    for Side { key, organization, assets, tag } in two_sides(&world).await {
        let values = Values { organization: organization.into(), name: "beach".into(), ..Values::default() };
        for answer in answers(&world, &key, "whoami", &values).await {
            assert_eq!(found(&answer, "organizationId"), [organization], "{answer}");
        }
        for (asked, all) in [("sea", tag == "sea"), ("sky", tag == "sky")] {
            let values = Values { tags: vec![asked.into()], ..values.clone() };
            for answer in answers(&world, &key, "list_assets", &values).await {
                let ids = found(&answer, "id");
                // Resources and GraphQL's `photos` are not filtered by tags.
                assert!(ids == assets || (ids.is_empty() && !all), "{asked} in {organization}: {answer}");
            }
        }
        for answer in answers(&world, &key, "list_tags", &values).await {
            assert_eq!(found(&answer, "id"), [tag], "{answer}");
            assert!(answer.to_string().contains(&format!("\"count\":{}", assets.len())), "{answer}");
        }
        for answer in answers(&world, &key, "search_assets", &values).await {
            assert_eq!(found(&answer, "id"), assets, "{answer}");
            assert!(answer.to_string().contains(&format!("\"found\":{}", assets.len())), "{answer}");
        }
        for answer in answers(&world, &key, "list_libraries", &values).await {
            assert!(answer.to_string().contains(&format!("\"assetsCount\":{}", assets.len())), "{answer}");
        }
    }
}

/// The assets of `archive` are not counted, found, listed or offered for a key that has access only to `photos`.
#[tokio::test]
async fn libraries_without_access_are_not_counted() {
    let world = World::new().await;
    let theirs = world.asset(&world.writer_of_both, "acme", "archive").await;
    let ours = world.asset(&world.writer_of_both, "acme", "photos").await;
    let values = Values { name: "beach".into(), ..Values::default() };
    let all = answers(&world, &world.writer_of_both, "search_assets", &values).await;
    for answer in all {
        assert!(answer.to_string().contains("\"found\":2"), "{answer}");
    }
    for name in ["", "beach", "beech"] {
        let values = Values { name: name.into(), ..values.clone() };
        for answer in answers(&world, &world.reader, "search_assets", &values).await {
            assert_eq!(found(&answer, "id"), [ours.as_str()], "{answer}");
            assert!(answer.to_string().contains("\"found\":1"), "{answer}");
            assert!(!answer.to_string().contains(&theirs), "{answer}");
        }
    }
    for name in ["list_libraries", "whoami"] {
        for answer in answers(&world, &world.reader, name, &values).await {
            assert!(answer.to_string().contains("photos"), "{answer}");
            for library in ["archive", "vault", "theirs"] {
                assert!(!answer.to_string().to_lowercase().contains(library), "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn completion_offers_only_accessible_libraries() {
    let world = World::new().await;
    let ask = async |key: &TestKey, context: Value| {
        let template = "raster://organizations/{orgId}/libraries/{libraryId}/assets";
        let params = json!({
            "ref": { "type": "ref/resource", "uri": template },
            "argument": { "name": "libraryId", "value": "" },
            "context": context,
        });
        let request = json_rpc("completion/complete", &params);
        let reply = request.send(&world.client, Some(&format!("Bearer {}", key.token))).await.json();
        reply["result"]["completion"]["values"].clone()
    };
    let within = |organization: &str| json!({ "arguments": { "orgId": organization } });
    assert_eq!(ask(&world.reader, within("acme")).await, json!(["photos"]));
    assert_eq!(ask(&world.writer, within("acme")).await, json!(["archive", "photos"]));
    for organization in ["other", "nobody"] {
        assert_eq!(ask(&world.writer, within(organization)).await, json!([]));
    }
}
