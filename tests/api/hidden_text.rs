//! Texts of clients: invisible characters are refused everywhere, and shown as escapes in texts that were stored before
//! that.

use std::time::{Duration, Instant};

use rasterd::core::members::{ClientInfo as Browser, NewMember};
use rasterd::core::model::Role;
use redb::{Database, ReadableTable, TableDefinition};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rest::{ASSETS, Scene, picture};
use crate::support::mcp::{call, tool};
use crate::support::raw::DEADLINE;
use crate::support::{Client, send};

/// One of each kind: a control character, one that controls terminals, marks and overrides of the writing direction,
/// one without width.
const HIDDEN: [char; 10] = [
    '\0',
    '\u{1B}',
    '\u{7F}',
    '\u{9B}',
    '\u{202E}',
    '\u{2066}',
    '\u{200F}',
    '\u{200B}',
    '\u{FEFF}',
    '\u{E0041}',
];

/// The placeholder for a text in requests.
const TEXT: &str = "<text>";

fn filled(value: &Value, text: &str) -> Value {
    let text = serde_json::to_string(text).unwrap();
    serde_json::from_str(&value.to_string().replace(&format!("\"{TEXT}\""), &text)).unwrap()
}

fn rest(id: &str) -> [(Method, String, Value); 4] {
    let library = "/organizations/acme/libraries/photos";
    [
        (Method::POST, "/organizations/acme/libraries".to_owned(), json!({ "name": TEXT })),
        (Method::PATCH, library.to_owned(), json!({ "name": TEXT })),
        (Method::PATCH, format!("{ASSETS}/{id}/description"), json!({ "description": TEXT })),
        (Method::POST, format!("{ASSETS}/tag"), json!({ "assetIds": [id], "tags": [TEXT] })),
    ]
}

fn graphql(id: &str) -> [String; 4] {
    let place = "organizationId: \"acme\", libraryId: \"photos\"";
    let start = "mutation ($text: String!)";
    [
        format!("{start} {{ createLibrary(organizationId: \"acme\", name: $text) {{ id }} }}"),
        format!("{start} {{ renameLibrary({place}, name: $text) {{ id }} }}"),
        format!(
            "{start} {{ updateAssetDescription({place}, assetId: \"{id}\", description: $text) {{ assetId }} }}"
        ),
        format!(
            "mutation ($text: ID!) {{ tagAssets({place}, assetIds: [\"{id}\"], tags: [$text]) {{ taggedCount }} }}"
        ),
    ]
}

fn tools(id: &str) -> [(&'static str, Value); 4] {
    let (organization, library) = ("acme", "photos");
    [
        ("create_library", json!({ "organizationId": organization, "name": TEXT })),
        ("rename_library", json!({ "organizationId": organization, "libraryId": library, "name": TEXT })),
        (
            "update_asset_description",
            json!({ "organizationId": organization, "libraryId": library, "assetId": id, "description": TEXT }),
        ),
        (
            "tag_assets",
            json!({ "organizationId": organization, "libraryId": library, "assetIds": [id], "tags": [TEXT] }),
        ),
    ]
}

#[tokio::test]
async fn hidden_characters_are_refused_in_every_text_on_every_transport() {
    let scene = Scene::new().await;
    let id = scene.writer.uploaded("a.png").await;
    let client = &scene.writer.client;
    for hidden in HIDDEN {
        let text = format!("a{hidden}b");
        let code = format!("U+{:04X}", u32::from(hidden));
        for (method, path, body) in &rest(&id) {
            let reply = scene.writer.json(method.clone(), path, filled(body, &text)).await;
            assert_eq!((reply.status, reply.error_code().as_str()), (400, "BAD_USER_INPUT"), "{path} {code}");
            assert!(reply.json()["error"]["message"].as_str().unwrap().contains(&code), "{path} {code}");
        }
        for document in &graphql(&id) {
            let body = json!({ "query": document, "variables": { "text": text } });
            let answer = client.post_json("/graphql", &body).await.json();
            assert!(answer["errors"].to_string().contains(&code), "{document} {code}: {answer}");
        }
        for (name, arguments) in &tools(&id) {
            let error = call(client, name, &filled(arguments, &text)).await.unwrap_err();
            assert_eq!(error["code"], "BAD_USER_INPUT", "{name} {code}");
        }
    }
    // Characters that scripts and emoji need are accepted by the same requests; so are line breaks and tabs in a
    // description.
    let text = "می\u{200C}خواهم ❤\u{FE0F}";
    for (method, path, body) in &rest(&id) {
        let reply = scene.writer.json(method.clone(), path, filled(body, text)).await;
        assert!(reply.status < 300, "{path}: {:?}", reply.json());
    }
    let (path, several) = (format!("{ASSETS}/{id}/description"), "one\r\n\ttwo");
    let reply = scene.writer.json(Method::PATCH, &path, json!({ "description": several })).await;
    assert_eq!(reply.json()["data"]["description"], several);
}

#[tokio::test]
async fn hidden_characters_are_refused_in_names_of_organizations_keys_and_people() {
    let scene = Scene::new().await;
    let (core, by) = (scene.server.core(), || scene.server.administrator());
    let (token, _) = core.invite_member(by(), "acme", Role::Viewer, "").await.unwrap();
    let password = "correct horse battery";
    for hidden in HIDDEN {
        let text = format!("a{hidden}b");
        let email = format!("{text}@example.org");
        let browser = Browser::default();
        let joined = async |email: &str, name: &str| {
            core.join(token.reveal(), NewMember { email, name, password }, &browser).await.is_err()
        };
        let refused = [
            core.create_organization(by(), &text, None).await.is_err(),
            core.create_key(by(), "acme", &text, Vec::new(), None).await.is_err(),
            core.rename_key(by(), &scene.writer_key.id, &text).await.is_err(),
            core.invite_member(by(), "acme", Role::Viewer, &email).await.is_err(),
            joined("ada@example.org", &text).await,
            joined(&email, "Ada").await,
        ];
        assert_eq!(refused, [true; 6], "{hidden:?}");
    }
}

/// The placeholder for a hidden character in the database, of the same three bytes.
const STOOD: &str = "XyZ";
const OVERRIDE: &str = "\u{202E}";

fn with_override(record: &[u8]) -> Vec<u8> {
    let mut record = record.to_vec();
    while let Some(at) = record.windows(STOOD.len()).position(|window| window == STOOD.as_bytes()) {
        record[at..at + STOOD.len()].copy_from_slice(OVERRIDE.as_bytes());
    }
    record
}

/// Turns the database into one of an older rasterd, which accepted such texts: in records, [`STOOD`] becomes
/// [`OVERRIDE`].
fn grow_old(database: &std::path::Path) {
    // The threads of a server that just stopped close it one after the other.
    let until = Instant::now() + DEADLINE;
    let database = loop {
        match Database::open(database) {
            Ok(database) => break database,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let tx = database.begin_write().unwrap();
    for name in ["organizations.v1", "libraries.v1"] {
        let mut table = tx.open_table(TableDefinition::<u64, &[u8]>::new(name)).unwrap();
        let entries = table.iter().unwrap().map(Result::unwrap);
        let records: Vec<_> =
            entries.map(|(key, record)| (key.value(), with_override(record.value()))).collect();
        for (key, record) in &records {
            table.insert(*key, record.as_slice()).unwrap();
        }
    }
    {
        let mut table = tx.open_table(TableDefinition::<(u64, &[u8; 16]), &[u8]>::new("assets.v1")).unwrap();
        let entries = table.iter().unwrap().map(Result::unwrap);
        let records: Vec<_> = entries
            .map(|(key, record)| ((key.value().0, *key.value().1), with_override(record.value())))
            .collect();
        for ((library, id), record) in &records {
            table.insert((*library, id), record.as_slice()).unwrap();
        }
    }
    tx.commit().unwrap();
}

#[tokio::test]
async fn hidden_characters_that_are_stored_are_shown_to_agents_as_escapes() {
    let mut scene = Scene::new().await;
    let text = format!("a{STOOD}b");
    scene.server.core().rename_organization(scene.server.administrator(), "acme", &text).await.unwrap();
    let uploaded = scene.writer.upload(&[(&format!("{text}.png"), &picture(&text))]).await;
    let id = uploaded.json()["data"]["assets"][0]["id"].as_str().unwrap().to_owned();
    for (method, path, body) in rest(&id).into_iter().skip(1) {
        assert_eq!(scene.writer.json(method, &path, filled(&body, &text)).await.status, 200, "{path}");
    }
    scene.server.processed().await;
    scene.server.stop();
    grow_old(&scene.server.data_dir().join("rasterd.redb"));
    scene.server.restart();
    let client = Client::new(&scene.server).with_key(&scene.writer_key.token);
    let place = json!({ "organizationId": "acme", "libraryId": "photos" });
    for (name, arguments, shows) in [
        ("whoami", json!({}), 1),
        ("list_libraries", json!({ "organizationId": "acme" }), 1),
        ("list_assets", place, 3),
        ("get_asset", json!({ "organizationId": "acme", "libraryId": "photos", "assetId": id }), 3),
        ("search_assets", json!({ "organizationId": "acme" }), 3),
    ] {
        let answer = send(tool(&client, name, &arguments)).await.json();
        // The strings as programs and models get them.
        assert!(!strings_of(&answer).iter().any(|text| text.contains(OVERRIDE)), "{name}: {answer}");
        let shown = strings_of(&answer["result"]["structuredContent"]);
        let shown = shown.iter().filter(|text| text.contains(r"a\u{202e}b")).count();
        assert!(shown >= shows, "{name}: {answer}");
    }
    // A file is saved under a visible name.
    let public = client.get(&format!("/cdn/acme/photos/{id}")).await;
    assert!(public.header("content-disposition").contains("filename=\"a_b.png\""), "{:?}", public.headers);
}

fn strings_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(strings_of).collect(),
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| [vec![name.clone()], strings_of(value)].concat()).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
