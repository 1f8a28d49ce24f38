//! The addresses that the web app makes for people: bound to their session and their role.

use std::time::Duration;

use rasterd::core::access::LibraryPath;
use rasterd::core::members::{ClientInfo, NewMember, SignedIn};
use rasterd::core::model::Role;
use reqwest::Method;
use reqwest::header::{COOKIE, ORIGIN};

use super::resumable::{head, patch, tus};
use super::{expect_no_such_upload, names, put};
use crate::rest::{Scene, picture};
use crate::support::{Reply, send};

/// Somebody who is signed in.
struct Person {
    session: String,
    signed_in: SignedIn,
    csrf: String,
}

impl Person {
    async fn join(scene: &Scene, role: Role) -> Self {
        let (core, by) = (scene.server.core(), scene.server.administrator());
        let (link, _) = core.invite_member(by, "acme", role, "").await.unwrap();
        let email = format!("{role}@example.org");
        let new = NewMember { email: &email, name: "Ada", password: "a ladder beside nine clouds" };
        let (session, signed_in) = core.join(link.reveal(), new, &ClientInfo::default()).await.unwrap();
        let session = format!("__Host-session={}", session.reveal());
        let page = send(scene.anyone.request(Method::GET, "/app/acme/photos").header(COOKIE, &session)).await;
        let page = String::from_utf8(page.body).unwrap();
        let csrf = page.split_once("\"X-CSRF-Token\":\"").expect("a page").1;
        let csrf = csrf.split('"').next().unwrap().to_owned();
        Self { session, signed_in, csrf }
    }

    fn request(&self, scene: &Scene, length: u64, metadata: &str) -> reqwest::RequestBuilder {
        tus(&scene.anyone, Method::POST, "/app/acme/photos/uploads")
            .header(COOKIE, &self.session)
            .header(ORIGIN, scene.server.url())
            .header("Upload-Length", length)
            .header("Upload-Metadata", metadata)
    }

    async fn create(&self, scene: &Scene, length: u64, metadata: &str) -> Reply {
        send(self.request(scene, length, metadata).header("X-CSRF-Token", &self.csrf)).await
    }
}

const FILE_NAME: &str = "filetype aW1hZ2UvcG5n,filename YmVhY2gucG5n";

#[tokio::test]
async fn a_person_uploads_in_parts_what_the_web_app_made_an_address_for() {
    let scene = Scene::new().await;
    let editor = Person::join(&scene, Role::Editor).await;
    let bytes = picture("beach");
    let length = bytes.len() as u64;
    let created = editor.create(&scene, length, FILE_NAME).await;
    assert_eq!(created.status, 201, "{}", String::from_utf8_lossy(&created.body));
    let path = created.header("location").to_owned();
    assert!(path.starts_with("/uploads/") && created.header("tus-resumable") == "1.0.0");
    assert!(httpdate(created.header("upload-expires")) > scene.server.core().now() + 23 * 3_600_000);
    assert_eq!(head(&scene.anyone, &path).await.header("upload-length"), length.to_string());
    assert_eq!(patch(&scene.anyone, &path, 0, &bytes[..50]).await.status, 204);
    let last = patch(&scene.anyone, &path, 50, &bytes[50..]).await;
    assert_eq!((last.status, last.header("upload-offset")), (204, length.to_string().as_str()));
    let asset =
        scene.writer.get(&format!("{}/{}", crate::rest::ASSETS, last.header("asset-id"))).await.json();
    assert_eq!(
        (&asset["data"]["name"], &asset["data"]["uploadedBy"]["name"]),
        (&"beach".into(), &"Ada".into())
    );
    expect_no_such_upload(&patch(&scene.anyone, &path, length, b"").await);
}

fn httpdate(text: &str) -> u64 {
    let time: actix_web::http::header::HttpDate = text.parse().unwrap();
    let since = std::time::SystemTime::from(time).duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_there_is_an_address() {
    let scene = Scene::new().await;
    let editor = Person::join(&scene, Role::Editor).await;
    let viewer = Person::join(&scene, Role::Viewer).await;
    for (length, metadata, status) in [
        (0, FILE_NAME, 400),
        ((1 << 30) + 1, FILE_NAME, 413),
        (10, "filename !", 400),
        (10, "filename YQ==,parentId bm9zdWNoYXNzZXQwMDAw", 404),
    ] {
        assert_eq!(editor.create(&scene, length, metadata).await.status, status, "{length} {metadata}");
    }
    assert_eq!(viewer.create(&scene, 10, FILE_NAME).await.status, 403);
    assert_eq!(send(editor.request(&scene, 10, FILE_NAME)).await.status, 403, "no token of a form");
    let old = scene.anyone.request(Method::POST, "/app/acme/photos/uploads").header(COOKIE, &editor.session);
    let old = old.header(ORIGIN, scene.server.url()).header("X-CSRF-Token", &editor.csrf);
    assert_eq!(send(old).await.status, 412);
}

#[tokio::test]
async fn signing_out_and_losing_the_role_end_an_address() {
    let scene = Scene::new().await;
    let bytes = picture("a");
    let (core, by) = (scene.server.core(), scene.server.administrator());
    let editor = Person::join(&scene, Role::Editor).await;
    let created = editor.create(&scene, bytes.len() as u64, FILE_NAME).await;
    let path = created.header("location").to_owned();
    assert_eq!(patch(&scene.anyone, &path, 0, &bytes[..50]).await.status, 204);
    let keys = rasterd::core::members::KeyDecisions::default();
    core.set_member_role(by.clone(), "acme", "editor@example.org", Role::Viewer, keys.clone()).await.unwrap();
    expect_no_such_upload(&patch(&scene.anyone, &path, 50, &bytes[50..]).await);
    core.set_member_role(by, "acme", "editor@example.org", Role::Editor, keys).await.unwrap();
    assert_eq!(head(&scene.anyone, &path).await.header("upload-offset"), "50");
    core.sign_out(editor.signed_in).await.unwrap();
    expect_no_such_upload(&patch(&scene.anyone, &path, 50, &bytes[50..]).await);
    assert_eq!(names(&scene).await.len(), 0);
}

#[tokio::test]
async fn an_address_lives_a_week_at_most() {
    let scene = Scene::new().await;
    let editor = Person::join(&scene, Role::Editor).await;
    let bytes = picture("a");
    let created = editor.create(&scene, bytes.len() as u64, FILE_NAME).await;
    let path = created.header("location").to_owned();
    for at in 0..7 {
        let part = &bytes[at..=at];
        assert_eq!(
            patch(&scene.anyone, &path, at as u64, part).await.status,
            204,
            "after {at} times 23 hours"
        );
        scene.server.clock().advance(Duration::from_hours(23));
    }
    assert_eq!(patch(&scene.anyone, &path, 7, &bytes[7..8]).await.status, 204);
    scene.server.clock().advance(Duration::from_hours(7));
    expect_no_such_upload(&patch(&scene.anyone, &path, 8, &bytes[8..]).await);
}

/// The person may write to the new library, and never wanted the file to be there.
#[tokio::test]
async fn an_address_is_not_for_another_library_with_the_same_id() {
    let scene = Scene::new().await;
    let editor = Person::join(&scene, Role::Editor).await;
    let bytes = picture("a");
    let created = editor.create(&scene, bytes.len() as u64, FILE_NAME).await;
    let path = created.header("location").to_owned();
    assert_eq!(patch(&scene.anyone, &path, 0, &bytes[..50]).await.status, 204);
    let photos = LibraryPath { organization: "acme", library: "photos" };
    scene.server.core().delete_library(scene.server.administrator(), &photos, true).await.unwrap();
    expect_no_such_upload(&put(&scene.anyone, &path, bytes.clone()).await);
    assert_eq!(scene.server.library("acme", "Photos").await, "photos");
    expect_no_such_upload(&put(&scene.anyone, &path, bytes.clone()).await);
    expect_no_such_upload(&patch(&scene.anyone, &path, 50, &bytes[50..]).await);
}
