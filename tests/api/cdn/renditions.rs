//! Pictures in other sizes and formats, at the urls of assets.

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use image::{DynamicImage, ImageFormat, RgbImage};
use rasterd::core::access::LibraryPath;
use rasterd::pictures::media;
use rasterd::pictures::media::MediaType;
use rasterd::testing::TestServer;
use reqwest::Method;

use super::{SVG, Stocked, pdf};
use crate::support::Reply;

/// 1200 × 800 pixels.
const SUNSET: &[u8] = include_bytes!("../../fixtures/sunset.jpg");
/// 801 × 1200 pixels.
const WINE: &[u8] = include_bytes!("../../fixtures/wine.jpg");
/// 640 × 360 pixels.
const SEEDING: &[u8] = include_bytes!("../../fixtures/seeding.png");

/// The binary, whose child processes open pictures when the server is set to use it.
const PROGRAM: &str = env!("CARGO_BIN_EXE_rasterd");

/// The type and the size of an answer, by its bytes.
fn format_and_size(reply: &Reply) -> (MediaType, u32, u32) {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let seen = media::inspect(&mut Cursor::new(&reply.body), u64::MAX).unwrap();
    assert_eq!(reply.header("content-type"), seen.media_type.mime());
    (seen.media_type, seen.width.unwrap(), seen.height.unwrap())
}

fn pixels(reply: &Reply) -> RgbImage {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    image::load_from_memory(&reply.body).unwrap().to_rgb8()
}

/// The mean difference of two pictures of the same size, on the scale of a byte.
fn difference(one: &RgbImage, other: &RgbImage) -> u64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let apart = one.iter().zip(other.iter()).map(|(one, other)| u64::from(one.abs_diff(*other)));
    apart.sum::<u64>() / one.len() as u64
}

/// The photograph with an EXIF orientation.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
}

async fn accepting(stocked: &Stocked, path: &str, accept: &str) -> Reply {
    stocked.asked(Method::GET, path, &[("accept", accept)]).await
}

/// The files in the server's folder of renditions.
fn kept(server: &TestServer) -> Vec<std::path::PathBuf> {
    let list = |folder: &Path| -> Vec<_> {
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    list(&server.data_dir().join("renditions")).iter().flat_map(|folder| list(folder)).collect()
}

#[tokio::test]
async fn each_parameter_does_what_it_says() {
    let stocked = Stocked::new().await;
    let sunset = stocked.upload("sunset.jpg", SUNSET).await;
    for (query, expected) in [
        ("w=400", (MediaType::Jpeg, 400, 267)),
        ("w=401", (MediaType::Jpeg, 480, 320)),
        ("h=200", (MediaType::Jpeg, 300, 200)),
        ("w=200&dpr=2", (MediaType::Jpeg, 400, 267)),
        ("w=200&h=200", (MediaType::Jpeg, 200, 133)),
        ("w=200&h=200&fit=contain&fm=png", (MediaType::Png, 200, 133)),
        ("w=200&h=200&fit=cover", (MediaType::Jpeg, 200, 200)),
        ("w=180&h=90&fit=cover", (MediaType::Jpeg, 200, 100)),
        ("w=200&fm=webp", (MediaType::WebP, 200, 133)),
        ("w=64&fm=avif", (MediaType::Avif, 64, 43)),
        ("w=32&blur=1", (MediaType::WebP, 32, 21)),
        ("w=8000", (MediaType::Jpeg, 1200, 800)),
        ("w=3000&h=3000&fit=cover", (MediaType::Jpeg, 800, 800)),
        ("fm=webp", (MediaType::WebP, 1200, 800)),
    ] {
        let reply = stocked.client.get(&format!("{sunset}?{query}")).await;
        assert_eq!(format_and_size(&reply), expected, "{query}");
    }
    let size =
        async |quality: u32| stocked.client.get(&format!("{sunset}?w=400&q={quality}")).await.body.len();
    assert!(size(20).await < size(60).await && size(60).await < size(95).await);
    let reply = stocked.client.get(&format!("{sunset}?v=2")).await;
    assert!(reply.body == SUNSET, "a parameter that means nothing changes nothing");
}

#[tokio::test]
async fn an_invalid_value_is_reported_only_if_the_asset_exists() {
    let stocked = Stocked::new().await;
    let sunset = stocked.upload("sunset.jpg", SUNSET).await;
    for query in ["w=0", "h=x", "fit=fill", "fm=gif", "q=101", "dpr=4", "blur=yes"] {
        let reply = stocked.client.get(&format!("{sunset}?{query}")).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (400, "BAD_USER_INPUT"), "{query}");
        let name = query.split('=').next().unwrap();
        let message = reply.json()["error"]["message"].to_string();
        assert!(message.contains(&format!("`{name}`")), "{message}");
        assert_eq!(
            stocked.client.get(&format!("/cdn/acme/photos/0123456789abcdef?{query}")).await.status,
            404
        );
    }
}

#[tokio::test]
async fn the_format_follows_the_original_unless_one_is_requested() {
    let stocked = Stocked::new().await;
    let png = stocked.upload("seeding.png", SEEDING).await;
    let svg = stocked.upload("logo.svg", SVG).await;
    let tiff = {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(20, 10).write_to(&mut bytes, ImageFormat::Tiff).unwrap();
        stocked.upload("scan.tif", bytes.get_ref()).await
    };
    for (path, own, plain) in [
        (&png, MediaType::Png, MediaType::Png),
        (&svg, MediaType::Png, MediaType::Png),
        (&tiff, MediaType::Jpeg, MediaType::Jpeg),
    ] {
        assert_eq!(
            format_and_size(&accepting(&stocked, &format!("{path}?w=400"), "image/webp").await).0,
            own
        );
        assert_eq!(
            format_and_size(&accepting(&stocked, &format!("{path}?fm=auto"), "image/webp,*/*").await).0,
            MediaType::WebP
        );
        assert_eq!(format_and_size(&accepting(&stocked, &format!("{path}?fm=auto"), "*/*").await).0, plain);
    }
    let auto = accepting(&stocked, &format!("{png}?fm=auto"), "*/*").await;
    assert!(auto.header("vary").contains("Accept"), "{:?}", auto.headers);
    let named = accepting(&stocked, &format!("{png}?fm=png"), "*/*").await;
    assert!(!named.header("vary").contains("Accept"), "{:?}", named.headers);
}

#[tokio::test]
async fn a_rendition_has_the_headers_of_its_original_and_a_tag_of_its_own() {
    let stocked = Stocked::new().await;
    let sunset = stocked.upload("sunset.jpg", SUNSET).await;
    let original = stocked.client.get(&sunset).await;
    let path = format!("{sunset}?w=320&fm=auto");
    let first = accepting(&stocked, &path, "image/webp").await;
    for name in [
        "cache-control",
        "content-security-policy",
        "cross-origin-resource-policy",
        "access-control-allow-origin",
        "x-content-type-options",
        "last-modified",
        "accept-ranges",
    ] {
        assert_eq!(first.header(name), original.header(name), "{name}");
    }
    assert_eq!(first.header("content-disposition"), "inline; filename=\"sunset.webp\"");
    assert_eq!(first.header("content-length"), first.body.len().to_string());
    let tag = first.header("etag");
    assert!(tag.starts_with('"') && tag != original.header("etag"));
    assert_ne!(accepting(&stocked, &path, "*/*").await.header("etag"), tag);
    assert_eq!(
        stocked.client.get(&format!("{sunset}?w=300&fm=webp")).await.header("etag"),
        tag,
        "snapped up"
    );

    let head = stocked.asked(Method::HEAD, &path, &[("accept", "image/webp")]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-length", "content-type", "etag", "vary"] {
        assert_eq!(head.header(name), first.header(name), "{name}");
    }
    let known = [("accept", "image/webp"), ("if-none-match", tag)];
    let reply = stocked.asked(Method::GET, &path, &known).await;
    assert_eq!((reply.status, reply.body.len(), reply.header("etag")), (304, 0, tag));
    let part = [("accept", "image/webp"), ("range", "bytes=8-11")];
    let reply = stocked.asked(Method::GET, &path, &part).await;
    assert_eq!((reply.status, reply.body.as_slice()), (206, b"WEBP".as_slice()));
}

#[tokio::test]
async fn a_rendition_is_upright_and_has_no_metadata() {
    let stocked = Stocked::new().await;
    let upright = stocked.upload("wine.jpg", WINE).await;
    let lying = stocked.upload("lying.jpg", &turned(WINE, 6)).await;
    let expected = pixels(&stocked.client.get(&format!("{upright}?w=320&h=320&fm=png")).await);
    let reply = stocked.client.get(&format!("{lying}?w=320&h=320&fm=png")).await;
    assert_eq!(expected.dimensions(), (214, 320));
    assert!(difference(&pixels(&reply), &image::imageops::rotate90(&expected)) < 3);
    let jpeg = stocked.client.get(&format!("{lying}?w=320")).await;
    assert_eq!(format_and_size(&jpeg), (MediaType::Jpeg, 320, 214));
    assert!(!jpeg.body.windows(4).any(|bytes| bytes == b"Exif"));
    assert!(stocked.client.get(&lying).await.body == turned(WINE, 6), "the original stays as it is");
}

#[tokio::test]
async fn files_that_can_not_be_decoded_have_no_renditions() {
    let stocked = Stocked::new().await;
    let plan = stocked.upload("plan.pdf", &pdf(1000)).await;
    let reply = stocked.client.get(&format!("{plan}?w=400")).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (400, "BAD_USER_INPUT"));
    assert!(reply.json()["error"]["message"].as_str().unwrap().starts_with("This asset has no renditions"));
    assert_eq!(stocked.client.get(&plan).await.status, 200);
}

#[tokio::test]
async fn a_hostile_file_is_refused_and_the_server_keeps_running() {
    let stocked = Stocked::on(guarded(|_| {})).await;
    let half = stocked.upload("half.png", &SEEDING[..SEEDING.len() / 2]).await;
    let data = SEEDING.windows(4).position(|kind| kind == b"IDAT").unwrap();
    let cut = stocked.upload("cut.png", &SEEDING[..data + 6]).await;
    let loops = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><defs><g id=\"g0\"><rect width=\"9\" height=\"9\"/></g>{}</defs><use href=\"#g30\"/></svg>",
        (1..=30).fold(String::new(), |svg, n| {
            let below = n - 1;
            svg + &format!("<g id=\"g{n}\"><use href=\"#g{below}\"/><use href=\"#g{below}\"/></g>")
        })
    );
    let bomb = stocked.upload("bomb.svg", loops.as_bytes()).await;
    let sunset = stocked.upload("sunset.jpg", SUNSET).await;
    for path in [&cut, &bomb] {
        for query in ["w=400", "w=400", "w=32&blur=1"] {
            let reply = stocked.client.get(&format!("{path}?{query}")).await;
            assert_eq!(
                (reply.status, reply.error_code().as_str()),
                (400, "BAD_USER_INPUT"),
                "{path} {query}"
            );
        }
    }
    // The existing part of a file is shown.
    for path in [&half, &sunset] {
        assert_eq!(format_and_size(&stocked.client.get(&format!("{path}?w=400")).await).1, 400, "{path}");
    }
}

/// A server whose pictures are opened in child processes.
fn guarded(
    change: impl Fn(&mut rasterd::core::settings::RenditionSettings) + Send + Sync + 'static,
) -> TestServer {
    TestServer::start_with(move |settings, _| {
        settings.renditions.program = Some(PROGRAM.into());
        settings.renditions.workers = 4;
        change(&mut settings.renditions);
    })
}

#[tokio::test]
async fn concurrent_requests_share_one_rendering() {
    // Every process that is started to open a picture leaves a line in a file.
    let folder = tempfile::tempdir().unwrap();
    let (script, log) = (folder.path().join("program"), folder.path().join("log"));
    let mut file = fs::File::create(&script).unwrap();
    write!(file, "#!/bin/sh\necho started >> {}\nexec {PROGRAM} \"$@\"\n", log.display()).unwrap();
    drop(file);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let stocked = Stocked::on(guarded(move |renditions| renditions.program = Some(script.clone()))).await;
    let path = stocked.upload("sunset.jpg", SUNSET).await + "?w=960&fm=webp";
    stocked.server.processed().await;
    let before = kept(&stocked.server).len();
    let replies = futures_util::future::join_all((0..8).map(|_| stocked.client.get(&path))).await;
    for reply in &replies {
        assert_eq!(format_and_size(reply), (MediaType::WebP, 960, 640));
        assert!(reply.body == replies[0].body);
    }
    assert_eq!(fs::read_to_string(log).unwrap(), "started\n");
    assert_eq!(kept(&stocked.server).len(), before + 1);
}

#[tokio::test]
async fn the_least_recently_used_renditions_are_evicted() {
    let server = TestServer::start_with(|settings, _| settings.renditions.cache_bytes = 60_000);
    let stocked = Stocked::on(server).await;
    let sunset = stocked.upload("sunset.jpg", SUNSET).await;
    let first = format!("{sunset}?w=16");
    for quality in (5..=100).step_by(5) {
        stocked.server.clock().advance(Duration::from_mins(2));
        assert_eq!(format_and_size(&stocked.client.get(&format!("{sunset}?w=32&q={quality}")).await).1, 32);
        assert_eq!(format_and_size(&stocked.client.get(&first).await).1, 16);
    }
    // Each counts as a block of 4096 bytes.
    let files = kept(&stocked.server);
    assert!((5..=14).contains(&files.len()), "{}", files.len());
    let tag = stocked.client.get(&first).await.header("etag").trim_matches('"').to_owned();
    let made = files.iter().find(|file| file.ends_with(&tag)).expect("what is used all the time stays");
    assert!(fs::metadata(made).unwrap().len() > 0);
}

#[tokio::test]
async fn the_folder_may_be_deleted_while_the_server_runs() {
    let stocked = Stocked::new().await;
    let path = stocked.upload("sunset.jpg", SUNSET).await + "?w=200";
    stocked.server.processed().await;
    let first = stocked.client.get(&path).await;
    fs::remove_dir_all(stocked.server.data_dir().join("renditions")).unwrap();
    let again = stocked.client.get(&path).await;
    assert_eq!(format_and_size(&again), (MediaType::Jpeg, 200, 133));
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(kept(&stocked.server).len(), 1);
}

#[tokio::test]
async fn renditions_of_trashed_assets_are_gone_at_once() {
    let stocked = Stocked::new().await;
    let path = stocked.upload("sunset.jpg", SUNSET).await;
    let id = path.rsplit('/').next().unwrap().to_owned();
    assert_eq!(stocked.client.get(&format!("{path}?w=200")).await.status, 200);
    let caller = stocked.server.core().authenticate(&stocked.key.token).unwrap();
    let library = LibraryPath { organization: &stocked.organization, library: &stocked.library };
    stocked.server.core().delete_assets(&caller, &library, &[id]).await.unwrap();
    let reply = stocked.client.get(&format!("{path}?w=200")).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (404, "RESOURCE_NOT_FOUND"));
}
