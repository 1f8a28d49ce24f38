//! `rasterd serve`: its output when it is ready, and that only one server uses a data directory.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::rest::{Form, picture};
use crate::support::ports::unused_port;
use crate::support::program::{ASSETS, Exit, RASTERD, TestDir, poll};

/// The text below a heading in the output of the first start, up to the next empty line.
fn below<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n{heading}. ")).unwrap_or_else(|| panic!("{text}"));
    let (_, text) = rest.split_once("\n\n").unwrap();
    text.split("\n\n").next().unwrap()
}

#[tokio::test]
async fn the_first_start_shows_a_key_and_later_starts_do_not() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    assert_eq!(key.len(), 48);
    // A journal keeps what is printed and logged, and others can read it.
    for stderr in [program.output(), program.log()] {
        assert!(!stderr.contains("pk_") && !stderr.contains("/app/welcome/"), "{stderr}");
    }
    for (file, holds) in [(test_dir.first_key_file(), "pk_"), (test_dir.owner_link_file(), "/app/welcome/")] {
        use std::os::unix::fs::PermissionsExt;
        assert!(program.greeting().contains(&format!("\n  cat {}\n", file.display())));
        assert!(std::fs::read_to_string(&file).unwrap().contains(holds));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let me = program.rest_of(&key).get("/me").await.json();
    assert_eq!(me["data"]["libraries"][0], serde_json::json!({ "library": "library", "access": "write" }));
    program.stop();
    for _ in 0..2 {
        let program = test_dir.serve();
        assert!(!program.greeting().contains("pk_"), "{}", program.greeting());
        assert!(program.greeting().contains(&format!("{}/mcp", program.url())));
        assert_eq!(program.rest_of(&key).get("/me").await.json(), me);
        program.stop();
    }
    assert_eq!(test_dir.json(&["key", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn each_client_gets_its_setup_and_the_authority() {
    let test_dir = TestDir::with_certificates_in("it's my certs");
    let program = test_dir.serve();
    let (greeting, url, key) = (program.first_steps(), program.url(), program.first_key());
    let ca = test_dir.certificates().join("ca.pem").display().to_string();
    let quoted = format!("'{}'", ca.replace('\'', r"'\''"));
    let claude = below(greeting, "Claude Code");
    assert!(claude.starts_with(&format!("export NODE_EXTRA_CA_CERTS={quoted}\nclaude mcp add ")), "{claude}");
    assert!(
        claude.contains(&format!(" {url}/mcp "))
            && claude.contains(&format!("\"Authorization: Bearer {key}\""))
    );
    for (client, servers) in [("Cursor", "mcpServers"), ("VS Code", "servers")] {
        let settings: Value = serde_json::from_str(below(greeting, client)).unwrap();
        let server = &settings[servers]["rasterd"];
        assert_eq!(server["url"], format!("{url}/mcp"));
        assert_eq!(server["headers"]["Authorization"], format!("Bearer {key}"));
    }
    for program in ["cursor", "code"] {
        assert!(greeting.contains(&format!("NODE_EXTRA_CA_CERTS={quoted} {program}\n")), "{greeting}");
    }
    let python = below(greeting, "Python and other programs that use OpenSSL");
    let bundle = quoted.replace("ca.pem", "ca-bundle.pem");
    assert_eq!(python.trim_end(), format!("export SSL_CERT_FILE={bundle} REQUESTS_CA_BUNDLE={bundle}"));
    assert!(std::path::Path::new(&ca).is_file());
}

#[test]
fn the_printed_curl_command_works_as_it_is() {
    let test_dir = TestDir::with_certificates_in("it's my certs");
    let program = test_dir.serve();
    let command = below(program.first_steps(), "curl");
    let exit = Exit::of(test_dir.command_of("bash").args(["-c", command]));
    assert_eq!(exit.code, Some(0), "{command}\n{}", exit.stderr);
    let answer: Value = serde_json::from_str(&exit.stdout).unwrap();
    let whoami = &answer["result"]["structuredContent"];
    assert_eq!(whoami["organizationId"], "default", "{answer}");
    assert_eq!(whoami["libraries"][0]["access"], "write");
}

#[tokio::test]
async fn a_second_server_on_a_data_directory_exits_and_names_the_first() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let stderr = test_dir.run(&["serve"]).failed(1);
    let holder = format!("is in use by rasterd serve (process {})", program.process());
    assert!(
        stderr.contains(&holder) && stderr.contains(&test_dir.data_dir().display().to_string()),
        "{stderr}"
    );
    assert_eq!(program.rest_of(program.first_key()).get("/me").await.status, 200);
    program.kill();
    test_dir.serve().stop();
}

#[test]
fn a_failed_start_gives_the_reason() {
    let test_dir = TestDir::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let stderr = test_dir.run(&["serve", "--bind", &address]).failed(1);
    assert!(stderr.contains(&format!("can't listen on {address}")) && stderr.contains("--bind"), "{stderr}");
    std::fs::write(test_dir.path().join("file"), "no folder").unwrap();
    let stderr = test_dir.run(&["serve", "--data-dir", "file/data"]).failed(1);
    assert!(stderr.contains("file/data can't be used"), "{stderr}");
    std::fs::write(test_dir.path().join("cert.pem"), "no certificate").unwrap();
    let files = ["--set", "tls.cert_file=cert.pem", "--set", "tls.key_file=cert.pem"];
    let stderr = test_dir.run(&[&["serve"], &files[..]].concat()).failed(1);
    assert!(stderr.contains("cert.pem: no certificate in it"), "{stderr}");
}

#[test]
fn a_damaged_database_is_reported_and_not_changed() {
    let test_dir = TestDir::new();
    test_dir.serve().stop();
    let database = test_dir.data_dir().join("rasterd.redb");
    std::fs::write(&database, "no database").unwrap();
    let stderr = test_dir.run(&["serve"]).failed(1);
    assert!(
        stderr.contains(&format!("the data directory {} can't be opened", test_dir.data_dir().display())),
        "{stderr}"
    );
    assert_eq!(std::fs::read(&database).unwrap(), b"no database");
}

#[test]
fn only_this_user_can_read_private_files() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(test_dir.data_dir()), 0o700);
    assert_eq!(mode(test_dir.data_dir().join("rasterd.sock")), 0o600);
    assert_eq!(mode(test_dir.certificates().join("server-key.pem")), 0o600);
    program.stop();
    assert!(!test_dir.data_dir().join("rasterd.sock").exists(), "the socket goes away with its server");
    test_dir.done(&["key", "list"]);
}

/// Everything at or below a path, with its mode.
fn modes(path: &Path) -> Vec<(PathBuf, u32)> {
    let metadata = std::fs::symlink_metadata(path).unwrap();
    let mut all = vec![(path.to_owned(), metadata.permissions().mode() & 0o7777)];
    if metadata.is_dir() {
        all.extend(std::fs::read_dir(path).unwrap().flat_map(|entry| modes(&entry.unwrap().path())));
    }
    all
}

#[tokio::test]
async fn with_any_umask_only_this_user_can_read_new_files() {
    let test_dir = TestDir::new();
    let data = test_dir.data_dir();
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    let without_umask = || {
        let mut command = test_dir.command_of("sh");
        command.args(["-c", "umask 000; exec \"$0\" serve", RASTERD]);
        test_dir.serve_by(command)
    };
    let program = without_umask();
    program.wait_for_log("was accessible to other users (mode 755)");
    let rest = program.rest_of(program.first_key());
    let mut form = Form::default();
    form.file("files", "lake.png", &picture("lake"));
    let asset = rest.send_form(ASSETS, form).await.json()["data"]["assets"][0].clone();
    let path = url::Url::parse(asset["url"].as_str().unwrap()).unwrap().path().to_owned();
    assert_eq!(program.client().get(&format!("{path}?w=80")).await.status, 200);
    assert_eq!(rest.get("/organizations/default/search/assets?q=lake").await.json()["data"]["found"], 1);
    let made = modes(&data);
    for name in ["rasterd.redb", "rasterd.sock", "files/rasterd-files", "index/meta.json", "renditions"] {
        assert!(made.iter().any(|(path, _)| *path == data.join(name)), "{name} is among what was made");
    }
    for (path, mode) in made {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode & !0o100, wanted & !0o100, "{}: {mode:o}", path.display());
    }
    for (path, mode) in modes(&test_dir.certificates()) {
        let is_key = path.to_string_lossy().contains("key");
        assert_eq!(mode & if is_key { 0o077 } else { 0o022 }, 0, "{}: {mode:o}", path.display());
    }
    program.stop();

    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    for name in ["rasterd.redb", "files"] {
        std::fs::set_permissions(data.join(name), Permissions::from_mode(0o777)).unwrap();
    }
    let program = without_umask();
    for name in ["rasterd.redb", "files"] {
        program
            .wait_for_log(&format!("{} was accessible to other users (mode 777)", data.join(name).display()));
    }
    assert_eq!(modes(&data).into_iter().filter(|(_, mode)| mode & 0o077 != 0).count(), 0);
}

#[test]
fn a_data_directory_with_a_long_path_can_be_administered() {
    let test_dir = TestDir::new();
    let deep = test_dir.path().join("a-folder-with-a-long-name/".repeat(8)).join("data");
    assert!(deep.as_os_str().len() > 200);
    let deep = deep.to_string_lossy().into_owned();
    let test_dir = test_dir.with("RASTERD__DATA__DIR", &deep);
    for _ in 0..2 {
        let program = test_dir.serve();
        assert_eq!(test_dir.json(&["key", "list"]).as_array().unwrap().len(), 1);
        assert!(Path::new(&deep).join("rasterd.sock").exists());
        program.stop();
    }
    assert_eq!(test_dir.json(&["key", "list"]).as_array().unwrap().len(), 1);
}

/// A terminal, and what was printed on it until the server was ready.
pub fn on_a_terminal(test_dir: &TestDir) -> String {
    use std::io::Read;
    let terminal =
        rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).unwrap();
    rustix::pty::grantpt(&terminal).unwrap();
    rustix::pty::unlockpt(&terminal).unwrap();
    let name = rustix::pty::ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let stdout = std::fs::OpenOptions::new().read(true).write(true).open(name).unwrap();
    let mut command = test_dir.command_of(crate::support::program::RASTERD);
    let mut child = command.arg("serve").stdout(stdout).stderr(std::process::Stdio::null()).spawn().unwrap();
    drop(command);
    let (mut terminal, mut bytes, mut buffer) = (std::fs::File::from(terminal), Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&bytes).contains("REQUESTS_CA_BUNDLE") {
        let count = terminal.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..count]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

#[test]
fn on_a_terminal_the_first_key_and_the_link_are_printed_and_not_written() {
    let test_dir = TestDir::new();
    let stderr = on_a_terminal(&test_dir);
    assert!(stderr.contains("\n  pk_") && stderr.contains("/app/welcome/"), "{stderr}");
    assert!(!test_dir.first_key_file().exists() && !test_dir.owner_link_file().exists());
}

#[tokio::test]
async fn the_files_of_the_first_start_are_removed_once_the_web_app_has_an_owner() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let link = std::fs::read_to_string(test_dir.owner_link_file()).unwrap();
    // A later start without an owner has another link, and leaves the key where it is.
    program.stop();
    let program = test_dir.serve();
    assert_ne!(std::fs::read_to_string(test_dir.owner_link_file()).unwrap(), link);
    assert!(test_dir.first_key_file().exists());
    crate::bodies::endpoints::signed_in(&test_dir, &program).await;
    poll("the files are gone", || {
        (!test_dir.first_key_file().exists() && !test_dir.owner_link_file().exists()).then_some(())
    });
    program.stop();
    let program = test_dir.serve();
    assert!(!program.greeting().contains("owner-link.txt") && !test_dir.owner_link_file().exists());
}

/// An installation of an earlier version: its authority is in the folder `certs` where the server is started.
#[tokio::test]
async fn an_authority_in_the_former_folder_is_kept_and_clients_keep_working() {
    let test_dir = TestDir::with_certificates_in("data/certs");
    let former = test_dir.path().join("certs");
    let now = std::time::SystemTime::now();
    rasterd::transport::tls::development::ensure(&former, &[], now).unwrap();
    let texts = |folder: &std::path::Path| {
        ["ca.pem", "ca-key.pem"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
    };
    let was = texts(&former);
    // A new installation does not use an authority that happens to be there.
    let test_dir = test_dir.without("RASTERD__TLS__DIR");
    let program = test_dir.serve();
    assert_ne!(texts(&test_dir.certificates()), was);
    program.stop();
    // An existing one does.
    std::fs::remove_dir_all(test_dir.certificates()).unwrap();
    let program = test_dir.serve();
    assert_eq!(texts(&test_dir.certificates()), was);
    assert_eq!(texts(&former), was, "what clients read stays where it is");
    let client = crate::support::Client::of(program.url(), &was[0]);
    assert_eq!(client.get("/healthz").await.status, 200);
}

#[test]
fn health_checks_the_running_server_and_trusts_only_its_certificate() {
    let port = unused_port();
    let test_dir = TestDir::new().with("RASTERD__SERVER__BIND", &format!("0.0.0.0:{port}"));
    let stderr = test_dir.run(&["health"]).failed(1);
    assert!(stderr.contains(&format!("not ready at 127.0.0.1:{port}")), "{stderr}");
    assert!(stderr.contains("`rasterd docs when-something-is-wrong#"), "{stderr}");
    let program = test_dir.serve();
    assert_eq!(test_dir.done(&["health"]), format!("ready at 127.0.0.1:{port}\n"));
    let other = test_dir.path().join("other");
    rasterd::transport::tls::development::ensure(&other, &[], std::time::SystemTime::now()).unwrap();
    let stderr = test_dir.run(&["health", "--set", &format!("tls.dir={}", other.display())]).failed(1);
    assert!(stderr.contains("another certificate"), "{stderr}");
    program.stop();
    let stderr = test_dir.run(&["health", "--set", "server.bind=127.0.0.1:0"]).failed(1);
    assert!(stderr.contains("port 0"), "{stderr}");
}
