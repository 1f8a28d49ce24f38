//! A whole server for tests, ours and those of people who embed it: a temp directory, a free port, real TLS under
//! its own authority, a clock that tests move. Panics where a test would fail anyway.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine;

use crate::app::App;
use crate::app::access::{Administrator, LibraryPath};
use crate::app::clock::Clock;
use crate::app::id::{AssetId, KeyId};
use crate::app::model::Access;
use crate::app::settings::{
    FetchSettings, Limits, MediaSettings, MemberSettings, RenditionSettings, Settings,
};
use crate::app::uploads::Source;
use crate::server::{Control, Options, Orders, Patience, Server};
use crate::tls::development::{self, DevelopmentCertificate};

/// How long the work after uploads may take.
const PROCESSED_WITHIN: Duration = Duration::from_mins(1);

/// What a test changes of a server before it starts.
type Change = dyn Fn(&mut Settings, &mut Options) + Send + Sync;

/// A running server in a directory of its own. Stops, and removes everything, when dropped.
pub struct TestServer {
    directory: tempfile::TempDir,
    certificate: DevelopmentCertificate,
    change: Arc<Change>,
    clock: Clock,
    running: Option<Running>,
}

struct Running {
    url: String,
    app: App,
    control: Control,
    thread: JoinHandle<()>,
}

/// A key as its maker sees it.
#[derive(Debug, Clone)]
pub struct TestKey {
    /// The key's public id.
    pub id: KeyId,
    /// The plain key.
    pub token: String,
}

impl TestServer {
    /// Starts a server.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(|_, _| {})
    }

    /// Starts a server after `change` had its way with what it is configured with.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_with(change: impl Fn(&mut Settings, &mut Options) + Send + Sync + 'static) -> Self {
        let directory = tempfile::tempdir().expect("a temp directory");
        let certificate = development::ensure(&directory.path().join("certs"), &[]).expect("a certificate");
        let mut server =
            Self { directory, certificate, change: Arc::new(change), clock: Clock::default(), running: None };
        server.run();
        server
    }

    /// Stops the server and starts it again in the same directory, on another port.
    ///
    /// # Panics
    /// When it does not stop or start.
    pub fn restart(&mut self) {
        self.stop();
        self.run();
    }

    /// Stops the server; requests in flight finish.
    ///
    /// # Panics
    /// When the server did.
    pub fn stop(&mut self) {
        if let Some(Running { app, control, thread, .. }) = self.running.take() {
            drop(app);
            control.stop();
            assert!(thread.join().is_ok() || std::thread::panicking(), "the server panicked");
        }
    }

    fn run(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let url = format!("https://localhost:{port}");
        let mut settings = settings(&self.directory.path().join("data"), &url);
        let mut options = options(listener, &self.certificate);
        (self.change)(&mut settings, &mut options);
        let app = open(&settings, &self.clock);
        let (control, orders) = Orders::by_hand();
        let (ready, started) = mpsc::channel();
        let served = app.clone();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let served = Server::start(options, served).expect("the server starts");
                ready.send(()).expect("the test waits");
                served.run(orders).await.expect("the server serves");
            });
        });
        started.recv().expect("the server started");
        self.running = Some(Running { url, app, control, thread });
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server runs")
    }

    /// Whether it still runs: not any more once it carried out an order to stop.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.thread.is_finished())
    }

    /// Its origin, such as `https://localhost:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.running().url
    }

    /// Its port, on 127.0.0.1.
    ///
    /// # Panics
    /// Never, as long as it runs.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("the url ends in the port")
    }

    /// The authority that clients are to trust, PEM.
    ///
    /// # Panics
    /// When its file is gone.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        std::fs::read_to_string(&self.certificate.ca_file).expect("the authority's certificate")
    }

    /// Its certificate files.
    #[must_use]
    pub fn certificate(&self) -> &DevelopmentCertificate {
        &self.certificate
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Its operations. Drop a clone before stopping: the data directory stays open as long as one is there.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.running().app
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Gives it orders as signals would.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.running().control
    }

    /// Makes an organization and returns its slug.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn organization(&self, name: &str) -> String {
        let made = self.app().create_organization(Administrator::of_this_box(), name, None).await;
        made.expect("an organization").slug.as_str().to_owned()
    }

    /// Makes a library and returns its slug.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn library(&self, organization: &str, name: &str) -> String {
        let made = self.app().add_library(Administrator::of_this_box(), organization, name, None).await;
        made.expect("a library").slug.as_str().to_owned()
    }

    /// Uploads a file with a key and returns the new asset's id.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn upload(
        &self,
        key: &TestKey,
        organization: &str,
        library: &str,
        file_name: &str,
        bytes: &[u8],
    ) -> AssetId {
        self.upload_under(key, organization, library, file_name, bytes, None).await
    }

    /// Uploads a file as a variant of an asset and returns its id.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn upload_under(
        &self,
        key: &TestKey,
        organization: &str,
        library: &str,
        file_name: &str,
        bytes: &[u8],
        parent: Option<&AssetId>,
    ) -> AssetId {
        let caller = self.app().authenticate(&key.token).expect("the key is live");
        let source = Source::Base64 {
            filename: file_name.to_owned(),
            mime_type: String::new(),
            data: base64::engine::general_purpose::STANDARD.encode(bytes),
        };
        let path = LibraryPath { organization, library };
        let parent = parent.map(AssetId::as_str);
        let uploaded = self.app().upload_sources(caller, &path, vec![source], parent, |_| {}).await;
        uploaded.expect("an upload").assets.first().expect("an asset").asset.id
    }

    /// Waits until the work after all uploads so far is done, or given up.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn processed(&self) {
        let until = Instant::now() + PROCESSED_WITHIN;
        while self.app().waiting_work(&Administrator::of_this_box()).expect("the store can be read") > 0 {
            assert!(Instant::now() < until, "uploaded files are still to be worked on");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Makes a key with these grants: a library's slug, and how far it goes.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn key(&self, organization: &str, grants: &[(&str, Access)]) -> TestKey {
        let grants = grants.iter().map(|(library, access)| ((*library).to_owned(), Some(*access))).collect();
        let made =
            self.app().create_key(Administrator::of_this_box(), organization, "test", grants, None).await;
        let (plain, info) = made.expect("a key");
        TestKey { id: info.key.id, token: plain.reveal().to_owned() }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Opens the data directory. The threads of a server that just stopped let go of it one after the other.
fn open(settings: &Settings, clock: &Clock) -> App {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match App::open(settings.clone(), clock.clone()) {
            Ok(app) => return app,
            Err(error) => assert!(Instant::now() < until, "the data directory does not open: {error:?}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Settings of a server that keeps its things in this folder.
pub(crate) fn settings(data_dir: &Path, url: &str) -> Settings {
    Settings {
        data_dir: data_dir.to_owned(),
        public_url: url.to_owned(),
        cache_bytes: 16 << 20,
        trash_keep: Duration::from_hours(30 * 24),
        revoke_exposed_keys: false,
        limits: Limits::default(),
        fetch: FetchSettings { enabled: true, allow: Vec::new() },
        renditions: RenditionSettings::default(),
        members: MemberSettings::default(),
        media: MediaSettings::default(),
    }
}

fn options(listener: TcpListener, certificate: &DevelopmentCertificate) -> Options {
    Options {
        listener,
        cert_file: certificate.cert_file.clone(),
        key_file: certificate.key_file.clone(),
        authority: Some(certificate.ca_file.clone()),
        allowed_hosts: vec!["localhost".into(), "127.0.0.1".into()],
        allowed_origins: Vec::new(),
        mcp_hosts: Vec::new(),
        graphql_introspection: true,
        workers: 2,
        patience: Patience {
            head: Duration::from_secs(10),
            body: Duration::from_mins(1),
            body_rate: 1024,
            idle: Duration::from_mins(1),
            drain: Duration::from_secs(5),
            connections: 1000,
            connections_per_address: 1000,
        },
    }
}
