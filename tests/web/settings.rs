//! The pages of an organization's owners.

use std::time::Duration;

use rasterd::core::keys::GrantChange;
use rasterd::core::model::{Access, Role};
use rasterd::testing::{TestKey, TestServer};

use crate::browser::Browser;
use crate::people::{create_member, create_owner};

mod audit;
mod former_owners;
mod keys;
mod organization;
mod overview;
mod pages;
mod people;
mod permissions;
mod without_scripts;

/// The organization "acme" with three libraries, and its owner's browser.
struct TestOrganization {
    server: TestServer,
    browser: Browser,
}

impl TestOrganization {
    async fn new() -> Self {
        let server = TestServer::start();
        server.organization("Acme").await;
        for name in ["Photographs", "Press kit", "Drafts"] {
            server.library("acme", name).await;
        }
        let ada = create_owner(&server, &["acme"]).await;
        let browser = Browser::on(&server);
        browser.sign_in(&ada);
        Self { server, browser }
    }

    /// Adds people, assets, and keys: used, unused, expiring soon and expired.
    async fn with_sample_data(self) -> Self {
        create_member(&self.server, "Grace Hopper", &["acme"], Role::Editor).await;
        create_member(&self.server, "Mary Somerville", &["acme"], Role::Viewer).await;
        let days = |days: u64| Some(days * 24 * 60 * 60 * 1000);
        let (read, write) = (Some(Access::Read), Some(Access::Write));
        self.key("Old import", &[("drafts", write)], days(1)).await;
        self.server.clock().advance(Duration::from_hours(48));
        let website = self.key("Website", &[("photographs", read), ("press-kit", read)], days(365)).await;
        self.key(
            "Claude on Ada’s laptop",
            &[("photographs", write), ("press-kit", write), ("drafts", write)],
            None,
        )
        .await;
        self.key("Newsletter, until the move", &[("press-kit", read)], days(9)).await;
        self.key("Nothing yet", &[], None).await;
        self.server.core().authenticate(&website.token).unwrap();
        self.upload("photographs", &["sunset.jpg", "wine.jpg", "umang.webp"]).await;
        self
    }

    async fn key(&self, name: &str, grants: &[(&str, Option<Access>)], life: Option<u64>) -> TestKey {
        let by = self.server.administrator();
        let grants: Vec<GrantChange> =
            grants.iter().map(|(library, access)| ((*library).to_owned(), *access)).collect();
        let made = self.server.core().create_key(by, "acme", name, grants, life).await;
        let (plain, info) = made.unwrap();
        TestKey { id: info.key.id, token: plain.reveal().to_owned() }
    }

    async fn upload(&self, library: &str, files: &[&str]) {
        let key = self.server.key("acme", &[(library, Access::Write)]).await;
        for file in files {
            let bytes =
                std::fs::read(format!("{}/tests/fixtures/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            self.server.upload(&key, "acme", library, file, &bytes).await;
        }
        let by = self.server.administrator();
        self.server.core().delete_key(by, &key.id).await.unwrap();
    }
}
