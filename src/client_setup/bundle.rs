//! The bundle (`.mcpb`) with which a desktop client connects without further setup: a description, a bridge for Node, and
//! the address of the server with the authority that clients have to trust. It asks for the key when it is installed.
//!
//! The format: <https://github.com/modelcontextprotocol/mcpb/blob/main/MANIFEST.md>

use std::io::{Cursor, Write};

use serde_json::{Value, json};
use url::Url;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::config::KEY_VARIABLE;

/// Its name as a file.
pub const FILE_NAME: &str = "rasterd.mcpb";
/// Its media type.
pub const MEDIA_TYPE: &str = "application/zip";
const BRIDGE: &str = include_str!("bundle/bridge.mjs");
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Where the bridge is, and beside it what it connects to.
const BRIDGE_FILE: &str = "server/bridge.mjs";
const CONNECTION_FILE: &str = "server/connection.json";

/// The bundle for the server at `public_url`, with the authority that clients have to trust as PEM, if there is one. The
/// same input gives the same bytes.
///
/// # Errors
/// Never in practice: the parts are small, and memory takes them.
pub fn bundle(public_url: &str, authority: Option<&str>) -> std::io::Result<Vec<u8>> {
    let mut connection = json!({ "url": format!("{public_url}/mcp"), "version": VERSION });
    if let Some(authority) = authority {
        connection["authority"] = authority.into();
    }
    let files = [
        ("manifest.json", pretty(&manifest(public_url))),
        (BRIDGE_FILE, BRIDGE.to_owned()),
        (CONNECTION_FILE, pretty(&connection)),
    ];
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        archive.start_file(name, options)?;
        archive.write_all(text.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

fn manifest(public_url: &str) -> Value {
    let place = place(public_url);
    json!({
        "manifest_version": "0.3",
        "name": name(&place),
        "display_name": format!("rasterd at {place}"),
        "version": VERSION,
        "description": format!("Pictures, videos and PDFs in the libraries of {public_url}"),
        "author": { "name": "The rasterd authors" },
        "documentation": format!("{public_url}/docs/connect-a-client"),
        "license": "MIT OR Apache-2.0",
        "server": {
            "type": "node",
            "entry_point": BRIDGE_FILE,
            "mcp_config": {
                "command": "node",
                "args": [format!("${{__dirname}}/{BRIDGE_FILE}")],
                "env": { KEY_VARIABLE: "${user_config.api_key}" },
            },
        },
        "tools_generated": true,
        "compatibility": { "platforms": ["darwin", "win32", "linux"], "runtimes": { "node": ">=18.0.0" } },
        "user_config": {
            "api_key": {
                "type": "string",
                "title": "API key",
                "description": "A key of this server. It begins with pk_, and owners generate it in the web app under Settings › API keys.",
                "sensitive": true,
                "required": true,
            },
        },
    })
}

/// Host and port of the server, as a person knows it.
fn place(public_url: &str) -> String {
    let url = Url::parse(public_url).ok();
    let authority = url.as_ref().map(Url::authority).filter(|authority| !authority.is_empty());
    authority.unwrap_or(public_url).to_owned()
}

/// The bundle's name: clients replace one of the same name, so that of another server must differ.
fn name(place: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let words = place.chars().map(plain).collect::<String>();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    format!("rasterd-{}", words.join("-"))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use zip::ZipArchive;

    use super::*;

    const URL: &str = "https://assets.example.org:8443";

    fn file(bundle: &[u8], name: &str) -> String {
        let mut archive = ZipArchive::new(Cursor::new(bundle)).unwrap();
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let first = bundle(URL, Some("PEM")).unwrap();
        assert_eq!(first, bundle(URL, Some("PEM")).unwrap());
        assert_ne!(first, bundle(URL, None).unwrap());
        let mut archive = ZipArchive::new(Cursor::new(first)).unwrap();
        for index in 0..archive.len() {
            let entry = archive.by_index(index).unwrap();
            let time = entry.last_modified().unwrap();
            assert_eq!((time.year(), entry.unix_mode()), (1980, Some(0o100_644)), "{:?}", entry.name());
        }
    }

    #[test]
    fn it_connects_to_the_server_and_has_no_key() {
        let with = bundle(URL, Some("PEM")).unwrap();
        let connection: Value = serde_json::from_str(&file(&with, CONNECTION_FILE)).unwrap();
        assert_eq!(
            connection,
            json!({ "url": format!("{URL}/mcp"), "version": VERSION, "authority": "PEM" })
        );
        let without = bundle(URL, None).unwrap();
        assert!(!file(&without, CONNECTION_FILE).contains("authority"));
        let manifest: Value = serde_json::from_str(&file(&with, "manifest.json")).unwrap();
        assert_eq!(manifest["name"], "rasterd-assets-example-org-8443");
        let env = &manifest["server"]["mcp_config"]["env"];
        assert_eq!(env["RASTERD_API_KEY"], "${user_config.api_key}");
        assert_eq!(manifest["user_config"]["api_key"]["sensitive"], true);
        file(&with, manifest["server"]["entry_point"].as_str().unwrap());
    }

    #[test]
    fn every_server_has_a_name_of_its_own() {
        for (url, expected) in [
            ("https://localhost:8443", "rasterd-localhost-8443"),
            ("https://Assets.Example.org", "rasterd-assets-example-org"),
            ("https://[::1]:8443", "rasterd-1-8443"),
        ] {
            assert_eq!(name(&place(url)), expected);
        }
    }
}
