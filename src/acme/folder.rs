//! The files of ACME in the data directory: accounts, the certificate with its key, and what went wrong last. Only this
//! user can read them, and each is written as a whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use instant_acme::AccountCredentials;

use super::{AcmeSettings, Problem};
use crate::file_mode;
use crate::transport::tls::{CertificateSummary, check_key, development, problems, read_chain};

/// How the first line of the certificate's file begins, which names the ACME server that it is from.
const FROM: &str = "# From ";

/// The folder.
#[derive(Debug, Clone)]
pub struct AcmeFolder {
    dir: PathBuf,
}

impl AcmeFolder {
    /// The folder at this path, which need not exist.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The file with the certificate's chain and its key.
    #[must_use]
    pub fn certificate_file(&self) -> PathBuf {
        self.dir.join("certificate.pem")
    }

    /// The certificate, if it is from the configured ACME server and for the configured domains.
    #[must_use]
    pub fn certificate(&self, settings: &AcmeSettings) -> Option<CertificateSummary> {
        let file = self.certificate_file();
        let text = fs::read_to_string(&file).ok()?;
        let directory = text.lines().next()?.strip_prefix(FROM)?;
        let summary = CertificateSummary::of(&read_chain(&file).ok()?)?;
        let has = |domain: &String| summary.names.iter().any(|name| name.eq_ignore_ascii_case(domain));
        (directory == settings.directory && settings.domains.iter().all(has)).then_some(summary)
    }

    /// The certificate, if it can be used now. One that can't keeps no server from starting: it gets another one.
    #[must_use]
    pub fn usable_certificate(&self, settings: &AcmeSettings, now: SystemTime) -> Option<CertificateSummary> {
        let file = self.certificate_file();
        let is_whole = || problems(&file, &file).is_empty() && check_key(&file).is_ok();
        self.certificate(settings).filter(|summary| summary.until > now && is_whole())
    }

    /// What went wrong when a certificate was last asked for; `None` after a success.
    #[must_use]
    pub fn last_problem(&self) -> Option<String> {
        fs::read_to_string(self.problem_file()).ok().map(|text| text.trim().to_owned())
    }

    /// Keeps the certificate with its key.
    pub(super) fn save_certificate(&self, directory: &str, pem: &str) -> Result<(), Problem> {
        self.write(&self.certificate_file(), &format!("{FROM}{directory}\n{pem}"))?;
        // Gone in any case with the next success.
        let _removed = fs::remove_file(self.problem_file());
        Ok(())
    }

    /// Keeps what went wrong, for the next start and for `rasterd doctor`.
    pub(super) fn save_problem(&self, text: &str) {
        if let Err(problem) = self.write(&self.problem_file(), text) {
            tracing::warn!("what went wrong could not be kept: {problem}");
        }
    }

    /// The account at an ACME server, if there is one.
    pub(super) fn account(&self, directory: &str) -> Result<Option<AccountCredentials>, Problem> {
        let file = self.account_file(directory);
        let Ok(text) = fs::read(&file) else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            Problem::new(format!(
                "{} is damaged: {error}. Move it away; a new account is created then",
                file.display()
            ))
        })
    }

    /// Keeps the account at an ACME server.
    pub(super) fn save_account(&self, directory: &str, account: &AccountCredentials) -> Result<(), Problem> {
        let text = serde_json::to_string_pretty(account).map_err(|error| Problem::new(error.to_string()))?;
        self.write(&self.account_file(directory), &text)
    }

    /// Forgets an account that the ACME server does not know any more.
    pub(super) fn forget_account(&self, directory: &str) {
        if let Err(error) = fs::remove_file(self.account_file(directory)) {
            tracing::warn!("the account of an ACME server can't be removed: {error}");
        }
    }

    /// Each ACME server has an account of its own, so that one may be tried out before another is used.
    fn account_file(&self, directory: &str) -> PathBuf {
        let server = directory.trim_start_matches("https://");
        let name: String = server.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        self.dir.join(format!("account-{name}.json"))
    }

    fn problem_file(&self) -> PathBuf {
        self.dir.join("problem.txt")
    }

    fn write(&self, file: &Path, text: &str) -> Result<(), Problem> {
        file_mode::create_folder(&self.dir)
            .map_err(|error| Problem::new(format!("{} can't be created: {error}", self.dir.display())))?;
        development::write(file, text, file_mode::FILE).map_err(|error| Problem::new(error.to_string()))
    }
}
