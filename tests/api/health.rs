//! `/readyz`: a server that can't use its disk says so, with a reason, and is ready again when it can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::rest::{Form, Scene, picture};
use crate::support::gate::Gate;
use crate::support::program::{ASSETS, Program, TestDir};
use crate::support::raw::DEADLINE;
use crate::support::{Client, Reply};

/// How long to wait between two requests.
const PAUSE: Duration = Duration::from_millis(50);
/// Makes the fsync of a directory fail as long as a file exists.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
int fsync(int fd) {
    struct stat found;
    const char *switched_on = getenv("FAIL_WHILE");
    if (switched_on && access(switched_on, F_OK) == 0 && fstat(fd, &found) == 0 && S_ISDIR(found.st_mode)) {
        errno = EIO;
        return -1;
    }
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    return real(fd);
}
"#;

/// Sends requests until `/readyz` has this status.
async fn readyz(program: &Program, status: u16) -> Reply {
    wait_for_status(&program.client(), status).await
}

async fn wait_for_status(client: &Client, status: u16) -> Reply {
    let until = Instant::now() + DEADLINE;
    loop {
        let reply = client.get("/readyz").await;
        if reply.status == status {
            return reply;
        }
        assert!(Instant::now() < until, "/readyz is {}, not {status}", reply.status);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Checks that exactly these checks fail at `/readyz?verbose`, the first of them for this reason.
async fn failing(program: &Program, expected: &[&str], reason: &str) {
    let reply = program.client().get("/readyz?verbose").await;
    let report = reply.json();
    let (status, word) = if expected.is_empty() { (200, "ok") } else { (503, "failed") };
    assert_eq!((reply.status, &report["status"]), (status, &word.into()), "{report}");
    let checks = report["checks"].as_array().unwrap();
    let name = |check: &serde_json::Value| check["name"].as_str().unwrap().to_owned();
    let names: Vec<String> = checks.iter().map(name).collect();
    assert_eq!(names, ["store", "disk", "files", "index", "queue", "shutdown"]);
    let failed: Vec<&serde_json::Value> = checks.iter().filter(|check| check["status"] != "ok").collect();
    assert_eq!(failed.iter().map(|check| name(check)).collect::<Vec<_>>(), expected);
    assert!(
        failed.first().is_none_or(|check| check["reason"].as_str().unwrap().starts_with(reason)),
        "{report}"
    );
    assert!(
        checks.iter().all(|check| (check["status"] == "ok") == check.get("reason").is_none()),
        "{report}"
    );
}

fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

#[tokio::test]
async fn lost_storage_is_noticed_while_the_server_runs() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    readyz(&program, 200).await;
    let (data, aside) = (test_dir.data_dir(), test_dir.path().join("aside"));
    let empty_in_place = |path: &Path| fs::create_dir(path).unwrap();
    let cases: [(PathBuf, bool, &str, &[&str]); 4] = [
        (data.join("files"), true, "the folder of its files", &["files"]),
        (data.join("files/rasterd-files"), false, "the folder of its files", &["files"]),
        (data.join("rasterd.redb"), false, "its database was moved away", &["store"]),
        (data.clone(), false, "its database was moved away", &["store", "files"]),
    ];
    for (path, in_place, reason, failed) in &cases {
        rename(path, &aside);
        if *in_place {
            empty_in_place(path);
        }
        let reply = readyz(&program, 503).await;
        assert_eq!(reply.error_code(), "SERVICE_UNAVAILABLE");
        let body = String::from_utf8_lossy(&reply.body);
        assert!(body.contains(reason) && !body.contains(&*data.to_string_lossy()), "{body}");
        failing(&program, failed, reason).await;
        let bind = format!("server.bind=127.0.0.1:{}", program.port());
        let stderr = test_dir.run(&["health", "--set", &bind]).failed(1);
        assert!(stderr.contains(&format!("{}: {reason}", failed[0])), "{stderr}");
        if *in_place {
            fs::remove_dir_all(path).unwrap();
        }
        rename(&aside, path);
        readyz(&program, 200).await;
    }
    program.wait_for_log_lines("ready again: ", cases.len());
    let log = program.log();
    assert_eq!(log.matches("not ready: ").count(), cases.len(), "{log}");
    assert_eq!(log.matches("ready again: ").count(), cases.len(), "{log}");
    assert!(log.contains(&*data.join("files").to_string_lossy()), "{log}");
    for path in ["/healthz", "/livez", "/readyz"] {
        let reply = program.client().get(path).await;
        assert_eq!((reply.status, reply.body.as_slice()), (200, br#"{"status":"ok"}"#.as_slice()), "{path}");
    }
    failing(&program, &[], "").await;
}

#[tokio::test]
async fn work_after_uploads_that_does_not_go_on_is_noticed() {
    let gate = Gate::closed();
    let scene = Scene::on(gate.server(|_| {})).await;
    for name in ["one", "two"] {
        scene.writer.uploaded(name).await;
    }
    gate.wait_for_a_picture();
    scene.server.clock().advance(Duration::from_mins(14));
    wait_for_status(&scene.anyone, 200).await;
    scene.server.clock().advance(Duration::from_mins(2));
    let reply = wait_for_status(&scene.anyone, 503).await;
    assert!(String::from_utf8_lossy(&reply.body).contains("the work after uploads does not go on"));
    gate.open();
    scene.server.processed().await;
    wait_for_status(&scene.anyone, 200).await;
}

#[tokio::test]
async fn a_directory_that_can_not_be_synced_fails_uploads_and_is_noticed() {
    let test_dir = TestDir::new();
    let (source, shim) = (test_dir.path().join("shim.c"), test_dir.path().join("shim.so"));
    fs::write(&source, SHIM).unwrap();
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&shim, &source]).args(["-ldl"]).status();
    assert!(built.unwrap().success());
    let switch = test_dir.path().join("fail");
    let (preload, fail) = (shim.display().to_string(), switch.display().to_string());
    let test_dir = test_dir.with("LD_PRELOAD", &preload).with("FAIL_WHILE", &fail);
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    let upload = async |name: &str| {
        let mut form = Form::default();
        form.file("files", "one.png", &picture(name));
        rest.send_form(ASSETS, form).await.status
    };
    readyz(&program, 200).await;
    assert_eq!(upload("one").await, 200);
    fs::write(&switch, "").unwrap();
    let reply = readyz(&program, 503).await;
    assert!(String::from_utf8_lossy(&reply.body).contains("files can't be written"));
    assert_eq!(upload("two").await, 500);
    fs::remove_file(&switch).unwrap();
    readyz(&program, 200).await;
    assert_eq!(upload("three").await, 200);
    program.wait_for_log("ready again: ");
    assert_eq!(program.log().matches("not ready: ").count(), 1, "{}", program.log());
}
