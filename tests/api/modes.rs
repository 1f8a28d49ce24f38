//! Whatever the umask is, nobody else can access what is in the data directory: neither with the program, nor with the
//! library in a program that sets no umask.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rasterd::core::model::Access;
use rasterd::testing::TestServer;
use serde_json::json;

use crate::rest::{ASSETS, NEW, Rest};
use crate::support::Client;
use crate::support::program::{LIBRARY, RASTERD, TestDir, files_below};

const PHOTO: &[u8] = include_bytes!("../fixtures/wine.jpg");
/// The umask that forbids nothing.
const WITH_UMASK: [&str; 2] = ["-c", "umask 000 && exec \"$@\""];

/// Every path with a permission for group or others.
fn open_to_others(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            found.push(format!("{} {mode:o}", path.display()));
        }
        if metadata.is_dir() {
            open_to_others(&path, found);
        }
    }
}

fn expect_closed(data_dir: &Path) {
    let mut found = Vec::new();
    open_to_others(data_dir, &mut found);
    assert_eq!(data_dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for written in ["rasterd.redb", "index/meta.json"] {
        assert!(data_dir.join(written).exists(), "there is no {written}");
    }
    for folder in ["files", "renditions"] {
        assert!(!files_below(&data_dir.join(folder)).is_empty(), "{folder} is empty");
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Others would be shut out of it.
#[test]
fn a_folder_that_others_use_does_not_become_a_data_directory() {
    let test_dir = TestDir::new();
    let shared = test_dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(shared.join("letter.txt"), "").unwrap();
    for command in ["serve", "init"] {
        let exit = test_dir.run(&[command, "--data-dir", shared.to_str().unwrap()]);
        let stderr = exit.failed(1);
        assert!(
            stderr.contains("is used for something else, and by others: it holds letter.txt"),
            "{stderr}"
        );
        assert!(stderr.contains("#the-data-directory-cant-be-opened`"), "{stderr}");
        assert_eq!(fs::metadata(&shared).unwrap().permissions().mode() & 0o777, 0o755);
        assert!(!shared.join("certs").exists() && !shared.join("rasterd.redb").exists());
    }
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(test_dir.run(&["init", "--data-dir", shared.to_str().unwrap()]).code, Some(0));
}

/// Uploads, renders, searches, tags, trashes.
async fn work(rest: &Rest, organization: &str, assets: &str) {
    let mut form = crate::rest::Form::default();
    form.file("files", "wine.jpg", PHOTO);
    let reply = rest.send_form(assets, form).await;
    let asset = reply.json()["data"]["assets"][0].clone();
    let url = url::Url::parse(asset["url"].as_str().unwrap()).unwrap();
    assert_eq!(rest.client.get(&format!("{}?w=100", url.path())).await.status, 200);
    let body = json!({ "assetIds": [asset["id"]], "tags": ["red"] });
    assert_eq!(rest.post(&format!("{assets}/tag"), body).await.status, 200);
    let found = rest.get(&format!("/organizations/{organization}/search/assets?q=red")).await.json();
    assert_eq!(found["data"]["found"], 1);
    let body = json!({ "ids": [asset["id"]] });
    assert_eq!(rest.json(reqwest::Method::DELETE, assets, body).await.status, 200);
}

#[tokio::test]
async fn the_program_closes_its_data_directory_whatever_the_umask_is() {
    let test_dir = TestDir::new();
    let mut command = test_dir.command_of("sh");
    command.args(WITH_UMASK).args(["sh", RASTERD, "serve"]);
    let program = test_dir.serve_by(command);
    let rest = program.rest_of(program.first_key());
    work(&rest, "default", &format!("{LIBRARY}/assets")).await;
    expect_closed(&test_dir.data_dir());
    program.stop();
    expect_closed(&test_dir.data_dir());
}

#[test]
fn the_library_closes_its_data_directory_whatever_the_umask_is() {
    let this = std::env::current_exe().unwrap();
    let test = "modes::a_server_in_a_program_without_a_umask";
    let mut command = Command::new("sh");
    command.args(WITH_UMASK).arg("sh").arg(this).args(["--exact", test, "--ignored"]);
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

#[tokio::test]
#[ignore = "it is run by the test above, with another umask"]
async fn a_server_in_a_program_without_a_umask() {
    let server = TestServer::start();
    server.organization("Acme").await;
    server.library("acme", "Photos").await;
    let key = server.key("acme", &[("photos", Access::Write)]).await;
    work(&Rest::new(&Client::new(&server).with_key(&key.token), NEW), "acme", ASSETS).await;
    server.processed().await;
    expect_closed(&server.data_dir());
}

#[tokio::test]
async fn what_an_earlier_version_left_open_is_closed_at_the_start() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    work(&program.rest_of(program.first_key()), "default", &format!("{LIBRARY}/assets")).await;
    program.stop();
    let files = files_below(&test_dir.data_dir().join("files"));
    let uploaded = files.iter().find(|file| file.file_name().is_some_and(|name| name.len() == 64)).unwrap();
    let data_dir = test_dir.data_dir();
    let others = ["index/meta.json", "renditions", "rasterd.redb"].map(|name| data_dir.join(name));
    for path in others.into_iter().chain([uploaded.parent().unwrap().to_owned()]) {
        let open = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(open)).unwrap();
    }
    let program = test_dir.serve();
    expect_closed(&test_dir.data_dir());
    program.stop();
}
