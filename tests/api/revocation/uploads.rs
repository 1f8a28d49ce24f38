//! Uploads whose key changes while they run.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rasterd::core::model::Access;
use rasterd::testing::TestServer;
use serde_json::json;

use super::{Change, Connection, has_code};
use crate::authorization::ask::{Ask, json_rpc};
use crate::authorization::operations::operation;
use crate::authorization::values::Values;
use crate::authorization::world::World;
use crate::support::raw::DEADLINE;
use crate::support::waiting::{a_file_arrives, no_file_is_temporary};

/// A file that is a picture by its first bytes, and takes several writes to arrive.
const LARGE: usize = 3_000_000;

/// The ways to upload, each once.
fn ways() -> impl Iterator<Item = &'static Ask> {
    operation("upload_assets").asks.iter()
}

fn large() -> Values {
    Values { files: vec![("large.png".into(), vec![7; LARGE])], ..Values::default() }
}

/// The first half of the upload has arrived when the key changes; the client still sends the other half.
#[tokio::test]
async fn an_upload_whose_key_changes_is_aborted_and_leaves_nothing() {
    let world = World::new().await;
    let before = world.everything().await;
    for change in Change::ALL {
        for ask in ways() {
            let key = world.server.key("acme", &[("photos", Access::Write)]).await;
            let mut connection = Connection::open(&world);
            let request = ask.request(&large());
            let (first, rest) = request.body.split_at(request.body.len() / 2);
            connection.0.send(request.head_that_waits(&format!("Bearer {}", key.token)));
            connection.0.is_asked_for_the_body();
            connection.0.send(first);
            // MCP reads a whole call before it writes a file, and checks its caller again after 50 ms.
            if !matches!(ask, Ask::Tool { .. }) {
                a_file_arrives(&world.server.data_dir()).await;
            }
            change.make(&world.server, &key).await;
            let sent = connection.0.try_send(rest);
            let answer = connection.answer();
            assert!(has_code(&answer, change.answer()), "{change:?} over {ask:?}: {answer:?} {sent:?}");
            no_file_is_temporary(&world.server.data_dir()).await;
        }
    }
    assert_eq!(world.everything().await, before);
}

/// A server that hands out the start of a file, says so, and continues when it gets a signal.
struct SlowSource {
    url: String,
    started: Receiver<()>,
    go_on: Sender<()>,
}

impl SlowSource {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://127.0.0.1:{}/large.png", listener.local_addr().unwrap().port());
        let (start, started) = channel();
        let (go_on, signal) = channel();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            serve(stream, &start, &signal);
        });
        Self { url, started, go_on }
    }
}

fn serve(mut stream: TcpStream, start: &Sender<()>, signal: &Receiver<()>) {
    let mut asked = [0; 1024];
    assert!(stream.read(&mut asked).unwrap() > 0);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {LARGE}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![7; LARGE / 2]).unwrap();
    start.send(()).unwrap();
    let _ = signal.recv_timeout(DEADLINE);
    // Slowly, and until the server hangs up: it is to end the upload before the file does.
    while stream.write_all(&[7; 100]).is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn a_fetch_whose_key_changes_is_aborted_and_leaves_nothing() {
    let world = World::on(TestServer::start_with(|settings, _| {
        settings.fetch.allow = vec!["127.0.0.0/8".parse().unwrap()];
    }))
    .await;
    let before = world.everything().await;
    for change in Change::ALL {
        let key = world.server.key("acme", &[("photos", Access::Write)]).await;
        let SlowSource { url, started, go_on } = SlowSource::start();
        let source = json!({ "kind": "url", "url": url });
        let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "source": source });
        let request = json_rpc("tools/call", &json!({ "name": "upload_asset", "arguments": arguments }));
        let mut connection = Connection::open(&world);
        connection.0.send(request.head(&format!("Bearer {}", key.token)));
        connection.0.send(&request.body);
        started.recv_timeout(DEADLINE).unwrap();
        change.make(&world.server, &key).await;
        go_on.send(()).unwrap();
        let answer = connection.answer();
        assert!(has_code(&answer, change.answer()), "{change:?}: {answer:?}");
        no_file_is_temporary(&world.server.data_dir()).await;
    }
    assert_eq!(world.everything().await, before);
}
