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

    /// Deletes an account that the ACME server no longer knows.
    pub(super) fn delete_account(&self, directory: &str) {
        if let Err(error) = fs::remove_file(self.account_file(directory)) {
            tracing::warn!("the account of an ACME server can't be deleted: {error}");
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::acme::ChallengeKind;

    fn settings(dir: &Path, domains: &[String], directory: &str) -> AcmeSettings {
        AcmeSettings {
            domains: domains.to_vec(),
            email: None,
            directory: directory.to_owned(),
            challenge: ChallengeKind::TlsAlpn,
            root_file: None,
            dir: dir.to_owned(),
        }
    }

    #[test]
    fn a_certificate_is_used_only_as_it_is_configured_and_as_long_as_it_is_valid() {
        let (temp, now) = (tempfile::tempdir().unwrap(), SystemTime::now());
        let (dir, own) = (temp.path().join("acme"), temp.path().join("own"));
        let domains: Vec<String> = (0..20).map(|number| format!("{number}.example.org")).collect();
        let made = development::ensure(&own, &domains, now).unwrap();
        let pem = [made.key_file, made.cert_file].map(|file| fs::read_to_string(file).unwrap()).concat();
        let (folder, real) = (AcmeFolder::new(&dir), "https://acme.example/directory");
        folder.save_problem("it failed");
        folder.save_certificate(real, &pem).unwrap();
        assert_eq!(folder.last_problem(), None);
        let usable = |domains: &[String], directory: &str, now: SystemTime| {
            folder.usable_certificate(&settings(&dir, domains, directory), now).is_some()
        };
        assert!(usable(&domains, real, now) && usable(&domains[3..5], real, now));
        assert!(!usable(&["other.example.org".to_owned()], real, now), "another name");
        assert!(!usable(&domains, "https://staging.example/directory", now), "another ACME server");
        assert!(!usable(&domains, real, now + Duration::from_hours(24 * 400)), "expired");
        file_mode::set_mode(&folder.certificate_file(), 0o644).unwrap();
        assert!(!usable(&domains, real, now), "others can read its key");
        folder.save_certificate(real, pem.split("-----BEGIN CERTIFICATE").next().unwrap()).unwrap();
        assert!(!usable(&domains, real, now), "no certificate");
    }
}
