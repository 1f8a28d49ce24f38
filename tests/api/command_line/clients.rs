//! `rasterd snippet` and `rasterd bundle`: how clients are set up for the configured server, whether it runs or not.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use zip::ZipArchive;

use crate::support::program::TestDir;

const URL: &str = "https://assets.example.org:8443";

/// A directory of a server at [`URL`], with its authority.
fn installed() -> TestDir {
    let test_dir = TestDir::new().with("RASTERD__SERVER__PUBLIC_URL", URL);
    test_dir.done(&["certs"]);
    test_dir
}

/// The clients that are listed, each with its ways.
fn listed(list: &str) -> Vec<(String, Vec<String>)> {
    let lines = list.lines().skip(1).map(|line| {
        let ways = line.rsplit("  ").next().unwrap();
        (line.split(' ').next().unwrap().to_owned(), ways.split(", ").map(str::to_owned).collect())
    });
    lines.collect()
}

/// What is in a file of a bundle.
fn in_bundle(bundle: &[u8], name: &str) -> String {
    let mut archive = ZipArchive::new(Cursor::new(bundle)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn every_listed_client_and_way_is_printed_alone() {
    let test_dir = installed();
    let ca_file = test_dir.certificates().join("ca.pem").display().to_string();
    for stdio in [&[][..], &["--stdio"]] {
        let clients = listed(&test_dir.done(&[&["snippet"], stdio].concat()));
        assert!(clients.len() >= 8, "{clients:?}");
        for (client, ways) in &clients {
            let first = test_dir.done(&[&["snippet", client], stdio].concat());
            for (at, way) in ways.iter().enumerate() {
                let exit = test_dir.run(&[&["snippet", client, "--how", way], stdio].concat());
                assert_eq!(exit.code, Some(0), "{client} {way}: {}", exit.stderr);
                assert!(at > 0 || exit.stdout == first, "{client}: the first way is the usual one");
                assert!(!exit.stdout.contains("pk_0"), "{client}: there is no key");
                let is_there = [URL, "assets.example.org%3A8443", "rasterd.mcpb", "config=", &ca_file]
                    .iter()
                    .any(|words| exit.stdout.contains(words));
                let is_variable = client == "openssl" && exit.stdout.contains("SSL_CERT_FILE=");
                assert!(is_there || is_variable, "{client} {way}: {}", exit.stdout);
                if way == "file" && exit.stdout.starts_with('{') {
                    serde_json::from_str::<Value>(&exit.stdout).unwrap();
                }
            }
        }
    }
    let bridge = test_dir.done(&["snippet", "codex", "--stdio"]);
    assert!(bridge.contains(&format!("\"mcp\", \"--url\", \"{URL}\", \"--ca\", \"{ca_file}\"")), "{bridge}");
    let exit = test_dir.run(&["snippet", "cursor"]);
    for words in
        ["Paste this in ~/.cursor/mcp.json:", "Then start it with: NODE_EXTRA_CA_CERTS=", "--how link"]
    {
        assert!(exit.stderr.contains(words), "{words} in {}", exit.stderr);
    }
}

#[test]
fn what_can_t_be_printed_is_explained() {
    let test_dir = installed();
    for (arguments, words) in [
        (&["snippet", "emacs"][..], "there is no setup for \"emacs\"; there are: claude-code, "),
        (&["snippet", "curl", "--stdio"], "there is no setup for \"curl\""),
        (&["snippet", "curl", "--how", "link"], "curl is set up by command, and not by another way"),
        (&["bundle", "--output", "/nowhere/rasterd.mcpb"], "/nowhere/rasterd.mcpb can't be written: "),
    ] {
        let stderr = test_dir.run(arguments).failed(1);
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
    test_dir.run(&["snippet", "--how", "link"]).failed(2);
    let unknown_port = TestDir::new();
    let without_authority = TestDir::new().with("RASTERD__SERVER__PUBLIC_URL", URL);
    let missing = without_authority.path().join("none.pem").display().to_string();
    let configured = TestDir::new()
        .with("RASTERD__SERVER__PUBLIC_URL", URL)
        .with("RASTERD__TLS__AUTHORITY_FILE", &missing);
    for command in ["snippet", "bundle"] {
        let stderr = unknown_port.run(&[command]).failed(1);
        assert!(stderr.contains("set server.public_url"), "{stderr}");
        let stderr = without_authority.run(&[command]).failed(1);
        assert!(stderr.contains("`rasterd serve` and `rasterd certs` create the authority"), "{stderr}");
        let stderr = configured.run(&[command]).failed(1);
        assert!(stderr.contains("none.pem"), "{stderr}");
    }
}

#[test]
fn the_bundle_has_the_address_and_the_authority_and_is_the_same_each_time() {
    let test_dir = installed();
    let written = |name: &str| {
        let exit = test_dir.run(&["bundle", "--output", name]);
        let path = test_dir.path().join(name);
        assert_eq!((exit.code, exit.stdout.trim()), (Some(0), path.to_str().unwrap()), "{}", exit.stderr);
        assert!(
            exit.stderr.contains(&format!("It connects to {URL}, and asks for a key.")),
            "{}",
            exit.stderr
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        fs::read(path).unwrap()
    };
    let bundle = written("one.mcpb");
    assert_eq!(bundle, written("two.mcpb"));
    let connection: Value = serde_json::from_str(&in_bundle(&bundle, "server/connection.json")).unwrap();
    let ca_pem = fs::read_to_string(test_dir.certificates().join("ca.pem")).unwrap();
    assert_eq!(connection["url"], format!("{URL}/mcp"));
    assert_eq!(connection["authority"].as_str().unwrap().trim(), ca_pem.trim());
    assert!(!in_bundle(&bundle, "server/connection.json").contains("PRIVATE KEY"));
    // With a company's own authority, or with a certificate that everybody trusts.
    let authority = test_dir.certificates().join("ca.pem").display().to_string();
    let public = TestDir::new()
        .with("RASTERD__SERVER__PUBLIC_URL", URL)
        .with("RASTERD__TLS__CERT_FILE", "/c.pem")
        .with("RASTERD__TLS__KEY_FILE", "/k.pem");
    public.done(&["bundle"]);
    let without = fs::read(public.path().join("rasterd.mcpb")).unwrap();
    assert!(!in_bundle(&without, "server/connection.json").contains("CERTIFICATE"));
    let company = public.with("RASTERD__TLS__AUTHORITY_FILE", &authority);
    company.done(&["bundle"]);
    assert_eq!(fs::read(company.path().join("rasterd.mcpb")).unwrap(), bundle);
}
