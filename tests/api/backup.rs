//! Backups of a running server, and what a restore makes of them elsewhere.

mod broken;
mod folder;
mod parts;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};

use crate::rest::{Form, Rest, picture, text};
use crate::support::program::{ASSETS, Exit, LIBRARY, Program, RASTERD, TestDir, files_below};

/// How many clients upload while a backup runs.
const CLIENTS: usize = 3;

/// Uploads a picture and returns its id.
async fn upload(rest: &Rest, name: &str) -> String {
    let mut form = Form::default();
    form.file("files", &format!("{name}.png"), &picture(name));
    let reply = rest.send_form(ASSETS, form).await;
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    text(&reply.json()["data"]["assets"][0]["id"])
}

/// An installation with all kinds of records, and the key of its first start.
async fn fill(test_dir: &TestDir, program: &Program) -> String {
    let key = program.first_key().to_owned();
    let rest = program.rest_of(&key);
    let mut ids = Vec::new();
    for name in ["lake", "sea", "gone"] {
        ids.push(upload(&rest, name).await);
    }
    let mut variant = Form::default();
    variant.text("parentId", &ids[0]);
    variant.file("files", "lake-small.png", &picture("lake-small"));
    assert_eq!(rest.send_form(ASSETS, variant).await.status, 200);
    let tags = json!({ "assetIds": &ids[..2], "tags": ["Blue", "été"] });
    assert_eq!(rest.post(&format!("{ASSETS}/tag"), tags).await.status, 200);
    let description = json!({ "description": " A lake,\nverbatim " });
    assert_eq!(
        rest.json(Method::PATCH, &format!("{ASSETS}/{}/description", ids[0]), description).await.status,
        200
    );
    assert_eq!(rest.json(Method::DELETE, ASSETS, json!({ "ids": [ids[2]] })).await.status, 200);
    test_dir.done(&["library", "create", "Archive", "--org", "default"]);
    test_dir.done(&["member", "invite", "ada@example.org", "--org", "default", "--role", "editor"]);
    key
}

/// What a key sees, and what anyone gets at the urls, without origins.
async fn seen(program: &Program, key: &str) -> Value {
    let rest = program.rest_of(key);
    let mut seen = Vec::new();
    for path in ["/me", "/organizations/default/libraries", ASSETS, &format!("{LIBRARY}/tags?limit=1000")] {
        let reply = rest.get(&format!("{path}{}", if path == ASSETS { "?pageSize=500" } else { "" })).await;
        assert_eq!(reply.status, 200, "{path}");
        seen.push(reply.json()["data"].clone());
    }
    for words in ["lake", "blue", "verbatim", "gone"] {
        let path = format!("/organizations/default/search/assets?q={words}");
        seen.push(rest.get(&path).await.json()["data"]["found"].clone());
    }
    for (id, hash) in served(&rest).await {
        seen.push(json!({ id: hash }));
    }
    let text = Value::from(seen).to_string().replace(program.url(), "https://origin");
    serde_json::from_str(&text).unwrap()
}

/// The hash of what the url of each listed asset serves, by id.
async fn served(rest: &Rest) -> BTreeMap<String, String> {
    let mut served = BTreeMap::new();
    for page in 1.. {
        let assets = rest.get(&format!("{ASSETS}?pageSize=500&page={page}")).await.json();
        let assets = assets["data"].as_array().unwrap();
        if assets.is_empty() {
            break;
        }
        for asset in assets {
            let url = url::Url::parse(asset["url"].as_str().unwrap()).unwrap();
            let reply = rest.client.get(url.path()).await;
            assert_eq!(reply.status, 200, "{}", asset["name"]);
            served.insert(text(&asset["id"]), blake3::hash(&reply.body).to_hex().to_string());
        }
    }
    served
}

/// Waits until nothing changes an asset of its own accord any more.
async fn settled(program: &Program, key: &str) {
    let rest = program.rest_of(key);
    let until = std::time::Instant::now() + crate::support::raw::DEADLINE;
    loop {
        let assets = rest.get(&format!("{ASSETS}?pageSize=500")).await.json();
        let assets = assets["data"].as_array().unwrap();
        let is_settled = |asset: &Value| {
            let mut all = vec![asset];
            all.extend(asset["variants"].as_array().into_iter().flatten());
            !asset["blurhash"].is_null()
        };
        if assets.iter().all(is_settled) {
            return;
        }
        assert!(std::time::Instant::now() < until, "uploads are still processed");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The backups of both kinds in a test's folder.
fn targets(test_dir: &TestDir) -> [PathBuf; 2] {
    [test_dir.path().join("backup"), test_dir.path().join("backup.tar.zst")]
}

#[tokio::test]
async fn a_backup_restored_elsewhere_is_the_same_server_for_every_client() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = fill(&test_dir, &program).await;
    settled(&program, &key).await;
    let before = seen(&program, &key).await;
    let authority = std::fs::read(test_dir.certificates().join("ca.pem")).unwrap();
    for target in targets(&test_dir) {
        test_dir.done(&["backup", path_text(&target)]);
        let elsewhere = TestDir::new();
        let said = elsewhere.done(&["restore", path_text(&target), "--verify"]);
        assert!(said.contains("clients that trust it need nothing new"), "{said}");
        let restored = elsewhere.serve();
        assert_eq!(seen(&restored, &key).await, before, "{}", target.display());
        assert_eq!(std::fs::read(elsewhere.certificates().join("ca.pem")).unwrap(), authority);
        assert_eq!(elsewhere.json(&["key", "list"]), test_dir.json(&["key", "list"]));
        let links = elsewhere.json(&["member", "links", "--org", "default"]);
        let is_for_ada = |link: &Value| link["email"] == "ada@example.org";
        assert!(!links.as_array().unwrap().iter().any(is_for_ada), "invitations are left out: {links}");
        assert!(!restored.log().contains("WARN"), "{}", restored.log());
        restored.stop();
    }
}

/// What clients were told that happened to their uploads.
#[derive(Clone, Default)]
struct Acknowledged {
    /// The hash of each picture that nobody deletes, by the id of its asset.
    kept: BTreeMap<String, String>,
    /// The ids of assets that are in the trash.
    deleted: BTreeSet<String>,
}

/// Uploads pictures and deletes every third of them, so that files come and go while they are copied.
async fn upload_and_delete(
    rest: Rest,
    client: usize,
    acknowledged: Arc<Mutex<Acknowledged>>,
    stop: Arc<AtomicBool>,
) {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let name = format!("c{client}n{count}");
        let id = upload(&rest, &name).await;
        if count % 3 == 0 {
            assert_eq!(rest.json(Method::DELETE, ASSETS, json!({ "ids": [id] })).await.status, 200);
            acknowledged.lock().unwrap().deleted.insert(id);
        } else {
            let hash = blake3::hash(&picture(&name)).to_hex().to_string();
            acknowledged.lock().unwrap().kept.insert(id, hash);
        }
        count += 1;
    }
}

#[tokio::test]
async fn a_backup_under_load_has_all_that_was_acknowledged_before_it_and_nothing_half() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    let (acknowledged, stop) = (Arc::<Mutex<Acknowledged>>::default(), Arc::<AtomicBool>::default());
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
        clients.spawn(upload_and_delete(program.rest_of(&key), number, acknowledged, stop));
    }
    let target = test_dir.path().join("backup");
    for round in 0..3 {
        until_more_is_acknowledged(&acknowledged).await;
        let before = acknowledged.lock().unwrap().clone();
        let mut command = test_dir.command_of(RASTERD);
        command.args(["backup", path_text(&target)]);
        let exit = tokio::task::spawn_blocking(move || Exit::of(&mut command)).await.unwrap();
        assert_eq!(exit.code, Some(0), "{}", exit.stderr);
        let elsewhere = TestDir::new();
        elsewhere.done(&["restore", path_text(&target), "--verify"]);
        let restored = elsewhere.serve();
        let after = served(&restored.rest_of(&key)).await;
        for (id, hash) in &before.kept {
            assert_eq!(after.get(id), Some(hash), "round {round}: {id} of {}; {}", after.len(), exit.stdout);
        }
        for id in &before.deleted {
            assert!(!after.contains_key(id), "round {round}: {id} was deleted before; {}", exit.stdout);
        }
        let list = restored.rest_of(&key).get("/organizations/default/libraries").await.json();
        assert_eq!(list["data"][0]["assetsCount"], after.len(), "counts are those of the snapshot");
        restored.stop();
    }
    stop.store(true, Ordering::Relaxed);
    clients.join_all().await;
}

/// Waits until each client was told that something was kept since this began.
async fn until_more_is_acknowledged(acknowledged: &Mutex<Acknowledged>) {
    let until = std::time::Instant::now() + crate::support::raw::DEADLINE;
    let enough = acknowledged.lock().unwrap().kept.len() + CLIENTS;
    while acknowledged.lock().unwrap().kept.len() < enough {
        assert!(std::time::Instant::now() < until, "the clients upload");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn without_a_running_server_a_backup_is_made_directly() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = fill(&test_dir, &program).await;
    settled(&program, &key).await;
    let before = seen(&program, &key).await;
    program.stop();
    let target = test_dir.path().join("backup");
    let summary = test_dir.json(&["backup", path_text(&target)]);
    assert_eq!((&summary["files"], &summary["lost"]), (&json!(4), &json!([])));
    let elsewhere = TestDir::new();
    elsewhere.done(&["restore", path_text(&target)]);
    assert_eq!(seen(&elsewhere.serve(), &key).await, before);
}

#[tokio::test]
async fn no_plain_secret_is_in_a_backup_and_only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = fill(&test_dir, &program).await;
    let link = std::fs::read_to_string(test_dir.owner_link_file()).unwrap();
    let link = link.rsplit('/').next().unwrap().trim().to_owned();
    let server_key = std::fs::read_to_string(test_dir.certificates().join("server-key.pem")).unwrap();
    let [folder, archive] = targets(&test_dir);
    test_dir.done(&["backup", path_text(&folder)]);
    test_dir.done(&["backup", path_text(&archive)]);
    let unpacked = test_dir.path().join("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    let file = std::fs::File::open(&archive).unwrap();
    tar::Archive::new(zstd::Decoder::new(file).unwrap()).unpack(&unpacked).unwrap();
    for root in [&folder, &unpacked] {
        let files = files_below(root);
        assert!(files.iter().any(|file| file.ends_with("ca-key.pem")));
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            for secret in [&key, &link, server_key.lines().nth(1).unwrap()] {
                let is_in = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!is_in, "{} has a secret", file.display());
            }
            let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
        }
    }
    let without = test_dir.path().join("without");
    test_dir.done(&["backup", path_text(&without), "--without-authority"]);
    assert!(!files_below(&without).iter().any(|file| file.ends_with("ca-key.pem")));
}
