//! A selection as one archive.

use std::io::{Cursor, Read};

use rasterd::core::model::Role;

use super::test_library::{TestLibrary, fixture};
use crate::http_client::{HttpClient, signed_in};
use crate::people::create_member;

/// The files of an archive: their names and bytes.
fn unpacked(archive: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).expect("an archive");
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).unwrap();
            assert_eq!(file.compression(), zip::CompressionMethod::Stored);
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

#[tokio::test]
async fn a_selection_is_one_archive_with_the_files_as_they_are() {
    let library = TestLibrary::empty().await;
    let first = library.upload_as("wine.jpg", "wine.jpg").await;
    library.upload_as("sunset.jpg", "Wine.jpg").await;
    let gone = library.upload("seeding.png").await;
    library.upload_variant("umang.webp", &first).await;
    let viewer = create_member(&library.server, "Viewer", &["acme"], Role::Viewer).await;
    let client = HttpClient::new(&library.server);
    let (session, token) = signed_in(&client, &viewer).await;
    let all = format!("csrf={token}&do=download&all=1&next=/app/acme/photos&but={gone}");
    let answer = client.form("/app/acme/photos/selected", &session, &all).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"photos.zip\"");
    let files = unpacked(answer.bytes().await.unwrap().to_vec());
    let expected = [("Wine.jpg", "sunset.jpg"), ("wine (2).jpg", "wine.jpg")]
        .map(|(name, source)| (name.to_owned(), std::fs::read(fixture(source)).unwrap()));
    assert!(files == expected, "{:?}", files.iter().map(|(name, _)| name).collect::<Vec<_>>());

    // All of a list but one, and this one by itself, too.
    let both = format!("{all}&but={first}&id={first}");
    let answer = client.form("/app/acme/photos/selected", &session, &both).send().await.unwrap();
    let again = unpacked(answer.bytes().await.unwrap().to_vec());
    assert_eq!(again.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Wine.jpg", "wine (2).jpg"]);

    // What is gone is named in the archive.
    library.trash(&[&gone]).await;
    let some = format!("csrf={token}&do=download&id={first}&id={gone}");
    let answer = client.form("/app/acme/photos/selected", &session, &some).send().await.unwrap();
    let files = unpacked(answer.bytes().await.unwrap().to_vec());
    assert_eq!(files[0].0, "wine.jpg");
    assert!(files[1].0 == "Not in this archive.txt" && String::from_utf8_lossy(&files[1].1).contains(&gone));
}

#[tokio::test]
async fn nobody_downloads_what_they_may_not_see() {
    let library = TestLibrary::with_fixtures().await;
    library.server.organization("Other").await;
    library.server.library("other", "Secret").await;
    let viewer = create_member(&library.server, "Viewer", &["other"], Role::Viewer).await;
    let client = HttpClient::new(&library.server);
    let (session, token) = signed_in(&client, &viewer).await;
    let mut texts = Vec::new();
    for path in ["/app/acme/photos/selected", "/app/acme/nowhere/selected", "/app/nowhere/photos/selected"] {
        let fields = format!("csrf={token}&do=download&all=1");
        let answer = client.form(path, &session, &fields).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        texts.push(answer.text().await.unwrap().replace(&token, ""));
    }
    assert!(texts.iter().all(|text| text.contains("no such organization")), "{texts:?}");
}
