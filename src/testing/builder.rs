//! What a test server begins with.

use std::sync::Arc;
use std::time::SystemTime;

use super::{Change, TempFolder, TestDisk, TestServer};
use crate::core::clock::Clock;
use crate::core::data_dir::CERTIFICATES;
use crate::core::disk::{Disk, LocalDisk};
use crate::core::settings::Settings;
use crate::transport::server::ServerOptions;
use crate::transport::tls::development::CertificateRenewer;

/// Starts a [`TestServer`] that differs from the usual one.
///
/// # Examples
/// A server in memory, with a clock that a test moves:
///
/// ```
/// use std::time::Duration;
///
/// use rasterd::testing::TestServer;
///
/// let server = TestServer::builder().in_memory().change(|settings, _| settings.limits.files_per_upload = 5).start();
/// server.clock().advance(Duration::from_hours(24));
/// assert_eq!(server.core().settings().limits.files_per_upload, 5);
/// ```
///
/// A disk that a test fills:
///
/// ```
/// use rasterd::testing::{TestDisk, TestServer};
///
/// let disk = TestDisk::default();
/// let server = TestServer::builder().disk(&disk).start();
/// disk.leave_room(0); // Uploads are answered with 507 now.
/// disk.repair();
/// ```
#[must_use = "`start` starts it"]
pub struct TestServerBuilder {
    change: Arc<Change>,
    disk: Arc<dyn Disk>,
    in_memory: bool,
}

impl Default for TestServerBuilder {
    fn default() -> Self {
        Self { change: Arc::new(|_, _| {}), disk: Arc::new(LocalDisk), in_memory: false }
    }
}

impl TestServerBuilder {
    /// Keeps its files in memory, where that is possible.
    pub fn in_memory(self) -> Self {
        Self { in_memory: true, ..self }
    }

    /// Keeps its files on a disk that the test fills and breaks.
    pub fn disk(self, disk: &TestDisk) -> Self {
        Self { disk: Arc::new(disk.clone()), ..self }
    }

    /// Changes its settings and options before each of its starts.
    pub fn change(self, change: impl Fn(&mut Settings, &mut ServerOptions) + Send + Sync + 'static) -> Self {
        Self { change: Arc::new(change), ..self }
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(self) -> TestServer {
        let directory = if self.in_memory { TempFolder::in_memory() } else { TempFolder::new() };
        let certificates = directory.path().join(CERTIFICATES);
        let certificate = CertificateRenewer::open(&certificates, Vec::new, SystemTime::now());
        let mut server = TestServer {
            directory,
            certificate: Arc::new(certificate.expect("a certificate")),
            change: self.change,
            disk: self.disk,
            clock: Clock::default(),
            running: None,
            lock: None,
        };
        server.run();
        server
    }
}
