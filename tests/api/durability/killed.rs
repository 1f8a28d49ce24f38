//! `kill -9` while uploads stream in, again and again on one data directory. Every answered upload is written to
//! a ledger, which is compared with the server after each restart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rasterd::file_mode::create_folder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::{found, listed, path_of};
use crate::rest::{Form, Rest, picture};
use crate::support::Client;
use crate::support::mcp::{base64_source, outcome, tool};
use crate::support::program::{ASSETS, LIBRARY, Program, TestDir, poll};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// After how many answers each round's server is killed.
const ROUNDS: [usize; 5] = [60, 9, 45, 20, 75];
/// Clients at a time, half of them over REST and half over MCP.
const CLIENTS: usize = 6;
/// Makes a picture large enough that a kill finds it half-written.
const LARGE: usize = 400_000;

/// An answered upload of some files.
struct Acknowledged {
    names: Vec<String>,
    assets: Vec<Value>,
}

/// The path of each acknowledged asset, and its name, by id.
type Ledger = BTreeMap<String, (String, String)>;

#[tokio::test]
async fn an_acknowledged_upload_is_never_lost() {
    let test_dir = TestDir::new();
    let mut program = test_dir.serve();
    let key = program.first_key().to_owned();
    let mut ledger = Ledger::new();
    for (round, kill_after) in ROUNDS.into_iter().enumerate() {
        upload_until_killed(program, &key, round, kill_after, &mut ledger).await;
        let strays = leave_strays(&test_dir);
        program = test_dir.serve();
        assert!(strays.half_written.iter().all(|file| !file.exists()), "half-written files are gone");
        let rest = program.rest_of(&key);
        let assets = listed(&rest).await;
        check_ledger(&rest, &ledger, &assets).await;
        check_assets(&rest, &assets).await;
        check_counts(&rest, assets.len()).await;
        check_files(&test_dir, &strays, &assets);
    }
    assert!(ledger.len() >= ROUNDS.iter().sum::<usize>());
}

/// Lets clients upload until this many uploads are answered, then kills the server and writes all answers to the ledger.
async fn upload_until_killed(
    program: Program,
    key: &str,
    round: usize,
    kill_after: usize,
    ledger: &mut Ledger,
) {
    let (sender, mut answers) = unbounded_channel();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        // A connection of its own for each.
        let (client, sender) = (program.client_of(key), sender.clone());
        clients.spawn(upload_on_and_on(client, format!("r{round}c{number}"), number % 2 == 0, sender));
    }
    drop(sender);
    for _ in 0..kill_after {
        let answer = answers.recv().await.expect("the clients go on as long as the server does");
        enter(ledger, answer);
    }
    program.kill();
    clients.join_all().await;
    enter_rest(ledger, &mut answers).await;
}

async fn enter_rest(ledger: &mut Ledger, answers: &mut UnboundedReceiver<Acknowledged>) {
    while let Some(answer) = answers.recv().await {
        enter(ledger, answer);
    }
}

fn enter(ledger: &mut Ledger, answer: Acknowledged) {
    let Acknowledged { names, assets } = answer;
    assert_eq!(names.len(), assets.len());
    for (name, asset) in names.into_iter().zip(assets) {
        let id = asset["id"].as_str().unwrap().to_owned();
        assert!(ledger.insert(id, (path_of(&asset), name)).is_none(), "an id is given once");
    }
}

/// Uploads one or three files at a time, until the server has ended.
async fn upload_on_and_on(
    client: Client,
    prefix: String,
    over_rest: bool,
    answered: UnboundedSender<Acknowledged>,
) {
    for number in 0.. {
        let stem = format!("{prefix}n{number}");
        let names = match number % 4 {
            0 => vec![format!("{stem}-large")],
            1 => vec![format!("{stem}-same")],
            2 => vec![format!("{stem}-own")],
            _ => ["a", "b", "c"].iter().map(|part| format!("{stem}-{part}")).collect(),
        };
        let sent =
            if over_rest { send_form(&client, &names).await } else { send_tool(&client, &names).await };
        let Ok(assets) = sent else { return };
        answered.send(Acknowledged { names, assets }).unwrap();
    }
}

/// The bytes of the file of this name.
fn bytes_of(name: &str) -> Vec<u8> {
    let (_, kind) = name.rsplit_once('-').unwrap();
    match kind {
        "large" => picture(&name.repeat(LARGE / name.len())),
        "same" => picture("the same bytes for everybody"),
        _ => picture(name),
    }
}

async fn send_form(client: &Client, names: &[String]) -> reqwest::Result<Vec<Value>> {
    let mut form = Form::default();
    for name in names {
        form.file("files", &format!("{name}.png"), &bytes_of(name));
    }
    let request = client
        .request(Method::POST, ASSETS)
        .header("Api-Version", crate::rest::NEW)
        .header(CONTENT_TYPE, Form::CONTENT_TYPE)
        .body(form.finish());
    let answer = request.send().await?;
    let status = answer.status();
    let body: Value = serde_json::from_slice(&answer.bytes().await?).unwrap();
    assert_eq!(status, 200, "{body}");
    Ok(body["data"]["assets"].as_array().unwrap().clone())
}

async fn send_tool(client: &Client, names: &[String]) -> reqwest::Result<Vec<Value>> {
    let sources: Vec<Value> =
        names.iter().map(|name| base64_source(&format!("{name}.png"), &bytes_of(name))).collect();
    let arguments = json!({ "organizationId": "default", "libraryId": "library", "sources": sources });
    let answer = tool(client, "upload_assets", &arguments).send().await?;
    let body: Value = serde_json::from_slice(&answer.bytes().await?).unwrap();
    let uploaded = outcome(&body["result"]).unwrap_or_else(|error| panic!("{error}"));
    Ok(uploaded["assets"].as_array().unwrap().clone())
}

/// Adds what a kill may leave, in case this one did not.
struct Strays {
    half_written: Vec<std::path::PathBuf>,
    without_asset: std::path::PathBuf,
}

fn leave_strays(test_dir: &TestDir) -> Strays {
    let data = test_dir.data_dir();
    fs::write(data.join("tmp/half-written"), b"\x89PNG").unwrap();
    let half_written = fs::read_dir(data.join("tmp")).unwrap().map(|file| file.unwrap().path()).collect();
    let hash = blake3::hash(b"no asset has this").to_hex().to_string();
    let without_asset = data.join("files").join(&hash[..2]).join(&hash);
    create_folder(without_asset.parent().unwrap()).unwrap();
    fs::write(&without_asset, b"no asset has this").unwrap();
    Strays { half_written, without_asset }
}

/// Every acknowledged upload is listed, at its url, and found by its name.
async fn check_ledger(rest: &Rest, ledger: &Ledger, assets: &[Value]) {
    let listed: BTreeMap<&str, &Value> =
        assets.iter().map(|asset| (asset["id"].as_str().unwrap(), asset)).collect();
    for (id, (path, name)) in ledger {
        let asset = listed.get(id.as_str()).unwrap_or_else(|| panic!("{name} was acknowledged and is lost"));
        assert_eq!((&asset["name"], &path_of(asset)), (&Value::from(name.as_str()), path));
        let (_, ids) = found(rest, name).await;
        assert!(ids.contains(id), "{name} is not found");
    }
}

/// Everything that is listed, acknowledged or not, is complete: its bytes, and the other files of its call.
async fn check_assets(rest: &Rest, assets: &[Value]) {
    let names: BTreeSet<&str> = assets.iter().map(|asset| asset["name"].as_str().unwrap()).collect();
    for asset in assets {
        let name = asset["name"].as_str().unwrap();
        let served = rest.client.get(&path_of(asset)).await;
        assert_eq!(served.status, 200, "{name}");
        assert!(served.body == bytes_of(name), "{name} has other bytes");
        assert_eq!(asset["size"], served.body.len());
        if let Some(stem) = name.strip_suffix(|c| matches!(c, 'a' | 'b' | 'c')) {
            let together = ["a", "b", "c"].map(|part| names.contains(format!("{stem}{part}").as_str()));
            assert_eq!(together, [true; 3], "the files of one call are there together: {stem}");
        }
    }
}

async fn check_counts(rest: &Rest, listed: usize) {
    let reply = rest.get("/organizations/default/libraries").await;
    let library = &reply.json()["data"][0];
    assert_eq!((&library["assetsCount"], &library["trashCount"]), (&listed.into(), &0.into()), "{LIBRARY}");
    assert_eq!(found(rest, "").await.0, listed);
}

/// In the end there is a file for each content that an asset has, and no other.
fn check_files(test_dir: &TestDir, strays: &Strays, assets: &[Value]) {
    let wanted: BTreeSet<String> = assets
        .iter()
        .map(|asset| blake3::hash(&bytes_of(asset["name"].as_str().unwrap())).to_hex().to_string())
        .collect();
    poll("no file is left that no asset has", || (!strays.without_asset.exists()).then_some(()));
    let aside = test_dir.data_dir().join("unnamed").join(strays.without_asset.file_name().unwrap());
    assert!(aside.exists(), "it is set aside, not deleted");
    poll("there is a file for each content and no other", || (file_names(test_dir) == wanted).then_some(()));
}

fn file_names(test_dir: &TestDir) -> BTreeSet<String> {
    let files = crate::support::program::files_below(&test_dir.data_dir().join("files"));
    let names = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name != "rasterd-files").collect()
}
