//! A library for tests, and browsers of its members.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rasterd::core::access::LibraryPath;
use rasterd::core::model::{Access, Role};
use rasterd::testing::{TestKey, TestServer};

use crate::browser::Browser;
use crate::people::create_member;

/// The fixtures that a library is filled with.
pub const FIXTURES: [&str; 5] =
    ["picos-de-europa.jpg", "seeding.png", "sunset.jpg", "umang.webp", "wine.jpg"];

/// A server with the organization "acme", its library "photos", and a key with access to it.
pub struct TestLibrary {
    pub server: TestServer,
    pub key: TestKey,
}

impl TestLibrary {
    /// An empty library.
    pub async fn empty() -> Self {
        Self::on(TestServer::start()).await
    }

    /// An empty library on a server that waits for slow uploads as long as a test may take.
    pub async fn without_upload_limits() -> Self {
        Self::on(TestServer::start_with(|_, options| {
            options.timeouts.body = Duration::from_hours(1);
            options.timeouts.body_rate = 0;
        }))
        .await
    }

    /// An empty library on this server.
    pub async fn on(server: TestServer) -> Self {
        server.organization("Acme").await;
        server.library("acme", "Photos").await;
        let key = server.key("acme", &[("photos", Access::Write)]).await;
        Self { server, key }
    }

    /// A library with the fixtures in it, the last of them the newest.
    pub async fn with_fixtures() -> Self {
        Self::with_fixtures_on(TestServer::start()).await
    }

    /// The same on this server.
    pub async fn with_fixtures_on(server: TestServer) -> Self {
        let library = Self::on(server).await;
        for name in FIXTURES {
            library.upload(name).await;
        }
        library
    }

    /// Uploads a fixture, and returns its id.
    pub async fn upload(&self, name: &str) -> String {
        self.upload_as(name, name).await
    }

    /// Uploads a fixture under another name, and returns its id.
    pub async fn upload_as(&self, fixture_name: &str, name: &str) -> String {
        let bytes = std::fs::read(fixture(fixture_name)).unwrap();
        self.server.upload(&self.key, "acme", "photos", name, &bytes).await.to_string()
    }

    /// Uploads a fixture as a variant, and returns its id.
    pub async fn upload_variant(&self, name: &str, original: &str) -> String {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let original = rasterd::core::model::id::AssetId::parse(original).unwrap();
        let id = self.server.upload_under(&self.key, "acme", "photos", name, &bytes, Some(&original)).await;
        id.to_string()
    }

    /// Puts tags on assets.
    pub async fn tag(&self, ids: &[&str], tags: &[&str]) {
        let core = self.server.core();
        let caller = core.authenticate(&self.key.token).unwrap();
        let [ids, tags] =
            [ids, tags].map(|texts| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        core.tag_assets(&caller, &PHOTOS, &ids, &tags).await.unwrap();
    }

    /// Moves assets to the trash.
    pub async fn trash(&self, ids: &[&str]) {
        let core = self.server.core();
        let caller = core.authenticate(&self.key.token).unwrap();
        let ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
        core.delete_assets(&caller, &PHOTOS, &ids).await.unwrap();
    }

    /// A browser in which somebody with this role is signed in.
    pub async fn browser(&self, role: Role) -> Browser {
        let email = create_member(&self.server, &format!("{role} Somebody"), &["acme"], role).await;
        let browser = Browser::on(&self.server);
        browser.sign_in(&email);
        browser
    }
}

/// The library.
pub const PHOTOS: LibraryPath<'static> = LibraryPath { organization: "acme", library: "photos" };

/// The path of a fixture.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}
