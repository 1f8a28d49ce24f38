//! What the check before a start finds, and what each finding is about.

/// What was found.
#[derive(Default)]
pub(in crate::cli) struct PreflightReport {
    /// What keeps the server from starting, a sentence each.
    pub problems: Vec<PreflightFinding>,
    /// What looks wrong, with what to do.
    pub warnings: Vec<PreflightFinding>,
    /// What is worth knowing, and may be meant as it is.
    pub notes: Vec<PreflightFinding>,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub(in crate::cli) struct PreflightFinding {
    /// What it is about.
    pub about: Topic,
    /// What was found, and what to do.
    pub text: String,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Topic {
    /// Certificates from an ACME server.
    Acme,
    /// Where the server listens.
    Address,
    /// The authority that clients trust, named in the configuration.
    AuthorityFile,
    /// Backups.
    Backup,
    /// The certificate that clients get.
    Certificate,
    /// The configured files of a certificate and its key.
    CertificateFiles,
    /// The clock of the machine.
    Clock,
    /// A configuration file.
    ConfigurationFile,
    /// The data directory.
    DataDir,
    /// The certificate that the server makes itself.
    DevelopmentCertificate,
    /// The room on a disk.
    Disk,
    /// The kind of a file system.
    FileSystem,
    /// `/metrics`.
    Metrics,
    /// The address that clients are given.
    PublicUrl,
}

impl Topic {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acme => "acme",
            Self::Address => "address",
            Self::AuthorityFile => "authority_file",
            Self::Backup => "backup",
            Self::Certificate => "certificate",
            Self::CertificateFiles => "certificate_files",
            Self::Clock => "clock",
            Self::ConfigurationFile => "configuration_file",
            Self::DataDir => "data_dir",
            Self::DevelopmentCertificate => "development_certificate",
            Self::Disk => "disk",
            Self::FileSystem => "file_system",
            Self::Metrics => "metrics",
            Self::PublicUrl => "public_url",
        }
    }

    /// A finding about it.
    pub fn finding(self, text: impl Into<String>) -> PreflightFinding {
        PreflightFinding { about: self, text: text.into() }
    }
}
