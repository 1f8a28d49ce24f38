//! How each system and program is told to trust the authority of the server. The command line prints it and the web app
//! shows it.

use super::AuthorityFiles;
use super::authority_files::TrustFile;

/// How one system, or one kind of program, is told to trust the authority.
pub struct TrustStep {
    /// A short name, for the ids of a page.
    pub id: &'static str,
    /// The system or the program.
    pub system: &'static str,
    /// What to know, or what to do where there are no commands.
    pub about: &'static str,
    /// What to paste into a terminal; empty where there is none.
    pub commands: String,
    /// What else to know.
    pub remark: &'static str,
}

impl AuthorityFiles<'_> {
    /// What to do for each system and program.
    #[must_use]
    pub fn trust_steps(self) -> Vec<TrustStep> {
        let file = self.certificate.for_shell();
        [self.systems(&file), self.programs(&file)].into_iter().flatten().collect()
    }

    fn systems(self, file: &str) -> Vec<TrustStep> {
        let name = Self::CERTIFICATE_NAME;
        let on_windows = self.certificate.for_powershell();
        vec![
            TrustStep {
                id: "macos",
                system: "macOS",
                about: "Adds it to the keychain of the system, for Safari, Chrome and most programs.",
                commands: format!(
                    "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}"
                ),
                remark: "",
            },
            TrustStep {
                id: "windows",
                system: "Windows",
                about: "In PowerShell, opened as administrator. Edge, Chrome and most programs trust it then.",
                commands: format!(
                    "Import-Certificate -FilePath {on_windows} -CertStoreLocation Cert:\\LocalMachine\\Root"
                ),
                remark: "",
            },
            TrustStep {
                id: "debian",
                system: "Debian, Ubuntu",
                about: "",
                commands: format!(
                    "sudo cp {file} /usr/local/share/ca-certificates/{name}\nsudo update-ca-certificates"
                ),
                remark: "Chromium and Chrome on Linux have a list of their own: import the file under \
                         Settings › Privacy and security › Security › Manage certificates.",
            },
            TrustStep {
                id: "fedora",
                system: "Fedora, Red Hat",
                about: "",
                commands: format!(
                    "sudo cp {file} /etc/pki/ca-trust/source/anchors/{name}\nsudo update-ca-trust"
                ),
                remark: "",
            },
            TrustStep {
                id: "phones",
                system: "iOS, Android",
                about: "Send the file to the device and open it. iOS: install the profile, then turn it on under Settings › \
                        General › About › Certificate Trust Settings. Android: Settings › Security › Encryption & \
                        credentials › Install a certificate › CA certificate.",
                commands: String::new(),
                remark: "",
            },
            TrustStep {
                id: "firefox",
                system: "Firefox",
                about: "Firefox has a list of its own: Settings › Privacy & Security › View Certificates… › Authorities › \
                        Import…; choose the file, and tick “Trust this CA to identify websites”.",
                commands: String::new(),
                remark: "",
            },
        ]
    }

    fn programs(self, file: &str) -> Vec<TrustStep> {
        let name = Self::CERTIFICATE_NAME;
        vec![
            TrustStep {
                id: "variables",
                system: "Node, Python, curl",
                about: "Claude Code and other programs on Node add the authority to what they trust. Programs that use \
                        OpenSSL, such as curl, and Python’s requests take one list in place of their own. It holds the \
                        authorities of the server’s system and this one.",
                commands: self.exports(),
                remark: "For one call, curl takes --cacert with the authority alone.",
            },
            TrustStep {
                id: "java",
                system: "Java",
                about: "Adds it to the list of the Java that runs this command.",
                commands: format!(
                    "sudo keytool -importcert -cacerts -storepass changeit -noprompt -alias rasterd -file {file}"
                ),
                remark: "",
            },
            TrustStep {
                id: "docker",
                system: "Docker",
                about: "In the Dockerfile of an image on Debian or Ubuntu, with the file beside it:",
                commands: format!(
                    "COPY {name} /usr/local/share/ca-certificates/\nRUN update-ca-certificates\n\
                     ENV NODE_EXTRA_CA_CERTS=/usr/local/share/ca-certificates/{name}"
                ),
                remark: "The image needs the package ca-certificates. Python’s requests has a list of its own: set \
                         REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt, too.",
            },
        ]
    }
}

impl TrustFile<'_> {
    /// The path as PowerShell reads it.
    fn for_powershell(self) -> String {
        match self {
            Self::Path(path) => format!("'{}'", path.display().to_string().replace('\'', "''")),
            Self::InHomeFolder(name) => format!("\"$HOME\\{name}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_is_told_once_and_names_the_file() {
        let steps = AuthorityFiles::DOWNLOADED.trust_steps();
        let ids: std::collections::HashSet<_> = steps.iter().map(|step| step.id).collect();
        assert_eq!(ids.len(), steps.len());
        for system in [
            "Debian", "Fedora", "macOS", "Windows", "iOS", "Firefox", "Node", "Python", "Java", "curl",
            "Docker",
        ] {
            assert!(steps.iter().any(|step| step.system.contains(system)), "{system}");
        }
        for step in &steps {
            assert!(!step.about.is_empty() || !step.commands.is_empty(), "{}", step.id);
            let has_file = step.commands.contains(AuthorityFiles::CERTIFICATE_NAME);
            assert!(step.commands.is_empty() || has_file, "{}: {}", step.id, step.commands);
        }
    }
}
