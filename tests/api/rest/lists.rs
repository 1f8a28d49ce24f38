//! Lists: pages, cursors, filters and search.

use std::collections::BTreeSet;
use std::time::Duration;

use rasterd::testing::TestServer;
use reqwest::Method;
use serde_json::json;

use super::{ASSETS, NEW, OLD, Rest, Scene, VERSIONS, text};

/// Uploads assets of these names, a moment apart, so that their order is known.
async fn upload(scene: &Scene, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        scene.server.clock().advance(Duration::from_millis(5));
        ids.push(scene.writer.uploaded(&format!("{name}.png")).await);
    }
    ids
}

#[tokio::test]
async fn pages_are_counted_from_one_and_zero_is_the_first() {
    let scene = Scene::new().await;
    upload(&scene, &["a", "b", "c", "d", "e"]).await;
    for (query, names) in [
        ("", vec!["e", "d", "c", "b", "a"]),
        ("?page=0&pageSize=2", vec!["e", "d"]),
        ("?page=1&pageSize=2", vec!["e", "d"]),
        ("?page=3&pageSize=2", vec!["a"]),
        ("?page=4&pageSize=2", vec![]),
        ("?page=99999999999999999999&pageSize=99999999999999999999", vec![]),
    ] {
        assert_eq!(scene.writer.names(&format!("{ASSETS}{query}")).await.0, names, "{query}");
    }
}

#[tokio::test]
async fn an_invalid_parameter_is_named() {
    let scene = Scene::new().await;
    let search = "/organizations/acme/search/assets";
    let tags = "/organizations/acme/libraries/photos/tags";
    for (path, parameter) in [
        (ASSETS, "page"),
        (ASSETS, "pageSize"),
        (ASSETS, "cursor"),
        (ASSETS, "approval"),
        (search, "page"),
        (search, "pageSize"),
        (search, "approval"),
        (tags, "limit"),
        ("/organizations/acme/libraries", "page"),
    ] {
        let reply = scene.reader.get(&format!("{path}?{parameter}=-x")).await;
        assert_eq!(
            (reply.status, reply.error_code().as_str()),
            (400, "BAD_USER_INPUT"),
            "{path} {parameter}"
        );
        let message = text(&reply.json()["error"]["message"]);
        assert!(message.contains(&format!("`{parameter}`")), "{message}");
    }
}

/// While a list is followed, assets come at its front and go from its middle, the one at the cursor among them.
/// Everything that was there all along comes up exactly once.
#[tokio::test]
async fn a_list_is_followed_exactly_while_assets_come_and_go() {
    let scene = Scene::new().await;
    let names: Vec<String> = (0..12).map(|number| format!("n{number:02}")).collect();
    let ids = upload(&scene, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let delete = async |id: &str| {
        let reply = scene.writer.json(Method::DELETE, ASSETS, json!({"ids": [id]})).await;
        assert_eq!(reply.status, 200);
    };
    let (first, next) = scene.writer.names(&format!("{ASSETS}?page=1&pageSize=3")).await;
    assert_eq!(first, ["n11", "n10", "n09"]);
    upload(&scene, &["new"]).await;
    delete(&ids[9]).await;
    delete(&ids[7]).await;
    let (second, next) = scene.writer.names(&next.unwrap()).await;
    assert_eq!(second, ["n08", "n06", "n05"]);
    delete(&ids[8]).await;
    delete(&ids[4]).await;
    let (third, next) = scene.writer.names(&next.unwrap()).await;
    assert_eq!(third, ["n03", "n02", "n01"]);
    let (last, end) = scene.writer.names(&next.unwrap()).await;
    assert_eq!((last, end), (vec!["n00".to_owned()], None));
}

#[tokio::test]
async fn assets_of_the_same_moment_are_listed_exactly_once() {
    let scene = Scene::new().await;
    let files: Vec<(String, Vec<u8>)> =
        (0..7).map(|number| (format!("f{number}.png"), super::picture(&number.to_string()))).collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    assert_eq!(scene.writer.upload(&files).await.status, 200);
    let (mut seen, mut next) = (Vec::new(), Some(format!("{ASSETS}?pageSize=1")));
    while let Some(path) = next {
        let (names, more) = scene.writer.names(&path).await;
        seen.extend(names);
        next = more;
    }
    assert_eq!(seen.len(), 7);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 7);
    assert_eq!(scene.writer.names(ASSETS).await.0, seen);
}

#[tokio::test]
async fn a_cursor_keeps_the_filter() {
    let scene = Scene::new().await;
    let ids = upload(&scene, &["a", "b", "c", "d", "e"]).await;
    for (picked, tags) in [(&ids[0..2], json!(["Red", "round"])), (&ids[2..4], json!(["round"]))] {
        let body = json!({"assetIds": picked, "tags": tags});
        assert_eq!(scene.writer.post(&format!("{ASSETS}/tag"), body).await.status, 200);
    }
    let (names, next) = scene.writer.names(&format!("{ASSETS}?tags=red,ROUND&pageSize=3")).await;
    assert_eq!(names, ["d", "c", "b"]);
    assert_eq!(scene.writer.names(&next.unwrap()).await, (vec!["a".to_owned()], None));
    assert_eq!(scene.writer.names(&format!("{ASSETS}?tags=red&tags=nothing")).await.0, ["b", "a"]);
    assert_eq!(scene.writer.names(&format!("{ASSETS}?tags=nothing")).await, (vec![], None));
}

#[tokio::test]
async fn a_list_is_filtered_by_5_tags_in_the_older_version_and_50_in_the_newer() {
    let scene = Scene::new().await;
    for (version, most) in [(OLD, 5), (NEW, 50)] {
        let reader = scene.reader.in_version(version);
        let tags: Vec<String> = (0..=most).map(|number| format!("t{number}")).collect();
        let ask = async |tags: &[String]| reader.get(&format!("{ASSETS}?tags={}", tags.join(","))).await;
        assert_eq!(ask(&tags[..most]).await.status, 200, "{version}");
        assert_eq!(ask(&tags).await.error_code(), "BAD_USER_INPUT", "{version}");
    }
}

#[tokio::test]
async fn assets_are_filtered_by_approval_in_the_newer_version_only() {
    let scene = Scene::new().await;
    upload(&scene, &["a"]).await;
    let search = "/organizations/acme/search/assets";
    for (state, count) in [("none", 1), ("approved", 0), ("in_review", 0), ("needs_changes", 0)] {
        let listed = scene.reader.get(&format!("{ASSETS}?approval={state}")).await.json();
        let found = scene.reader.get(&format!("{search}?approval={state}")).await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), count, "{state}");
        assert_eq!(found["data"]["found"], count, "{state}");
    }
    let older = scene.reader.in_version(OLD);
    for state in ["", "maybe", "Approved"] {
        for path in [ASSETS, search] {
            let reply = scene.reader.get(&format!("{path}?approval={state}")).await;
            assert_eq!(
                (reply.status, reply.error_code().as_str()),
                (400, "BAD_USER_INPUT"),
                "{path} {state}"
            );
        }
    }
    assert_eq!(older.get(&format!("{ASSETS}?approval=nonsense")).await.status, 200);
}

#[tokio::test]
async fn tags_are_listed_most_used_first_up_to_a_limit() {
    let scene = Scene::new().await;
    let ids = upload(&scene, &["a", "b"]).await;
    let change = async |what: &str, ids: &[String], tags: &[&str]| {
        scene.writer.post(&format!("{ASSETS}/{what}"), json!({"assetIds": ids, "tags": tags})).await.json()
    };
    change("tag", &ids, &["blue"]).await;
    assert_eq!(change("tag", &ids[..1], &["Art", "blue"]).await, json!({"data": {"taggedCount": 1}}));
    let tags = "/organizations/acme/libraries/photos/tags";
    let all = json!([{"id": "blue", "count": 2, "type": "user"}, {"id": "Art", "count": 1, "type": "user"}]);
    assert_eq!(scene.reader.get(tags).await.json()["data"], all);
    assert_eq!(scene.reader.get(&format!("{tags}?limit=1")).await.json()["data"], json!([all[0]]));
    assert_eq!(change("untag", &ids, &["BLUE"]).await, json!({"data": {"untaggedCount": 2}}));
}

#[tokio::test]
async fn a_blank_search_lists_what_is_in_scope_newest_first() {
    let scene = Scene::new().await;
    upload(&scene, &["a", "b"]).await;
    let ids = upload(&scene, &["c"]).await;
    let transfer = json!({"targetLibraryId": "archive", "assetIds": ids});
    assert_eq!(scene.writer.post(&format!("{ASSETS}/transfer"), transfer).await.status, 200);
    let search = async |client: &Rest, query: &str| {
        let reply = client.get(&format!("/organizations/acme/search/assets?{query}")).await.json();
        let names: Vec<String> =
            reply["data"]["hits"].as_array().unwrap().iter().map(|hit| text(&hit["name"])).collect();
        (names.join(""), reply["data"]["found"].as_u64().unwrap(), reply["data"]["page"].as_u64().unwrap())
    };
    assert_eq!(search(&scene.writer, "").await, ("cba".into(), 3, 1));
    assert_eq!(search(&scene.reader, "q=%20").await, ("ba".into(), 2, 1));
    assert_eq!(search(&scene.writer, "libraries=archive,photos&pageSize=2&page=2").await, ("a".into(), 3, 2));
    assert_eq!(search(&scene.writer, "libraries=archive&libraries=archive").await, ("c".into(), 1, 1));
    assert_eq!(search(&scene.writer, "page=9").await, (String::new(), 3, 9));
}

#[tokio::test]
async fn a_search_finds_words_and_marks_them() {
    let scene = Scene::new().await;
    upload(&scene, &["Élan <vital>", "harbour"]).await;
    for version in VERSIONS {
        let reader = scene.reader.in_version(version);
        let found = reader.get("/organizations/acme/search/assets?q=elan").await.json();
        assert_eq!(found["data"]["found"], 1, "{version}: {found}");
        let hit = &found["data"]["hits"][0];
        assert_eq!(hit["highlights"]["name"], "<mark>Élan</mark> &lt;vital&gt;");
        assert!(hit["score"].as_f64().unwrap() > 0.0);
    }
}

#[tokio::test]
async fn libraries_are_listed_by_name_and_only_those_within_reach() {
    let scene = Scene::new().await;
    let names = async |client: &Rest, query: &str| {
        let reply = client.get(&format!("/organizations/acme/libraries{query}")).await.json();
        reply["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|library| text(&library["name"]))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(&scene.writer, "").await, "Archive Photos");
    assert_eq!(names(&scene.reader, "").await, "Photos");
    assert_eq!(names(&scene.writer, "?pageSize=1&page=2").await, "Photos");
}

/// A library has a limited number of different tags; those that are there can always be used.
#[tokio::test]
async fn the_different_tags_of_a_library_are_limited() {
    let server = TestServer::start_with(|settings, _| settings.limits.tags_per_library = 2);
    let scene = Scene::on(server).await;
    let ids = upload(&scene, &["one", "two", "three"]).await;
    let archived = "/organizations/acme/libraries/archive/assets";
    let change = async |path: String, body: serde_json::Value| {
        let reply = scene.writer.json(Method::POST, &path, body).await;
        (reply.status, reply.json())
    };
    let tag = async |library: &str, what: &str, id: &str, tags: &[&str]| {
        change(format!("{library}/{what}"), json!({ "assetIds": [id], "tags": tags })).await
    };
    assert_eq!(tag(ASSETS, "tag", &ids[0], &["sea", "sky"]).await.0, 200);
    let (status, refusal) = tag(ASSETS, "tag", &ids[1], &["sea", "sun"]).await;
    assert_eq!((status, text(&refusal["error"]["code"]).as_str()), (400, "BAD_USER_INPUT"));
    assert!(text(&refusal["error"]["message"]).contains("at most 2 different tags"), "{refusal}");
    assert_eq!(tag(ASSETS, "tag", &ids[1], &["Sea"]).await.1["data"]["taggedCount"], 1);
    // Nothing of what was refused is there, and what is taken off makes room.
    assert_eq!(tag(ASSETS, "untag", &ids[0], &["sky"]).await.0, 200);
    assert_eq!(tag(ASSETS, "tag", &ids[1], &["sun"]).await.0, 200);
    // A transfer brings its tags along.
    let transfer = async |id: &str| {
        change(format!("{ASSETS}/transfer"), json!({ "targetLibraryId": "archive", "assetIds": [id] }))
            .await
            .0
    };
    assert_eq!(transfer(&ids[2]).await, 200);
    assert_eq!(tag(archived, "tag", &ids[2], &["moon"]).await.0, 200);
    assert_eq!(transfer(&ids[1]).await, 400);
    assert_eq!(tag(archived, "untag", &ids[2], &["moon"]).await.0, 200);
    assert_eq!(transfer(&ids[1]).await, 200);
    let tags = scene.writer.get("/organizations/acme/libraries/archive/tags").await.json();
    let texts: Vec<String> = tags["data"].as_array().unwrap().iter().map(|tag| text(&tag["id"])).collect();
    assert_eq!(texts, ["sea", "sun"]);
}

/// Many libraries are listed by name, page by page, also right after one was made or renamed.
#[tokio::test]
async fn many_libraries_are_listed_by_name_after_every_change() {
    let scene = Scene::new().await;
    let libraries = "/organizations/acme/libraries";
    let mut expected = vec!["Archive".to_owned(), "Photos".to_owned()];
    for number in 0..70 {
        let name = format!("{} {number:02}", if number % 2 == 0 { "shelf" } else { "Shelf" });
        scene.writer.json(Method::POST, libraries, json!({ "name": name })).await;
        expected.push(name);
    }
    let listed = async || {
        let mut names = Vec::new();
        for page in 1..6 {
            let reply = scene.writer.get(&format!("{libraries}?page={page}&pageSize=20")).await.json();
            names.extend(reply["data"].as_array().unwrap().iter().map(|library| text(&library["name"])));
        }
        names
    };
    let sorted = |mut names: Vec<String>| {
        names.sort_by_key(|name| name.to_lowercase());
        names
    };
    assert_eq!(listed().await, sorted(expected.clone()));
    assert_eq!(listed().await, sorted(expected.clone()));
    scene.writer.json(Method::PATCH, &format!("{libraries}/archive"), json!({ "name": "Zebra" })).await;
    expected[0] = "Zebra".to_owned();
    assert_eq!(listed().await, sorted(expected.clone()));
    scene.writer.json(Method::POST, libraries, json!({ "name": "Attic" })).await;
    expected.push("Attic".to_owned());
    assert_eq!(listed().await, sorted(expected));
    let others = scene.reader.get(libraries).await.json();
    assert_eq!(others["data"].as_array().unwrap().len(), 1);
}
