//! `rasterd import` and `rasterd export`: folders become libraries and libraries folders, also when they are ended in
//! between, and nothing is stored twice, overwritten or read from elsewhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};

use crate::rest::{Form, Rest, picture};
use crate::support::program::{ASSETS, LIBRARY, Program, TestDir, files_below, poll};

const OF_LIBRARY: [&str; 4] = ["--org", "default", "--library", "library"];

/// Runs a command on a folder, and returns its summary and whether it succeeded.
fn run(test_dir: &TestDir, command: &str, folder: &Path, flags: &[&str]) -> (Value, bool) {
    let mut arguments = vec![command, folder.to_str().unwrap(), "--json"];
    arguments.extend(OF_LIBRARY);
    arguments.extend(flags);
    let exit = test_dir.run(&arguments);
    let summary = serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{error}: {exit:?}"));
    (summary, exit.code == Some(0))
}

/// Writes a file, and the folders that it is in.
fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The files that a summary names, with the reasons.
fn named(summary: &Value, kind: &str) -> Vec<String> {
    let files = summary[kind]["files"].as_array().unwrap().iter();
    let mut named: Vec<String> = files
        .map(|file| format!("{}: {}", file["path"].as_str().unwrap(), file["reason"].as_str().unwrap()))
        .collect();
    named.sort();
    assert_eq!(summary[kind]["count"], named.len());
    named
}

async fn assets(rest: &Rest) -> Vec<Value> {
    let reply = rest.get(&format!("{ASSETS}?pageSize=500")).await;
    reply.json()["data"].as_array().unwrap().clone()
}

async fn names(rest: &Rest) -> Vec<String> {
    let mut names: Vec<String> =
        assets(rest).await.iter().map(|asset| asset["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// A server with an empty library, and its key.
fn served() -> (TestDir, Program, Rest) {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    (test_dir, program, rest)
}

#[tokio::test]
async fn a_folder_is_imported_once_and_what_is_left_out_is_named() {
    let (test_dir, program, rest) = served();
    let (folder, outside) = (test_dir.path().join("pictures"), test_dir.path().join("outside"));
    write(&folder, "a.png", &picture("a"));
    write(&folder, "2026/Lisbon/b.png", &picture("b"));
    write(&folder, "2026/same as b.png", &picture("b"));
    write(&folder, "index/c.png", &picture("c"));
    write(&folder, "notes.txt", b"no picture");
    write(&folder, ".hidden.png", &picture("hidden"));
    write(&folder, ".git/d.png", &picture("d"));
    write(&folder, "broken.png", &picture("e")[..20]);
    write(&outside, "secret.png", &picture("secret"));
    symlink(&outside, folder.join("link")).unwrap();
    symlink(outside.join("secret.png"), folder.join("link.png")).unwrap();
    symlink(".", folder.join("2026/circle")).unwrap();

    let dry = run(&test_dir, "import", &folder, &["--tags-from-folders", "--dry-run"]);
    assert_eq!(names(&rest).await.len(), 0);
    let (summary, succeeded) = run(&test_dir, "import", &folder, &["--tags-from-folders"]);
    assert_eq!((&dry.0, dry.1), (&summary, succeeded), "a dry run says what would be done");
    assert!(!succeeded, "a file is broken");
    assert_eq!(
        (&summary["imported"], &summary["duplicates"], &summary["existing"]),
        (&3.into(), &1.into(), &0.into())
    );
    assert_eq!(
        named(&summary, "leftOut"),
        [
            ".git: it is hidden",
            ".hidden.png: it is hidden",
            "2026/circle: it is a link, and links are not followed",
            "link.png: it is a link, and links are not followed",
            "link: it is a link, and links are not followed",
            "notes.txt: its type is not accepted",
        ]
    );
    let failed = named(&summary, "failed");
    assert!(failed.len() == 1 && failed[0].starts_with("broken.png: it is a damaged PNG"), "{failed:?}");
    let untagged = named(&summary, "tagsLeftOut");
    assert!(untagged.len() == 1 && untagged[0].contains("reserved"), "{untagged:?}");
    let mut found = Vec::new();
    for asset in assets(&rest).await {
        let url = url::Url::parse(asset["url"].as_str().unwrap()).unwrap();
        assert!(picture_is_of(&rest.client.get(url.path()).await.body));
        found.push((asset["name"].clone(), asset["tags"].clone()));
    }
    found.sort_by_key(|(name, _)| name.to_string());
    let tags = json!(["2026", "Lisbon"]);
    // The first of two equal files is the one whose name comes first.
    assert!(found.contains(&(json!("b"), tags)), "{found:?}");
    assert_eq!(found.len(), 3);

    // The same again, without a server: nothing is new.
    program.stop();
    let (again, _) = run(&test_dir, "import", &folder, &["--tags-from-folders"]);
    assert_eq!((&again["imported"], &again["existing"]), (&0.into(), &4.into()));
    write(&folder, "new.png", &picture("new"));
    fs::remove_file(folder.join("broken.png")).unwrap();
    let (more, succeeded) = run(&test_dir, "import", &folder, &[]);
    assert!(succeeded && more["imported"] == 1, "{more}");
    let program = test_dir.serve();
    let rest = Rest::new(&program.client().with_key(&key_of(&test_dir)), "2026-07-08");
    assert_eq!(names(&rest).await, ["a", "b", "c", "new"]);
    let log = test_dir.done(&["audit", "export", "--org", "default"]);
    assert_eq!(log.matches("assets.imported").count(), 2, "{log}");
}

/// A new key for the library.
fn key_of(test_dir: &TestDir) -> String {
    let made = test_dir.json(&["key", "create", "Made", "--org", "default", "--grant", "library=write"]);
    made["key"].as_str().unwrap().to_owned()
}

fn picture_is_of(bytes: &[u8]) -> bool {
    ["a", "b", "c"].iter().any(|seed| picture(seed) == bytes)
}

#[tokio::test]
async fn what_is_in_the_trash_stays_there_and_mistakes_are_said() {
    let (test_dir, _program, rest) = served();
    let folder = test_dir.path().join("pictures");
    write(&folder, "a.png", &picture("a"));
    run(&test_dir, "import", &folder, &[]);
    let id = assets(&rest).await[0]["id"].clone();
    rest.json(Method::DELETE, ASSETS, json!({ "ids": [id] })).await;
    let (summary, succeeded) = run(&test_dir, "import", &folder, &[]);
    assert!(succeeded && summary["imported"] == 0);
    assert_eq!(named(&summary, "leftOut"), ["a.png: the trash of the library has it"]);
    let none = test_dir.path().join("none");
    let data_dir = test_dir.data_dir();
    for (command, folder, library, reason) in [
        ("import", &none, "library", "can't be used"),
        ("import", &folder, "none", "There is no library"),
        ("import", &data_dir, "library", "contain one another"),
        ("import", &test_dir.path().to_owned(), "library", "contain one another"),
        ("export", &data_dir.join("files/new"), "library", "is in the data directory"),
        ("export", &folder.join("a.png"), "library", "can't be used"),
    ] {
        let arguments = [command, folder.to_str().unwrap(), "--org", "default", "--library", library];
        let stderr = test_dir.run(&arguments).failed(1);
        assert!(stderr.contains(reason), "{command} {}: {stderr}", folder.display());
    }
    assert!(!data_dir.join("files/new").exists(), "nothing was made there");
}

/// What was committed before stays and is counted; what was not is not.
#[tokio::test]
async fn an_import_that_is_refused_in_between_counts_what_it_stored() {
    let (test_dir, program, _) = served();
    program.stop();
    let folder = test_dir.path().join("pictures");
    for n in 0..100 {
        write(&folder, &format!("{n:02}/{n:02}.png"), &picture(&format!("{n:02}")));
    }
    // Each folder is a tag.
    let mut arguments = vec!["import", folder.to_str().unwrap(), "--tags-from-folders"];
    arguments.extend(OF_LIBRARY.into_iter().chain(["--set", "limits.tags_per_library=80"]));
    let stderr = test_dir.run(&arguments).failed(1);
    let (summary, succeeded) = run(&test_dir, "import", &folder, &[]);
    let stored = summary["existing"].as_u64().unwrap();
    assert!(stored > 0 && stderr.contains(&format!("Before that, {stored} files were imported")), "{stderr}");
    assert!(succeeded && summary["imported"] == 100 - stored, "{summary}");
}

/// What an export keeps of a library, without what an import creates again.
async fn content(rest: &Rest) -> Vec<Value> {
    let mut all = Vec::new();
    for asset in assets(rest).await {
        let mut variants = Vec::new();
        for variant in asset["variants"].as_array().unwrap() {
            variants.push(json!([variant["name"], served_hash(rest, variant).await]));
        }
        variants.sort_by_key(Value::to_string);
        let hash = served_hash(rest, &asset).await;
        all.push(json!({
            "name": asset["name"], "description": asset["description"], "tags": asset["tags"],
            "variants": variants, "hash": hash, "by": asset["uploadedBy"]["name"], "created": asset["created"],
        }));
    }
    all
}

async fn served_hash(rest: &Rest, asset: &Value) -> String {
    let url = url::Url::parse(asset["url"].as_str().unwrap()).unwrap();
    blake3::hash(&rest.client.get(url.path()).await.body).to_hex().to_string()
}

/// A library with equal names, equal files, names with a meaning, variants, tags, descriptions and trash.
async fn fill(rest: &Rest) {
    let mut ids = Vec::new();
    for (name, seed) in [
        ("beach.png", "1"),
        ("Beach.png", "2"),
        ("beach.png", "3"),
        ("beach.png", "1"),
        ("..png", "4"),
        ("CON.png", "5"),
        ("ä b: c?.png", "6"),
        ("gone.png", "7"),
    ] {
        let mut form = Form::default();
        form.file("files", name, &picture(seed));
        ids.push(
            rest.send_form(ASSETS, form).await.json()["data"]["assets"][0]["id"].as_str().unwrap().to_owned(),
        );
    }
    for name in ["small.png", "small.png"] {
        let mut form = Form::default();
        form.text("parentId", &ids[0]);
        form.file("files", name, &picture(name));
        assert_eq!(rest.send_form(ASSETS, form).await.status, 200);
    }
    let tags = json!({ "assetIds": &ids[..2], "tags": ["Blue", "été"] });
    assert_eq!(rest.post(&format!("{ASSETS}/tag"), tags).await.status, 200);
    let description = json!({ "description": " A beach,\nverbatim " });
    let path = format!("{ASSETS}/{}/description", ids[0]);
    assert_eq!(rest.json(Method::PATCH, &path, description).await.status, 200);
    assert_eq!(rest.json(Method::DELETE, ASSETS, json!({ "ids": [ids[7]] })).await.status, 200);
}

/// The files of a folder with their bytes.
fn bytes_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> =
        files_below(folder).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

#[tokio::test]
async fn an_exported_library_is_the_same_when_it_is_imported() {
    let (test_dir, _program, rest) = served();
    fill(&rest).await;
    let folder = test_dir.path().join("out");
    let (summary, succeeded) = run(&test_dir, "export", &folder, &[]);
    assert!(succeeded && summary["assets"] == 7 && summary["variants"] == 2, "{summary}");
    assert_eq!(summary["written"], 9);
    let files = bytes_of(&folder);
    assert_eq!(files.len(), 10, "the files and the manifest: {files:?}");
    let lower: std::collections::BTreeSet<String> =
        files.iter().map(|(path, _)| path.to_string_lossy().to_lowercase()).collect();
    assert_eq!(lower.len(), 10, "also where case makes no difference");

    // Again: everything is there, and nothing changes.
    let (again, succeeded) = run(&test_dir, "export", &folder, &[]);
    assert!(succeeded && again["written"] == 0 && again["existing"] == 9, "{again}");
    assert!(bytes_of(&folder) == files);

    let (other_dir, _other, other) = served();
    let (imported, succeeded) = run(&other_dir, "import", &folder, &["--tags-from-folders"]);
    assert!(succeeded && imported["imported"] == 7 && imported["variants"] == 2, "{imported}");
    assert_eq!(content(&other).await, content(&rest).await);
    // Again: each entry is known, also the two with equal names and files.
    let (again, _) = run(&other_dir, "import", &folder, &[]);
    assert_eq!(
        (&again["imported"], &again["variants"], &again["existing"]),
        (&0.into(), &0.into(), &9.into())
    );
    // One more variant that is like the others is one more.
    let manifest = folder.join("rasterd-library.json");
    let mut more: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let varied = more["assets"].as_array_mut().unwrap().iter_mut().find(|asset| !asset["variants"].is_null());
    let variants = varied.unwrap()["variants"].as_array_mut().unwrap();
    let mut third = variants[0].clone();
    fs::copy(folder.join(third["file"].as_str().unwrap()), folder.join("third.png")).unwrap();
    third["file"] = json!("third.png");
    variants.push(third);
    fs::write(&manifest, more.to_string()).unwrap();
    let (again, _) = run(&other_dir, "import", &folder, &[]);
    assert_eq!((&again["variants"], &again["existing"]), (&1.into(), &9.into()), "{again}");
    // What was lost meanwhile comes back alone.
    let listed = assets(&other).await;
    let lost = listed.iter().find(|asset| asset["name"] == "beach").unwrap()["id"].clone();
    other.json(Method::DELETE, ASSETS, json!({ "ids": [lost] })).await;
    let (again, _) = run(&other_dir, "import", &folder, &[]);
    assert_eq!(again["imported"], 1, "{again}");
}

#[tokio::test]
async fn an_export_overwrites_nothing_and_leaves_its_folder() {
    let (test_dir, _program, rest) = served();
    fill(&rest).await;
    let (folder, outside) = (test_dir.path().join("out"), test_dir.path().join("outside"));
    write(&folder, "beach.png", b"somebody's own");
    write(&folder, ".rasterd-unfinished-1", b"half of a file");
    write(&outside, "kept.png", b"kept");
    symlink(outside.join("kept.png"), folder.join("Beach-2.png")).unwrap();
    let (summary, succeeded) = run(&test_dir, "export", &folder, &[]);
    assert!(succeeded && summary["written"] == 9, "{summary}");
    assert_eq!(fs::read(folder.join("beach.png")).unwrap(), b"somebody's own");
    assert_eq!(bytes_of(&outside), [(outside.join("kept.png"), b"kept".to_vec())]);
    assert!(!folder.join(".rasterd-unfinished-1").exists());

    // A file that was exported and changed since is somebody's, too; one that is gone comes again.
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.join("rasterd-library.json")).unwrap()).unwrap();
    let file = |number: usize| folder.join(manifest["assets"][number]["file"].as_str().unwrap());
    fs::write(file(0), b"edited").unwrap();
    fs::remove_file(file(1)).unwrap();
    let (summary, succeeded) = run(&test_dir, "export", &folder, &[]);
    assert!(!succeeded && summary["written"] == 1, "{summary}");
    let failed = named(&summary, "failed");
    assert!(failed.len() == 1 && failed[0].contains("another file of this name is there"), "{failed:?}");
    assert_eq!(fs::read(file(0)).unwrap(), b"edited");

    // A manifest that leads elsewhere leads nowhere, in either direction.
    let mut evil = manifest.clone();
    evil["assets"][2]["file"] = json!("../outside/new.png");
    evil["assets"][3]["file"] = json!(outside.join("new.png"));
    fs::write(folder.join("rasterd-library.json"), evil.to_string()).unwrap();
    run(&test_dir, "export", &folder, &[]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    test_dir.done(&["library", "create", "Other", "--org", "default"]);
    let other = ["export", folder.to_str().unwrap(), "--org", "default", "--library", "other"];
    let stderr = test_dir.run(&other).failed(1);
    assert!(stderr.contains("has the export of the library default/library"), "{stderr}");
}

/// Both go on after a kill, with nothing doubled and nothing half-written.
/// Counts what a command has written.
type Count = fn(&TestDir) -> usize;

#[tokio::test]
async fn an_import_and_an_export_go_on_after_a_kill() {
    let (test_dir, mut program, _) = served();
    let (folder, out) = (test_dir.path().join("pictures"), test_dir.path().join("out"));
    for n in 0..400 {
        write(&folder, &format!("{}/{n}.png", n % 7), &picture(&format!("{n}")));
    }
    let stored = |test_dir: &TestDir| files_below(&test_dir.data_dir().join("files")).len();
    let exported = |test_dir: &TestDir| {
        std::fs::read_dir(test_dir.path().join("out")).map_or(0, std::iter::Iterator::count)
    };
    let ways: [(&str, &Path, Count); 2] = [("import", &folder, stored), ("export", &out, exported)];
    for (command, folder, count) in ways {
        let mut child = test_dir.command_of(crate::support::program::RASTERD);
        child.args([command, folder.to_str().unwrap()]).args(OF_LIBRARY);
        let mut child = child.spawn().unwrap();
        poll("some files are there", || {
            // It may be faster than this test looks.
            (count(&test_dir) > 60 || child.try_wait().unwrap().is_some()).then_some(())
        });
        program.kill();
        child.wait().unwrap();
        program = test_dir.serve();
        let (summary, succeeded) = run(&test_dir, command, folder, &[]);
        assert!(succeeded, "{summary}");
    }
    let rest = Rest::new(&program.client().with_key(&key_of(&test_dir)), "2026-07-08");
    let mut expected: Vec<String> = (0..400).map(|n| n.to_string()).collect();
    expected.sort();
    assert_eq!(names(&rest).await, expected);
    assert_eq!(rest.get(LIBRARY).await.json()["data"]["assetsCount"], 400);
    for (path, bytes) in bytes_of(&out) {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(stem == "rasterd-library" || picture(&stem) == bytes, "{}", path.display());
    }
    assert_eq!(bytes_of(&out).len(), 401);
}
