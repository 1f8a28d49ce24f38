//! Types that installed tools open: with pictures if the administrator turned the tools on, else without.

use std::io::Cursor;

use rasterd::pictures::media::inspect;
use serde_json::{Value, json};

use crate::rest::{Form, OLD};
use crate::support::mcp::call;
use crate::support::program::{ASSETS, Program, TestDir};

/// 320 × 160 pixels.
const CARD: &[u8] = include_bytes!("../fixtures/card.heic");
const PAGE: &[u8] = b"%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n\
    2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n\
    3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n";

async fn uploaded(program: &Program, name: &str, bytes: &[u8]) -> Value {
    let mut form = Form::default();
    form.file("files", name, bytes);
    let reply = program.rest_of(program.first_key()).send_form(ASSETS, form).await;
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let id = reply.json()["data"]["assets"][0]["id"].as_str().unwrap().to_owned();
    let rest = program.rest_of(program.first_key()).in_version(OLD);
    rest.get(&format!("{ASSETS}/{id}")).await.json()["data"].clone()
}

fn path_of(url: &Value) -> String {
    let url = url::Url::parse(url.as_str().unwrap()).unwrap();
    url[url::Position::BeforePath..].to_owned()
}

/// The name of libheif's tool on this machine.
fn heic_tool() -> &'static str {
    let is_there = |name: &&str| {
        ["/usr/bin", "/usr/local/bin"].iter().any(|folder| std::path::Path::new(folder).join(name).is_file())
    };
    ["heif-dec", "heif-convert"]
        .into_iter()
        .find(is_there)
        .expect("libheif's tools are installed by `make test`")
}

#[tokio::test]
async fn what_a_tool_opens_has_thumbnails_renditions_and_a_preview() {
    let test_dir = TestDir::new()
        .with("RASTERD__MEDIA__HEIC_TOOL", heic_tool())
        .with("RASTERD__MEDIA__PDF_TOOL", "pdftoppm");
    let program = test_dir.serve();
    for (name, bytes, width, height) in [("card.heic", CARD, 320, 160), ("page.pdf", PAGE, 300, 400)] {
        let asset = uploaded(&program, name, bytes).await;
        for (url, width, height) in [
            (path_of(&asset["thumbUrl"]), width, height),
            (
                path_of(&asset["thumbUrlBlurred"]),
                32 * width / width.max(height),
                32 * height / width.max(height),
            ),
            (
                format!("{}?w=64&h=64&fm=png", path_of(&asset["url"])),
                64 * width / width.max(height),
                64 * height / width.max(height),
            ),
        ] {
            let reply = program.client().get(&url).await;
            assert_eq!(reply.status, 200, "{url}: {}", String::from_utf8_lossy(&reply.body));
            let seen = inspect(&mut Cursor::new(&reply.body), u64::MAX).unwrap();
            assert_eq!((seen.width, seen.height), (Some(width), Some(height)), "{url}");
        }
        let arguments = json!({
            "organizationId": "default", "libraryId": "library", "assetId": asset["id"], "preview": true
        });
        let client = program.client_of(program.first_key());
        assert!(call(&client, "get_asset", &arguments).await.is_ok());
    }
    let film = uploaded(&program, "film.mov", &film()).await;
    assert_eq!(film["thumbUrl"], Value::Null, "its tool is off");
}

#[tokio::test]
async fn without_tools_files_are_served_as_they_are() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    for (name, bytes) in [("card.heic", CARD.to_vec()), ("page.pdf", PAGE.to_vec()), ("film.mov", film())] {
        let asset = uploaded(&program, name, &bytes).await;
        for field in ["thumbUrl", "thumbHighUrl", "thumbUrlBlurred"] {
            assert_eq!(asset[field], Value::Null, "{name} {field}");
        }
        let url = path_of(&asset["url"]);
        assert!(program.client().get(&url).await.body == bytes);
        let reply = program.client().get(&format!("{url}?w=64")).await;
        assert_eq!((reply.status, reply.error_code()), (400, "BAD_USER_INPUT".into()), "{name}");
    }
}

/// A movie without tracks.
fn film() -> Vec<u8> {
    b"\0\0\0\x14ftypqt  \0\0\0\0qt  \0\0\0\x08moov".to_vec()
}
