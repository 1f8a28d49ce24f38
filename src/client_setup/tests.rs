//! All clients: that each setup has what its client needs, and that links lead back to it and carry no key.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::authority_files::TrustFile;
use super::*;

const URL: &str = "https://localhost:8443";
const MCP_URL: &str = "https://localhost:8443/mcp";
const KEY: &str = "pk_0123456789";

fn authority(folder: &str) -> AuthorityFiles<'static> {
    AuthorityFiles {
        certificate: TrustFile::Path(Path::new(folder).join("ca.pem").leak()),
        bundle: TrustFile::Path(Path::new(folder).join("ca-bundle.pem").leak()),
        is_complete: true,
    }
}

fn setups(
    key: SetupKey<'static>,
    authority: Option<AuthorityFiles<'static>>,
    through: ClientRoute,
) -> Vec<ClientSetup> {
    client_setups(ConnectionDetails { public_url: URL, key, authority, through })
}

/// Every setup under every circumstance, with what describes it.
fn all() -> Vec<(String, ClientSetup)> {
    let mut found = Vec::new();
    for key in [SetupKey::Plain(KEY), SetupKey::FromClient] {
        for authority in [None, Some(authority("/my certs")), Some(AuthorityFiles::DOWNLOADED)] {
            for through in [ClientRoute::Network, ClientRoute::Bridge] {
                let about = format!("{}, {through:?}", if authority.is_some() { "own" } else { "public" });
                found.extend(setups(key, authority, through).into_iter().map(|setup| (about.clone(), setup)));
            }
        }
    }
    found
}

fn way<'a>(setups: &'a [ClientSetup], name: &str, how: &str) -> &'a SetupMethod {
    let setup = setups.iter().find(|setup| setup.name == name).unwrap_or_else(|| panic!("{name}"));
    setup.ways.iter().find(|way| way.how.name() == how).unwrap_or_else(|| panic!("{how} of {name}"))
}

fn json_of(way: &SetupMethod) -> Value {
    serde_json::from_str(&way.text).unwrap_or_else(|error| panic!("{error}: {}", way.text))
}

/// The value of a parameter in a link.
fn parameter(link: &str, name: &str) -> String {
    let url = url::Url::parse(link).unwrap_or_else(|error| panic!("{error}: {link}"));
    let found = url.query_pairs().find(|(found, _)| found == name);
    found.unwrap_or_else(|| panic!("{name} in {link}")).1.into_owned()
}

fn in_base64(link: &str) -> Value {
    serde_json::from_slice(&STANDARD.decode(parameter(link, "config")).unwrap()).unwrap()
}

/// What VS Code reads in a link.
fn of_vs_code(link: &str) -> Value {
    let encoded = link.strip_prefix("vscode:mcp/install?").unwrap();
    let text = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
    assert!(!text.contains('%'), "VS Code decodes it twice: {text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_client_is_named_once_and_has_a_way() {
    for (about, setup) in all() {
        assert!(!setup.ways.is_empty(), "{} ({about})", setup.name);
        let mut hows: Vec<&str> = setup.ways.iter().map(|way| way.how.name()).collect();
        hows.dedup();
        assert_eq!(hows.len(), setup.ways.len(), "{} has a way twice", setup.name);
        assert!(setup.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", setup.name);
    }
    let names: Vec<&str> = setups(SetupKey::FromClient, Some(authority("/c")), ClientRoute::Network)
        .iter()
        .map(|setup| setup.name)
        .collect();
    let expected = [
        "claude-code",
        "claude-desktop",
        "cursor",
        "vscode",
        "gemini-cli",
        "codex",
        "goose",
        "lm-studio",
        "curl",
        "openssl",
    ];
    assert_eq!(names, expected);
    assert!(ON_FIRST_START.iter().all(|name| names.contains(name)));
}

#[test]
fn no_link_carries_a_key_and_everything_else_does_when_it_is_known() {
    for (about, setup) in all() {
        for way in setup.ways {
            let has_key = way.text.contains(KEY);
            match way.how {
                SetupFormat::Link | SetupFormat::Bundle => {
                    assert!(!has_key, "{} ({about}): {}", setup.name, way.text);
                }
                SetupFormat::Command | SetupFormat::File(_) => {}
            }
        }
    }
    for setup in setups(SetupKey::Plain(KEY), None, ClientRoute::Network) {
        let has_key = setup.ways.iter().any(|way| way.text.contains(KEY));
        assert!(has_key, "{}", setup.name);
    }
    for (about, setup) in all().into_iter().filter(|(about, _)| about.contains("Bridge")) {
        for way in setup.ways {
            let is_bridge = way.text.contains("rasterd") && !way.text.contains("Authorization");
            assert!(is_bridge, "{} ({about}): {}", setup.name, way.text);
        }
    }
}

/// Anyone who pastes a setup learns what else it takes: the key, and the program that the client starts.
#[test]
fn what_else_a_setup_takes_is_said() {
    for (about, setup) in all() {
        let is_chosen = about.contains("Bridge");
        for way in &setup.ways {
            let is_typed =
                way.text.contains("pk_…") || setup.name == "lm-studio" && way.how == SetupFormat::Link;
            assert_eq!(way.remark.contains("pk_…"), is_typed, "{} ({about}): {}", setup.name, way.remark);
            let starts_bridge =
                way.text.contains("command\": \"rasterd") || way.text.contains("cmd: rasterd");
            if starts_bridge && !is_chosen {
                assert!(way.remark.contains("installed"), "{} ({about}): {}", setup.name, way.remark);
            }
        }
    }
}

#[test]
fn links_lead_back_to_the_setup() {
    for authority in [None, Some(authority("/my certs"))] {
        for through in [ClientRoute::Network, ClientRoute::Bridge] {
            let found = setups(SetupKey::FromClient, authority, through);
            let file = json_of(way(&found, "cursor", "file"))["mcpServers"]["rasterd"].clone();
            let link = &way(&found, "cursor", "link").text;
            assert_eq!((in_base64(link), parameter(link, "name").as_str()), (file, "rasterd"));
            let file = json_of(way(&found, "lm-studio", "file"))["mcpServers"]["rasterd"].clone();
            let link = &way(&found, "lm-studio", "link").text;
            assert!(link.starts_with("lmstudio://add_mcp?"), "{link}");
            assert_eq!((in_base64(link), parameter(link, "name").as_str()), (file, "rasterd"));
            let file = json_of(way(&found, "vscode", "file"));
            let mut linked = of_vs_code(&way(&found, "vscode", "link").text);
            let words = shlex::split(&way(&found, "vscode", "command").text).unwrap();
            assert_eq!(words[..2], ["code", "--add-mcp"]);
            assert_eq!(serde_json::from_str::<Value>(&words[2]).unwrap(), linked);
            let inputs = linked["inputs"].take();
            linked.as_object_mut().unwrap().remove("inputs");
            assert_eq!(linked.as_object_mut().unwrap().remove("name"), Some("rasterd".into()));
            assert_eq!((linked, inputs), (file["servers"]["rasterd"].clone(), file["inputs"].clone()));
        }
    }
    let found = setups(SetupKey::FromClient, None, ClientRoute::Network);
    let link = &way(&found, "goose", "link").text;
    assert!(link.starts_with("goose://extension?"), "{link}");
    for (name, value) in [
        ("type", "streamable_http"),
        ("url", MCP_URL),
        ("name", "rasterd"),
        ("header", "Authorization=Bearer ${RASTERD_API_KEY}"),
        ("env", "RASTERD_API_KEY=API key of rasterd"),
    ] {
        assert_eq!(parameter(link, name), value);
    }
    let file = &way(&found, "goose", "file").text;
    assert!(file.contains("Authorization: \"Bearer ${RASTERD_API_KEY}\""), "{file}");
    assert!(file.contains("env_keys: [RASTERD_API_KEY]"), "{file}");
}

#[test]
fn an_unknown_key_is_read_from_where_each_client_can_get_it() {
    let found = setups(SetupKey::FromClient, Some(AuthorityFiles::DOWNLOADED), ClientRoute::Network);
    let text = |name: &str, how: &str| way(&found, name, how).text.clone();
    let command = text("claude-code", "command");
    assert!(
        command.starts_with("export NODE_EXTRA_CA_CERTS=\"$HOME/rasterd-authority.crt\"\nclaude mcp add ")
    );
    assert!(command.ends_with("--header \"Authorization: Bearer $RASTERD_API_KEY\""), "{command}");
    assert!(text("cursor", "file").contains("\"Bearer ${env:RASTERD_API_KEY}\""));
    let code = json_of(way(&found, "vscode", "file"));
    assert_eq!(code["servers"]["rasterd"]["headers"]["Authorization"], "Bearer ${input:rasterd-key}");
    assert_eq!(code["inputs"][0]["id"], "rasterd-key");
    assert!(text("gemini-cli", "file").contains("\"Bearer $RASTERD_API_KEY\""));
    assert!(text("codex", "file").contains("bearer_token_env_var = \"RASTERD_API_KEY\""));
    let start = "curl --cacert \"$HOME/rasterd-authority.crt\" https://localhost:8443/mcp ";
    assert!(text("curl", "command").starts_with(start));
    let exports = "export SSL_CERT_FILE=\"$HOME/rasterd-authorities.pem\" REQUESTS_CA_BUNDLE=\"$HOME/rasterd-authorities.pem\"";
    assert_eq!(text("openssl", "command"), exports);
    let lonely = AuthorityFiles { is_complete: false, ..AuthorityFiles::DOWNLOADED };
    let found = setups(SetupKey::FromClient, Some(lonely), ClientRoute::Network);
    let remark = &way(&found, "openssl", "command").remark;
    assert!(remark.contains("only this server"), "{remark}");
}

#[test]
fn each_client_gets_the_authority_in_its_own_way() {
    let found = setups(SetupKey::Plain(KEY), Some(authority("/my certs")), ClientRoute::Network);
    let variable = "NODE_EXTRA_CA_CERTS='/my certs/ca.pem'";
    let command = &way(&found, "claude-code", "command").text;
    assert!(command.starts_with(&format!("export {variable}\nclaude mcp add ")), "{command}");
    for (name, program) in [("cursor", "cursor"), ("vscode", "code"), ("gemini-cli", "gemini")] {
        let start = way(&found, name, "file").start.as_deref();
        assert_eq!(start, Some(&*format!("{variable} {program}")));
    }
    let start = way(&found, "codex", "file").start.as_deref();
    assert_eq!(start, Some("CODEX_CA_CERTIFICATE='/my certs/ca.pem' codex"));
    let command = &way(&found, "curl", "command").text;
    assert!(command.starts_with("curl --cacert '/my certs/ca.pem' https://localhost:8443/mcp "), "{command}");
    let bundle = "'/my certs/ca-bundle.pem'";
    let exports = &way(&found, "openssl", "command").text;
    assert_eq!(*exports, format!("export SSL_CERT_FILE={bundle} REQUESTS_CA_BUNDLE={bundle}"));
    // These can't be told to trust an authority.
    let arguments = json!(["mcp", "--url", URL, "--ca", "/my certs/ca.pem"]);
    for name in ["lm-studio", "claude-desktop"] {
        let server = &json_of(way(&found, name, "file"))["mcpServers"]["rasterd"];
        assert_eq!((&server["command"], &server["args"]), (&json!("rasterd"), &arguments), "{name}");
    }
    let file = &way(&found, "goose", "file").text;
    assert!(file.contains("cmd: rasterd\n    args: [\"mcp\", \"--url\", "), "{file}");
}

#[test]
fn a_certificate_that_clients_trust_already_is_not_mentioned() {
    for through in [ClientRoute::Network, ClientRoute::Bridge] {
        for setup in setups(SetupKey::Plain(KEY), None, through) {
            for SetupMethod { text, start, .. } in setup.ways {
                let words = ["CA_CERT", "--cacert", "SSL_CERT_FILE", "--ca"];
                assert!(start.is_none() && !words.iter().any(|word| text.contains(word)), "{text}");
            }
        }
    }
}

#[test]
fn through_the_bridge_the_authority_is_where_it_was_saved() {
    let found = setups(SetupKey::FromClient, Some(AuthorityFiles::DOWNLOADED), ClientRoute::Bridge);
    let command = &way(&found, "claude-code", "command").text;
    let expected = "claude mcp add rasterd --env RASTERD_API_KEY=\"$RASTERD_API_KEY\" -- rasterd mcp --url \
                    https://localhost:8443 --ca ~/rasterd-authority.crt";
    assert_eq!(command, expected);
    let codex = &way(&found, "codex", "file").text;
    let expected = "[mcp_servers.rasterd]\ncommand = \"rasterd\"\nargs = [\"mcp\", \"--url\", \"https://localhost:8443\", \
                    \"--ca\", \"~/rasterd-authority.crt\"]\nenv_vars = [\"RASTERD_API_KEY\"]";
    assert_eq!(codex, expected);
}
