//! The configuration: its layers, what is refused before anything is touched, and how it is shown.

use std::fs;

use crate::support::program::Home;

fn home_with_file(text: &str) -> Home {
    let home = Home::new();
    fs::write(home.path().join("rasterd.toml"), text).unwrap();
    home
}

#[test]
fn unknown_keys_and_bad_values_stop_the_start_with_their_place() {
    let home = home_with_file("[server]\nbnid = \"127.0.0.1:0\"\n[limits]\npage_size = \"many\"\n")
        .with("RASTERD__SERVER__WORKRES", "2")
        .with("RASTERD__FETCH__ENABLED", "perhaps");
    let line = ["--config", "rasterd.toml", "--set", "trash.days=3"];
    for command in [&["serve"][..], &["config", "check"], &["config", "show"], &["key", "list"], &["certs"]] {
        let said = home.run(&[command, &line[..]].concat()).failed(1);
        for problem in [
            "rasterd.toml: there is no key server.bnid; did you mean server.bind?",
            "rasterd.toml: limits.page_size must be a whole number from 1 to 9007199254740992; it is \"many\"",
            "environment variable RASTERD__SERVER__WORKRES: there is no key server.workres; did you mean server.workers?",
            "environment variable RASTERD__FETCH__ENABLED: fetch.enabled must be true or false; it is \"perhaps\"",
            "flag --set: there is no key trash.days",
        ] {
            assert!(said.contains(problem), "{command:?}: {problem}\nin {said}");
        }
    }
    assert!(!home.data_dir().exists() && !home.certificates().exists());
}

#[test]
fn a_file_that_can_not_be_read_is_named() {
    let home = home_with_file("[server\n");
    let said = home.run(&["config", "check", "--config", "rasterd.toml"]).failed(1);
    assert!(said.contains("rasterd.toml is not valid TOML"), "{said}");
    let said = home.run(&["config", "check", "--config", "missing.toml"]).failed(1);
    assert!(said.contains("missing.toml: the configuration file can't be read"), "{said}");
    let missing = ["--set", "tls.cert_file=no.pem", "--set", "tls.key_file=no-key.pem"];
    let said = home.run(&[&["config", "check"], &missing[..]].concat()).failed(1);
    assert!(said.contains("tls.cert_file must be a file") && said.contains("no-key.pem"), "{said}");
}

#[test]
fn values_that_mean_nothing_are_refused() {
    let home = Home::new();
    for (set, expected) in [
        ("server.bind=everywhere", "server.bind"),
        ("server.public_url=http://assets.example.org", "https"),
        ("fetch.allow=the-moon", "fetch.allow"),
        ("log.format=xml", "log.format"),
        ("log.level=rasterd=loud", "log.level"),
        ("limits.file_bytes=lots", "1 GiB"),
        ("trash.keep_days=-1", "trash.keep_days"),
        ("media.video_tool=/nowhere/ffmpeg", "media.video_tool must be a program on this machine"),
    ] {
        let said = home.run(&["config", "check", "--set", set]).failed(1);
        assert!(said.contains("flag --set") && said.contains(expected), "{set}: {said}");
    }
}

/// The value of a key, and where it came from.
fn shown(out: &str, key: &str) -> (String, String) {
    let line = out
        .lines()
        .find(|line| line.split(' ').next() == Some(key))
        .unwrap_or_else(|| panic!("{key} in {out}"));
    let mut cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).skip(1);
    let mut cell = || cells.next().unwrap().to_owned();
    (cell(), cell())
}

#[test]
fn later_layers_win_and_each_value_tells_where_it_came_from() {
    let home = home_with_file("[limits]\nids_per_call = 7\ntags_per_call = 7\npage_size = 7\n")
        .with("RASTERD__LIMITS__TAGS_PER_CALL", "8")
        .with("RASTERD__LIMITS__PAGE_SIZE", "8");
    let out = home.done(&["config", "show", "--config", "rasterd.toml", "--set", "limits.page_size=9"]);
    for (key, value, from) in [
        ("limits.ids_per_call", "7", "rasterd.toml"),
        ("limits.tags_per_call", "8", "environment variable RASTERD__LIMITS__TAGS_PER_CALL"),
        ("limits.page_size", "9", "flag --set"),
        ("limits.tag_filter", "50", "default"),
    ] {
        assert_eq!(shown(&out, key), (value.to_owned(), from.to_owned()));
    }
    assert_eq!(
        home.done(&["config", "check", "--config", "rasterd.toml"]),
        "The configuration can be used.\n"
    );
    assert!(!home.data_dir().exists());
}

#[tokio::test]
async fn a_server_does_as_it_is_configured() {
    let home =
        Home::new().with("RASTERD__LIMITS__TAGS_PER_CALL", "1").with("RASTERD__LIMITS__IDS_PER_CALL", "2");
    let program = home.serve();
    let rest = program.rest_of(program.first_key());
    let path = format!("{}/tag", crate::support::program::ASSETS);
    let tagged =
        |ids: usize, tags: usize| serde_json::json!({ "assetIds": vec!["x"; ids], "tags": vec!["t"; tags] });
    assert_eq!(rest.post(&path, tagged(2, 2)).await.error_code(), "BAD_USER_INPUT");
    assert_eq!(rest.post(&path, tagged(3, 1)).await.error_code(), "BAD_USER_INPUT");
    assert_eq!(rest.post(&path, tagged(2, 1)).await.error_code(), "RESOURCE_NOT_FOUND");
}
