//! What the one who runs the server can see: the metrics, who may read them, and the documents about them.

mod access;
mod documents;
mod exposition;
mod labels;
mod moves;
mod offline;
mod traces;

use std::fs;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rasterd::testing::{TempFolder, TestServer};
use rasterd::transport::server::{MetricsOptions, MetricsToken};

use crate::rest::Scene;
use crate::support::Client;
use crate::support::raw::DEADLINE;
use exposition::Exposition;

/// The token of the monitor.
const TOKEN: &str = "monitor-0123456789abcdef";

/// A server with metrics on the main listener.
struct Monitored {
    scene: Scene,
    monitor: Client,
    _token: TempFolder,
}

impl Monitored {
    async fn start() -> Self {
        let folder = TempFolder::new();
        let file = folder.path().join("token");
        fs::write(&file, format!("{TOKEN}\n")).unwrap();
        rasterd::file_mode::set_mode(&file, 0o600).unwrap();
        let server = TestServer::start_with(move |settings, options| {
            settings.scrub = Duration::from_mins(1);
            options.metrics.token = Some(Arc::new(MetricsToken::load(&file).unwrap()));
        });
        let scene = Scene::on(server).await;
        let monitor = scene.anyone.with_key(TOKEN);
        Self { scene, monitor, _token: folder }
    }

    async fn scrape(&self) -> Exposition {
        let reply = self.monitor.get("/metrics").await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        Exposition::parse(std::str::from_utf8(&reply.body).unwrap())
    }

    /// Scrapes until a sum of series is as expected.
    async fn wait_until(&self, series: &str, is_expected: impl Fn(i64) -> bool) {
        let until = Instant::now() + DEADLINE;
        loop {
            let value = self.scrape().await.sum(series);
            if is_expected(value) {
                return;
            }
            assert!(Instant::now() < until, "{series} is {value}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A server with a listener for metrics, and a client of that listener.
fn with_own_listener(token: Option<Arc<MetricsToken>>) -> (TestServer, Client) {
    let address = Arc::new(Mutex::new(None));
    let bound = Arc::clone(&address);
    let server = TestServer::start_with(move |_, options| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        *bound.lock().unwrap() = Some(listener.local_addr().unwrap());
        options.metrics = MetricsOptions { listener: Some(listener), token: token.clone() };
    });
    let port = address.lock().unwrap().unwrap().port();
    let client = Client::of(&format!("https://localhost:{port}"), &server.ca_pem());
    (server, client)
}
