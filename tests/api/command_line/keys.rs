//! `rasterd key`: takes effect with the next request, and prints a secret as the only output.

use serde_json::{Value, json};

use crate::rest::{Form, picture};
use crate::support::program::{ASSETS, Ended, Home, Program, RASTERD};

/// What a key gets: the status of reading a library, and of writing to it.
async fn met(program: &Program, key: &str) -> [(u16, String); 2] {
    let rest = program.rest_of(key);
    let mut form = Form::default();
    form.file("files", "a.png", &picture("a"));
    let replies = [rest.get(ASSETS).await, rest.send_form(ASSETS, form).await];
    replies.map(|reply| (reply.status, if reply.status == 200 { String::new() } else { reply.error_code() }))
}

fn done() -> (u16, String) {
    (200, String::new())
}

fn no_grant() -> (u16, String) {
    (404, "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY".to_owned())
}

fn unknown() -> (u16, String) {
    (401, "INVALID_API_KEY".to_owned())
}

/// Runs commands with a running server, or with one that is started only for the check.
struct Place {
    home: Home,
    program: Option<Program>,
}

impl Place {
    fn new(stays_up: bool) -> Self {
        let home = Home::new();
        let program = home.serve();
        if stays_up {
            return Self { home, program: Some(program) };
        }
        program.stop();
        Self { home, program: None }
    }

    /// What a key gets with the next requests.
    async fn met(&self, key: &str) -> [(u16, String); 2] {
        if let Some(program) = &self.program {
            return met(program, key).await;
        }
        let program = self.home.serve();
        let met = met(&program, key).await;
        program.stop();
        met
    }
}

#[tokio::test]
async fn a_change_of_a_key_takes_effect_with_the_next_request() {
    for stays_up in [true, false] {
        let place = Place::new(stays_up);
        let home = &place.home;
        let made = home.json(&["key", "create", "Robot", "--org", "default", "--grant", "library=write"]);
        let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
        assert_eq!(place.met(key).await, [done(), done()]);
        home.done(&["key", "grant", id, "library=read"]);
        assert_eq!(place.met(key).await, [done(), no_grant()]);
        home.done(&["key", "grant", id, "library=none"]);
        assert_eq!(place.met(key).await, [no_grant(), no_grant()]);
        home.done(&["key", "grant", id, "library=write"]);
        assert_eq!(place.met(key).await, [done(), done()]);
        let regenerated = home.done(&["key", "regenerate", id]).trim().to_owned();
        assert_eq!(place.met(key).await, [unknown(), unknown()]);
        assert_eq!(place.met(&regenerated).await, [done(), done()]);
        home.done(&["key", "delete", id]);
        assert_eq!(place.met(&regenerated).await, [unknown(), unknown()]);
        home.run(&["key", "show", id]).failed(1);
    }
}

#[test]
fn a_key_is_shown_with_everything_but_its_value() {
    for stays_up in [true, false] {
        let Place { home, program: _running } = Place::new(stays_up);
        home.done(&["library", "create", "Archive", "--org", "default"]);
        let grants = ["--grant", "library=read", "--grant", "archive=write", "--expires", "90d"];
        let mut made = home.json(&[&["key", "create", "Robot", "--org", "default"], &grants[..]].concat());
        let key = made["key"].as_str().unwrap().to_owned();
        assert_eq!(made["name"], "Robot");
        assert_eq!(made["organizationId"], "default");
        assert_eq!(made["grants"], json!({ "archive": "write", "library": "read" }));
        assert_eq!(made["start"], key[..7]);
        let days = made["expires"].as_u64().unwrap() - made["created"].as_u64().unwrap();
        assert_eq!(days, 90 * 24 * 60 * 60 * 1000);
        made.as_object_mut().unwrap().remove("key");
        let id = made["id"].as_str().unwrap();
        assert_eq!(home.json(&["key", "show", id]), made);
        let listed = home.json(&["key", "list", "--org", "default"]);
        assert!(listed.as_array().unwrap().contains(&made), "{listed}");
        let renamed = home.json(&["key", "rename", id, "Android"]);
        assert_eq!((&renamed["name"], &renamed["grants"]), (&"Android".into(), &made["grants"]));
        let for_people = [home.done(&["key", "show", id]), home.done(&["key", "list"])].concat();
        assert!(
            for_people.contains("Android") && for_people.contains("archive=write library=read"),
            "{for_people}"
        );
        assert!(!for_people.contains(&key[7..]), "{for_people}");
        home.json(&["key", "delete", id]);
        assert_eq!(home.json(&["key", "list"]).as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_shell_reads_a_new_key_and_nothing_else() {
    let home = Home::new();
    let program = home.serve();
    let script = format!(
        r#"set -eu
KEY=$("{RASTERD}" key create Robot --org default --grant library=read 2>hints)
printf %s "$KEY" >first
ID=$("{RASTERD}" key list --json | tr -d ' \n' | grep -o '"id":"[^"]*","name":"Robot"' | cut -d'"' -f4)
KEY=$("{RASTERD}" key regenerate "$ID" 2>>hints)
printf %s "$KEY""#
    );
    let ended = Ended::of(home.command_of("bash").args(["-c", &script]));
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let read = |name| std::fs::read_to_string(home.path().join(name)).unwrap();
    let (first, second, hints) = (read("first"), ended.out, read("hints"));
    for key in [&first, &second] {
        assert!(key.len() == 48 && key.starts_with("pk_"), "{key:?}");
        assert!(!hints.contains(&key[7..]), "{hints}");
    }
    assert!(
        hints.contains("(Robot) of default, grants: library=read. It is shown only this once."),
        "{hints}"
    );
    assert_eq!(met(&program, &first).await[0], unknown());
    assert_eq!(met(&program, &second).await[0], done());
}

#[tokio::test]
async fn a_key_ends_by_itself() {
    let home = Home::new();
    let program = home.serve();
    let create =
        ["key", "create", "Brief", "--org", "default", "--grant", "library=write", "--expires", "1s"];
    let key = home.done(&create).trim().to_owned();
    let started = std::time::Instant::now();
    while met(&program, &key).await != [unknown(), unknown()] {
        assert!(started.elapsed() < crate::support::raw::DEADLINE, "the key does not end");
    }
    assert_eq!(home.json(&["key", "list"]).as_array().unwrap().len(), 2, "it is listed until it is deleted");
}

#[test]
fn failed_commands_give_the_reason() {
    for stays_up in [true, false] {
        let Place { home, program: _running } = Place::new(stays_up);
        let before = home.json(&["key", "list"]);
        let first = before[0]["id"].as_str().unwrap();
        for (arguments, reason) in [
            (&["key", "create", "x", "--org", "none"][..], "rganization"),
            (&["key", "create", "x", "--org", "default", "--grant", "none=read"], "no library \"none\""),
            (&["key", "create", " ", "--org", "default"], "name"),
            (&["key", "show", "none"], "key"),
            (&["key", "rename", "none", "x"], "key"),
            (&["key", "rename", first, ""], "name"),
            (&["key", "regenerate", "none"], "key"),
            (&["key", "delete", "none"], "key"),
            (&["key", "grant", "none", "library=read"], "key"),
            (&["key", "grant", first, "none=read"], "no library \"none\""),
            (&["key", "list", "--org", "none"], "rganization"),
        ] {
            let said = home.run(arguments).failed(1);
            assert!(said.starts_with("rasterd: ") && said.contains(reason), "{arguments:?}: {said}");
        }
        assert_eq!(home.json(&["key", "list"]), before, "nothing was changed");
    }
}

#[test]
fn invalid_arguments_exit_with_2_and_say_what_is_expected() {
    let home = Home::new();
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
        let said = home.run(arguments).failed(2);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert!(!home.data_dir().exists());
}

#[test]
fn concurrent_commands_are_all_performed() {
    for stays_up in [true, false] {
        let Place { home, program: _running } = Place::new(stays_up);
        let commands: Vec<_> = (0..6)
            .map(|number| {
                let mut command = home.command_of(RASTERD);
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
        assert_eq!(home.json(&["key", "list"]).as_array().unwrap().len(), 7);
    }
}

#[tokio::test]
async fn the_use_of_a_key_is_shown_to_the_minute() {
    let home = Home::new();
    let program = home.serve();
    let key = program.first_key().to_owned();
    let last_used = || home.json(&["key", "list"])[0]["lastUsed"].clone();
    assert_eq!(last_used(), Value::Null);
    assert_eq!(program.rest_of(&key).get("/me").await.status, 200);
    program.stop();
    let used = last_used().as_u64().unwrap();
    let created = home.json(&["key", "list"])[0]["created"].as_u64().unwrap();
    // Never before it was created, although the minute of its first use may have begun then.
    assert!(used == created || (used % 60_000 == 0 && used > created), "{used} {created}");
}
