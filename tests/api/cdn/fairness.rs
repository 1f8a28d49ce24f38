//! What anonymous requests for pictures can't do: cause work that no client waits for, reveal what other libraries hold,
//! get an answer that is not a picture.

use std::collections::HashSet;
use std::path::Path;

use rasterd::core::model::Access;
use rasterd::testing::TestServer;
use reqwest::Method;

use super::Stocked;
use crate::support::gate::Gate;
use crate::support::program::poll;
use crate::support::raw::{Raw, is_served};
use crate::support::send;

const SUNSET: &[u8] = include_bytes!("../../fixtures/sunset.jpg");
const WINE: &[u8] = include_bytes!("../../fixtures/wine.jpg");

/// The cached renditions.
fn kept(server: &TestServer) -> HashSet<String> {
    let files = |folder: &Path| -> Vec<_> {
        std::fs::read_dir(folder)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default()
    };
    let folders = files(&server.data_dir().join("renditions")).into_iter();
    let pictures = folders.filter(|folder| !folder.ends_with("tmp")).flat_map(|folder| files(&folder));
    pictures.map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn renditions_that_no_client_waits_for_are_not_made() {
    let gate = Gate::closed();
    let stocked = Stocked::on(gate.server(|_| ())).await;
    // What follows the upload keeps the only worker busy until the gate opens.
    let path = stocked.upload("sunset.jpg", SUNSET).await;
    gate.wait_for_a_picture();
    let widths = [16, 32, 48, 64, 96, 128, 200, 256, 320, 480, 640, 960];
    let odd = widths.iter().flat_map(|width| ["png", "jpeg", "webp"].map(|format| (width, format)));
    let mut abandoned = Vec::new();
    for (width, format) in odd {
        let mut connection = Raw::open(&stocked.server);
        connection.send(format!("GET {path}?w={width}&fm={format}&q=55 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        abandoned.push(connection.client_port());
        drop(connection);
    }
    let is_noticed = |port: &u16| !is_served(stocked.server.port(), *port);
    poll("the server notices that they left", || abandoned.iter().all(is_noticed).then_some(()));
    gate.open();
    // A thumbnail is made, and so is what follows an upload.
    let thumbnail = stocked.client.get(&format!("{path}?w=400&h=400")).await;
    assert_eq!(thumbnail.status, 200);
    stocked.upload("wine.jpg", WINE).await;
    stocked.server.processed().await;
    assert_eq!(kept(&stocked.server).len(), 7, "the thumbnail, and three pictures of each upload");
}

#[tokio::test]
async fn libraries_with_the_same_file_do_not_share_renditions() {
    let stocked = Stocked::new().await;
    stocked.server.organization("Other").await;
    let library = stocked.server.library("other", "Photos").await;
    let key = stocked.server.key("other", &[(&library, Access::Write)]).await;
    let first = stocked.upload("sunset.jpg", SUNSET).await;
    let id = stocked.server.upload(&key, "other", &library, "sunset.jpg", SUNSET).await;
    let second = format!("/cdn/other/{library}/{id}");
    stocked.server.processed().await;
    let mut tags = HashSet::new();
    let wishes = ["w=96", "w=640&fm=webp&q=40", "w=400&h=400", "blur=1", "w=800&h=800&fm=webp"];
    for wish in wishes {
        for path in [&first, &second] {
            let before = kept(&stocked.server);
            let answer = stocked.client.get(&format!("{path}?{wish}")).await;
            assert_eq!(answer.status, 200, "{path} {wish}");
            tags.insert(answer.header("etag").to_owned());
            // The pictures of each upload are cached already, in both libraries.
            let made = kept(&stocked.server).difference(&before).count();
            let is_of_upload = matches!(wish, "blur=1" | "w=800&h=800&fm=webp");
            assert_eq!(made, usize::from(!is_of_upload), "{path} {wish}");
        }
    }
    assert_eq!(tags.len(), 2 * wishes.len());
}

#[tokio::test]
async fn the_automatic_format_works_for_every_picture_and_others_report_errors() {
    let stocked = Stocked::new().await;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 16_400, 2);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&vec![90; 16_400 * 2]).unwrap();
    let path = stocked.upload("wide.png", &bytes).await;
    for accept in ["image/avif,image/webp,*/*", "image/webp", "image/png", "*/*", ""] {
        for query in ["fm=auto", "fm=auto&q=80", "fm=auto&w=8000", "fm=auto&w=400&h=400", "fm=auto&h=2"] {
            let request =
                stocked.client.request(Method::GET, &format!("{path}?{query}")).header("Accept", accept);
            let answer = send(request).await;
            assert_eq!(answer.status, 200, "{accept} {query}: {}", String::from_utf8_lossy(&answer.body));
            assert_eq!(answer.header("vary"), "Accept", "{query}");
        }
    }
    let refused = stocked.client.get(&format!("{path}?fm=webp")).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.error_code(), "BAD_USER_INPUT");
}
