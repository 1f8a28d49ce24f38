//! How a server for tests ends, and what it leaves: nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rasterd::testing::TempFolder;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::json;

use super::{Ephemeral, command, uploaded};
use crate::support::Client;
use crate::support::output::Output;
use crate::support::program::{RASTERD, TestDir, poll};

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().count() == 0
}

fn ends(pid: i32) {
    let pid = Pid::from_raw(pid).unwrap();
    poll("the server ends with its parent", || test_kill_process(pid).is_err().then_some(()));
}

#[tokio::test]
async fn everything_is_removed_at_the_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Ephemeral::start(&[]);
        uploaded(&server.rest("write"), "one").await;
        assert!(server.directory().starts_with(server.folder.path()));
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "{}", server.stderr.text());
        assert!(is_empty(server.folder.path()));
    }
}

#[test]
fn what_a_killed_server_left_is_removed_by_the_next_start() {
    let folder = TempFolder::in_memory();
    let mut killed = command(&folder, &[]).stdout(Stdio::piped()).spawn().unwrap();
    let output = Output::of(killed.stdout.take().unwrap());
    output.wait_for(|text| text.ends_with('\n').then_some(())).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left.len(), 1);
    let next = Ephemeral::start_in(folder, &[]);
    poll("the directory is swept", || (!left[0].exists()).then_some(()));
    assert!(next.directory().exists(), "that of a server that runs stays");
}

/// Starts a server as the child of a shell, which prints the number of its process first and then waits.
fn started_by_a_shell(folder: &TempFolder, flags: &str) -> (std::process::Child, Output, i32) {
    let script =
        format!("{RASTERD} serve --ephemeral --data-dir {} {flags} & echo $!; wait", folder.path().display());
    let mut shell = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let output = Output::of(shell.stdout.take().unwrap());
    let pid =
        output.wait_for(|text| text.contains("\"control\"").then(|| text.lines().next().unwrap().to_owned()));
    let pid = pid.unwrap().parse().unwrap();
    (shell, output, pid)
}

#[test]
fn a_server_whose_output_is_a_pipe_ends_with_its_parent() {
    let folder = TempFolder::in_memory();
    let (mut shell, output, pid) = started_by_a_shell(&folder, "");
    shell.kill().unwrap();
    shell.wait().unwrap();
    output.whole();
    ends(pid);
    poll("everything is removed", || is_empty(folder.path()).then_some(()));
}

#[test]
fn a_server_can_outlive_its_parent() {
    let folder = TempFolder::in_memory();
    let (mut shell, _output, pid) = started_by_a_shell(&folder, "--die-with-parent=false");
    shell.kill().unwrap();
    shell.wait().unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    assert!(test_kill_process(pid).is_ok());
    kill_process(pid, Signal::TERM).unwrap();
    poll("everything is removed", || is_empty(folder.path()).then_some(()));
}

#[tokio::test]
async fn a_shell_evaluates_the_exports_and_takes_the_server_with_it() {
    for shell in ["sh", "bash"] {
        let folder = TempFolder::in_memory();
        let script = format!(
            "eval \"$({RASTERD} serve --ephemeral --export --data-dir {})\"\n\
             printf '%s\\n' \"$RASTERD_PID\" \"$RASTERD_URL\" \"$RASTERD_API_KEY\" \"$RASTERD_ORGANIZATION\" \"$RASTERD_LIBRARY\"\n\
             printf '%s\\n' \"$SSL_CERT_FILE\" \"$NODE_EXTRA_CA_CERTS\" done\nread line",
            folder.path().display()
        );
        let mut command = Command::new(shell);
        let mut child =
            command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = Output::of(child.stdout.take().unwrap());
        let text = output.wait_for(|text| text.ends_with("done\n").then(|| text.to_owned())).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let [pid, url, key, organization, library, bundle, ca_file, _] = lines[..] else { panic!("{text}") };
        assert_eq!((organization, library), ("test", "main"));
        let ca = fs::read_to_string(ca_file).unwrap();
        assert!(fs::read_to_string(bundle).unwrap().contains(ca.trim()), "the bundle has the authority, too");
        let me = Client::of(url, &ca)
            .with_key(key)
            .request(Method::GET, "/me")
            .header("Api-Version", "2026-07-08");
        assert_eq!(me.send().await.unwrap().status(), 200);
        // The shell reads the end of its input, and ends.
        drop(child.stdin.take());
        child.wait().unwrap();
        ends(pid.parse().unwrap());
        poll("everything is removed", || is_empty(folder.path()).then_some(()));
    }
}

#[tokio::test]
async fn an_ordinary_server_has_no_control_door() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let client = program.client_of(program.first_key());
    let unknown = client.get("/_unknown/reset").await;
    for path in ["/_test", "/_test/", "/_test/reset", "/_test/openapi.json", "/_test/requests"] {
        for method in [Method::GET, Method::POST] {
            let request = client.request(method.clone(), path).body(json!({}).to_string());
            let reply = crate::support::send(request).await;
            assert_eq!((reply.status, &reply.body), (404, &unknown.body), "{method} {path}");
        }
    }
}
