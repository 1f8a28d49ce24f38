//! `rasterd org` and `rasterd library`: their effect over HTTPS, and their output.

use serde_json::{Value, json};

use crate::rest::{Form, picture};
use crate::support::program::{ASSETS, TestDir};

fn without_time(mut record: Value) -> Value {
    assert!(record.as_object_mut().unwrap().remove("created").is_some_and(|time| time.is_u64()));
    record
}

#[test]
fn organizations_and_libraries_are_created_listed_and_renamed() {
    for stays_up in [true, false] {
        let test_dir = TestDir::new();
        let program = test_dir.serve();
        let running = if stays_up {
            Some(program)
        } else {
            program.stop();
            None
        };
        let made = test_dir.json(&["org", "create", "Ärzte & Co."]);
        let limits = json!({ "storage": null, "libraries": null, "assets": null });
        let used = json!({ "storage": 0, "libraries": 0, "assets": 0 });
        assert_eq!(
            without_time(made),
            json!({ "id": "arzte-co", "name": "Ärzte & Co.", "limits": limits, "used": used })
        );
        assert_eq!(test_dir.json(&["org", "create", "Second", "--slug", "two"])["id"], "two");
        assert_eq!(test_dir.json(&["org", "rename", "two", "Zwei"])["name"], "Zwei");
        let made = test_dir.json(&["library", "create", "X-Rays", "--org", "two"]);
        let library = json!({
            "id": "x-rays", "name": "X-Rays", "organizationId": "two", "assetsCount": 0, "trashCount": 0,
        });
        assert_eq!(without_time(made), library);
        assert_eq!(test_dir.json(&["library", "create", "X-Rays", "--org", "two"])["id"], "x-rays-2");
        assert_eq!(test_dir.json(&["library", "create", "X-Rays", "--org", "arzte-co"])["id"], "x-rays");
        assert_eq!(test_dir.json(&["library", "rename", "x-rays", "Bones", "--org", "two"])["name"], "Bones");
        let ids = |list: Value| -> Vec<String> {
            list.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(test_dir.json(&["org", "list"])), ["arzte-co", "default", "two"]);
        assert_eq!(ids(test_dir.json(&["library", "list", "--org", "two"])), ["x-rays", "x-rays-2"]);
        let for_people = test_dir.done(&["library", "list", "--org", "two"]);
        let lines: Vec<&str> = for_people.lines().collect();
        assert!(lines[0].starts_with("ID ") && lines[1].starts_with("x-rays ") && lines[1].contains("Bones"));
        assert_eq!(test_dir.json(&["library", "delete", "x-rays-2", "--org", "two"])["id"], "x-rays-2");
        for (arguments, reason) in [
            (&["org", "create", "Again", "--slug", "two"][..], "two"),
            (&["org", "create", "x", "--slug", "Not A Slug"], "letters"),
            (&["org", "rename", "none", "x"], "rganization"),
            (&["library", "create", "x", "--org", "none"], "rganization"),
            (&["library", "create", "x", "--org", "two", "--slug", "x-rays"], "x-rays"),
            (&["library", "rename", "none", "x", "--org", "two"], "none"),
            (&["library", "delete", "none", "--org", "two"], "none"),
            (&["library", "list", "--org", "none"], "rganization"),
        ] {
            let stderr = test_dir.run(arguments).failed(1);
            assert!(stderr.starts_with("rasterd: ") && stderr.contains(reason), "{arguments:?}: {stderr}");
        }
        assert_eq!(test_dir.json(&["library", "list", "--org", "two"]).as_array().unwrap().len(), 1);
        drop(running);
    }
}

#[tokio::test]
async fn changes_of_a_library_are_visible_at_once() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    let libraries = "/organizations/default/libraries";
    test_dir.done(&["library", "rename", "library", "Pictures", "--org", "default"]);
    assert_eq!(rest.get(libraries).await.json()["data"][0]["name"], "Pictures");
    let mut form = Form::default();
    form.file("files", "a.png", &picture("a"));
    let reply = rest.send_form(ASSETS, form).await.json();
    let url = url::Url::parse(reply["data"]["assets"][0]["url"].as_str().unwrap()).unwrap();
    let stderr = test_dir.run(&["library", "delete", "library", "--org", "default"]).failed(1);
    assert!(stderr.contains("--with-assets"), "{stderr}");
    assert_eq!(rest.get(ASSETS).await.status, 200);
    assert_eq!(rest.client.get(url.path()).await.status, 200);
    test_dir.done(&["library", "delete", "library", "--org", "default", "--with-assets"]);
    assert_eq!(rest.get(ASSETS).await.error_code(), "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY");
    assert_eq!(rest.get(libraries).await.json()["data"], json!([]));
    assert_eq!(rest.client.get(url.path()).await.status, 404);
    assert_eq!(test_dir.json(&["key", "list"])[0]["grants"], json!({}));
    test_dir.done(&["library", "create", "Library", "--org", "default"]);
    let again = rest.get(ASSETS).await;
    assert_eq!(again.status, 404, "a library of the same id is another, and nobody's yet");
}

#[tokio::test]
async fn limits_are_set_shown_and_removed_and_take_effect_with_the_next_request() {
    for stays_up in [true, false] {
        let test_dir = TestDir::new();
        let program = test_dir.serve();
        let key = program.first_key().to_owned();
        let mut running = stays_up.then_some(program);
        let limit = |limits: &[&str]| test_dir.json(&[&["org", "limit", "default"], limits].concat());
        let set = limit(&["--storage", "1.5 MB", "--libraries", "1", "--assets", "1_000"]);
        assert_eq!(set["limits"], json!({ "storage": 1_500_000, "libraries": 1, "assets": 1000 }));
        assert_eq!(set["used"], json!({ "storage": 0, "libraries": 1, "assets": 0 }));
        // What is not given stays.
        assert_eq!(limit(&["--assets", "0"])["limits"]["storage"], 1_500_000);
        assert_eq!(test_dir.json(&["org", "list"])[0]["limits"]["assets"], 0);
        let text = test_dir.done(&["org", "list"]);
        assert!(
            text.contains("0 B of 1.5 MB") && text.contains("1 of 1") && text.contains("0 of 0"),
            "{text}"
        );
        let stderr = test_dir.run(&["library", "create", "More", "--org", "default"]).failed(1);
        assert!(stderr.contains("may have 1 libraries"), "{stderr}");
        let program = running.take().unwrap_or_else(|| test_dir.serve());
        let upload = async || {
            let mut form = Form::default();
            form.file("files", "a.png", &picture("a"));
            program.rest_of(&key).send_form(ASSETS, form).await
        };
        assert_eq!(upload().await.error_code(), "STORAGE_LIMIT_EXCEEDED");
        let none = ["--storage", "none", "--libraries", "none", "--assets", "none"];
        let removed = test_dir.json(&[&["org", "limit", "default"], &none[..]].concat());
        assert_eq!(removed["limits"], json!({ "storage": null, "libraries": null, "assets": null }));
        assert_eq!(upload().await.status, 200);
        let used = test_dir.json(&["org", "list"])[0]["used"].clone();
        assert_eq!(used, json!({ "storage": picture("a").len(), "libraries": 1, "assets": 1 }));
        for (arguments, code, reason) in [
            (&["org", "limit", "default"][..], 2, "--storage"),
            (&["org", "limit", "default", "--storage", "much"], 2, "a size such as"),
            (&["org", "limit", "default", "--assets", "-1"], 2, ""),
            (&["org", "limit", "nobody", "--assets", "1"], 1, "nobody"),
        ] {
            let stderr = test_dir.run(arguments).failed(code);
            assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
        }
    }
}
