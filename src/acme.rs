//! ACME: gets the server's certificate from an authority such as Let's Encrypt, and renews it while the server runs.
//! Everything is kept in a folder of the data directory. Knows no configuration file and no sockets.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::core::clock::Clock;
use crate::core::model::time::millis;
use crate::transport::tls::Certificates;
use crate::transport::tls::challenges::Challenges;

mod client;
mod folder;
mod order;
mod problem;
mod schedule;

pub use folder::AcmeFolder;
pub use problem::Problem;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_mins(5);
/// How often the clock is looked at, which may jump.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Which certificate is wanted, and from whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeSettings {
    /// The names in the certificate.
    pub domains: Vec<String>,
    /// Whom the ACME server may write to.
    pub email: Option<String>,
    /// The url of the ACME server's directory.
    pub directory: String,
    /// How the server proves that the domains are its own.
    pub challenge: ChallengeKind,
    /// The authority of the ACME server itself, PEM; without one, those of this machine.
    pub root_file: Option<PathBuf>,
    /// The folder of the account and the certificate.
    pub dir: PathBuf,
}

/// How a server proves that a domain is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeKind {
    /// In a TLS handshake on port 443: TLS-ALPN-01.
    TlsAlpn,
    /// Over plain HTTP on port 80: HTTP-01.
    Http,
}

/// Keeps a certificate valid.
pub struct Acme {
    settings: AcmeSettings,
    folder: AcmeFolder,
    challenges: Challenges,
    clock: Clock,
}

impl Acme {
    /// Shows its proofs through `challenges`.
    #[must_use]
    pub fn new(settings: AcmeSettings, challenges: Challenges, clock: Clock) -> Self {
        let folder = AcmeFolder::new(&settings.dir);
        Self { settings, folder, challenges, clock }
    }

    /// Gets a certificate when there is none that can be used, renews it in time, and gives it to new connections. Goes
    /// on after every failure, as long as it is polled.
    pub async fn run(&self, certificates: &Certificates) -> Infallible {
        let mut failures = 0;
        let known = self.folder.usable_certificate(&self.settings, self.now());
        let mut next = known.as_ref().map(schedule::renewal);
        loop {
            self.reach(next.unwrap_or(UNIX_EPOCH)).await;
            next = Some(match self.renew(certificates).await {
                Ok(renewal) => {
                    failures = 0;
                    renewal
                }
                Err(problem) => {
                    failures += 1;
                    self.report(&problem, schedule::pause(failures))
                }
            });
        }
    }

    /// Gets a certificate, gives it to new connections, and returns when it is renewed.
    async fn renew(&self, certificates: &Certificates) -> Result<SystemTime, Problem> {
        let names = self.settings.domains.join(", ");
        tracing::info!(names, directory = self.settings.directory, "asking for a certificate");
        let pem = tokio::time::timeout(ATTEMPT, self.order())
            .await
            .unwrap_or_else(|_| Err(Problem::new("the ACME server has not answered in time")))?;
        self.folder.save_certificate(&self.settings.directory, &pem)?;
        let file = self.folder.certificate_file();
        certificates.use_files(&file, &file).map_err(|error| Problem::new(error.to_string()))?;
        let summary = self.folder.certificate(&self.settings).ok_or_else(|| {
            Problem::new("the ACME server gave a certificate for other names than were asked for")
        })?;
        tracing::info!(names, issuer = summary.issuer, until = summary.last_day(), "got a certificate");
        Ok(schedule::renewal_of_new(&summary, self.now()))
    }

    /// Logs and keeps what went wrong. Returns when the ACME server is asked again.
    fn report(&self, problem: &Problem, pause: Duration) -> SystemTime {
        let next = self.now() + pause;
        let names = self.settings.domains.join(", ");
        let again = humantime::format_rfc3339_seconds(next);
        tracing::error!(names, %again, docUrl = "/docs/certificates#acme", "no certificate: {problem}");
        self.folder.save_problem(&format!("{}: {problem}", humantime::format_rfc3339_seconds(self.now())));
        next
    }

    /// Waits until the clock shows this time.
    async fn reach(&self, time: SystemTime) {
        while self.now() < time {
            let next = time.min(self.now() + LOOK_EVERY);
            self.clock.reach(millis(next.duration_since(UNIX_EPOCH).unwrap_or_default())).await;
        }
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.clock.now())
    }
}
