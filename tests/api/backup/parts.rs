//! Single libraries and assets out of a backup, into a server that runs.

use serde_json::json;

use super::{fill, path_text, served, settled, targets, upload};
use crate::support::program::{ASSETS, TestDir};

#[tokio::test]
async fn a_deleted_library_comes_back_as_it_was() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = fill(&test_dir, &program).await;
    settled(&program, &key).await;
    let before = served(&program.rest_of(&key)).await;
    let list = |json: serde_json::Value| json["data"].clone();
    let names = list(program.rest_of(&key).get(ASSETS).await.json());
    for target in targets(&test_dir) {
        test_dir.done(&["backup", path_text(&target)]);
        test_dir.done(&["library", "delete", "library", "--org", "default", "--with-assets"]);
        let out = test_dir.restored(&target, &["--library", "default/library"]);
        assert!(
            out.contains("Restored 4 assets") && out.contains("Created the library default/library"),
            "{out}"
        );
        let created =
            test_dir.json(&["key", "create", "again", "--org", "default", "--grant", "library=write"]);
        let rest = program.rest_of(created["key"].as_str().unwrap());
        assert_eq!(served(&rest).await, before);
        let after = list(rest.get(ASSETS).await.json());
        for (one, other) in names.as_array().unwrap().iter().zip(after.as_array().unwrap()) {
            for field in ["id", "name", "description", "tags", "url", "created", "contentType", "size"] {
                assert_eq!(one[field], other[field], "{field}");
            }
            let variants = |asset: &serde_json::Value| asset["variants"].as_array().unwrap().len();
            assert_eq!(variants(one), variants(other));
        }
        let again = test_dir.restored(&target, &["--library", "default/library"]);
        assert!(
            again.contains("Restored 0 assets") && again.contains("4 are on the server already"),
            "{again}"
        );
    }
    assert_eq!(test_dir.run(&["doctor"]).code, Some(0), "everything agrees");
}

#[tokio::test]
async fn a_single_asset_comes_back_and_others_stay_as_they_are() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    let rest = program.rest_of(&key);
    let (first, second) = (upload(&rest, "first").await, upload(&rest, "second").await);
    settled(&program, &key).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    test_dir.done(&["library", "delete", "library", "--org", "default", "--with-assets"]);
    test_dir.restored(&target, &["--asset", &first]);
    let created = test_dir.json(&["key", "create", "again", "--org", "default", "--grant", "library=write"]);
    let rest = program.rest_of(created["key"].as_str().unwrap());
    let described = format!("{ASSETS}/{first}/description");
    let body = json!({ "description": "changed" });
    assert_eq!(rest.json(reqwest::Method::PATCH, &described, body).await.status, 200);
    let out = test_dir.restored(&target, &["--asset", &second, "--asset", &first]);
    assert!(out.contains("Restored 1 assets") && out.contains(&first), "{out}");
    let kept = rest.get(&format!("{ASSETS}/{first}")).await.json();
    assert_eq!(kept["data"]["description"], "changed");
    let exit = test_dir.run(&["restore", path_text(&target), "--asset", "0000000000000000"]);
    assert!(exit.code == Some(1) && exit.stderr.contains("is not in this snapshot"), "{}", exit.stderr);
}

impl TestDir {
    fn restored(&self, source: &std::path::Path, what: &[&str]) -> String {
        self.done(&[&["restore", path_text(source)], what].concat())
    }
}
