//! The commands that print documents: schemas, certificates, help.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::program::{Exit, RASTERD, TestDir};
use crate::support::send;

fn names(tools: &Value) -> BTreeSet<String> {
    tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_printed_schemas_are_those_of_the_server() {
    let test_dir = TestDir::new()
        .with("RASTERD__LIMITS__PAGE_SIZE", "321")
        .with("RASTERD__LIMITS__IDS_PER_CALL", "43")
        .with("RASTERD__TRASH__KEEP_DAYS", "8");
    let program = test_dir.serve();
    let client = program.client_of(program.first_key());
    for (arguments, path) in [
        (&["schema", "openapi"][..], "/openapi.json"),
        (&["schema", "openapi", "--version", "2026-05-20"], "/openapi.json?version=2026-05-20"),
        (&["schema", "openapi", "--version=2026-07-08"], "/openapi.json?version=2026-07-08"),
    ] {
        let printed: Value = serde_json::from_str(&test_dir.done(arguments)).unwrap();
        assert_eq!(printed, client.get(path).await.json(), "{arguments:?}");
        for configured in ["at most 321;", "\"maxItems\":43", "for 8 days"] {
            assert!(printed.to_string().contains(configured), "{configured} in {arguments:?}");
        }
    }
    let printed: Value = serde_json::from_str(&test_dir.done(&["schema", "mcp"])).unwrap();
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let request = client.request(reqwest::Method::POST, "/mcp").header("Content-Type", "application/json");
    let listed = send(request.body(list)).await.json();
    assert_eq!(printed["tools"], listed["result"]["tools"]);
    let sdl = test_dir.done(&["schema", "graphql"]);
    let fields = json!({ "query": "{ __schema { mutationType { fields { name } } } }" });
    let fields = client.post_json("/graphql", &fields).await.json();
    assert!(sdl.contains("pageSize up to 321;") && sdl.contains("Moves 1 to 43 assets"), "{sdl}");
    for field in names(&fields["data"]["__schema"]["mutationType"]["fields"]) {
        assert!(sdl.contains(&format!("\t{field}(")), "{field} in {sdl}");
    }
}

#[test]
fn the_version_of_a_schema_must_exist() {
    let test_dir = TestDir::new();
    let exit = test_dir.run(&["schema", "openapi", "--version", "2026-01-01"]);
    assert_eq!(exit.code, Some(2));
    assert!(exit.stderr.contains("expected 2026-05-20 or 2026-07-08"), "{}", exit.stderr);
}

#[test]
fn certificates_are_created_without_a_server_and_kept() {
    let test_dir = TestDir::new();
    let stderr = test_dir.done(&["certs"]);
    let files = ["server.pem", "server-key.pem", "ca.pem"].map(|name| test_dir.certificates().join(name));
    for file in &files {
        assert!(stderr.contains(&file.display().to_string()), "{stderr}");
    }
    let read = || files.clone().map(|file| std::fs::read(file).unwrap());
    let before = read();
    assert_eq!(test_dir.done(&["certs"]), stderr);
    assert_eq!(read(), before);
    assert!(!test_dir.data_dir().exists());
    let program = test_dir.serve();
    assert_eq!(read(), before, "the server takes what is there: {}", program.url());
}

#[test]
fn help_and_version_are_output_and_not_failures() {
    let test_dir = TestDir::new();
    let version = test_dir.done(&["--version"]);
    assert!(version.starts_with(&format!("rasterd {}\ncommit: ", env!("CARGO_PKG_VERSION"))), "{version}");
    assert!(test_dir.done(&["-V"]).starts_with(&format!("rasterd {}", env!("CARGO_PKG_VERSION"))));
    for arguments in
        [&["--help"][..], &["help"], &["key", "--help"], &["key", "create", "--help"], &["serve", "--help"]]
    {
        assert!(test_dir.done(arguments).contains("Usage: rasterd"), "{arguments:?}");
    }
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let test_dir = TestDir::new();
    let script = format!("set -o pipefail; \"{RASTERD}\" schema openapi | head -c 1");
    let exit = Exit::of(test_dir.command_of("bash").args(["-c", &script]));
    assert_eq!((exit.code, exit.stdout.as_str(), exit.stderr.as_str()), (Some(0), "{", ""));
}

#[test]
fn shells_complete_commands_by_what_is_printed() {
    let test_dir = TestDir::new();
    let script = test_dir.done(&["completions", "bash"]);
    let typed =
        "COMP_WORDS=(rasterd ser) COMP_CWORD=1; _rasterd rasterd ser rasterd; echo \"${COMPREPLY[*]}\"";
    let bash =
        std::process::Command::new("bash").args(["-c", &format!("{script}\n{typed}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&bash.stdout).trim(), "serve", "{bash:?}");
    for (shell, start) in [("zsh", "#compdef rasterd"), ("fish", "# Print an optspec")] {
        let script = test_dir.done(&["completions", shell]);
        assert!(script.starts_with(start), "{script}");
    }
    assert_eq!(test_dir.run(&["completions", "tcsh"]).code, Some(2));
}

/// Where it is installed.
#[test]
fn fish_completes_the_words_that_an_argument_takes() {
    let test_dir = TestDir::new();
    let script = test_dir.done(&["completions", "fish"]);
    let has_fish = std::process::Command::new("fish").arg("--version").output().is_ok();
    for (typed, word) in [
        ("completions ", "zsh"),
        ("docs ", "first-steps"),
        ("snippet c", "claude-code"),
        ("member role ada@example.org ", "editor"),
        ("member invite --role ", "viewer"),
    ] {
        if !has_fish {
            assert!(
                script.contains(&format!(" -f -a '{word}'")) || typed.contains("--"),
                "{word} in {script}"
            );
            continue;
        }
        let line = format!("{script}\ncomplete -C'rasterd {typed}'");
        let fish = std::process::Command::new("fish").args(["--no-config", "-c", &line]).output().unwrap();
        let found = String::from_utf8_lossy(&fish.stdout);
        let is_found = found.lines().any(|line| line.split('\t').next() == Some(word));
        assert!(is_found && !found.contains("Cargo.toml"), "{typed}: {found} {fish:?}");
    }
}

#[test]
fn manual_pages_are_written_to_a_folder_and_failures_name_it() {
    let test_dir = TestDir::new();
    let folder = test_dir.data_dir().with_file_name("man1");
    test_dir.done(&["man", folder.to_str().unwrap()]);
    let page = folder.join("rasterd-backup.1");
    assert!(std::fs::read_to_string(&page).unwrap().contains("rasterd"));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&page)), (0o755, 0o644), "everybody may read them");
    let file = folder.join("rasterd.1").join("below-a-file");
    let exit = test_dir.run(&["man", file.to_str().unwrap()]);
    assert_eq!(exit.code, Some(1));
    assert!(exit.stderr.contains(file.to_str().unwrap()), "{}", exit.stderr);
}
