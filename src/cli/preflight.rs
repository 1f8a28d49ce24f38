//! Finds what would keep the server from starting, or would cause a warning when it starts, without changing anything.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use crate::config::{
    Certificate, Config, Invalid, MetricsSection, Origin, SERVICE_CERTIFICATE, copy_of_service,
};
use crate::transport::server::MetricsToken;
use crate::transport::server::unix_socket::{self, UnixSocketError};
use crate::transport::tls::{self, development};

mod acme;
mod addresses;
mod clock;
mod server_user;
mod storage;

pub(super) use storage::room;

/// What findings about the certificate are about.
pub(super) const CERTIFICATE: &str = "certificate";
/// The same about backups.
pub(super) const BACKUP: &str = "backup";
/// The same about `/metrics`.
pub(super) const METRICS: &str = "metrics";

/// The key of the data directory.
const DATA_DIR: &str = "data.dir";

/// What was found.
#[derive(Default)]
pub(super) struct PreflightReport {
    /// What keeps the server from starting, a sentence each.
    pub problems: Vec<String>,
    /// What looks wrong, with what to do.
    pub warnings: Vec<PreflightFinding>,
    /// What is worth knowing, and may be meant as it is.
    pub notes: Vec<PreflightFinding>,
}

/// Something that does not keep the server from starting.
#[derive(Debug, Clone)]
pub(super) struct PreflightFinding {
    /// What it is about, for programs that read the log.
    pub about: &'static str,
    /// What was found, and what to do.
    pub text: String,
}

/// Checks everything about a configuration: whether the server can start with it, and what looks wrong.
pub(super) fn check(config: &Config) -> PreflightReport {
    let mut report = check_surroundings(config, config.bind);
    report.problems.splice(0..0, problems(config));
    server_user::check(config, &mut report);
    report
}

/// What looks wrong with a server that listens on `bound`, and with its certificate.
pub(super) fn check_surroundings(config: &Config, bound: SocketAddr) -> PreflightReport {
    let mut report = PreflightReport::default();
    let is_configured = config
        .shown()
        .iter()
        .any(|shown| shown.key == "server.public_url" && shown.origin != Origin::Derived);
    addresses::check(&config.addresses(bound).public_url, is_configured, bound, &mut report);
    certificate(config, &mut report);
    report.warnings.extend(without_certificate(config));
    report.warnings.extend(clock::check(&config.data_dir, SystemTime::now()));
    let settings = config.settings(bound);
    storage::check(&config.data_dir, settings.reserve_bytes, &mut report);
    report.warnings.extend(open_metrics(&config.metrics));
    match &settings.backup.dir {
        None => {
            let text = "no backups are made; set backup.dir to a folder on another disk".to_owned();
            report.notes.push(PreflightFinding { about: BACKUP, text });
        }
        Some(dir) => {
            let unusable = folder("backup.dir", dir).map(|text| PreflightFinding { about: BACKUP, text });
            report.warnings.extend(unusable);
        }
    }
    report
}

/// Whether the server can listen, and keep its data.
fn problems(config: &Config) -> Vec<String> {
    let unix_socket = config.unix_socket.as_deref().and_then(unix_socket);
    [address("server.bind", config.bind), unix_socket, folder(DATA_DIR, &config.data_dir)]
        .into_iter()
        .flatten()
        .chain(metrics_problems(&config.metrics))
        .collect()
}

/// Checks the certificate of a configuration.
pub(super) fn certificates(config: &Config) -> PreflightReport {
    let mut report = PreflightReport::default();
    certificate(config, &mut report);
    report
}

/// Refuses a configuration with which the server can't start, and reports everything that is wrong with it.
pub(super) fn require(config: Result<Config, Invalid>) -> Result<Config, Invalid> {
    let (config, mut problems) = match config {
        Ok(config) => (Some(config), Vec::new()),
        Err(Invalid { problems, rest }) => (rest.map(|rest| *rest), problems),
    };
    if let Some(config) = &config {
        problems.extend(self::problems(config));
        problems.extend(certificates(config).problems);
    }
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        Some(_) | None => Err(Invalid { problems, rest: None }),
    }
}

/// Whether the server may listen on the address. It is not a problem when a server listens there already, which may be
/// the one with this configuration.
fn address(key: &str, bind: SocketAddr) -> Option<String> {
    let error = TcpListener::bind(bind).err()?;
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return None;
    }
    let hint = match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            ". Ports below 1024 need the capability CAP_NET_BIND_SERVICE; see AmbientCapabilities= of systemd"
        }
        std::io::ErrorKind::AddrNotAvailable => ". It is not an address of this machine",
        _ => "",
    };
    Some(format!("{key}: can't listen on {bind}: {error}{hint}"))
}

/// Whether the server may listen on a Unix socket. What listens there already may be the server with this configuration.
fn unix_socket(path: &Path) -> Option<String> {
    match unix_socket::problem(path)? {
        UnixSocketError::InUse(_) => None,
        problem @ (UnixSocketError::Taken(_) | UnixSocketError::Refused(..)) => {
            Some(format!("server.unix_socket: {problem}"))
        }
    }
}

/// Whether the metrics have an address and a token.
fn metrics_problems(MetricsSection { bind, token_file }: &MetricsSection) -> impl Iterator<Item = String> {
    let address = bind.and_then(|bind| address("metrics.bind", bind));
    let token = token_file.as_deref().map(MetricsToken::load).and_then(Result::err);
    address.into_iter().chain(token.map(|error| format!("metrics.token_file: {error}")))
}

fn open_metrics(MetricsSection { bind, token_file }: &MetricsSection) -> Option<PreflightFinding> {
    let bind = bind.filter(|bind| !bind.ip().is_loopback() && token_file.is_none())?;
    let text = format!(
        "metrics.bind: everybody who reaches {bind} can read the metrics; set metrics.token_file, or bind to a loopback address"
    );
    Some(PreflightFinding { about: METRICS, text })
}

/// Whether a folder exists and can be written to, or can be created.
fn folder(key: &str, path: &Path) -> Option<String> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    if !existing.is_dir() {
        return Some(format!(
            "{key}: {} can't be used: {} is not a folder",
            path.display(),
            existing.display()
        ));
    }
    let error = access(existing, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).err()?;
    let what = if existing == path { "can't be used" } else { "can't be created" };
    let hint = if error == Errno::ACCESS && key == DATA_DIR { whose_folder() } else { String::new() };
    Some(format!("{key}: {} {what}: {}: {error}{hint}", path.display(), existing.display()))
}

/// What to do about a data directory of another user.
fn whose_folder() -> String {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    format!(
        ". A server needs a folder of its own user, which is {user} here (`chown -R {user}:{group} FOLDER`; for a container, the \
         folder on the host); a command has to run as root, with `sudo`, or as the server's user"
    )
}

/// A certificate that the service does not have yet, since it gets a copy when it starts.
fn not_loaded(cert: &Path) -> Option<PreflightFinding> {
    let copy = copy_of_service(cert).filter(|copy| copy.parent().is_some_and(Path::is_dir))?;
    let text = format!(
        "{}: the service has started with another certificate; `systemctl restart rasterd` loads this one",
        cert.display()
    );
    (fs::read(copy).ok() != fs::read(cert).ok()).then_some(PreflightFinding { about: CERTIFICATE, text })
}

/// A folder of the service's certificate with files of other names, which nobody reads.
fn without_certificate(config: &Config) -> Option<PreflightFinding> {
    let Certificate::Development { .. } = &config.certificate else { return None };
    let folder = Path::new(SERVICE_CERTIFICATE);
    if ["fullchain.pem", "privkey.pem"].iter().any(|name| folder.join(name).exists()) {
        return None;
    }
    let name = fs::read_dir(folder).ok()?.find_map(Result::ok)?.file_name();
    let text = format!(
        "{SERVICE_CERTIFICATE} has {}, and no fullchain.pem and privkey.pem, so the server makes a certificate for development",
        name.display()
    );
    Some(PreflightFinding { about: CERTIFICATE, text })
}

fn certificate(config: &Config, report: &mut PreflightReport) {
    let problem = config.authority_file.as_deref().and_then(tls::authority_problem);
    report.problems.extend(problem.map(|problem| format!("tls.authority_file: {problem}")));
    match &config.certificate {
        Certificate::Files { cert, key } => {
            let problems = tls::problems(cert, key);
            let key_of = |file: &Path| if file == cert { "tls.cert_file" } else { "tls.key_file" };
            report
                .problems
                .extend(problems.iter().map(|problem| format!("{}: {problem}", key_of(&problem.file))));
            if problems.iter().all(|problem| problem.file != *key) {
                let problem = tls::check_key(key).err();
                report.problems.extend(problem.map(|problem| format!("tls.key_file: {problem}")));
            }
            report.warnings.extend(not_loaded(cert));
            let Ok(chain) = tls::read_chain(cert) else { return };
            let host = config.public_host();
            let mut findings = tls::inspect(&chain, &host, SystemTime::now());
            if !config.proxies.show_our_certificate(config.unix_socket.is_some()) {
                findings.others.clear();
            }
            report.warnings.extend(findings.iter().map(|finding| PreflightFinding {
                about: CERTIFICATE,
                text: format!("{}: {finding}", cert.display()),
            }));
        }
        Certificate::Acme { settings, http_bind, dir } => {
            report.problems.extend(folder("tls.dir", dir));
            acme::check(config, settings, *http_bind, report);
        }
        Certificate::Development { dir, .. } => {
            let names = config.certificate_names(config.bind);
            let problem = development::problem(dir, &names, SystemTime::now());
            report.problems.extend(problem.map(|problem| problem.to_string()));
            report.problems.extend(folder("tls.dir", dir));
        }
    }
}
