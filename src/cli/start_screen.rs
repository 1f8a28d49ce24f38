//! What a server that is ready says about itself: how it was set up, and what looks wrong. A person sees it on a screen;
//! without a terminal, what looks wrong goes to the log, where programs find it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use super::guide_pointers;
use super::preflight::{self, PreflightFinding, PreflightReport, Topic};
use super::progress::bytes;
use super::server_options::CertificateFiles;
use crate::config::Config;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::error::Result;
use crate::transport::tls::{self, CertificateSummary};

/// How many limits are listed.
const MAX_LIMITS: usize = 6;

/// The screen.
pub(super) struct StartScreen {
    listening: SocketAddr,
    public_url: String,
    unix_socket: Option<String>,
    /// Each authority, and who has to trust it.
    authorities: Vec<String>,
    certificate: String,
    data: String,
    backups: String,
    url_uploads: &'static str,
    limits: Option<String>,
    report: PreflightReport,
}

impl StartScreen {
    /// Collects everything about a server that listens on `bound`. `report` was made before the database was opened.
    ///
    /// # Errors
    /// When the store fails.
    pub fn new(
        config: &Config,
        bound: SocketAddr,
        files: &CertificateFiles,
        report: PreflightReport,
        (core, by): (&Core, &Administrator),
    ) -> Result<Self> {
        let settings = core.settings();
        let of_assets = core.list_quotas(by)?.iter().map(|quota| quota.used.storage).sum();
        let free = preflight::room(&settings.data_dir).map_or_else(
            |_| "unknown free space".to_owned(),
            |room| format!("{} of {} free", bytes(room.available), bytes(room.total)),
        );
        Ok(Self {
            listening: bound,
            public_url: settings.public_url.clone(),
            unix_socket: config.unix_socket.as_ref().map(|socket| socket.display().to_string()),
            authorities: authorities(files),
            certificate: certificate(files),
            data: format!("{} ({} of assets, {free})", settings.data_dir.display(), bytes(of_assets)),
            backups: match &settings.backup.dir {
                Some(dir) => format!("{}, every {} h", dir.display(), settings.backup.every.as_secs() / 3600),
                None => "off; set backup.dir to a folder on another disk".to_owned(),
            },
            url_uploads: if settings.fetch.enabled { "on" } else { "off" },
            limits: changed_limits(config),
            report,
        })
    }

    /// The lines for a person: the facts, and on a terminal also what looks wrong.
    pub fn lines(&self, on_terminal: bool) -> Vec<String> {
        let url = &self.public_url;
        let mut facts = vec![
            ("Server", url.clone()),
            ("Web app", format!("{url}/app")),
            ("MCP", format!("{url}/mcp")),
            ("Docs", format!("{url}/docs")),
            ("Listening", self.listening.to_string()),
        ];
        facts.extend(self.unix_socket.iter().map(|socket| ("Socket", socket.clone())));
        facts.extend(self.authorities.iter().map(|authority| ("Authority", authority.clone())));
        facts.extend([
            ("Certificate", self.certificate.clone()),
            ("Data", self.data.clone()),
            ("Backups", self.backups.clone()),
            ("Url uploads", self.url_uploads.to_owned()),
        ]);
        facts.extend(self.limits.iter().map(|limits| ("Limits", limits.clone())));
        let facts = facts.into_iter().map(|(name, fact)| format!("  {name:<11}  {fact}"));
        let mut lines = vec!["rasterd is ready.".to_owned(), String::new()];
        lines.extend(facts);
        lines.push(String::new());
        if on_terminal {
            lines.extend(section("What looks wrong:", self.report.warnings.iter()));
            if !self.report.warnings.is_empty() {
                lines.extend([guide_pointers::of_findings(&self.report.warnings), String::new()]);
            }
            // Backups have a line of their own.
            let notes = self.report.notes.iter().filter(|note| note.about != Topic::Backup);
            lines.extend(section("Worth knowing:", notes));
        }
        lines
    }

    /// The same for the log of a server without a terminal.
    pub fn log(&self) {
        tracing::info!(
            listening = %self.listening,
            public_url = self.public_url,
            certificate = self.certificate,
            data = self.data,
            backups = self.backups,
            url_uploads = self.url_uploads,
            limits = self.limits.as_deref().unwrap_or("as by default"),
            "rasterd is ready"
        );
        // The running server logs by itself what is wrong with its certificate, and again every day.
        let warnings = self.report.warnings.iter().filter(|finding| finding.about != Topic::Certificate);
        for PreflightFinding { about, text } in warnings {
            tracing::warn!(about = about.name(), docUrl = guide_pointers::path(*about), "{text}");
        }
        for PreflightFinding { about, text } in &self.report.notes {
            tracing::info!(about = about.name(), docUrl = guide_pointers::path(*about), "{text}");
        }
    }
}

fn section<'a>(heading: &str, findings: impl Iterator<Item = &'a PreflightFinding>) -> Vec<String> {
    let items: Vec<String> = findings.map(|finding| format!("  - {}.", finding.text)).collect();
    if items.is_empty() {
        return items;
    }
    [heading.to_owned(), String::new()].into_iter().chain(items).chain([String::new()]).collect()
}

/// The authorities, and who has to trust which.
fn authorities(files: &CertificateFiles) -> Vec<String> {
    let line = |file: &Path, who: &str| format!("{} ({who})", file.display());
    let of_clients = files.authority.as_ref().map(|authority| {
        let who = if authority.is_development {
            "for development; clients have to trust it"
        } else {
            "clients have to trust it"
        };
        line(&authority.file, who)
    });
    let is_for_clients = files.authority.as_ref().is_some_and(|authority| authority.is_development);
    let of_proxies = files.development.as_deref().filter(|_| !is_for_clients);
    let of_proxies =
        of_proxies.map(|made| line(&made.files().ca_file, "only the proxy has to trust it, clients don't"));
    of_clients.into_iter().chain(of_proxies).collect()
}

/// Whose certificate it is, and until when.
fn certificate(files: &CertificateFiles) -> String {
    if let Some(missing) = files.acme.as_ref().and_then(|acme| acme.missing(&files.cert)) {
        return missing;
    }
    let summary = tls::read_chain(&files.cert).ok().and_then(|chain| CertificateSummary::of(&chain));
    match summary {
        Some(summary) if files.development.is_some() => {
            format!("made by this server, until {}; renewed by itself", summary.last_day())
        }
        Some(summary) => {
            let state = if summary.until < SystemTime::now() { "expired on" } else { "until" };
            format!("{} by {}, {state} {}", summary.names_in_line(), summary.issuer, summary.last_day())
        }
        None => files.cert.display().to_string(),
    }
}

/// The limits that are not as by default, as in a configuration file.
fn changed_limits(config: &Config) -> Option<String> {
    let limits = config.shown().iter().filter(|shown| shown.key.starts_with("limits."));
    let mut changed: Vec<String> = limits
        .filter(|shown| shown.origin.is_set())
        .map(|shown| format!("{} = {}", shown.key.trim_start_matches("limits."), shown.value))
        .collect();
    let more = changed.len().saturating_sub(MAX_LIMITS);
    changed.truncate(MAX_LIMITS);
    if more > 0 {
        changed.push(format!("and {more} more (`rasterd config show`)"));
    }
    (!changed.is_empty()).then(|| changed.join(", "))
}
