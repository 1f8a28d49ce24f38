//! SIGHUP makes a server read its configuration again: what it follows at once, what needs a restart, and what is refused.

use std::fs;

use reqwest::header::{HOST, ORIGIN};
use rustix::process::Signal;
use serde_json::json;

use crate::support::program::{Program, TestDir};

struct Configured {
    test_dir: TestDir,
    program: Program,
}

impl Configured {
    fn start(text: &str) -> Self {
        let test_dir = TestDir::new();
        fs::write(test_dir.path().join("rasterd.toml"), text).unwrap();
        let program = test_dir.serve_with(&["--config", "rasterd.toml"]);
        Self { test_dir, program }
    }

    fn reload(&self, text: &str) {
        fs::write(self.test_dir.path().join("rasterd.toml"), text).unwrap();
        self.program.signal(Signal::HUP);
    }

    /// The status for an MCP request to a host.
    async fn status_at(&self, host: &str) -> u16 {
        let client = self.program.client_of(self.program.first_key());
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let request = client
            .request(reqwest::Method::POST, "/mcp")
            .header(HOST, host)
            .header("Accept", "application/json, text/event-stream")
            .header("Content-Type", "application/json")
            .body(message.to_string());
        request.send().await.unwrap().status().as_u16()
    }

    /// Which origin may read an answer.
    async fn allowed_origin(&self, origin: &str) -> Option<String> {
        let request = self.program.client().request(reqwest::Method::GET, "/healthz").header(ORIGIN, origin);
        let answer = request.send().await.unwrap();
        let allowed = answer.headers().get("access-control-allow-origin");
        allowed.map(|value| value.to_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn a_running_server_follows_what_it_can_and_names_what_needs_a_restart() {
    let server = Configured::start("[log]\nlevel = \"warn\"\n");
    assert_eq!(server.status_at("new.example.org").await, 403);
    assert_eq!(server.allowed_origin("https://cms.example.org").await, None);
    assert!(!server.program.log().contains("rasterd::access"), "{}", server.program.log());
    server.reload(
        "[log]\nlevel = \"info\"\n[limits]\npage_size = 3\n[trash]\nkeep_days = 3\n[server]\n\
         allowed_hosts = [\"localhost\", \"new.example.org\"]\nallowed_origins = [\"https://cms.example.org\"]\n",
    );
    let line = server.program.wait_for_log("the configuration was reloaded");
    assert!(line.contains("keys=\"log.level, server.allowed_hosts, server.allowed_origins\""), "{line}");
    let line = server.program.wait_for_log("need a restart");
    assert!(line.contains("keys=\"limits.page_size, trash.keep_days\"") && line.contains("WARN"), "{line}");
    assert_eq!(server.status_at("new.example.org").await, 200);
    assert_eq!(
        server.allowed_origin("https://cms.example.org").await.as_deref(),
        Some("https://cms.example.org")
    );
    server.program.wait_for_log("rasterd::access");

    // What was taken back needs no restart any more.
    server.reload("[log]\nlevel = \"info\"\n[limits]\npage_size = 3\n");
    server.program.wait_for_log_lines("the configuration was reloaded", 2);
    server.program.wait_for_log_line(&["need a restart", "keys=\"limits.page_size\""]);
    assert_eq!(server.status_at("new.example.org").await, 403);
    assert_eq!(server.allowed_origin("https://cms.example.org").await, None);
    server.program.stop();
}

#[tokio::test]
async fn new_connections_have_the_new_limits() {
    let server = Configured::start("");
    let open = server.program.connect();
    server.reload("[server]\nconnections_per_address = 1\n");
    server.program.wait_for_log_line(&["the configuration was reloaded", "server.connections_per_address"]);
    assert!(server.program.try_to_connect().is_err(), "one is open");
    drop(open);
    crate::support::program::poll("the one connection is free", || server.program.try_to_connect().ok());
    server.program.stop();
}

#[tokio::test]
async fn a_configuration_with_mistakes_is_refused_as_a_whole() {
    let server = Configured::start("");
    server.reload("[log]\nlevel = \"error\"\n[server]\nbnid = \"x\"\nallowed_hosts = [\"new.example.org\"]\nworkers = \"many\"\n");
    for problem in
        ["there is no key server.bnid; did you mean server.bind?", "server.workers must be a whole number"]
    {
        let line = server.program.wait_for_log(problem);
        assert!(line.contains("the new configuration is refused") && line.contains("ERROR"), "{line}");
    }
    assert_eq!(server.status_at("localhost").await, 200);
    assert_eq!(server.status_at("new.example.org").await, 403);
    server.program.wait_for_log_line(&["rasterd::access", "status=403"]);
    server.program.stop();
}

/// Another certificate in other files, from the authority of `folder`.
fn files_in(test_dir: &TestDir, folder: &str) -> String {
    let dir = test_dir.path().join(folder);
    let made = rasterd::transport::tls::development::ensure(&dir, &[], std::time::SystemTime::now()).unwrap();
    let (cert, key) = (made.cert_file.display(), made.key_file.display());
    format!("[tls]\ncert_file = \"{cert}\"\nkey_file = \"{key}\"\n")
}

#[tokio::test]
async fn other_certificate_files_are_used_and_those_that_can_not_be_used_are_refused() {
    let test_dir = TestDir::new();
    let [one, other] = ["one", "other"].map(|folder| files_in(&test_dir, folder));
    fs::write(test_dir.path().join("rasterd.toml"), &one).unwrap();
    let program = test_dir.serve_with(&["--config", "rasterd.toml"]);
    let server = Configured { test_dir, program };
    let trusts = |folder: &str| {
        let ca_pem = fs::read_to_string(server.test_dir.path().join(folder).join("ca.pem")).unwrap();
        crate::support::raw::Raw::to(server.program.port(), crate::support::trusting(&ca_pem)).is_ok()
    };
    assert!(trusts("one") && !trusts("other"));
    server.reload(&other.replace("server-key.pem", "ca-key.pem"));
    server.program.wait_for_log_line(&["the new configuration is refused", "not the key of the certificate"]);
    assert!(trusts("one") && !trusts("other"));
    server.reload(&other);
    server.program.wait_for_log_line(&["the configuration was reloaded", "tls.cert_file, tls.key_file"]);
    assert!(trusts("other") && !trusts("one"));
    server.program.stop();
}
