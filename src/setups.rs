//! How each client is told about the server: what to paste, and where. The command line prints it, the web app shows
//! it; nothing is printed or drawn here.

use std::path::Path;

use serde_json::json;

/// What a client needs to know.
#[derive(Clone, Copy)]
pub struct Connection<'a> {
    /// The server's origin, without a slash at its end.
    pub public_url: &'a str,
    /// The API key.
    pub key: Secret<'a>,
    /// The certificate of the authority that has to be trusted first; none when the world trusts it already.
    pub authority: Option<Authority<'a>>,
}

/// The API key in what is pasted.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    /// The key itself, for whoever made it just now.
    Plain(&'a str),
    /// The place that each client takes it from, since nobody but its holder knows it: the variable
    /// [`KEY_VARIABLE`], or a question that the client asks.
    OfHolder,
}

/// The variable of the environment that holds a key where it is not written down.
pub const KEY_VARIABLE: &str = "RASTERD_KEY";

/// Where the authority's certificate is on the machine of the client.
#[derive(Clone, Copy)]
pub enum Authority<'a> {
    /// A file of this machine.
    File(&'a Path),
    /// A file of this name in the home folder, where a person saved it.
    AtHome(&'a str),
}

impl Authority<'_> {
    /// The path as a shell reads it.
    #[must_use]
    pub fn for_shell(self) -> String {
        match self {
            Self::File(path) => shell_quoted(&path.display().to_string()),
            Self::AtHome(name) => format!("\"$HOME/{name}\""),
        }
    }
}

/// What to paste for one client.
pub struct Setup {
    /// The client.
    pub client: &'static str,
    /// Where to paste it, and what else to know.
    pub place: String,
    /// What to paste.
    pub text: String,
}

/// The set-ups for all clients that we know.
#[must_use]
pub fn setups(connection: Connection<'_>) -> Vec<Setup> {
    let mut setups = vec![claude_code(connection), cursor(connection), vs_code(connection), curl(connection)];
    setups.extend(connection.authority.map(openssl));
    setups
}

impl Connection<'_> {
    fn mcp_url(&self) -> String {
        format!("{}/mcp", self.public_url)
    }

    /// The header's value, where what stands for an unknown key is written like this.
    fn authorization(&self, unknown: &str) -> String {
        match self.key {
            Secret::Plain(key) => format!("Bearer {key}"),
            Secret::OfHolder => format!("Bearer {unknown}"),
        }
    }

    /// The same, within double quotes of a shell.
    fn authorization_for_shell(&self) -> String {
        self.authorization(&format!("${KEY_VARIABLE}"))
    }

    /// What clients built on Node need in their environment.
    fn node_variable(&self) -> Option<String> {
        Some(format!("NODE_EXTRA_CA_CERTS={}", self.authority?.for_shell()))
    }

    /// Says, for a client that is opened like any program, how it comes to trust the authority.
    fn started_with_trust(&self, place: &str, program: &str) -> String {
        match self.node_variable() {
            Some(variable) => format!("in {place}; then start it by: {variable} {program}"),
            None => format!("in {place}"),
        }
    }
}

fn claude_code(connection: Connection<'_>) -> Setup {
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
    Setup { client: "Claude Code", place: place.to_owned(), text }
}

fn cursor(connection: Connection<'_>) -> Setup {
    let server = json!({
        "url": connection.mcp_url(),
        "headers": { "Authorization": connection.authorization(&format!("${{env:{KEY_VARIABLE}}}")) },
    });
    Setup {
        client: "Cursor",
        place: connection.started_with_trust("~/.cursor/mcp.json", "cursor"),
        text: pretty(&json!({ "mcpServers": { "rasterd": server } })),
    }
}

fn vs_code(connection: Connection<'_>) -> Setup {
    let server = json!({
        "type": "http",
        "url": connection.mcp_url(),
        "headers": { "Authorization": connection.authorization("${input:rasterd-key}") },
    });
    let file = match connection.key {
        Secret::Plain(_) => json!({ "servers": { "rasterd": server } }),
        Secret::OfHolder => json!({
            "inputs": [{
                "type": "promptString",
                "id": "rasterd-key",
                "description": "API key of rasterd",
                "password": true,
            }],
            "servers": { "rasterd": server },
        }),
    };
    Setup {
        client: "VS Code",
        place: connection.started_with_trust(".vscode/mcp.json", "code"),
        text: pretty(&file),
    }
}

fn curl(connection: Connection<'_>) -> Setup {
    let trust = connection
        .authority
        .map_or_else(String::new, |authority| format!("--cacert {} ", authority.for_shell()));
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "whoami", "arguments": {} },
    });
    let text = format!(
        "curl {trust}{} \\\n  -H \"Authorization: {}\" \\\n  -H 'Content-Type: application/json' \\\n  -H 'Accept: application/json, text/event-stream' \\\n  -d '{call}'",
        connection.mcp_url(),
        connection.authorization_for_shell()
    );
    Setup { client: "curl", place: "in a terminal".to_owned(), text }
}

fn openssl(authority: Authority<'_>) -> Setup {
    Setup {
        client: "Python and other programs that use OpenSSL",
        place: "in their environment".to_owned(),
        text: format!("export SSL_CERT_FILE={}", authority.for_shell()),
    }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}

/// A word of a shell's command line; quoted only when it has to be, since it is read by people, too.
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

    fn texts(authority: Option<&str>) -> Vec<(String, String)> {
        let authority = authority.map(|path| Authority::File(Path::new(path)));
        shown(Connection { public_url: URL, key: Secret::Plain("pk_x"), authority })
    }

    fn shown(connection: Connection<'_>) -> Vec<(String, String)> {
        setups(connection).into_iter().map(|setup| (setup.place, setup.text)).collect()
    }

    #[test]
    fn a_key_that_only_its_holder_knows_is_taken_from_where_each_client_can() {
        let authority = Some(Authority::AtHome("ca.crt"));
        let found = shown(Connection { public_url: URL, key: Secret::OfHolder, authority });
        assert!(found[0].1.starts_with("export NODE_EXTRA_CA_CERTS=\"$HOME/ca.crt\"\nclaude mcp add "));
        assert!(found[0].1.ends_with("--header \"Authorization: Bearer $RASTERD_KEY\""));
        assert!(found[1].1.contains("\"Bearer ${env:RASTERD_KEY}\""));
        let code: serde_json::Value = serde_json::from_str(&found[2].1).unwrap();
        assert_eq!(code["servers"]["rasterd"]["headers"]["Authorization"], "Bearer ${input:rasterd-key}");
        assert_eq!(code["inputs"][0]["id"], "rasterd-key");
        assert!(found[3].1.starts_with("curl --cacert \"$HOME/ca.crt\" https://localhost:8443/mcp "));
    }

    #[test]
    fn each_client_is_told_to_trust_the_authority_in_its_own_way() {
        let found = texts(Some("/my certs/ca.pem"));
        assert!(found[0].1.starts_with("export NODE_EXTRA_CA_CERTS='/my certs/ca.pem'\nclaude mcp add "));
        assert!(found[1].0.ends_with("NODE_EXTRA_CA_CERTS='/my certs/ca.pem' cursor"));
        assert!(found[2].0.ends_with("NODE_EXTRA_CA_CERTS='/my certs/ca.pem' code"));
        assert!(found[3].1.starts_with("curl --cacert '/my certs/ca.pem' https://localhost:8443/mcp "));
        assert_eq!(found[4].1, "export SSL_CERT_FILE='/my certs/ca.pem'");
    }

    #[test]
    fn with_a_certificate_that_the_world_trusts_nothing_is_said_of_it() {
        for (place, text) in texts(None) {
            assert!(!place.contains("CA_CERTS") && !text.contains("CA_CERTS"), "{text}");
            assert!(!text.contains("--cacert") && !text.contains("SSL_CERT_FILE"), "{text}");
            assert!(text.contains("Bearer pk_x"), "{text}");
        }
    }

    #[test]
    fn the_files_are_json() {
        let found = texts(None);
        let cursor: serde_json::Value = serde_json::from_str(&found[1].1).unwrap();
        assert_eq!(cursor["mcpServers"]["rasterd"]["url"], "https://localhost:8443/mcp");
        let code: serde_json::Value = serde_json::from_str(&found[2].1).unwrap();
        assert_eq!(code["servers"]["rasterd"]["headers"]["Authorization"], "Bearer pk_x");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_shell_reads_a_quoted_word_back(text in "[ -~äß]{0,20}") {
            let command = format!("printf %s {}", shell_quoted(&text));
            let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
