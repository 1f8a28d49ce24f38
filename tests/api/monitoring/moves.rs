//! Each metric moves when that happens which it is about.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rasterd::core::backup::BackupOptions;
use rasterd::core::long_work::Reporter;
use rasterd::core::members::{ClientInfo, NewMember};
use rasterd::core::model::{Access, Role};
use reqwest::Method;
use serde_json::json;

use super::Monitored;
use super::labels::mcp;
use crate::rest::{ASSETS, NEW, Rest, picture};
use crate::support::mcp::tool;
use crate::support::program::files_below;
use crate::support::raw::{read_to_end, tcp_to};
use crate::support::{Client, send};

/// Series, and by how much each moves.
type Moves = &'static [(&'static str, i64)];

impl Monitored {
    /// Checks that each of these series moves by so much, or by more if it may, while `happens` runs.
    async fn moves(&self, moves: Moves, happens: impl AsyncFnOnce()) {
        let before = self.scrape().await;
        happens().await;
        for (series, by) in moves {
            self.wait_until(series, |value| value == before.sum(series) + by).await;
        }
    }

    /// Checks that each of these series grows while `happens` runs.
    async fn grow(&self, series: &[&str], happens: impl AsyncFnOnce()) {
        let before = self.scrape().await;
        happens().await;
        for series in series {
            self.wait_until(series, |value| value > before.sum(series)).await;
        }
    }

    async fn me(&self, client: &Client) -> u16 {
        send(client.request(Method::GET, "/me").header("Api-Version", NEW)).await.status
    }
}

#[tokio::test]
async fn requests_are_counted_by_interface_operation_and_status() {
    let monitored = Monitored::start().await;
    let (writer, anyone) = (&monitored.scene.writer, &monitored.scene.anyone);
    let id = writer.uploaded("one").await;
    let moves: Moves = &[
        ("rasterd_requests_total{transport=\"rest\",operation=\"whoami\",status=\"200\"}", 1),
        ("rasterd_requests_total{transport=\"rest\",operation=\"get_asset\",status=\"404\"}", 1),
        ("rasterd_requests_total{transport=\"rest\",operation=\"none\",status=\"401\"}", 1),
        ("rasterd_requests_total{transport=\"files\",operation=\"get_file\",status=\"200\"}", 1),
        ("rasterd_requests_total{transport=\"webapp\",operation=\"none\",status=\"200\"}", 1),
        ("rasterd_requests_total{transport=\"other\",operation=\"none\",status=\"404\"}", 1),
        ("rasterd_requests_total{transport=\"monitoring\",operation=\"none\",status=\"200\"}", 3),
        ("rasterd_request_duration_seconds_count{transport=\"rest\",operation=\"whoami\"}", 1),
    ];
    // A scrape is counted when it is over, so only the one before is.
    monitored
        .moves(&moves[..6], async || {
            monitored.me(&writer.client).await;
            writer.get(&format!("{ASSETS}/none")).await;
            monitored.me(anyone).await;
            anyone.get(&format!("/cdn/acme/photos/{id}")).await;
            anyone.get("/app/sign-in").await;
            anyone.get("/nowhere").await;
        })
        .await;
    monitored
        .grow(&[moves[6].0], async || {
            anyone.get("/livez").await;
        })
        .await;
    monitored
        .moves(&moves[7..], async || {
            monitored.me(&writer.client).await;
        })
        .await;
}

#[tokio::test]
async fn an_error_inside_an_answer_counts_with_its_own_status() {
    let monitored = Monitored::start().await;
    let client = &monitored.scene.writer.client;
    let nowhere = json!({ "organizationId": "acme", "libraryId": "nowhere" });
    let graphql = |query: &str| json!({ "query": query });
    let moves: Moves = &[
        ("rasterd_requests_total{transport=\"mcp\",operation=\"whoami\",status=\"200\"}", 2),
        ("rasterd_requests_total{transport=\"mcp\",operation=\"list_assets\",status=\"404\"}", 1),
        ("rasterd_requests_total{transport=\"mcp\",operation=\"none\",status=\"200\"}", 1),
        ("rasterd_requests_total{transport=\"graphql\",operation=\"whoami\",status=\"200\"}", 1),
        ("rasterd_requests_total{transport=\"graphql\",operation=\"several\",status=\"200\"}", 1),
        ("rasterd_requests_total{transport=\"graphql\",operation=\"list_assets\",status=\"404\"}", 1),
    ];
    monitored
        .moves(moves, async || {
            send(tool(client, "whoami", &json!({}))).await;
            // With a token for its progress, a call takes another way, on a task of its own.
            send(mcp(
                client,
                "tools/call",
                &json!({ "name": "whoami", "arguments": {}, "_meta": { "progressToken": 1 } }),
            ))
            .await;
            send(tool(client, "list_assets", &nowhere)).await;
            send(mcp(client, "tools/list", &json!({}))).await;
            client.post_json("/graphql", &graphql("{ viewer { organizationId } }")).await;
            client
                .post_json(
                    "/graphql",
                    &graphql("{ viewer { organizationId } libraries(organizationId: \"acme\") { id } }"),
                )
                .await;
            let assets = "{ assets(organizationId: \"acme\", libraryId: \"nowhere\") { id } }";
            client.post_json("/graphql", &graphql(assets)).await;
        })
        .await;
}

#[tokio::test]
async fn authentications_are_counted_once_for_each_request() {
    let monitored = Monitored::start().await;
    let (anyone, writer) = (&monitored.scene.anyone, &monitored.scene.writer);
    let server = &monitored.scene.server;
    let key = server.key("acme", &[("photos", Access::Read)]).await;
    let (_, expired) = {
        let made =
            server.core().create_key(server.administrator(), "acme", "Soon", Vec::new(), Some(60_000)).await;
        let (plain, info) = made.unwrap();
        (info, plain.reveal().to_owned())
    };
    let gone = server.key("acme", &[]).await;
    server.core().delete_key(server.administrator(), &gone.id).await.unwrap();
    server.clock().advance(Duration::from_mins(2));
    let moves: Moves = &[
        ("rasterd_authentications_total{result=\"ok\"}", 2),
        ("rasterd_authentications_total{result=\"missing\"}", 1),
        ("rasterd_authentications_total{result=\"malformed\"}", 2),
        ("rasterd_authentications_total{result=\"unknown\"}", 1),
        ("rasterd_authentications_total{result=\"expired\"}", 2),
        ("rasterd_authentications_total{result=\"other_organization\"}", 1),
    ];
    monitored
        .moves(moves, async || {
            monitored.me(&anyone.with_key(&key.token)).await;
            // Its key is checked before its body and after it.
            writer.post(&format!("{ASSETS}/tag"), json!({ "assetIds": ["x"], "tags": ["t"] })).await;
            monitored.me(anyone).await;
            monitored.me(&anyone.with_key("nonsense")).await;
            let basic = anyone.request(Method::GET, "/me").header("Api-Version", NEW);
            send(basic.header("Authorization", "Basic YTpi")).await;
            monitored.me(&anyone.with_key(&gone.token)).await;
            monitored.me(&anyone.with_key(&expired)).await;
            send(tool(&anyone.with_key(&expired), "whoami", &json!({}))).await;
            writer.get("/organizations/other/libraries").await;
        })
        .await;
}

#[tokio::test]
async fn uploads_pictures_and_the_work_on_them_are_counted() {
    let monitored = Monitored::start().await;
    let Rest { client, .. } = &monitored.scene.writer;
    let writer = &monitored.scene.writer;
    let whole = picture("damaged");
    let data = whole.windows(4).position(|bytes| bytes == b"IDAT").unwrap();
    let damaged = &whole[..data + 6];
    let uploads: Moves = &[
        ("rasterd_uploads_total{result=\"ok\"}", 2),
        ("rasterd_uploads_total{result=\"failed\"}", 1),
        ("rasterd_uploaded_files_total{result=\"ok\"}", 2),
        ("rasterd_uploaded_files_total{result=\"rejected\"}", 2),
        ("rasterd_jobs_total{result=\"ok\"}", 1),
        ("rasterd_jobs_total{result=\"failed\"}", 1),
        ("rasterd_job_duration_seconds_count", 2),
        ("rasterd_jobs_failed", 1),
        ("rasterd_jobs_waiting", 0),
        ("rasterd_assets", 2),
    ];
    let before = monitored.scrape().await;
    monitored
        .moves(uploads, async || {
            writer.upload(&[("one.png", &picture("one")), ("text.txt", b"no picture")]).await;
            writer.upload(&[("damaged.png", damaged)]).await;
            writer.upload(&[("text.txt", b"no picture")]).await;
        })
        .await;
    let after = monitored.scrape().await;
    let bytes = i64::try_from(picture("one").len() + damaged.len()).unwrap();
    for series in ["rasterd_uploaded_bytes_total", "rasterd_asset_bytes"] {
        assert_eq!(after.sum(series) - before.sum(series), bytes, "{series}");
    }
    let id = writer.uploaded("two").await;
    monitored.scene.server.processed().await;
    let broken = writer.get(&format!("{ASSETS}?pageSize=500")).await.json();
    let broken = broken["data"].as_array().unwrap().iter().find(|asset| asset["name"] == "damaged").unwrap();
    let broken = broken["id"].as_str().unwrap().to_owned();
    let pictures: Moves = &[
        ("rasterd_renditions_total{result=\"ok\"}", 1),
        ("rasterd_rendition_duration_seconds_count", 1),
        ("rasterd_rendition_requests_total{result=\"miss\"}", 2),
        ("rasterd_rendition_requests_total{result=\"hit\"}", 1),
    ];
    monitored
        .moves(pictures, async || {
            for _ in 0..2 {
                client.get(&format!("/cdn/acme/photos/{id}?w=16&fm=webp&q=40")).await;
            }
            client.get(&format!("/cdn/acme/photos/{broken}?w=16&fm=webp&q=40")).await;
        })
        .await;
    let scrape = monitored.scrape().await;
    assert!(scrape.sum("rasterd_rendition_cache_bytes") >= 4096);
    assert!(scrape.sum("rasterd_rendition_cache_limit_bytes") > scrape.sum("rasterd_rendition_cache_bytes"));
}

#[tokio::test]
async fn commits_connections_and_bytes_are_counted() {
    let monitored = Monitored::start().await;
    let server = &monitored.scene.server;
    let series = [
        "rasterd_commits_total{result=\"ok\"}",
        "rasterd_commit_duration_seconds_count",
        "rasterd_commit_writes_sum",
        "rasterd_received_bytes_total",
        "rasterd_sent_bytes_total",
        "rasterd_connections_total{result=\"ok\"}",
        "rasterd_connections_total{result=\"plain_http\"}",
        "rasterd_connections_total{result=\"failed\"}",
        "rasterd_requests_total{transport=\"other\",status=\"403\"}",
    ];
    monitored
        .grow(&series, async || {
            monitored.scene.writer.uploaded("one").await;
            Client::new(server).get("/livez").await;
            let mut plain = tcp_to(server.port()).unwrap();
            std::io::Write::write_all(&mut plain, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            assert!(read_to_end(&mut plain).contains("HTTPS_REQUIRED"));
            drop(tcp_to(server.port()).unwrap());
        })
        .await;
    let scrape = monitored.scrape().await;
    assert!(scrape.sum("rasterd_connections_open") >= 1 && scrape.sum("rasterd_requests_running") >= 1);
    assert!(scrape.sum("rasterd_database_size_bytes") > 0);
    for folder in ["data", "files"] {
        let [size, available] = ["size", "available"]
            .map(|what| scrape.sum(&format!("rasterd_disk_{what}_bytes{{folder=\"{folder}\"}}")));
        assert!(size > available && available > 0, "{folder}: {size} {available}");
    }
    assert_eq!(scrape.sum("rasterd_disk_reserve_bytes"), 1 << 20);
}

#[tokio::test]
async fn signing_in_is_counted() {
    let monitored = Monitored::start().await;
    let core = monitored.scene.server.core();
    let by = monitored.scene.server.administrator();
    let client = ClientInfo::default();
    let (link, _) = core.invite_member(by, "acme", Role::Owner, "").await.unwrap();
    let (email, password) = ("ada@example.org", "q7VxPm2Zk9wRt4LwHs");
    core.join(link.reveal(), NewMember { email, name: "Ada", password }, &client).await.unwrap();
    let moves: Moves = &[
        ("rasterd_sign_ins_total{method=\"password\",result=\"ok\"}", 1),
        ("rasterd_sign_ins_total{method=\"password\",result=\"refused\"}", 2),
    ];
    monitored
        .moves(moves, async || {
            core.sign_in(email, password, &client).await.unwrap();
            assert!(core.sign_in(email, "wrong", &client).await.is_err());
            assert!(core.sign_in("nobody@example.org", "wrong", &client).await.is_err());
        })
        .await;
    monitored
        .grow(&["rasterd_sign_ins_total{method=\"password\",result=\"throttled\"}"], async || {
            for _ in 0..50 {
                let _refused = core.sign_in(email, "wrong", &client).await;
            }
        })
        .await;
}

#[tokio::test]
async fn the_check_of_files_and_what_it_finds_are_counted() {
    let monitored = Monitored::start().await;
    let server = &monitored.scene.server;
    monitored.scene.writer.uploaded("one").await;
    let size = i64::try_from(picture("one").len()).unwrap();
    let before = monitored.scrape().await;
    server.core().scrub_pass().await.unwrap();
    let after = monitored.scrape().await;
    assert_eq!(after.sum("rasterd_scrubbed_files_total") - before.sum("rasterd_scrubbed_files_total"), 1);
    assert_eq!(after.sum("rasterd_scrubbed_bytes_total") - before.sum("rasterd_scrubbed_bytes_total"), size);
    assert!((0..=1).contains(&after.sum("rasterd_scrub_position_ratio")));
    let files = files_below(&server.data_dir().join("files"));
    let file = files.into_iter().find(|file| file.file_name().unwrap().len() == 64).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, &bytes).unwrap();
    for _ in 0..2 {
        server.core().scrub_pass().await.unwrap();
    }
    let damaged = monitored.scrape().await;
    assert_eq!(damaged.sum("rasterd_damaged_files"), 1);
    assert_eq!(damaged.sum("rasterd_damaged_files_found_total"), 1, "a file is counted once");
}

#[tokio::test]
async fn backups_the_certificate_and_the_process_are_shown() {
    let monitored = Monitored::start().await;
    let (core, by) = (monitored.scene.server.core(), monitored.scene.server.administrator());
    let now: i64 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap();
    let first = monitored.scrape().await;
    let (made, failed) =
        ("rasterd_backup_last_success_timestamp_seconds", "rasterd_backup_last_failure_timestamp_seconds");
    assert_eq!((first.sum(made), first.sum(failed), first.sum("rasterd_backup_interval_seconds")), (0, 0, 0));
    let folder = rasterd::testing::TempFolder::new();
    let backup = async |target: &str| {
        let options = BackupOptions { target: folder.path().join(target), keep: None, authority: false };
        core.backup(&by, options, &Reporter::default()).await
    };
    backup("here").await.unwrap();
    assert!((monitored.scrape().await.sum(made) - now).abs() < 3600);
    fs::write(folder.path().join("file"), "").unwrap();
    backup("file/below").await.unwrap_err();
    let scrape = monitored.scrape().await;
    assert!(scrape.sum(failed) >= scrape.sum(made) && scrape.sum(made) > 0);
    assert!(scrape.sum("rasterd_certificate_expiry_timestamp_seconds") > now);
    assert!((scrape.sum("process_start_time_seconds") - now).abs() < 3600);
    for series in ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"] {
        assert!(scrape.sum(series) > 0, "{series}");
    }
    assert_eq!(scrape.sum("rasterd_build_info"), 1);
}

#[tokio::test]
async fn a_check_that_fails_is_shown() {
    let monitored = Monitored::start().await;
    let files = monitored.scene.server.data_dir().join("files");
    let aside = monitored.scene.server.data_dir().join("aside");
    monitored.wait_until("rasterd_ready", |ready| ready == 1).await;
    monitored.wait_until("rasterd_check_ok", |ok| ok == 6).await;
    fs::rename(&files, &aside).unwrap();
    monitored.wait_until("rasterd_check_ok{check=\"files\"}", |ok| ok == 0).await;
    let scrape = monitored.scrape().await;
    assert_eq!((scrape.sum("rasterd_ready"), scrape.sum("rasterd_check_ok{check=\"store\"}")), (0, 1));
    fs::rename(&aside, &files).unwrap();
    monitored.wait_until("rasterd_ready", |ready| ready == 1).await;
}
