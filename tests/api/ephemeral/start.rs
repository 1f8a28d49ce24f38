//! What a server for tests begins with.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rasterd::testing::TempFolder;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

use super::{ASSETS, Ephemeral, command, found, names, upload, uploaded};
use crate::rest::picture;
use crate::support::program::{Exit, TestDir};
use crate::support::{Reply, send};

#[tokio::test]
async fn the_line_says_how_to_reach_everything() {
    let server = Ephemeral::start(&[]);
    let url = server.text("/url");
    assert!(url.starts_with("https://localhost:"), "{url}");
    for (pointer, path) in
        [("/mcpUrl", "/mcp"), ("/graphqlUrl", "/graphql"), ("/appUrl", "/app"), ("/control/url", "/_test")]
    {
        assert_eq!(server.text(pointer), format!("{url}{path}"));
    }
    assert_eq!(fs::read_to_string(server.text("/caFile")).unwrap(), server.text("/caPem"));
    assert_eq!(
        (server.text("/organizationId"), server.text("/organization")),
        ("test".into(), "test".into())
    );
    let library = |slug: &str, name: &str| json!({"id": slug, "slug": slug, "name": name});
    assert_eq!(server.line["libraries"], json!([library("main", "Main"), library("other", "Other")]));
    assert_eq!(server.line["pid"], server.child.id());
    assert_eq!(server.stderr.text(), "");
}

#[tokio::test]
async fn the_three_keys_may_write_read_and_do_nothing() {
    let server = Ephemeral::start(&[]);
    for (key, uploads, reads, libraries) in
        [("write", 200, 200, 2), ("read", 404, 200, 2), ("none", 404, 404, 0)]
    {
        let rest = server.rest(key);
        assert_eq!(upload(&rest, ASSETS, key).await.status, uploads, "{key}");
        assert_eq!(rest.get(ASSETS).await.status, reads, "{key}");
        assert_eq!(
            rest.get("/me").await.json()["data"]["libraries"].as_array().unwrap().len(),
            libraries,
            "{key}"
        );
    }
}

#[tokio::test]
async fn the_owner_can_sign_in() {
    let server = Ephemeral::start(&[]);
    let (client, url) = (server.client(), server.text("/url"));
    let page = client.get("/app/sign-in").await;
    let body = String::from_utf8(page.body.clone()).unwrap();
    let token = body.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let form = format!(
        "csrf={token}&email={}&password={}",
        server.text("/owner/email"),
        server.text("/owner/password")
    );
    let request =
        client.request(Method::POST, "/app/sign-in").header(COOKIE, cookie(&page)).header(ORIGIN, url);
    let signed_in = send(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)).await;
    assert_eq!((signed_in.status, signed_in.header("location")), (303, "/app"));
    let page =
        send(client.request(Method::GET, "/app/test/settings").header(COOKIE, cookie(&signed_in))).await;
    assert_eq!(page.status, 200, "only an owner has settings");
}

fn cookie(reply: &Reply) -> String {
    let cookies = reply.headers.get_all(SET_COOKIE).into_iter().map(|cookie| cookie.to_str().unwrap());
    cookies.map(|cookie| cookie.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn seeded_ids_are_the_same_in_each_run() {
    let run = async |flags: &[&str]| {
        let server = Ephemeral::start(flags);
        let rest = server.rest("write");
        let ids = [uploaded(&rest, "one").await, uploaded(&rest, "two").await];
        let made = server.controlled(Method::POST, "organizations", json!({})).await;
        json!([server.line["keys"], server.line["keyIds"], server.line["owner"], ids, made])
    };
    let (one, same, other) = (
        run(&["--ids", "seeded:7"]).await,
        run(&["--ids", "seeded:7"]).await,
        run(&["--ids", "seeded:8"]).await,
    );
    assert_eq!(one, same);
    for (part, value) in one.as_array().unwrap().iter().enumerate() {
        assert_ne!(*value, other[part]);
    }
}

#[tokio::test]
async fn a_clock_that_stands_is_in_what_is_made() {
    let server = Ephemeral::start(&["--clock", "2026-01-01T00:00:00Z"]);
    let rest = server.rest("write");
    let made = upload(&rest, ASSETS, "one").await.json();
    assert_eq!(made["data"]["assets"][0]["created"], 1_767_225_600_000_u64);
    let clock = server.controlled(Method::GET, "clock", Value::Null).await;
    assert_eq!(clock, json!({"now": "2026-01-01T00:00:00.000Z", "stands": true}));
}

#[tokio::test]
async fn a_folder_of_pictures_becomes_libraries_with_tags() {
    let folder = TempFolder::new();
    for (path, name) in
        [("", "root"), ("Spring Shoes", "one"), ("Spring Shoes/red/sale", "two"), ("other", "three")]
    {
        let path = folder.path().join(path);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(format!("{name}.png")), picture(name)).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
    let server = Ephemeral::start(&["--seed", folder.path().to_str().unwrap()]);
    let slugs: Vec<&Value> =
        server.line["libraries"].as_array().unwrap().iter().map(|library| &library["slug"]).collect();
    assert_eq!(slugs, ["main", "other", "spring-shoes"]);
    let rest = server.rest("read");
    assert_eq!(names(&rest, ASSETS).await, ["root"]);
    assert_eq!(names(&rest, "/organizations/test/libraries/other/assets").await, ["three"]);
    assert_eq!(names(&rest, "/organizations/test/libraries/spring-shoes/assets").await, ["two", "one"]);
    let tagged = "/organizations/test/libraries/spring-shoes/assets?tags=";
    assert_eq!(names(&rest, &format!("{tagged}red")).await, ["two"]);
    assert_eq!(names(&rest, &format!("{tagged}sale")).await, ["two"]);
    assert!(server.stderr.text().contains("notes.txt is left out"), "{}", server.stderr.text());
}

#[tokio::test]
async fn a_saved_state_is_what_another_server_begins_with() {
    let folder = TempFolder::new();
    let file = folder.path().join("state");
    let first = Ephemeral::start(&["--ids", "seeded:1"]);
    let id = uploaded(&first.rest("write"), "one").await;
    first.idle().await;
    first.controlled(Method::POST, "snapshots", json!({"file": file})).await;
    let file = file.to_str().unwrap();
    let second = Ephemeral::start(&["--ids", "seeded:1", "--snapshot", file]);
    for key in ["keys", "keyIds", "owner", "libraries", "organization"] {
        assert_eq!(first.line[key], second.line[key], "{key}");
    }
    let rest = second.rest("write");
    let asset = rest.get(&format!("{ASSETS}/{id}")).await.json()["data"].clone();
    let path = asset["url"].as_str().unwrap().strip_prefix(&second.text("/url")).unwrap().to_owned();
    assert_eq!(second.client().get(&path).await.body, picture("one"));
    assert_eq!(found(&rest, "one").await, 1);
    assert_ne!(uploaded(&rest, "two").await, id, "the sequence of ids goes on");
    second.controlled(Method::POST, "reset", json!({})).await;
    assert_eq!(names(&rest, ASSETS).await, ["one"]);

    fs::write(file, "something else").unwrap();
    let exit = Exit::of(&mut command(&folder, &["--snapshot", file]));
    assert!(exit.failed(1).contains("Make one with `POST /_test/snapshots"));
}

#[tokio::test]
async fn files_are_fetched_from_this_machine_alone() {
    let [server, source] = [Ephemeral::start(&[]), Ephemeral::start(&[])];
    let key = server.client().with_key(&server.text("/keys/write"));
    let upload = async |url: &str| {
        let arguments =
            json!({"organizationId": "test", "libraryId": "main", "source": {"kind": "url", "url": url}});
        crate::support::mcp::call(&key, "upload_asset", &arguments).await.unwrap_err()["message"].to_string()
    };
    let not_public = "it does not resolve to a public address";
    for url in ["http://1.1.1.1/a.png", "http://example.org/a.png", "http://192.168.0.1/"] {
        let message = upload(url).await;
        assert!(message.contains(not_public), "{url}: {message}");
    }
    // A connection is made; what answers there is not a file.
    let port = source.text("/url").rsplit(':').next().unwrap().to_owned();
    let message = upload(&format!("http://127.0.0.1:{port}/a.png")).await;
    assert!(!message.contains(not_public), "{message}");
}

#[test]
fn the_environment_and_other_flags_of_tests_are_checked() {
    let folder = TempFolder::new();
    let invalid: [&[&str]; 4] =
        [&["--clock", "yesterday"], &["--ids", "7"], &["--set", "no.such=1"], &["--seed", "/no/such"]];
    for flags in invalid {
        let mut command = command(&folder, flags);
        let exit = Exit::of(command.env("RASTERD__SERVER__BIND", "nonsense"));
        assert!(exit.code == Some(1) || exit.code == Some(2), "{flags:?}: {exit:?}");
        assert!(!exit.stderr.contains("nonsense") && !exit.stderr.contains("panicked"), "{exit:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    let exit = TestDir::new().run(&["serve", "--clock", "2026-01-01T00:00:00Z"]);
    assert!(exit.failed(2).contains("--ephemeral"));
}

#[tokio::test]
async fn what_a_server_for_tests_does_in_its_own_way_can_not_be_set() {
    let refused = |flags: &[&str]| {
        let folder = TempFolder::in_memory();
        let output = command(&folder, flags).output().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (key, value) in [
        ("backup.dir", "/tmp/backup"),
        ("backup.every_hours", "1"),
        ("backup.keep", "1"),
        ("data.dir", "/tmp/data"),
        ("data.reserve_bytes", "1 GB"),
        ("fetch.allow", "10.0.0.0/8"),
        ("tls.acme.email", "ada@example.org"),
        ("tls.authority_file", "/tmp/ca.pem"),
        ("tls.dir", "/tmp/certs"),
    ] {
        let (code, message) = refused(&["--set", &format!("{key}={value}")]);
        let expected = format!("  flag --set: {key} is set, but it");
        assert!(code == Some(1) && message.contains(&expected), "{key}: {code:?} {message}");
    }
    let folder = TempFolder::in_memory();
    let path = folder.path().join("config.toml").display().to_string();
    fs::write(&path, "[data]\ndir = \"/var/lib/rasterd\"\n").unwrap();
    let (_, message) = refused(&["--config", &path]);
    assert!(message.contains(&format!("  {path}: data.dir is set, but its data are in")), "{message}");
}

#[tokio::test]
async fn a_server_for_tests_shows_its_metrics_where_they_are_asked_for() {
    let folder = TempFolder::in_memory();
    let token = folder.path().join("token");
    fs::write(&token, "a-token-that-is-long-enough-for-everybody\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let server = Ephemeral::start(&["--set", &format!("metrics.token_file={}", token.display())]);
    let client = server.client();
    assert_eq!(client.get("/metrics").await.status, 401);
    let none = Ephemeral::start(&[]);
    assert_eq!(none.client().get("/metrics").await.status, 404);
}
