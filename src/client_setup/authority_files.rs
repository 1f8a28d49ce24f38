//! The files with which clients trust the server, as each configuration names them.

use std::path::Path;

use crate::transport::tls::ClientAuthority;

/// The files with which a client trusts the server.
#[derive(Clone, Copy)]
pub struct AuthorityFiles<'a> {
    /// The authority's certificate alone, for clients that add it to what they trust.
    pub(super) certificate: TrustFile<'a>,
    /// The same among the authorities of the machine, for clients that take one list in place of their own.
    pub(super) bundle: TrustFile<'a>,
    /// Whether that list has any other authority.
    pub(super) is_complete: bool,
}

/// A file on the machine of the client.
#[derive(Clone, Copy)]
pub(super) enum TrustFile<'a> {
    /// At this path of this machine.
    Path(&'a Path),
    /// With this name in the home folder, where a person saved it.
    InHomeFolder(&'a str),
}

impl<'a> AuthorityFiles<'a> {
    /// The file name of the authority's certificate as a download.
    pub const CERTIFICATE_NAME: &'static str = "rasterd-authority.crt";
    /// The file name of the list of authorities as a download.
    pub const BUNDLE_NAME: &'static str = "rasterd-authorities.pem";
    /// Both files in the home folder of another machine.
    pub const DOWNLOADED: AuthorityFiles<'static> = AuthorityFiles {
        certificate: TrustFile::InHomeFolder(Self::CERTIFICATE_NAME),
        bundle: TrustFile::InHomeFolder(Self::BUNDLE_NAME),
        is_complete: true,
    };

    /// For clients on this machine.
    #[must_use]
    pub fn on_this_machine(authority: &'a ClientAuthority) -> Self {
        Self {
            certificate: TrustFile::Path(&authority.file),
            bundle: TrustFile::Path(&authority.bundle.file),
            is_complete: authority.bundle.has_system,
        }
    }

    /// For clients on this machine, with copies of both files.
    #[must_use]
    pub fn in_files(certificate: &'a Path, bundle: &'a Path) -> Self {
        Self { certificate: TrustFile::Path(certificate), bundle: TrustFile::Path(bundle), is_complete: true }
    }

    /// For clients on other machines, where both files were downloaded into the home folder.
    #[must_use]
    pub fn in_home_folder(authority: &ClientAuthority) -> Self {
        Self { is_complete: authority.bundle.has_system, ..AuthorityFiles::DOWNLOADED }
    }

    /// The authority's certificate, as a shell reads its path.
    #[must_use]
    pub fn certificate_in_shell(self) -> String {
        self.certificate.for_shell()
    }

    /// The variables with which Node, OpenSSL and Python's requests trust the server, as commands for a shell.
    #[must_use]
    pub fn exports(self) -> String {
        format!("export NODE_EXTRA_CA_CERTS={}\n{}", self.certificate.for_shell(), self.bundle_exports())
    }

    pub(super) fn bundle_exports(self) -> String {
        let bundle = self.bundle.for_shell();
        format!("export SSL_CERT_FILE={bundle} REQUESTS_CA_BUNDLE={bundle}")
    }
}

impl TrustFile<'_> {
    /// The path as a shell reads it.
    pub(super) fn for_shell(self) -> String {
        match self {
            Self::Path(path) => shell_quoted(&path.display().to_string()),
            Self::InHomeFolder(name) => format!("\"$HOME/{name}\""),
        }
    }

    /// The path as `rasterd mcp` reads it in a configuration file, where no shell replaces anything.
    pub(super) fn for_bridge(self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::InHomeFolder(name) => format!("~/{name}"),
        }
    }
}

/// A word for a shell's command line; quoted only when necessary, since people read it, too.
#[must_use]
pub fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_shell_reads_a_quoted_word_unchanged(text in "[ -~äß]{0,20}") {
            let command = format!("printf %s {}", shell_quoted(&text));
            let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
