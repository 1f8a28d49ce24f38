//! How each client is set up for the server: what to paste, and where. The command line prints it and the web app shows
//! it; nothing is printed here.

use std::path::Path;

use serde_json::json;

use crate::config::KEY_VARIABLE;
use crate::transport::tls::ClientAuthority;

mod trust;

pub use trust::TrustStep;

/// What a client needs to know.
#[derive(Clone, Copy)]
pub struct ConnectionDetails<'a> {
    /// The server's origin, without a slash at its end.
    pub public_url: &'a str,
    /// The API key.
    pub key: SetupKey<'a>,
    /// The authority that clients have to trust first; `None` when they trust the certificate already.
    pub authority: Option<AuthorityFiles<'a>>,
}

/// The API key in what is pasted.
#[derive(Clone, Copy)]
pub enum SetupKey<'a> {
    /// The key itself, for the person who just created it.
    Plain(&'a str),
    /// Each client gets the key from its user: from the variable [`KEY_VARIABLE`], or by asking for it.
    FromClient,
}

/// The files with which a client trusts the server.
#[derive(Clone, Copy)]
pub struct AuthorityFiles<'a> {
    /// The authority's certificate alone, for clients that add it to what they trust.
    certificate: TrustFile<'a>,
    /// The same among the authorities of the machine, for clients that take one list in place of their own.
    bundle: TrustFile<'a>,
    /// Whether that list has any other authority.
    is_complete: bool,
}

/// A file on the machine of the client.
#[derive(Clone, Copy)]
enum TrustFile<'a> {
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

    /// The variables with which Node, OpenSSL and Python's requests trust the server, as commands for a shell.
    #[must_use]
    pub fn exports(self) -> String {
        format!("export NODE_EXTRA_CA_CERTS={}\n{}", self.certificate.for_shell(), self.bundle_exports())
    }

    fn bundle_exports(self) -> String {
        let bundle = self.bundle.for_shell();
        format!("export SSL_CERT_FILE={bundle} REQUESTS_CA_BUNDLE={bundle}")
    }
}

impl TrustFile<'_> {
    /// The path as a shell reads it.
    fn for_shell(self) -> String {
        match self {
            Self::Path(path) => shell_quoted(&path.display().to_string()),
            Self::InHomeFolder(name) => format!("\"$HOME/{name}\""),
        }
    }
}

/// What to paste for one client.
pub struct ClientSetup {
    /// The client.
    pub client: &'static str,
    /// Where to paste it, and what else to know.
    pub place: String,
    /// What to paste.
    pub text: String,
    /// The command that starts the client afterwards, where it would not trust the server otherwise.
    pub start: Option<String>,
}

/// The setup of every client that we know.
#[must_use]
pub fn client_setups(connection: ConnectionDetails<'_>) -> Vec<ClientSetup> {
    let mut setups = vec![claude_code(connection), cursor(connection), vs_code(connection), curl(connection)];
    setups.extend(connection.authority.map(openssl));
    setups
}

impl ConnectionDetails<'_> {
    fn mcp_url(&self) -> String {
        format!("{}/mcp", self.public_url)
    }

    /// The header's value; `placeholder` stands for a key that only the client's user knows.
    fn authorization(&self, placeholder: &str) -> String {
        match self.key {
            SetupKey::Plain(key) => format!("Bearer {key}"),
            SetupKey::FromClient => format!("Bearer {placeholder}"),
        }
    }

    /// The same, within double quotes of a shell.
    fn authorization_for_shell(&self) -> String {
        self.authorization(&format!("${KEY_VARIABLE}"))
    }

    /// What clients built on Node need in their environment.
    fn node_variable(&self) -> Option<String> {
        Some(format!("NODE_EXTRA_CA_CERTS={}", self.authority?.certificate.for_shell()))
    }

    /// The command that starts a desktop program so that it trusts the authority.
    fn start(&self, program: &str) -> Option<String> {
        self.node_variable().map(|variable| format!("{variable} {program}"))
    }
}

fn claude_code(connection: ConnectionDetails<'_>) -> ClientSetup {
    let add = format!(
        "claude mcp add --transport http rasterd {} --header \"Authorization: {}\"",
        connection.mcp_url(),
        connection.authorization_for_shell()
    );
    let (place, text) = match connection.node_variable() {
        Some(variable) => (
            "in a terminal; put the first line into your shell's profile, too, since each start needs it",
            format!("export {variable}\n{add}"),
        ),
        None => ("in a terminal", add),
    };
    ClientSetup { client: "Claude Code", place: place.to_owned(), text, start: None }
}

fn cursor(connection: ConnectionDetails<'_>) -> ClientSetup {
    let server = json!({
        "url": connection.mcp_url(),
        "headers": { "Authorization": connection.authorization(&format!("${{env:{KEY_VARIABLE}}}")) },
    });
    ClientSetup {
        client: "Cursor",
        place: "in ~/.cursor/mcp.json".to_owned(),
        text: pretty(&json!({ "mcpServers": { "rasterd": server } })),
        start: connection.start("cursor"),
    }
}

fn vs_code(connection: ConnectionDetails<'_>) -> ClientSetup {
    let server = json!({
        "type": "http",
        "url": connection.mcp_url(),
        "headers": { "Authorization": connection.authorization("${input:rasterd-key}") },
    });
    let file = match connection.key {
        SetupKey::Plain(_) => json!({ "servers": { "rasterd": server } }),
        SetupKey::FromClient => json!({
            "inputs": [{
                "type": "promptString",
                "id": "rasterd-key",
                "description": "API key of rasterd",
                "password": true,
            }],
            "servers": { "rasterd": server },
        }),
    };
    ClientSetup {
        client: "VS Code",
        place: "in .vscode/mcp.json".to_owned(),
        text: pretty(&file),
        start: connection.start("code"),
    }
}

fn curl(connection: ConnectionDetails<'_>) -> ClientSetup {
    let trust = connection
        .authority
        .map_or_else(String::new, |authority| format!("--cacert {} ", authority.certificate.for_shell()));
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "whoami", "arguments": {} },
    });
    let text = format!(
        "curl {trust}{} \\\n  -H \"Authorization: {}\" \\\n  -H 'Content-Type: application/json' \\\n  -H 'Accept: application/json, text/event-stream' \\\n  -d '{call}'",
        connection.mcp_url(),
        connection.authorization_for_shell()
    );
    ClientSetup { client: "curl", place: "in a terminal".to_owned(), text, start: None }
}

fn openssl(authority: AuthorityFiles<'_>) -> ClientSetup {
    let place = if authority.is_complete {
        "in their environment; the file also has the authorities of the system"
    } else {
        "in their environment; the server's system has no list of authorities, so they then trust only this server"
    };
    ClientSetup {
        client: "Python and other programs that use OpenSSL",
        place: place.to_owned(),
        text: authority.bundle_exports(),
        start: None,
    }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}

/// A word for a shell's command line; quoted only when necessary, since people read it, too.
fn shell_quoted(text: &str) -> String {
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

    const URL: &str = "https://localhost:8443";

    fn texts(authority: Option<&str>) -> Vec<ClientSetup> {
        let authority = authority.map(|folder| AuthorityFiles {
            certificate: TrustFile::Path(Path::new(folder).join("ca.pem").leak()),
            bundle: TrustFile::Path(Path::new(folder).join("ca-bundle.pem").leak()),
            is_complete: true,
        });
        client_setups(ConnectionDetails { public_url: URL, key: SetupKey::Plain("pk_x"), authority })
    }

    #[test]
    fn an_unknown_key_is_read_from_where_each_client_can_get_it() {
        let authority = Some(AuthorityFiles {
            certificate: TrustFile::InHomeFolder("ca.crt"),
            bundle: TrustFile::InHomeFolder("all.pem"),
            is_complete: false,
        });
        let found =
            client_setups(ConnectionDetails { public_url: URL, key: SetupKey::FromClient, authority });
        assert!(found[0].text.starts_with("export NODE_EXTRA_CA_CERTS=\"$HOME/ca.crt\"\nclaude mcp add "));
        assert!(found[0].text.ends_with("--header \"Authorization: Bearer $RASTERD_API_KEY\""));
        assert!(found[1].text.contains("\"Bearer ${env:RASTERD_API_KEY}\""));
        let code: serde_json::Value = serde_json::from_str(&found[2].text).unwrap();
        assert_eq!(code["servers"]["rasterd"]["headers"]["Authorization"], "Bearer ${input:rasterd-key}");
        assert_eq!(code["inputs"][0]["id"], "rasterd-key");
        assert!(found[3].text.starts_with("curl --cacert \"$HOME/ca.crt\" https://localhost:8443/mcp "));
        assert_eq!(
            found[4].text,
            "export SSL_CERT_FILE=\"$HOME/all.pem\" REQUESTS_CA_BUNDLE=\"$HOME/all.pem\""
        );
        assert!(found[4].place.contains("only this server"), "{}", found[4].place);
    }

    #[test]
    fn each_client_gets_the_authority_in_its_own_way() {
        let found = texts(Some("/my certs"));
        assert!(found[0].text.starts_with("export NODE_EXTRA_CA_CERTS='/my certs/ca.pem'\nclaude mcp add "));
        let starts: Vec<_> = found.iter().map(|setup| setup.start.as_deref()).collect();
        let with_trust = "NODE_EXTRA_CA_CERTS='/my certs/ca.pem'";
        let [cursor, code] = ["cursor", "code"].map(|program| format!("{with_trust} {program}"));
        assert_eq!(starts, [None, Some(&*cursor), Some(&*code), None, None]);
        assert!(found[3].text.starts_with("curl --cacert '/my certs/ca.pem' https://localhost:8443/mcp "));
        let bundle = "'/my certs/ca-bundle.pem'";
        assert_eq!(found[4].text, format!("export SSL_CERT_FILE={bundle} REQUESTS_CA_BUNDLE={bundle}"));
        assert!(found[4].place.contains("also has the authorities of the system"), "{}", found[4].place);
    }

    #[test]
    fn a_certificate_that_clients_trust_already_is_not_mentioned() {
        for ClientSetup { text, start, .. } in texts(None) {
            assert!(start.is_none() && !text.contains("CA_CERTS"), "{text}");
            assert!(!text.contains("--cacert") && !text.contains("SSL_CERT_FILE"), "{text}");
            assert!(text.contains("Bearer pk_x"), "{text}");
        }
    }

    #[test]
    fn the_files_are_json() {
        let found = texts(None);
        let cursor: serde_json::Value = serde_json::from_str(&found[1].text).unwrap();
        assert_eq!(cursor["mcpServers"]["rasterd"]["url"], "https://localhost:8443/mcp");
        let code: serde_json::Value = serde_json::from_str(&found[2].text).unwrap();
        assert_eq!(code["servers"]["rasterd"]["headers"]["Authorization"], "Bearer pk_x");
    }

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
