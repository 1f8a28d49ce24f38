//! A week of use in a short time: programs, agents and visitors in every hour, a new key every day, a backup every
//! night, and a restart every morning. Nothing that was acknowledged is missing, what was deleted is gone when its time
//! is over, and nothing grows but the library.
//!
//! An hour has one round of requests; `make week` gives each hour a share of `RASTERD_WEEK_MINUTES`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rasterd::core::backup::BackupOptions;
use rasterd::core::doctor::{DoctorOptions, Severity};
use rasterd::core::long_work::Reporter;
use rasterd::core::model::Access;
use rasterd::testing::{TempFolder, TestKey, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rest::{ASSETS, Form, NEW, Rest, picture, text};
use crate::support::Client;
use crate::support::mcp::call;
use crate::support::memory::Memory;

const DAYS: usize = 7;
/// The caches of the database and of the allocator fill in the first days.
const FIRST_MEASURED_DAY: usize = 2;
const HOURS: usize = 24;
/// Files in each upload.
const FILES: usize = 5;
/// How long it may take until nothing happens any more.
const AT_REST_WITHIN: Duration = Duration::from_mins(2);
/// How long an asset stays in the trash.
const KEEP_TRASH: Duration = Duration::from_hours(48);
/// How many snapshots of the backup are kept.
const KEEP_SNAPSHOTS: usize = 3;
const PHOTO: &[u8] = include_bytes!("../fixtures/wine.jpg");

/// What the server has acknowledged.
#[derive(Default)]
struct Ledger {
    uploads: usize,
    /// The live assets: their ids, their paths and the seeds of their pictures, in the order of their uploads.
    live: BTreeMap<usize, (String, String, String)>,
    deleted: Vec<String>,
}

/// What should not grow.
#[derive(Debug)]
struct Figures {
    memory_kib: u64,
    open_files: usize,
    threads: Vec<String>,
    temporary_files: usize,
}

impl Figures {
    /// Waits until the threads of Tokio's pools have ended, as they do when nothing has needed them for ten seconds: how
    /// many there are meanwhile depends on how busy the machine was.
    async fn at_rest(data_dir: &Path) -> Self {
        let count = |path: &Path| std::fs::read_dir(path).map_or(0, Iterator::count);
        let begun = Instant::now();
        while threads().iter().any(|name| name == "tokio-rt-worker") {
            // The server's own work, such as a check, may have needed one meanwhile.
            assert!(
                begun.elapsed() < AT_REST_WITHIN,
                "the pools have not ended their threads: {:?}",
                threads()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Self {
            threads: threads(),
            memory_kib: Memory::of(std::process::id()).now(),
            open_files: count(Path::new("/proc/self/fd")),
            temporary_files: count(&data_dir.join("tmp")),
        }
    }
}

/// The names of the threads of this process.
fn threads() -> Vec<String> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    // A thread may end meanwhile.
    threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}

struct Week {
    server: TestServer,
    key: TestKey,
    backups: TempFolder,
    ledger: Ledger,
}

impl Week {
    async fn new() -> Self {
        let server = TestServer::start_with(|settings, _| settings.trash_keep = KEEP_TRASH);
        server.organization("Acme").await;
        server.library("acme", "Photos").await;
        let key = server.key("acme", &[("photos", Access::Write)]).await;
        Self { server, key, backups: TempFolder::new(), ledger: Ledger::default() }
    }

    fn client(&self) -> Client {
        Client::new(&self.server).with_key(&self.key.token)
    }

    /// A program uploads, and deletes some of what is old.
    async fn program(&mut self, rest: &Rest) {
        let seeds: Vec<_> = (0..FILES).map(|file| format!("{}-{file}", self.ledger.uploads)).collect();
        let mut form = Form::default();
        for seed in &seeds {
            form.file("files", &format!("{seed}.png"), &picture(seed));
        }
        let reply = rest.send_form(ASSETS, form).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        let assets = reply.json()["data"]["assets"].as_array().unwrap().clone();
        for (seed, asset) in seeds.into_iter().zip(&assets) {
            let (id, url) = (text(&asset["id"]), text(&asset["url"]));
            let path = url[url.find("/cdn/").unwrap()..].to_owned();
            self.ledger.live.insert(self.ledger.uploads, (id, path, seed));
            self.ledger.uploads += 1;
        }
        let old: Vec<_> = self.ledger.live.keys().copied().take(FILES / 2).collect();
        let ids: Vec<_> = old.iter().map(|number| self.ledger.live[number].0.clone()).collect();
        assert_eq!(rest.json(Method::DELETE, ASSETS, json!({ "ids": ids })).await.status, 200);
        for number in old {
            self.ledger.deleted.extend(self.ledger.live.remove(&number).map(|(_, path, _)| path));
        }
    }

    /// An agent looks for what is there, and tags it.
    async fn agent(&self, client: &Client) {
        let (number, (id, _, seed)) = self.ledger.live.last_key_value().unwrap();
        let library = json!({ "organizationId": "acme", "libraryId": "photos" });
        let with = |more: Value| {
            let mut arguments = library.clone();
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            arguments
        };
        call(client, "whoami", &json!({})).await.unwrap();
        let search = json!({ "organizationId": "acme", "q": seed });
        let found = call(client, "search_assets", &search).await.unwrap();
        assert_eq!(found["hits"][0]["id"], Value::from(id.as_str()), "the newest is found at once");
        let tags = with(json!({ "assetIds": [id], "tags": [format!("hour {}", number % HOURS)] }));
        assert_eq!(call(client, "tag_assets", &tags).await.unwrap()["taggedCount"], 1);
        call(client, "list_assets", &with(json!({ "pageSize": 100 }))).await.unwrap();
    }

    /// Visitors look at pictures, the first and the last ones, in several sizes; and a client of GraphQL lists them.
    async fn visitors(&self, client: &Client) {
        let ends =
            [self.ledger.live.first_key_value().unwrap().1, self.ledger.live.last_key_value().unwrap().1];
        for (_, path, seed) in ends {
            let served = client.get(path).await;
            assert_eq!((served.status, served.body), (200, picture(seed)), "{path}");
            for rendition in ["w=400", "w=32&fm=webp", "w=800&fm=jpeg&q=70"] {
                assert_eq!(client.get(&format!("{path}?{rendition}")).await.status, 200);
            }
        }
        let query = r#"{ assets(organizationId: "acme", libraryId: "photos", pageSize: 50) { id url } }"#;
        assert_eq!(client.post_json("/graphql", &json!({ "query": query })).await.status, 200);
    }

    /// A night: a backup, a restart, and a key that is changed.
    async fn night(&mut self, day: usize) {
        let target = self.backups.path().join("backup");
        let options = BackupOptions { target, keep: Some(KEEP_SNAPSHOTS), authority: false };
        let by = self.server.administrator();
        self.server.core().backup(&by, options, &Reporter::default()).await.unwrap();
        let yesterday = Rest::new(&self.client(), NEW);
        self.server.core().delete_key(by, &self.key.id).await.unwrap();
        assert_eq!(yesterday.get("/me").await.status, 401, "the key of day {day}");
        self.key = self.server.key("acme", &[("photos", Access::Write)]).await;
        self.server.restart();
    }

    /// Everything that was acknowledged is there, byte for byte, and nothing else.
    async fn check(&self) {
        let client = self.client();
        for (id, path, seed) in self.ledger.live.values() {
            let served = client.get(path).await;
            assert_eq!((served.status, served.body), (200, picture(seed)), "{id}");
        }
        for path in &self.ledger.deleted {
            assert_eq!(client.get(path).await.status, 404, "{path}");
        }
        let library = Rest::new(&client, NEW).get("/organizations/acme/libraries/photos").await.json();
        assert_eq!(library["data"]["assetsCount"], self.ledger.live.len());
        let trashed = library["data"]["trashCount"].as_u64().unwrap();
        assert!(trashed < self.ledger.deleted.len() as u64, "the trash is emptied: {trashed}");
        let options = DoctorOptions { quick: false, repair: false };
        let by = self.server.administrator();
        let found = self.server.core().run_doctor(&by, options, &Reporter::default()).await.unwrap();
        assert!(found.severity() < Severity::Error, "{found:?}");
    }
}

/// How long an hour of the week takes at least.
fn length_of_an_hour() -> Duration {
    let minutes = std::env::var("RASTERD_WEEK_MINUTES").map_or(0, |minutes| minutes.parse().unwrap());
    Duration::from_mins(minutes) / u32::try_from(DAYS * HOURS).unwrap()
}

#[tokio::test]
async fn after_a_week_nothing_is_missing_and_nothing_has_grown_but_the_library() {
    let mut week = Week::new().await;
    let mut figures = Vec::new();
    for day in 1..=DAYS {
        let client = week.client();
        let rest = Rest::new(&client, NEW);
        for _ in 0..HOURS {
            let ends = Instant::now() + length_of_an_hour();
            loop {
                week.program(&rest).await;
                week.agent(&client).await;
                week.visitors(&client).await;
                if Instant::now() >= ends {
                    break;
                }
            }
            week.server.clock().advance(Duration::from_hours(1));
        }
        // A real photograph takes the ways that pictures of six points don't.
        let id = week.server.upload(&week.key, "acme", "photos", "wine.jpg", PHOTO).await;
        assert_eq!(rest.json(Method::DELETE, ASSETS, json!({ "ids": [id.as_str()] })).await.status, 200);
        week.server.processed().await;
        week.server.core().maintenance_pass().await;
        if [FIRST_MEASURED_DAY, DAYS].contains(&day) {
            figures.push(Figures::at_rest(&week.server.data_dir()).await);
        }
        let memory = Memory::of(std::process::id()).now();
        println!("day {day}: {} live, {memory} KiB", week.ledger.live.len());
        drop((client, rest));
        week.night(day).await;
    }
    week.check().await;
    let [early, late] = &figures[..] else { unreachable!("two measurements") };
    assert!(late.memory_kib < early.memory_kib * 2, "memory: {early:?} {late:?}");
    assert!(late.open_files <= early.open_files + 8, "open files: {early:?} {late:?}");
    assert!(late.threads.len() <= early.threads.len() + 4, "threads: {early:?} {late:?}");
    assert_eq!(late.temporary_files, 0);
}
