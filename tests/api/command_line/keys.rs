//! `rasterd key`: takes effect with the next request, and prints a secret as the only output.

use serde_json::{Value, json};

use crate::rest::{Form, picture};
use crate::support::program::{ASSETS, Exit, Program, RASTERD, TestDir, poll};

/// The access of a key: the result of reading a library, and of writing to it.
async fn access_of(program: &Program, key: &str) -> [(u16, String); 2] {
    let rest = program.rest_of(key);
    let mut form = Form::default();
    form.file("files", "a.png", &picture("a"));
    let replies = [rest.get(ASSETS).await, rest.send_form(ASSETS, form).await];
    replies.map(|reply| (reply.status, if reply.status == 200 { String::new() } else { reply.error_code() }))
}

fn allowed() -> (u16, String) {
    (200, String::new())
}

fn no_grant() -> (u16, String) {
    (404, "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY".to_owned())
}

fn unknown() -> (u16, String) {
    (401, "INVALID_API_KEY".to_owned())
}

/// Runs commands with a running server, or with one that is started only for the check.
struct Installation {
    test_dir: TestDir,
    program: Option<Program>,
}

impl Installation {
    fn new(stays_up: bool) -> Self {
        let test_dir = TestDir::new();
        let program = test_dir.serve();
        if stays_up {
            return Self { test_dir, program: Some(program) };
        }
        program.stop();
        Self { test_dir, program: None }
    }

    /// The access of a key in the next requests.
    async fn access_of(&self, key: &str) -> [(u16, String); 2] {
        if let Some(program) = &self.program {
            return access_of(program, key).await;
        }
        let program = self.test_dir.serve();
        let access_of = access_of(&program, key).await;
        program.stop();
        access_of
    }
}

#[tokio::test]
async fn a_change_of_a_key_takes_effect_with_the_next_request() {
    for stays_up in [true, false] {
        let place = Installation::new(stays_up);
        let test_dir = &place.test_dir;
        let made = test_dir.json(&["key", "create", "Robot", "--org", "default", "--grant", "library=write"]);
        let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
        assert_eq!(place.access_of(key).await, [allowed(), allowed()]);
        test_dir.done(&["key", "grant", id, "library=read"]);
        assert_eq!(place.access_of(key).await, [allowed(), no_grant()]);
        test_dir.done(&["key", "grant", id, "library=none"]);
        assert_eq!(place.access_of(key).await, [no_grant(), no_grant()]);
        test_dir.done(&["key", "grant", id, "library=write"]);
        assert_eq!(place.access_of(key).await, [allowed(), allowed()]);
        let regenerated = test_dir.done(&["key", "regenerate", id]).trim().to_owned();
        assert_eq!(place.access_of(key).await, [unknown(), unknown()]);
        assert_eq!(place.access_of(&regenerated).await, [allowed(), allowed()]);
        test_dir.done(&["key", "delete", id]);
        assert_eq!(place.access_of(&regenerated).await, [unknown(), unknown()]);
        test_dir.run(&["key", "show", id]).failed(1);
    }
}

#[test]
fn a_key_is_shown_with_everything_but_its_value() {
    for stays_up in [true, false] {
        let Installation { test_dir, program: _running } = Installation::new(stays_up);
        test_dir.done(&["library", "create", "Archive", "--org", "default"]);
        let grants = ["--grant", "library=read", "--grant", "archive=write", "--expires", "90d"];
        let mut made =
            test_dir.json(&[&["key", "create", "Robot", "--org", "default"], &grants[..]].concat());
        let key = made["key"].as_str().unwrap().to_owned();
        assert_eq!(made["name"], "Robot");
        assert_eq!(made["organizationId"], "default");
        assert_eq!(made["grants"], json!({ "archive": "write", "library": "read" }));
        assert_eq!(made["start"], key[..7]);
        let days = made["expires"].as_u64().unwrap() - made["created"].as_u64().unwrap();
        assert_eq!(days, 90 * 24 * 60 * 60 * 1000);
        made.as_object_mut().unwrap().remove("key");
        let id = made["id"].as_str().unwrap();
        assert_eq!(test_dir.json(&["key", "show", id]), made);
        let listed = test_dir.json(&["key", "list", "--org", "default"]);
        assert!(listed.as_array().unwrap().contains(&made), "{listed}");
        let renamed = test_dir.json(&["key", "rename", id, "Android"]);
        assert_eq!((&renamed["name"], &renamed["grants"]), (&"Android".into(), &made["grants"]));
        let for_people = [test_dir.done(&["key", "show", id]), test_dir.done(&["key", "list"])].concat();
        assert!(
            for_people.contains("Android") && for_people.contains("archive=write library=read"),
            "{for_people}"
        );
        assert!(!for_people.contains(&key[7..]), "{for_people}");
        test_dir.json(&["key", "delete", id]);
        assert_eq!(test_dir.json(&["key", "list"]).as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_shell_reads_a_new_key_and_nothing_else() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let script = format!(
        r#"set -eu
KEY=$("{RASTERD}" key create Robot --org default --grant library=read 2>hints)
printf %s "$KEY" >first
ID=$("{RASTERD}" key list --json | tr -d ' \n' | grep -o '"id":"[^"]*","name":"Robot"' | cut -d'"' -f4)
KEY=$("{RASTERD}" key regenerate "$ID" 2>>hints)
printf %s "$KEY""#
    );
    let exit = Exit::of(test_dir.command_of("bash").args(["-c", &script]));
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""));
    let read = |name| std::fs::read_to_string(test_dir.path().join(name)).unwrap();
    let (first, second, hints) = (read("first"), exit.stdout, read("hints"));
    for key in [&first, &second] {
        assert!(key.len() == 48 && key.starts_with("pk_"), "{key:?}");
        assert!(!hints.contains(&key[7..]), "{hints}");
    }
    assert!(
        hints.contains("(Robot) of default, grants: library=read. It is shown only this once."),
        "{hints}"
    );
    assert_eq!(access_of(&program, &first).await[0], unknown());
    assert_eq!(access_of(&program, &second).await[0], allowed());
}

#[tokio::test]
async fn a_key_expires() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let create =
        ["key", "create", "Brief", "--org", "default", "--grant", "library=write", "--expires", "1s"];
    let key = test_dir.done(&create).trim().to_owned();
    let started = std::time::Instant::now();
    while access_of(&program, &key).await != [unknown(), unknown()] {
        assert!(started.elapsed() < crate::support::raw::DEADLINE, "the key does not end");
    }
    assert_eq!(
        test_dir.json(&["key", "list"]).as_array().unwrap().len(),
        2,
        "it is listed until it is deleted"
    );
}

#[test]
fn failed_commands_give_the_reason() {
    for stays_up in [true, false] {
        let Installation { test_dir, program: _running } = Installation::new(stays_up);
        let before = test_dir.json(&["key", "list"]);
        let first = before[0]["id"].as_str().unwrap();
        for (arguments, reason) in [
            (&["key", "create", "x", "--org", "none"][..], "rganization"),
            (&["key", "create", "x", "--org", "default", "--grant", "none=read"], "no library \"none\""),
            (&["key", "create", " ", "--org", "default"], "name"),
            (&["key", "show", "none"], "key"),
            (&["key", "rename", "none", "x"], "key"),
            (&["key", "rename", first, " "], "name"),
            (&["key", "regenerate", "none"], "key"),
            (&["key", "delete", "none"], "key"),
            (&["key", "grant", "none", "library=read"], "key"),
            (&["key", "grant", first, "none=read"], "no library \"none\""),
            (&["key", "list", "--org", "none"], "rganization"),
        ] {
            let stderr = test_dir.run(arguments).failed(1);
            assert!(stderr.starts_with("rasterd: ") && stderr.contains(reason), "{arguments:?}: {stderr}");
        }
        assert_eq!(test_dir.json(&["key", "list"]), before, "nothing was changed");
    }
}

#[test]
fn invalid_arguments_exit_with_2_and_say_what_is_expected() {
    let test_dir = TestDir::new();
    for (arguments, expected) in [
        (&[][..], "Usage: rasterd"),
        (&["nonsense"], "unrecognized subcommand"),
        (&["key"], "Usage: rasterd key"),
        (&["key", "create", "x"], "--org"),
        (&["key", "create", "x", "--org", "o", "--grant", "photos"], "photos=read"),
        (&["key", "create", "x", "--org", "o", "--grant", "photos=admin"], "read, write or none"),
        (&["key", "create", "x", "--org", "o", "--grant", "photos=none"], "leave photos out"),
        (&["key", "create", "x", "--org", "o", "--expires", "soon"], "90d"),
        (&["key", "create", "x", "--org", "o", "--expires", "0s"], "from 1s"),
        (&["key", "grant", "id"], "LIBRARY=read|write|none"),
        (&["key", "show"], "KEY_ID"),
        (&["serve", "--port", "1"], "--port"),
        (&["--set", "x", "serve"], "server.workers=4"),
        (&["library", "list"], "--org"),
        (&["schema", "soap"], "unrecognized subcommand"),
    ] {
        let stderr = test_dir.run(arguments).failed(2);
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    assert!(!test_dir.data_dir().exists());
}

#[test]
fn concurrent_commands_are_all_performed() {
    for stays_up in [true, false] {
        let Installation { test_dir, program: _running } = Installation::new(stays_up);
        let commands: Vec<_> = (0..6)
            .map(|number| {
                let mut command = test_dir.command_of(RASTERD);
                command.args(["key", "create", &format!("Robot {number}"), "--org", "default", "--json"]);
                command.stdout(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for command in commands {
            let output = command.wait_with_output().unwrap();
            assert!(output.status.success());
            let made: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert!(made["key"].is_string(), "{made}");
        }
        assert_eq!(test_dir.json(&["key", "list"]).as_array().unwrap().len(), 7);
    }
}

#[tokio::test]
async fn the_use_of_a_key_is_shown_to_the_minute() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    let last_used = || test_dir.json(&["key", "list"])[0]["lastUsed"].clone();
    assert_eq!(last_used(), Value::Null);
    assert_eq!(program.rest_of(&key).get("/me").await.status, 200);
    program.stop();
    let used = last_used().as_u64().unwrap();
    let created = test_dir.json(&["key", "list"])[0]["created"].as_u64().unwrap();
    // Never before it was created, although the minute of its first use may have begun then.
    assert!(used == created || (used % 60_000 == 0 && used > created), "{used} {created}");
}

/// `key explain` names every tool once: with the libraries where the key can use it, or with the reason why it can't.
#[test]
fn what_a_key_can_do_is_explained_tool_by_tool() {
    for stays_up in [true, false] {
        let Installation { test_dir, program: _running } = Installation::new(stays_up);
        test_dir.done(&["library", "create", "Archive", "--org", "default"]);
        let grants = ["--grant", "library=read", "--grant", "archive=write", "--expires", "90d"];
        let made = test_dir.json(&[&["key", "create", "Robot", "--org", "default"], &grants[..]].concat());
        let id = made["id"].as_str().unwrap();
        let explained = test_dir.json(&["key", "explain", id]);
        assert_eq!((&explained["key"]["id"], &explained["expired"]), (&made["id"], &json!(false)));
        assert!(!explained.to_string().contains(made["key"].as_str().unwrap()));
        let tools = explained["tools"].as_array().unwrap();
        assert_eq!(tools.len(), rasterd::operations::declarations().len());
        let of = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap();
        assert_eq!(of("whoami")["can"], "everywhere");
        assert_eq!(of("list_assets")["libraries"], json!(["archive", "library"]));
        assert_eq!(of("delete_assets")["libraries"], json!(["archive"]));
        assert_eq!(of("transfer_assets")["because"], "needs Write on two libraries");
        assert_eq!(of("set_asset_approval")["can"], "nowhere");
        let text = test_dir.done(&["key", "explain", id]);
        for tool in tools {
            let name = tool["name"].as_str().unwrap();
            let named = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| *word == name);
            assert_eq!(named.count(), 1, "{name}: {text}");
        }
        assert!(text.contains("It expires on ") && text.contains("Last used: never."), "{text}");
        assert!(text.contains("Only in archive, library:") && text.contains("Only in archive:"), "{text}");
        test_dir.run(&["key", "explain", "key_none"]).failed(1);
        let short =
            ["key", "create", "Short", "--org", "default", "--grant", "library=read", "--expires", "1s"];
        let short = test_dir.json(&short)["id"].clone();
        let explain = ["key", "explain", short.as_str().unwrap()];
        poll("the key expires", || {
            let explained = test_dir.json(&explain);
            (explained["expired"] == true).then_some(())
        });
        let text = test_dir.done(&explain);
        assert!(text.contains("It expired on ") && text.contains("no longer works"), "{text}");
    }
}
