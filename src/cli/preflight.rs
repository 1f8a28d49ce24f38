//! Finds what would keep the server from starting, or would cause a warning when it starts, without changing anything.

use std::fmt::Display;
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
use crate::core::backup::target_problem;
use crate::transport::server::MetricsToken;
use crate::transport::server::unix_socket::{self, UnixSocketError};
use crate::transport::tls::{self, development};

mod acme;
mod addresses;
mod clock;
mod report;
mod server_user;
mod storage;

pub(super) use report::{PreflightFinding, PreflightReport, Topic};
pub(super) use storage::room;

/// The key of the data directory.
const DATA_DIR: &str = "data.dir";

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
            let text = "no backups are made; set backup.dir to a folder on another disk";
            report.notes.push(Topic::Backup.finding(text));
        }
        Some(dir) => {
            report.warnings.extend(folder(Topic::Backup, "backup.dir", dir));
            let problem = target_problem(dir, &config.data_dir);
            report
                .warnings
                .extend(problem.map(|problem| {
                    Topic::Backup.finding(format!("backup.dir: {} {problem}", dir.display()))
                }));
        }
    }
    report
}

/// Whether the server can listen, and keep its data.
fn problems(config: &Config) -> Vec<PreflightFinding> {
    let listening = address(Topic::Address, "server.bind", config.bind);
    let unix_socket = config.unix_socket.as_deref().and_then(unix_socket);
    [listening, unix_socket, folder(Topic::DataDir, DATA_DIR, &config.data_dir)]
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

/// Why the server can't start with a configuration.
pub(super) struct Refusal {
    /// Mistakes in the configuration.
    pub mistakes: Vec<String>,
    /// What else is in the way.
    pub problems: Vec<PreflightFinding>,
}

/// What could be read of a configuration, to check that as well, and its mistakes.
pub(super) fn parts(config: Result<Config, Invalid>) -> (Option<Config>, Vec<String>) {
    match config {
        Ok(config) => (Some(config), Vec::new()),
        Err(Invalid { problems, rest }) => (rest.map(|rest| *rest), problems),
    }
}

/// Refuses a configuration with which the server can't start, and reports everything that is wrong with it.
pub(super) fn require(config: Result<Config, Invalid>) -> Result<Config, Refusal> {
    let (config, mistakes) = parts(config);
    let mut found = Vec::new();
    if let Some(config) = &config {
        found.extend(problems(config));
        found.extend(certificates(config).problems);
    }
    match config {
        Some(config) if mistakes.is_empty() && found.is_empty() => Ok(config),
        Some(_) | None => Err(Refusal { mistakes, problems: found }),
    }
}

/// Whether the server may listen on the address. It is not a problem when a server listens there already, which may be
/// the one with this configuration.
fn address(about: Topic, key: &str, bind: SocketAddr) -> Option<PreflightFinding> {
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
    Some(about.finding(format!("{key}: can't listen on {bind}: {error}{hint}")))
}

/// Whether the server may listen on a Unix socket. What listens there already may be the server with this configuration.
fn unix_socket(path: &Path) -> Option<PreflightFinding> {
    match unix_socket::problem(path)? {
        UnixSocketError::InUse(_) => None,
        problem @ (UnixSocketError::Taken(_) | UnixSocketError::Refused(..)) => {
            Some(Topic::Address.finding(format!("server.unix_socket: {problem}")))
        }
    }
}

/// Whether the metrics have an address and a token.
fn metrics_problems(
    MetricsSection { bind, token_file }: &MetricsSection,
) -> impl Iterator<Item = PreflightFinding> {
    let address = bind.and_then(|bind| address(Topic::Metrics, "metrics.bind", bind));
    let token = token_file.as_deref().map(MetricsToken::load).and_then(Result::err);
    let token = token.map(|error| Topic::Metrics.finding(format!("metrics.token_file: {error}")));
    address.into_iter().chain(token)
}

fn open_metrics(MetricsSection { bind, token_file }: &MetricsSection) -> Option<PreflightFinding> {
    let bind = bind.filter(|bind| !bind.ip().is_loopback() && token_file.is_none())?;
    Some(Topic::Metrics.finding(format!(
        "metrics.bind: everybody who reaches {bind} can read the metrics; set metrics.token_file, or bind to a loopback address"
    )))
}

/// Whether a folder exists and can be written to, or can be created.
fn folder(about: Topic, key: &str, path: &Path) -> Option<PreflightFinding> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    if !existing.is_dir() {
        return Some(about.finding(format!(
            "{key}: {} can't be used: {} is not a folder",
            path.display(),
            existing.display()
        )));
    }
    let error = access(existing, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).err()?;
    let what = if existing == path { "can't be used" } else { "can't be created" };
    let hint = if error == Errno::ACCESS && about == Topic::DataDir { whose_folder() } else { String::new() };
    Some(about.finding(format!("{key}: {} {what}: {}: {error}{hint}", path.display(), existing.display())))
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
    (fs::read(copy).ok() != fs::read(cert).ok()).then(|| Topic::Certificate.finding(text))
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
    Some(Topic::Certificate.finding(text))
}

fn certificate(config: &Config, report: &mut PreflightReport) {
    let problem = config.authority_file.as_deref().and_then(tls::authority_problem);
    let authority = |problem| Topic::AuthorityFile.finding(format!("tls.authority_file: {problem}"));
    report.problems.extend(problem.map(authority));
    match &config.certificate {
        Certificate::Files { cert, key } => certificate_files(config, cert, key, report),
        Certificate::Acme { settings, http_bind, dir } => {
            report.problems.extend(folder(Topic::Acme, "tls.dir", dir));
            acme::check(config, settings, *http_bind, report);
        }
        Certificate::Development { dir, .. } => {
            let about = Topic::DevelopmentCertificate;
            let names = config.certificate_names(config.bind);
            let problem = development::problem(dir, &names, SystemTime::now());
            report.problems.extend(problem.map(|problem| about.finding(problem.to_string())));
            report.problems.extend(folder(about, "tls.dir", dir));
        }
    }
}

fn certificate_files(config: &Config, cert: &Path, key: &Path, report: &mut PreflightReport) {
    let unusable = |file_key: &str, problem: &dyn Display| {
        Topic::CertificateFiles.finding(format!("{file_key}: {problem}"))
    };
    let problems = tls::problems(cert, key);
    let key_of = |file: &Path| if file == cert { "tls.cert_file" } else { "tls.key_file" };
    report.problems.extend(problems.iter().map(|problem| unusable(key_of(&problem.file), problem)));
    if problems.iter().all(|problem| problem.file != *key) {
        let problem = tls::check_key(key).err();
        report.problems.extend(problem.map(|problem| unusable("tls.key_file", &problem)));
    }
    report.warnings.extend(not_loaded(cert));
    let Ok(chain) = tls::read_chain(cert) else { return };
    let host = config.public_host();
    let authority = config.authority_file.as_deref().and_then(|file| tls::read_chain(file).ok());
    let mut findings = tls::inspect(&chain, &host, SystemTime::now(), &authority.unwrap_or_default());
    if !config.proxies.show_our_certificate(config.unix_socket.is_some()) {
        findings.others.clear();
    }
    let doubtful = |finding| Topic::Certificate.finding(format!("{}: {finding}", cert.display()));
    report.warnings.extend(findings.iter().map(doubtful));
}
