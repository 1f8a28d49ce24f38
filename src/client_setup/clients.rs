//! The table of clients: one function for each.

use serde_json::{Value, json};

use super::authority_files::shell_quoted;
use super::links;
use super::{
    AuthorityFiles, ClientRoute, ClientSetup, ConnectionDetails, SetupFormat, SetupKey, SetupMethod,
};
use crate::config::KEY_VARIABLE;

/// Stands for the key where a client reads no variables.
const KEY_PLACEHOLDER: &str = "pk_…";
const TYPE_THE_KEY: &str = "Put the key in place of “pk_…”.";
/// What a client needs that reaches the server by the bridge.
const INSTALL_RASTERD: &str =
    "The client starts the program rasterd, which has to be installed on its machine.";
/// The id of the question by which VS Code asks for the key.
const KEY_INPUT: &str = "rasterd-key";

/// The clients that are agents, and speak MCP.
pub(super) fn agents(connection: ConnectionDetails<'_>) -> Vec<ClientSetup> {
    vec![
        claude_code(connection),
        claude_desktop(connection),
        cursor(connection),
        vs_code(connection),
        gemini_cli(connection),
        codex(connection),
        goose(connection.for_client_without_trust()),
        lm_studio(connection.for_client_without_trust()),
    ]
}

impl SetupMethod {
    fn new(how: SetupFormat, text: String) -> Self {
        Self { how, text, start: None, remark: String::new() }
    }

    fn started(self, start: Option<String>) -> Self {
        Self { start, ..self }
    }

    fn remark(self, remark: impl Into<String>) -> Self {
        Self { remark: remark.into(), ..self }
    }
}

/// What there is to do besides, where the text has a place for the key.
fn besides(connection: ConnectionDetails<'_>) -> String {
    let key = match connection.key {
        SetupKey::Plain(_) => None,
        SetupKey::FromClient => Some(TYPE_THE_KEY),
    };
    let program = match connection.through {
        ClientRoute::Network => None,
        ClientRoute::Bridge => Some(INSTALL_RASTERD),
    };
    [key, program].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn claude_code(connection: ConnectionDetails<'_>) -> ClientSetup {
    let way = match connection.through {
        ClientRoute::Network => {
            let add = format!(
                "claude mcp add --transport http rasterd {} --header \"Authorization: {}\"",
                connection.mcp_url(),
                connection.authorization_for_shell()
            );
            match connection.node_variable() {
                Some(variable) => SetupMethod::new(SetupFormat::Command, format!("export {variable}\n{add}"))
                    .remark("Put the first line into your shell's profile, too, since each start needs it."),
                None => SetupMethod::new(SetupFormat::Command, add),
            }
        }
        ClientRoute::Bridge => {
            let variable = format!("${KEY_VARIABLE}");
            let key = connection.key_or(&variable);
            let bridge = shell_words(&connection.bridge_arguments());
            let text = format!("claude mcp add rasterd --env {KEY_VARIABLE}=\"{key}\" -- rasterd {bridge}");
            SetupMethod::new(SetupFormat::Command, text)
        }
    };
    ClientSetup { name: "claude-code", client: "Claude Code", ways: vec![way] }
}

/// It takes servers on the internet alone by their address; the bundle has a bridge for all others.
fn claude_desktop(connection: ConnectionDetails<'_>) -> ClientSetup {
    let through_bridge = ConnectionDetails { through: ClientRoute::Bridge, ..connection };
    let bundle = SetupMethod::new(SetupFormat::Bundle, "rasterd bundle --output rasterd.mcpb".to_owned())
        .remark("It asks for the key, and has the address of the server and what it takes to trust it.");
    let path = "claude_desktop_config.json (Settings › Developer › Edit Config)";
    let file = in_json("mcpServers", &through_bridge.server(KEY_PLACEHOLDER), path);
    let file = file.remark(besides(through_bridge));
    let ways = match connection.through {
        ClientRoute::Network => vec![bundle, file],
        ClientRoute::Bridge => vec![file],
    };
    ClientSetup { name: "claude-desktop", client: "Claude Desktop", ways }
}

fn cursor(connection: ConnectionDetails<'_>) -> ClientSetup {
    let placeholder = format!("${{env:{KEY_VARIABLE}}}");
    let start = connection.start("cursor");
    let file = in_json("mcpServers", &connection.server(&placeholder), "~/.cursor/mcp.json");
    let link = links::cursor(&connection.without_key().server(&placeholder));
    ClientSetup {
        name: "cursor",
        client: "Cursor",
        ways: vec![file.started(start.clone()), SetupMethod::new(SetupFormat::Link, link).started(start)],
    }
}

fn vs_code(connection: ConnectionDetails<'_>) -> ClientSetup {
    let start = connection.start("code");
    let (server, inputs) = vs_code_server(connection);
    let mut file = json!({ "servers": { "rasterd": server } });
    let mut added = named(&server);
    if let Some(inputs) = inputs {
        file["inputs"] = inputs.clone();
        added["inputs"] = inputs;
    }
    let command = format!("code --add-mcp {}", shell_quoted(&added.to_string()));
    let (server, inputs) = vs_code_server(connection.without_key());
    let mut linked = named(&server);
    linked["inputs"] = inputs.unwrap_or_default();
    ClientSetup {
        name: "vscode",
        client: "VS Code",
        ways: vec![
            SetupMethod::new(SetupFormat::File(".vscode/mcp.json"), pretty(&file)).started(start.clone()),
            SetupMethod::new(SetupFormat::Command, command).started(start.clone()),
            SetupMethod::new(SetupFormat::Link, links::vs_code(&linked)).started(start),
        ],
    }
}

/// The server for VS Code, and the question for the key that goes with it.
fn vs_code_server(connection: ConnectionDetails<'_>) -> (Value, Option<Value>) {
    let mut server = connection.server(&format!("${{input:{KEY_INPUT}}}"));
    server["type"] = match connection.through {
        ClientRoute::Network => "http".into(),
        ClientRoute::Bridge => "stdio".into(),
    };
    let inputs = match connection.key {
        SetupKey::Plain(_) => None,
        SetupKey::FromClient => Some(json!([{
            "type": "promptString",
            "id": KEY_INPUT,
            "description": "API key of rasterd",
            "password": true,
        }])),
    };
    (server, inputs)
}

fn gemini_cli(connection: ConnectionDetails<'_>) -> ClientSetup {
    let mut server = connection.server(&format!("${KEY_VARIABLE}"));
    if connection.through == ClientRoute::Network {
        // `url` alone would mean the older transport.
        server["type"] = "http".into();
    }
    let file = in_json("mcpServers", &server, "~/.gemini/settings.json").started(connection.start("gemini"));
    ClientSetup { name: "gemini-cli", client: "Gemini CLI", ways: vec![file] }
}

fn codex(connection: ConnectionDetails<'_>) -> ClientSetup {
    let start = connection
        .trusted()
        .map(|authority| format!("CODEX_CA_CERTIFICATE={} codex", authority.certificate.for_shell()));
    let lines = match connection.through {
        ClientRoute::Network => {
            let key = match connection.key {
                SetupKey::Plain(key) => {
                    format!("http_headers = {{ Authorization = {} }}", toml(&format!("Bearer {key}")))
                }
                SetupKey::FromClient => format!("bearer_token_env_var = {}", toml(KEY_VARIABLE)),
            };
            format!("url = {}\n{key}", toml(&connection.mcp_url()))
        }
        ClientRoute::Bridge => {
            let arguments: Vec<String> =
                connection.bridge_arguments().iter().map(|argument| toml(argument)).collect();
            let key = match connection.key {
                SetupKey::Plain(key) => format!("env = {{ {KEY_VARIABLE} = {} }}", toml(key)),
                SetupKey::FromClient => format!("env_vars = [{}]", toml(KEY_VARIABLE)),
            };
            format!("command = \"rasterd\"\nargs = [{}]\n{key}", arguments.join(", "))
        }
    };
    let text = format!("[mcp_servers.rasterd]\n{lines}");
    let file = SetupMethod::new(SetupFormat::File("~/.codex/config.toml"), text).started(start);
    ClientSetup { name: "codex", client: "Codex", ways: vec![file] }
}

/// Its links install no commands of others, so the bridge is only in its file.
fn goose(connection: ConnectionDetails<'_>) -> ClientSetup {
    let mut lines = vec![
        "extensions:".to_owned(),
        "  rasterd:".to_owned(),
        "    enabled: true".to_owned(),
        "    name: rasterd".to_owned(),
    ];
    match connection.through {
        ClientRoute::Network => lines.extend([
            "    type: streamable_http".to_owned(),
            format!("    uri: {}", quoted(&connection.mcp_url())),
            "    headers:".to_owned(),
            format!(
                "      Authorization: {}",
                quoted(&connection.authorization(&format!("${{{KEY_VARIABLE}}}")))
            ),
        ]),
        ClientRoute::Bridge => {
            let arguments: Vec<String> =
                connection.bridge_arguments().iter().map(|argument| quoted(argument)).collect();
            lines.extend([
                "    type: stdio".to_owned(),
                "    cmd: rasterd".to_owned(),
                format!("    args: [{}]", arguments.join(", ")),
            ]);
        }
    }
    match connection.key {
        SetupKey::FromClient => lines.push(format!("    env_keys: [{KEY_VARIABLE}]")),
        SetupKey::Plain(key) if connection.through == ClientRoute::Bridge => {
            lines.push(format!("    envs: {{ {KEY_VARIABLE}: {} }}", quoted(key)));
        }
        SetupKey::Plain(_) => {}
    }
    lines.push("    timeout: 300".to_owned());
    let file = SetupMethod::new(SetupFormat::File("~/.config/goose/config.yaml"), lines.join("\n"));
    let mut ways = vec![match connection.through {
        ClientRoute::Network => file,
        ClientRoute::Bridge => file.remark(INSTALL_RASTERD),
    }];
    if connection.through == ClientRoute::Network {
        ways.push(
            SetupMethod::new(SetupFormat::Link, links::goose(&connection.mcp_url()))
                .remark("Goose asks for the key."),
        );
    }
    ClientSetup { name: "goose", client: "Goose", ways }
}

fn lm_studio(connection: ConnectionDetails<'_>) -> ClientSetup {
    let file = in_json("mcpServers", &connection.server(KEY_PLACEHOLDER), "~/.lmstudio/mcp.json");
    let without_key = connection.without_key();
    let link = SetupMethod::new(SetupFormat::Link, links::lm_studio(&without_key.server(KEY_PLACEHOLDER)));
    ClientSetup {
        name: "lm-studio",
        client: "LM Studio",
        ways: vec![file.remark(besides(connection)), link.remark(besides(without_key))],
    }
}

pub(super) fn curl(connection: ConnectionDetails<'_>) -> ClientSetup {
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
    ClientSetup { name: "curl", client: "curl", ways: vec![SetupMethod::new(SetupFormat::Command, text)] }
}

pub(super) fn openssl(authority: AuthorityFiles<'_>) -> ClientSetup {
    let remark = if authority.is_complete {
        "The file also has the authorities of the system."
    } else {
        "The server's system has no list of authorities, so they then trust only this server."
    };
    ClientSetup {
        name: "openssl",
        client: "Python and other programs that use OpenSSL",
        ways: vec![SetupMethod::new(SetupFormat::Command, authority.bundle_exports()).remark(remark)],
    }
}

/// A file in which the server is under its name in a member of the file.
fn in_json(member: &str, server: &Value, path: &'static str) -> SetupMethod {
    SetupMethod::new(SetupFormat::File(path), pretty(&json!({ member: { "rasterd": server } })))
}

/// The server as VS Code takes it from a command or a link: with its name among the rest.
fn named(server: &Value) -> Value {
    let mut named = server.clone();
    named["name"] = "rasterd".into();
    named
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// A text in TOML. Its basic strings take what JSON's do.
fn toml(text: &str) -> String {
    Value::from(text).to_string()
}

/// A text in YAML, whose double-quoted scalars take what JSON's do.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn shell_words(words: &[String]) -> String {
    let in_shell = |word: &String| match word.strip_prefix("~/") {
        // Quotes would keep the shell from replacing it; the rest is one of our own names.
        Some(_) => word.clone(),
        None => shell_quoted(word),
    };
    words.iter().map(in_shell).collect::<Vec<_>>().join(" ")
}
