//! Finds what would keep the server from starting, or would cause a warning when it starts, without changing anything.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Access, access};

use crate::config::{Certificate, Config, Invalid};
use crate::transport::server::unix_socket::{self, UnixSocketError};
use crate::transport::tls::{self, development};

/// The problems and warnings, a sentence each.
#[derive(Default)]
pub(super) struct Report {
    pub problems: Vec<String>,
    pub warnings: Vec<String>,
}

/// Checks the address, the data directory and the certificate of a configuration.
pub(super) fn check(config: &Config) -> Report {
    let mut report = Report::default();
    report.problems.extend(address(config.bind));
    report.problems.extend(config.unix_socket.as_deref().and_then(unix_socket));
    report.problems.extend(folder("data.dir", &config.data_dir));
    certificate(config, &mut report);
    report
}

/// Checks the certificate of a configuration.
pub(super) fn certificates(config: &Config) -> Report {
    let mut report = Report::default();
    certificate(config, &mut report);
    report
}

/// Refuses a configuration with which the server can't start, and reports everything that is wrong with it.
pub(super) fn require(config: Result<Config, Invalid>) -> Result<Config, Invalid> {
    let (config, mut problems) = match config {
        Ok(config) => (Some(config), Vec::new()),
        Err(Invalid { problems, rest }) => (rest.map(|rest| *rest), problems),
    };
    problems.extend(config.iter().flat_map(|config| check(config).problems));
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        Some(_) | None => Err(Invalid { problems, rest: None }),
    }
}

/// Whether the server may listen on the address. It is not a problem when a server listens there already, which may be
/// the one with this configuration.
fn address(bind: SocketAddr) -> Option<String> {
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
    Some(format!("server.bind: can't listen on {bind}: {error}{hint}"))
}

/// Whether the server may listen on a Unix socket. Whoever listens there already may be the server with this configuration.
fn unix_socket(path: &Path) -> Option<String> {
    match unix_socket::problem(path)? {
        UnixSocketError::InUse(_) => None,
        problem @ (UnixSocketError::Taken(_) | UnixSocketError::Refused(..)) => {
            Some(format!("server.unix_socket: {problem}"))
        }
    }
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
    Some(format!("{key}: {} {what}: {}: {error}", path.display(), existing.display()))
}

fn certificate(config: &Config, report: &mut Report) {
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
            let Ok(chain) = tls::read_chain(cert) else { return };
            let host = config.public_host();
            let mut findings = tls::inspect(&chain, &host, SystemTime::now());
            if !config.proxies.show_our_certificate(config.unix_socket.is_some()) {
                findings.others.clear();
            }
            report.warnings.extend(findings.iter().map(|finding| format!("{}: {finding}", cert.display())));
        }
        Certificate::Development { dir, .. } => {
            let names = config.certificate_names(config.bind);
            let problem = development::problem(dir, &names, SystemTime::now());
            report.problems.extend(problem.map(|problem| problem.to_string()));
            report.problems.extend(folder("tls.dir", dir));
        }
    }
}
