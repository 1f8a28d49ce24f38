//! How each client is set up for the server: what to paste, where, and which link to open. One table, which the command
//! line prints and the web app and the documentation show; nothing is printed here.

use serde_json::{Value, json};

use crate::config::KEY_VARIABLE;

mod authority_files;
pub mod bundle;
mod clients;
mod links;
mod trust;

pub use authority_files::{AuthorityFiles, shell_quoted};
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
    /// How clients reach the server.
    pub through: ClientRoute,
}

/// The API key in what is pasted.
#[derive(Clone, Copy)]
pub enum SetupKey<'a> {
    /// The key itself, for the person who just created it.
    Plain(&'a str),
    /// Each client gets the key from its user: from the variable [`KEY_VARIABLE`], or by asking for it.
    FromClient,
}

/// How a client reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientRoute {
    /// Over the network itself. A client that can't be told to trust an authority gets the bridge where there is one.
    Network,
    /// By `rasterd mcp`, which it starts.
    Bridge,
}

/// How one client is set up.
pub struct ClientSetup {
    /// The client's name in commands, such as `claude-code`.
    pub name: &'static str,
    /// The client, as people call it.
    pub client: &'static str,
    /// The ways to do it, the one for most people first. At least one.
    pub ways: Vec<SetupMethod>,
}

/// One way to set a client up.
pub struct SetupMethod {
    /// What to do with the text.
    pub how: SetupFormat,
    /// What to paste or to open.
    pub text: String,
    /// The command that starts the client afterwards, where it would not trust the server otherwise.
    pub start: Option<String>,
    /// What else to know, as sentences; empty where there is nothing.
    pub remark: String,
}

/// What to do with the text of a setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupFormat {
    /// To be run in a terminal.
    Command,
    /// To be put into this configuration file.
    File(&'static str),
    /// To be opened where the client runs.
    Link,
    /// The command that writes the bundle, which the web app gives as a file; to be opened with the client.
    Bundle,
}

impl SetupFormat {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::File(_) => "file",
            Self::Link => "link",
            Self::Bundle => "bundle",
        }
    }

    /// What to do, before a colon and the text.
    #[must_use]
    pub fn instruction(self) -> String {
        match self {
            Self::Command => "Paste this in a terminal".to_owned(),
            Self::File(path) => format!("Paste this in {path}"),
            Self::Link => "Open this link on the machine of the client".to_owned(),
            Self::Bundle => "Write the bundle with this, and open the file with the client".to_owned(),
        }
    }
}

/// The clients that the first start prints, with the first way of each.
pub const ON_FIRST_START: [&str; 5] = ["claude-code", "cursor", "vscode", "curl", "openssl"];

/// The setup of every client that we know.
#[must_use]
pub fn client_setups(connection: ConnectionDetails<'_>) -> Vec<ClientSetup> {
    let mut setups = clients::agents(connection);
    if connection.through == ClientRoute::Network {
        setups.push(clients::curl(connection));
        setups.extend(connection.authority.map(clients::openssl));
    }
    setups
}

impl<'a> ConnectionDetails<'a> {
    fn mcp_url(&self) -> String {
        format!("{}/mcp", self.public_url)
    }

    /// The same without the key itself, for links: those are kept in histories and sent on.
    fn without_key(self) -> Self {
        Self { key: SetupKey::FromClient, ..self }
    }

    /// The same through the bridge if a client has to trust an authority and can't be told to.
    fn for_client_without_trust(self) -> Self {
        let through = if self.authority.is_some() { ClientRoute::Bridge } else { self.through };
        Self { through, ..self }
    }

    /// The key, or what stands for one that only the client's user knows.
    fn key_or(&self, placeholder: &'a str) -> &'a str {
        match self.key {
            SetupKey::Plain(key) => key,
            SetupKey::FromClient => placeholder,
        }
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
        Some(format!("NODE_EXTRA_CA_CERTS={}", self.trusted()?.certificate.for_shell()))
    }

    /// The authority that the client itself has to trust.
    fn trusted(&self) -> Option<AuthorityFiles<'a>> {
        self.authority.filter(|_| self.through == ClientRoute::Network)
    }

    /// The command that starts a desktop program so that it trusts the authority.
    fn start(&self, program: &str) -> Option<String> {
        self.node_variable().map(|variable| format!("{variable} {program}"))
    }

    /// The arguments of the bridge.
    fn bridge_arguments(&self) -> Vec<String> {
        let mut arguments = vec!["mcp".to_owned(), "--url".to_owned(), self.public_url.to_owned()];
        if let Some(authority) = self.authority {
            arguments.extend(["--ca".to_owned(), authority.certificate.for_bridge()]);
        }
        arguments
    }

    /// The server in the JSON that most clients share: an address with headers, or the command of the bridge. `placeholder`
    /// stands for the key.
    fn server(&self, placeholder: &str) -> Value {
        match self.through {
            ClientRoute::Network => {
                json!({ "url": self.mcp_url(), "headers": { "Authorization": self.authorization(placeholder) } })
            }
            ClientRoute::Bridge => json!({
                "command": "rasterd",
                "args": self.bridge_arguments(),
                "env": { KEY_VARIABLE: self.key_or(placeholder) },
            }),
        }
    }
}

#[cfg(test)]
mod tests;
