//! A whole server for tests, ours and those of embedders: a temporary directory, a free port, real TLS with its own
//! authority, a clock that tests set. Panics where a test would fail anyway.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine;

use crate::core::Core;
use crate::core::access::{Administrator, LibraryPath};
use crate::core::clock::Clock;
use crate::core::data_dir::Opening;
use crate::core::data_dir_lock::DataDirLock;
use crate::core::disk::Disk;
use crate::core::model::Access;
use crate::core::model::id::{AssetId, KeyId};
use crate::core::settings::Settings;
use crate::core::uploads::UploadSource;
use crate::transport::server::{Server, ServerControl, ServerOptions, Signals};
use crate::transport::tls::development::{CertificateRenewer, DevelopmentCertificate};

mod builder;
mod disk;
mod settings;
mod temp_folder;

pub use builder::TestServerBuilder;
pub use disk::TestDisk;
pub use settings::settings;
pub use temp_folder::TempFolder;

/// How long the work after uploads may take. A machine may be busy with other things.
const PROCESSED_WITHIN: Duration = Duration::from_mins(5);

/// How long copies of assets are apart, in milliseconds.
const COPIES_APART: u64 = 7 * 60 * 60 * 1000;

/// Changes the settings and options of a server before it starts.
type Change = dyn Fn(&mut Settings, &mut ServerOptions) + Send + Sync;

/// A running server in a directory of its own. Stops, and removes everything, when dropped. Several can run in one
/// process.
///
/// # Examples
/// ```
/// use rasterd::core::model::Access;
/// use rasterd::testing::TestServer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let _already_there = (*rasterd::transport::tls::provider()).clone().install_default();
/// let server = TestServer::start();
/// let organization = server.organization("Acme").await;
/// let library = server.library(&organization, "Photos").await;
/// let key = server.key(&organization, &[(&library, Access::Write)]).await;
///
/// let authority = reqwest::Certificate::from_pem(server.ca_pem().as_bytes())?;
/// let client = reqwest::Client::builder().tls_certs_only([authority]).build()?;
/// let answer = client
///     .get(format!("{}/organizations/{organization}/libraries", server.url()))
///     .bearer_auth(&key.token)
///     .header("Api-Version", "2026-07-08")
///     .send()
///     .await?;
/// assert_eq!(answer.status(), 200);
/// assert!(answer.text().await?.contains("Photos"));
/// # Ok(())
/// # }
/// ```
pub struct TestServer {
    directory: TempFolder,
    certificate: Arc<CertificateRenewer>,
    change: Arc<Change>,
    disk: Arc<dyn Disk>,
    clock: Clock,
    running: Option<Running>,
    lock: Option<DataDirLock>,
}

struct Running {
    url: String,
    core: Core,
    control: ServerControl,
    thread: JoinHandle<()>,
}

/// A new key.
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
        Self::builder().start()
    }

    /// Starts a server with settings and options changed by `change`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_with(change: impl Fn(&mut Settings, &mut ServerOptions) + Send + Sync + 'static) -> Self {
        Self::builder().change(change).start()
    }

    /// A server that differs from the usual one in more than its settings.
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder::default()
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
    /// When the server panicked.
    pub fn stop(&mut self) {
        if let Some(Running { core, control, thread, .. }) = self.running.take() {
            drop(core);
            control.stop();
            assert!(thread.join().is_ok() || std::thread::panicking(), "the server panicked");
            self.lock = None;
        }
    }

    fn run(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let url = format!("https://localhost:{port}");
        let mut settings = settings::settings(&self.directory.path().join("data"), &url);
        let mut options = settings::options(listener, &self.certificate);
        (self.change)(&mut settings, &mut options);
        self.lock =
            Some(DataDirLock::lock(&settings.data_dir, "a test").expect("the data directory is free"));
        let core = open(&settings, &self.clock, &self.disk);
        let (control, signals) = Signals::channel();
        let (ready, started) = mpsc::channel();
        let served = core.clone();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let served = Server::start(options, served).expect("the server starts");
                ready.send(()).expect("the test waits");
                served.run(signals).await.expect("the server serves");
            });
        });
        started.recv().expect("the server started");
        self.running = Some(Running { url, core, control, thread });
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server runs")
    }

    /// Whether it still runs: false once it has stopped.
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

    /// The authority that clients must trust, PEM.
    ///
    /// # Panics
    /// When its file is missing.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        std::fs::read_to_string(&self.certificate.files().ca_file).expect("the authority's certificate")
    }

    /// Its certificate files.
    #[must_use]
    pub fn certificate(&self) -> &DevelopmentCertificate {
        self.certificate.files()
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Its operations. Drop clones before stopping: the data directory stays open as long as one exists.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.running().core
    }

    /// The administrator of the whole server: it holds the lock of its data directory.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn administrator(&self) -> Administrator {
        self.lock.as_ref().expect("the server runs").administrator()
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Sends it signals, as the operating system would.
    #[must_use]
    pub fn control(&self) -> &ServerControl {
        &self.running().control
    }

    /// Creates an organization and returns its slug.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn organization(&self, name: &str) -> String {
        let made = self.core().create_organization(self.administrator(), name, None).await;
        made.expect("an organization").slug.as_str().to_owned()
    }

    /// Creates a library and returns its slug.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn library(&self, organization: &str, name: &str) -> String {
        let made = self.core().create_library_as_admin(self.administrator(), organization, name, None).await;
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
        let caller = self.core().authenticate(&key.token).expect("the key is live");
        let source = UploadSource::Base64 {
            filename: file_name.to_owned(),
            mime_type: String::new(),
            data: base64::engine::general_purpose::STANDARD.encode(bytes),
        };
        let path = LibraryPath { organization, library };
        let parent = parent.map(AssetId::as_str);
        let uploaded = self.core().upload_sources(caller, &path, vec![source], parent, |_| {}).await;
        uploaded.expect("an upload").assets.first().expect("an asset").asset.id
    }

    /// Copies the assets of a library until it has `count` more, a few hours apart, as [`Core::add_copies`] does.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn add_copies(&self, key: &TestKey, organization: &str, library: &str, count: usize) {
        let caller = self.core().authenticate(&key.token).expect("the key is live");
        let path = LibraryPath { organization, library };
        self.core().add_copies(&caller, &path, count, COPIES_APART).await.expect("copies");
    }

    /// Waits until the processing of all uploads so far is finished, or has failed.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn processed(&self) {
        let until = Instant::now() + PROCESSED_WITHIN;
        while self.core().waiting_work(&self.administrator()).expect("the store can be read") > 0 {
            assert!(Instant::now() < until, "uploaded files are still being processed");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Creates a key with these grants: the slug of a library, and the access to it.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn key(&self, organization: &str, grants: &[(&str, Access)]) -> TestKey {
        let grants = grants.iter().map(|(library, access)| ((*library).to_owned(), Some(*access))).collect();
        let made = self.core().create_key(self.administrator(), organization, "test", grants, None).await;
        let (plain, info) = made.expect("a key");
        TestKey { id: info.key.id, token: plain.reveal().to_owned() }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Opens the data directory. The threads of a server that just stopped release it one after the other.
fn open(settings: &Settings, clock: &Clock, disk: &Arc<dyn Disk>) -> Core {
    let opening = Opening { may_create: true, accept_files: false };
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match Core::open_on(settings.clone(), clock.clone(), opening, Arc::clone(disk)) {
            Ok(core) => return core,
            Err(error) => assert!(Instant::now() < until, "the data directory does not open: {error:?}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
