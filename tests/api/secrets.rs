//! Keys, passwords, cookies and the tokens of links, forms and upload addresses are only in the answers to those who need them: not in the
//! data directory, a backup, the log at its finest level, an error, the metrics, or a core dump, whatever was done with them.

mod canaries;
mod person;
mod uses;

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;

use crate::support::program::{Program, RASTERD, TestDir, files_below, poll};
use canaries::Canaries;
use uses::{use_addresses, use_badly, use_well};

/// The first characters of a key are stored, to recognise it.
const SHOWN: usize = 7;
/// The token of a monitor.
const MONITOR: &str = "Kd8vXq3nWz6rTb1mYc5p";

#[tokio::test]
async fn no_secret_is_stored_logged_backed_up_or_repeated_in_an_error() {
    for format in ["text", "json"] {
        let test_dir =
            TestDir::new().with("RASTERD__LOG__LEVEL", "trace").with("RASTERD__LOG__FORMAT", format);
        let token_file = test_dir.path().join("metrics-token");
        std::fs::write(&token_file, MONITOR).unwrap();
        rasterd::file_mode::set_mode(&token_file, 0o600).unwrap();
        let test_dir = test_dir.with("RASTERD__METRICS__TOKEN_FILE", &token_file.display().to_string());
        let mut program = test_dir.serve();
        let (mut canaries, mut shown) = (Canaries::default(), Vec::new());
        let mut keys = vec![program.first_key().to_owned()];
        // As the first start recommends: the key is read, and the file is removed.
        std::fs::remove_file(test_dir.first_key_file()).unwrap();
        keys.extend(keys_made_by_commands(&test_dir));
        for key in &keys {
            use_well(&program.client_of(key)).await;
            use_badly(&program, key, &mut shown).await;
            use_addresses(&program, key, &mut canaries, &mut shown).await;
        }
        person::sign_in_everywhere(&test_dir, &program, &mut canaries, &mut shown).await;
        poll("the link that was used is removed", || (!test_dir.owner_link_file().exists()).then_some(()));
        program.wait_for_log("over plain HTTP");
        let metrics = program.client_of(MONITOR).get("/metrics").await;
        assert_eq!(metrics.status, 200);
        shown.push(metrics.body);
        shown.push(program.client_of("wrong").get("/metrics").await.body);
        let log = program.log();
        assert!(log.contains("/me") && log.contains("over plain HTTP"), "the log says what happened:\n{log}");
        backed_up(&test_dir, "while-it-runs");
        program.signal(Signal::TERM);
        assert_eq!(program.wait().code(), Some(0));
        keys.extend(keys_made_by_commands(&test_dir));
        backed_up(&test_dir, "stopped");
        for key in &keys {
            canaries.add("a key", &key[SHOWN..]);
        }
        canaries.add("the token of metrics", MONITOR);
        canaries.assert_in_none(&places(&test_dir, &program, shown));
        for key in &keys[1..] {
            assert!(!program.output().contains(key.as_str()), "the server prints no key but the first");
        }
    }
}

/// Keys that are created and regenerated, through the server when one runs.
fn keys_made_by_commands(test_dir: &TestDir) -> Vec<String> {
    let made = test_dir.json(&["key", "create", "Made", "--org", "default", "--grant", "library=write"]);
    let id = made["id"].as_str().unwrap();
    let regenerated = test_dir.done(&["key", "regenerate", id]);
    vec![made["key"].as_str().unwrap().to_owned(), regenerated.trim().to_owned()]
}

/// Makes a backup, which is not packed, so that it can be searched.
fn backed_up(test_dir: &TestDir, name: &str) {
    let target = test_dir.path().join("backups").join(name);
    std::fs::create_dir_all(&target).unwrap();
    test_dir.done(&["backup", target.to_str().unwrap()]);
}

/// Everything in which no secret may be.
fn places(test_dir: &TestDir, program: &Program, shown: Vec<Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    let mut places = vec![("the log".to_owned(), program.log().into_bytes())];
    let mut files = test_dir.files();
    files.extend(files_below(&test_dir.path().join("backups")));
    assert!(files.len() > 10, "there are files to look at: {files:?}");
    // The socket of a running server can't be read, and contains nothing.
    let read = |file: &std::path::PathBuf| Some((file.display().to_string(), std::fs::read(file).ok()?));
    places.extend(files.iter().filter_map(read));
    places.extend(
        shown.into_iter().map(|answer| (format!("the answer {}", String::from_utf8_lossy(&answer)), answer)),
    );
    places
}

/// The memory of a server has what clients send, so no crash writes it to a disk.
#[test]
fn a_crash_leaves_no_core_dump_whatever_the_limits_allow() {
    let test_dir = TestDir::new();
    let mut command = test_dir.command_of("sh");
    command.args(["-c", &format!("ulimit -c unlimited && exec {RASTERD} serve")]);
    let mut program = test_dir.serve_by(command);
    program.signal(Signal::ABORT);
    let status = program.wait();
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped(), "{status}");
    let dumps = |files: Vec<std::path::PathBuf>| {
        files
            .into_iter()
            .filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("core")))
    };
    assert_eq!(dumps(files_below(test_dir.path())).count(), 0);
}
