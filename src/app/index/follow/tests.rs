//! The index against a real store: following, restarting, rebuilding.

use std::path::Path;

use super::super::tests::asset;
use super::super::{SearchQuery, Terms};
use super::*;
use crate::app::App;
use crate::app::access::{Administrator, LibraryPath, WriteGrant};
use crate::app::clock::Clock;
use crate::app::id::AssetId;
use crate::app::model::Access;
use crate::app::store::Created;
use crate::testing::settings;

/// Something that happens to an index folder.
type Harm = fn(&Path);

/// A server's operations on a data directory, and a second index beside its own, to do harm to.
struct Fixture {
    app: App,
    grant: WriteGrant,
    dir: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(&dir.path().join("data"), "https://localhost");
        let app = App::open(settings, Clock::default()).unwrap();
        let by = Administrator::of_this_box();
        app.create_organization(by.clone(), "Acme", Some("acme")).await.unwrap();
        app.add_library(by.clone(), "acme", "Photos", Some("photos")).await.unwrap();
        let grants = vec![("photos".to_owned(), Some(Access::Write))];
        let (key, _) = app.create_key(by, "acme", "key", grants, None).await.unwrap();
        let caller = app.authenticate(key.reveal()).unwrap();
        let grant = caller.write(&LibraryPath { organization: "acme", library: "photos" }).unwrap();
        Self { app, grant, dir }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    fn indexer(&self) -> Indexer {
        Indexer::start(self.app.store().clone(), self.folder()).unwrap()
    }

    async fn add(&self, name: &str) -> Asset {
        let (grant, asset) = (self.grant.clone(), asset(self.grant.library().0, name));
        self.app.store().write(move |tx| tx.add_asset(&grant, Created(asset.clone()))).await.unwrap()
    }

    async fn trash(&self, asset: &Asset) {
        let (grant, asset) = (self.grant.clone(), asset.clone());
        self.app.store().write(move |tx| tx.trash_asset(&grant, asset.clone(), 2)).await.unwrap();
    }

    fn sequence(&self) -> u64 {
        self.app.store().view().unwrap().sequence().unwrap()
    }

    /// What is found once everything that is acknowledged is searchable.
    async fn found(&self, indexer: &Indexer, query: &str) -> Vec<AssetId> {
        indexer.reach(self.sequence()).await.unwrap();
        let (terms, libraries) = (Terms::parse(query), [self.grant.library().0]);
        let query = SearchQuery { terms: &terms, libraries: &libraries, offset: 0, limit: 100 };
        indexer.index().search(&query).unwrap().hits.into_iter().map(|hit| hit.id).collect()
    }
}

#[tokio::test]
async fn a_search_right_after_a_change_sees_it() {
    let fixture = Fixture::new().await;
    let indexer = fixture.indexer();
    assert!(fixture.found(&indexer, "sunset").await.is_empty());
    let first = fixture.add("sunset").await;
    assert_eq!(fixture.found(&indexer, "sunset").await, [first.id]);
    fixture.trash(&first).await;
    assert!(fixture.found(&indexer, "sunset").await.is_empty());
}

#[tokio::test]
async fn a_change_is_indexed_without_anybody_searching() {
    let fixture = Fixture::new().await;
    let indexer = fixture.indexer();
    fixture.add("sunset").await;
    let sequence = fixture.sequence();
    let mut reached = indexer.reached.clone();
    let there = reached.wait_for(|reached| *reached >= Some(sequence));
    timeout(Duration::from_secs(20), there).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_restart_catches_up_without_building_anew() {
    let fixture = Fixture::new().await;
    let indexer = fixture.indexer();
    let before = fixture.add("sunset one").await;
    let gone = fixture.add("sunset two").await;
    assert_eq!(fixture.found(&indexer, "sunset").await.len(), 2);
    drop(indexer);
    let database = fixture.app.store().view().unwrap().database().unwrap();
    let mut folder = Folder::open(&fixture.folder(), database).unwrap().unwrap();
    assert_eq!(folder.sequence(), fixture.sequence());
    // No store has this one: it stays only if nothing is built anew.
    let stray = asset(fixture.grant.library().0, "sunset");
    folder.add(&stray).unwrap();
    folder.commit(folder.sequence()).unwrap();
    drop(folder);
    fixture.trash(&gone).await;
    let after = fixture.add("sunset three").await;
    let mut found = fixture.found(&fixture.indexer(), "sunset").await;
    found.sort_unstable();
    let mut expected = [before.id, after.id, stray.id];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_index_that_is_lost_damaged_or_another_stores_is_built_anew() {
    let fixture = Fixture::new().await;
    let kept = fixture.add("sunset").await;
    let gone = fixture.add("sunset").await;
    fixture.trash(&gone).await;
    assert_eq!(fixture.found(&fixture.indexer(), "sunset").await, [kept.id]);
    let harms: [(&str, Harm); 4] = [
        ("deleted", |folder| std::fs::remove_dir_all(folder).unwrap()),
        ("garbage", |folder| std::fs::write(folder.join("meta.json"), "{").unwrap()),
        ("a flipped bit", |folder| {
            let is_words = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "term");
            let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let path = files.into_iter().find(is_words).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[0] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        }),
        ("another store's", |folder| Folder::create(folder, 0).unwrap().commit(3).unwrap()),
    ];
    for (what, harm) in harms {
        harm(&fixture.folder());
        assert_eq!(fixture.found(&fixture.indexer(), "sunset").await, [kept.id], "{what}");
    }
}

#[tokio::test]
async fn an_index_behind_the_cut_log_is_built_anew() {
    let fixture = Fixture::new().await;
    drop(fixture.indexer());
    let kept = fixture.add("sunset").await;
    let sequence = fixture.sequence();
    fixture.app.store().write(move |tx| tx.prune_changes(sequence, 100)).await.unwrap();
    assert_eq!(fixture.found(&fixture.indexer(), "sunset").await, [kept.id]);
}

#[tokio::test]
async fn a_log_cut_behind_the_index_does_no_harm() {
    let fixture = Fixture::new().await;
    let indexer = fixture.indexer();
    let first = fixture.add("sunset").await;
    assert_eq!(fixture.found(&indexer, "sunset").await, [first.id]);
    let sequence = fixture.sequence();
    fixture.app.store().write(move |tx| tx.prune_changes(sequence, 100)).await.unwrap();
    assert_eq!(fixture.found(&indexer, "sunset").await, [first.id]);
    drop(indexer);
    assert_eq!(fixture.found(&fixture.indexer(), "sunset").await, [first.id]);
}
