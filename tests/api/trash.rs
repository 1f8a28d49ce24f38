//! The trash: restoring assets, and deleting them permanently.

use std::time::Duration;

use rasterd::core::access::{Caller, LibraryPath};
use rasterd::core::model::audit::EventFilter;
use rasterd::core::model::id::AssetId;
use rasterd::core::model::page::PageRequest;
use rasterd::core::model::{Access, Role};
use rasterd::error::{Code, Result};
use rasterd::testing::{TestKey, TestServer};

use crate::support::Client;

const PHOTO: &[u8] = include_bytes!("../fixtures/wine.jpg");
const OTHER: &[u8] = include_bytes!("../fixtures/sunset.jpg");
const FIRST_PAGE: PageRequest = PageRequest { offset: 0, size: 50 };
const PHOTOS: LibraryPath<'static> = LibraryPath { organization: "acme", library: "photos" };

struct TrashScene {
    server: TestServer,
    writer: TestKey,
}

impl TrashScene {
    async fn new() -> Self {
        let server = TestServer::start();
        server.organization("Acme").await;
        server.library("acme", "Photos").await;
        let writer = server.key("acme", &[("photos", Access::Write)]).await;
        Self { server, writer }
    }

    fn caller(&self) -> Caller {
        self.server.core().authenticate(&self.writer.token).unwrap()
    }

    async fn asset(&self, parent: Option<&AssetId>) -> AssetId {
        let bytes = if parent.is_some() { OTHER } else { PHOTO };
        self.server.upload_under(&self.writer, "acme", "photos", "a.jpg", bytes, parent).await
    }

    async fn trash(&self, id: &AssetId) {
        self.server.core().delete_assets(&self.caller(), &PHOTOS, &[id.to_string()]).await.unwrap();
    }

    async fn restore(&self, id: &AssetId) -> Result<Vec<AssetId>> {
        self.server.core().restore_assets(&self.caller(), &PHOTOS, &[id.to_string()]).await
    }

    async fn purge(&self, id: &AssetId) -> Result<Vec<AssetId>> {
        self.server.core().purge_assets(&self.caller(), &PHOTOS, &[id.to_string()]).await
    }

    /// The ids in the trash, the most recent first.
    fn trashed(&self) -> Vec<AssetId> {
        let trashed = self.server.core().list_trash(&self.caller(), &PHOTOS, FIRST_PAGE).unwrap();
        trashed.into_iter().map(|trashed| trashed.detail.asset.id).collect()
    }

    /// The library's counts (assets, trash).
    fn counts(&self) -> (u64, u64) {
        let libraries = self.server.core().list_libraries(&self.caller(), "acme", FIRST_PAGE).unwrap();
        (libraries[0].library.assets, libraries[0].library.trashed)
    }

    async fn served(&self, path: &str) -> u16 {
        Client::new(&self.server).get(&format!("/cdn/acme/photos/{path}")).await.status
    }
}

#[tokio::test]
async fn a_restored_asset_is_as_it_was_with_its_tags_its_variants_and_its_url() {
    let scene = TrashScene::new().await;
    let asset = scene.asset(None).await;
    let variant = scene.asset(Some(&asset)).await;
    let core = scene.server.core();
    let tags = ["Sea".to_owned()];
    core.tag_assets(&scene.caller(), &PHOTOS, &[asset.to_string()], &tags).await.unwrap();
    scene.trash(&asset).await;
    assert_eq!((scene.counts(), scene.trashed()), ((0, 1), vec![asset]));
    assert_eq!(scene.served(&asset.to_string()).await, 404);

    assert_eq!(scene.restore(&asset).await.unwrap(), [asset]);
    assert_eq!((scene.counts(), scene.trashed()), ((1, 0), vec![]));
    let detail = core.get_asset(&scene.caller(), &PHOTOS, asset.as_str()).unwrap();
    assert_eq!((detail.asset.tags.as_slice(), detail.variants.len()), (tags.as_slice(), 1));
    let tagged = core.list_tags(&scene.caller(), &PHOTOS, 10).unwrap();
    assert_eq!((tagged[0].text.as_str(), tagged[0].count), ("Sea", 1));
    assert_eq!(scene.served(&format!("{asset}/{variant}")).await, 200);
    assert_eq!(scene.restore(&asset).await.unwrap(), []);
}

#[tokio::test]
async fn a_variant_that_was_trashed_alone_comes_back_alone_and_not_before_its_original() {
    let scene = TrashScene::new().await;
    let asset = scene.asset(None).await;
    let variant = scene.asset(Some(&asset)).await;
    scene.trash(&variant).await;
    scene.server.clock().advance(std::time::Duration::from_secs(1));
    scene.trash(&asset).await;
    assert_eq!(scene.trashed(), [asset, variant]);
    assert_eq!(scene.restore(&variant).await.unwrap_err().code(), Code::Conflict);
    scene.restore(&asset).await.unwrap();
    let detail =
        |asset: &AssetId| scene.server.core().get_asset(&scene.caller(), &PHOTOS, asset.as_str()).unwrap();
    assert_eq!((detail(&asset).variants.len(), scene.trashed()), (0, vec![variant]));
    scene.restore(&variant).await.unwrap();
    assert_eq!((detail(&asset).variants.len(), scene.counts()), (1, (1, 0)));
}

#[tokio::test]
async fn only_what_is_in_the_trash_is_purged_and_then_for_good() {
    let scene = TrashScene::new().await;
    let (kept, gone) = (scene.asset(None).await, scene.asset(None).await);
    scene.trash(&gone).await;
    assert_eq!(scene.purge(&kept).await.unwrap(), []);
    assert_eq!(scene.purge(&gone).await.unwrap(), [gone]);
    assert_eq!(scene.counts(), (1, 0));
    assert_eq!(scene.restore(&gone).await.unwrap_err().code(), Code::ResourceNotFound);
    // Both have the same bytes; the remaining one keeps the file.
    scene.server.core().maintenance_pass().await;
    assert_eq!(scene.served(&kept.to_string()).await, 200);
}

/// Two assets with the same bytes, one a variant that is in the trash by itself, as its original is.
async fn shared_bytes(scene: &TrashScene) -> (AssetId, AssetId, AssetId) {
    let other = scene.server.upload(&scene.writer, "acme", "photos", "b.jpg", OTHER).await;
    let original = scene.asset(None).await;
    let variant = scene.asset(Some(&original)).await;
    scene.trash(&variant).await;
    scene.trash(&original).await;
    (other, original, variant)
}

/// Nothing of the file that both had is lost, and nothing is counted twice.
async fn expect_only(scene: &TrashScene, other: &AssetId) {
    scene.server.clock().advance(std::time::Duration::from_hours(2));
    scene.server.core().maintenance_pass().await;
    assert_eq!((scene.counts(), scene.trashed()), ((1, 0), vec![]));
    assert_eq!(scene.served(&other.to_string()).await, 200);
    scene.trash(other).await;
    assert_eq!(scene.purge(other).await.unwrap(), [*other]);
}

#[tokio::test]
async fn a_variant_in_the_trash_goes_once_with_its_original_and_by_itself() {
    for original_first in [true, false] {
        let scene = TrashScene::new().await;
        let (other, original, variant) = shared_bytes(&scene).await;
        let both = if original_first { [original, variant] } else { [variant, original] };
        let ids = both.map(|id| id.to_string());
        let purged = scene.server.core().purge_assets(&scene.caller(), &PHOTOS, &ids).await.unwrap();
        assert_eq!(purged, if original_first { vec![original] } else { both.to_vec() });
        expect_only(&scene, &other).await;
    }
}

#[tokio::test]
async fn an_emptied_trash_releases_each_file_once() {
    let scene = TrashScene::new().await;
    let (other, ..) = shared_bytes(&scene).await;
    assert!(scene.server.core().empty_trash(&scene.caller(), &PHOTOS).await.unwrap() >= 1);
    expect_only(&scene, &other).await;
}

#[tokio::test]
async fn what_goes_by_its_age_releases_each_file_once() {
    let scene = TrashScene::new().await;
    let (other, ..) = shared_bytes(&scene).await;
    scene.server.clock().advance(std::time::Duration::from_hours(31 * 24));
    expect_only(&scene, &other).await;
}

#[tokio::test]
async fn an_emptied_trash_is_empty_and_nothing_else_is_gone() {
    let scene = TrashScene::new().await;
    let kept = scene.asset(None).await;
    for _ in 0..3 {
        let asset = scene.asset(None).await;
        scene.asset(Some(&asset)).await;
        scene.trash(&asset).await;
    }
    assert_eq!(scene.server.core().empty_trash(&scene.caller(), &PHOTOS).await.unwrap(), 3);
    assert_eq!((scene.counts(), scene.trashed()), ((1, 0), vec![]));
    assert_eq!(scene.served(&kept.to_string()).await, 200);
}

#[tokio::test]
async fn a_key_that_only_reads_sees_the_trash_and_changes_nothing() {
    let scene = TrashScene::new().await;
    let asset = scene.asset(None).await;
    scene.trash(&asset).await;
    let (core, reader) = (scene.server.core(), scene.server.key("acme", &[("photos", Access::Read)]).await);
    let caller = core.authenticate(&reader.token).unwrap();
    assert_eq!(core.list_trash(&caller, &PHOTOS, FIRST_PAGE).unwrap().len(), 1);
    let ids = [asset.to_string()];
    let refused = [
        core.restore_assets(&caller, &PHOTOS, &ids).await.err(),
        core.purge_assets(&caller, &PHOTOS, &ids).await.err(),
        core.empty_trash(&caller, &PHOTOS).await.err(),
    ];
    let codes = refused.map(|error| error.map(|error| error.code()));
    assert_eq!(codes, [Some(Code::LibraryNotAuthorized); 3]);
    assert_eq!(scene.trashed(), [asset]);
}

const DAY: Duration = Duration::from_hours(24);

/// Runs maintenance, and says whether the asset is still in the trash.
async fn is_kept(scene: &TrashScene, id: &AssetId) -> bool {
    scene.server.core().maintenance_pass().await;
    scene.trashed().contains(id)
}

#[tokio::test]
async fn a_clock_that_is_wrong_for_a_while_empties_no_trash() {
    let mut scene = TrashScene::new().await;
    let before = scene.asset(None).await;
    scene.trash(&before).await;
    assert!(is_kept(&scene, &before).await);
    // Ahead, over a restart, and right again.
    scene.server.clock().set_ahead(40 * DAY);
    assert!(is_kept(&scene, &before).await);
    scene.server.restart();
    assert!(is_kept(&scene, &before).await);
    scene.server.clock().set_back(40 * DAY);
    assert!(is_kept(&scene, &before).await);
    // Behind, over a restart, with something trashed meanwhile, and right again.
    scene.server.clock().set_back(400 * DAY);
    scene.server.restart();
    let meanwhile = scene.asset(None).await;
    scene.trash(&meanwhile).await;
    assert!(is_kept(&scene, &meanwhile).await);
    scene.server.clock().set_ahead(400 * DAY);
    scene.server.restart();
    for id in [&before, &meanwhile] {
        assert!(is_kept(&scene, id).await);
    }
    // After 30 days, they are deleted.
    scene.server.clock().advance(29 * DAY);
    scene.server.restart();
    for id in [&before, &meanwhile] {
        assert!(is_kept(&scene, id).await);
    }
    scene.server.clock().advance(2 * DAY);
    for id in [&before, &meanwhile] {
        assert!(!is_kept(&scene, id).await);
    }
}

#[tokio::test]
async fn a_clock_that_keeps_another_time_for_a_week_is_followed() {
    let scene = TrashScene::new().await;
    let asset = scene.asset(None).await;
    scene.trash(&asset).await;
    scene.server.clock().set_ahead(40 * DAY);
    assert!(is_kept(&scene, &asset).await);
    for _ in 0..6 {
        scene.server.clock().advance(DAY);
        assert!(is_kept(&scene, &asset).await);
    }
    scene.server.clock().advance(DAY);
    assert!(!is_kept(&scene, &asset).await);
}

#[tokio::test]
async fn a_clock_that_is_ahead_for_a_while_ends_no_invitation_and_keeps_the_audit_log() {
    let scene = TrashScene::new().await;
    let core = scene.server.core();
    let by = scene.server.administrator();
    let (token, _) = core.invite_member(by.clone(), "acme", Role::Editor, "").await.unwrap();
    let events = async || {
        let filter = EventFilter { most: 100, ..EventFilter::default() };
        core.list_events(by.clone(), "acme", filter).await.unwrap().events.len()
    };
    let before = events().await;
    assert!(before > 0);
    scene.server.clock().set_ahead(500 * DAY);
    core.maintenance_pass().await;
    assert!(core.link(token.reveal()).is_err(), "by the clock it is over");
    scene.server.clock().set_back(500 * DAY);
    core.maintenance_pass().await;
    assert!(core.link(token.reveal()).is_ok());
    assert_eq!(events().await, before);
}
