//! The index against a real store: following, restarting, rebuilding.

use std::path::Path;

use super::*;
use crate::core::Core;
use crate::core::access::WriteGrant;
use crate::core::clock::Clock;
use crate::core::index::tests::asset;
use crate::core::index::{Changed, IndexFilter, SearchQuery, Terms};
use crate::core::model::id::AssetId;
use crate::core::store::{
    AssetCommands, ChangeCommands, ChangeQueries, NewAsset, RepairCommands, TrashCommands,
};
use crate::core::tests::{PHOTOS, writer_of};
use crate::testing::settings;

/// Damage to an index folder.
type Harm = fn(&Path);

/// The operations on a data directory, and a second index of it that tests can damage.
struct Fixture {
    core: Core,
    grant: WriteGrant,
    dir: crate::testing::TempFolder,
}

impl Fixture {
    async fn new() -> Self {
        let dir = crate::testing::TempFolder::new();
        let settings = settings(&dir.path().join("data"), "https://localhost");
        let core = Core::open(settings, Clock::default()).unwrap();
        let key = writer_of(&core, &["photos"]).await;
        let caller = core.authenticate(key.reveal()).unwrap();
        let grant = caller.write(&PHOTOS).unwrap();
        Self { core, grant, dir }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    fn indexer(&self) -> Indexer {
        Indexer::start(self.core.store().clone(), self.folder()).unwrap()
    }

    async fn add(&self, name: &str) -> Asset {
        let (grant, asset) = (self.grant.clone(), asset(self.grant.library().0, name));
        self.core.store().write(move |tx| tx.add_asset(&grant, NewAsset(asset.clone()))).await.unwrap()
    }

    async fn trash(&self, asset: &Asset) {
        let (grant, asset) = (self.grant.clone(), asset.clone());
        self.core.store().write(move |tx| tx.trash_asset(&grant, asset.clone(), 2)).await.unwrap();
    }

    /// Waits until everything is committed to the index.
    async fn committed(&self, indexer: &Indexer) {
        let sequence = self.sequence();
        let mut committed = indexer.committed.clone();
        let there = committed.wait_for(|committed| *committed >= sequence);
        timeout(Duration::from_secs(20), there).await.unwrap().unwrap();
    }

    fn sequence(&self) -> u64 {
        self.core.store().snapshot().unwrap().sequence().unwrap()
    }

    /// The result once every acknowledged change is searchable.
    async fn found(&self, indexer: &Indexer, query: &str) -> Vec<AssetId> {
        let (terms, libraries) = (Terms::parse(query), [self.grant.library().0]);
        indexer.reach(&self.core.store().snapshot().unwrap(), &libraries).await.unwrap();
        let query = SearchQuery {
            terms: &terms,
            filter: &IndexFilter::default(),
            libraries: &libraries,
            offset: 0,
            limit: 100,
        };
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
async fn changes_are_indexed_without_any_search() {
    let fixture = Fixture::new().await;
    let indexer = fixture.indexer();
    fixture.add("sunset").await;
    fixture.committed(&indexer).await;
}

/// Changes that don't affect search are not in the log, so that no search waits for them.
#[tokio::test]
async fn only_changes_that_affect_search_are_logged() {
    let fixture = Fixture::new().await;
    let original = fixture.add("sunset").await;
    let (before, grant) = (fixture.sequence(), fixture.grant.clone());
    let mut unseen = original.clone().touched(9);
    unseen.content.width = Some(7);
    unseen.content.processing =
        crate::core::model::ProcessingState::Done(crate::core::model::ProcessingResult::default());
    let variant = Asset { parent: Some(original.id), ..asset(grant.library().0, "other") };
    let write = move |tx: &crate::core::store::Tx<'_>| {
        tx.put_asset(&grant, &unseen)?;
        tx.add_asset(&grant, NewAsset(variant.clone()))
    };
    let variant = fixture.core.store().write(write).await.unwrap();
    fixture.trash(&variant).await;
    assert_eq!(fixture.sequence(), before);
    let (grant, mut described) = (fixture.grant.clone(), original);
    described.description = "seen".into();
    fixture.core.store().write(move |tx| tx.put_asset(&grant, &described)).await.unwrap();
    assert_eq!(fixture.sequence(), before + 1);
}

/// Searches see changes even if the index is never written, up to a limit in memory.
#[tokio::test]
async fn searches_see_changes_that_are_not_committed() {
    let fixture = Fixture::new().await;
    let index = Index::default();
    let mut folder = IndexFolder::create(&fixture.folder(), 1).unwrap();
    index.open(folder.committed().unwrap());
    let kept = fixture.add("sunset").await;
    let gone = fixture.add("sunset").await;
    fixture.trash(&gone).await;
    let (changes, last) = fixture.core.store().snapshot().unwrap().changes_after(0, BATCH).unwrap().unwrap();
    index.take_in(0, &changes, last);
    let (terms, libraries) = (Terms::parse("sunset"), [fixture.grant.library().0]);
    let query = SearchQuery {
        terms: &terms,
        filter: &IndexFilter::default(),
        libraries: &libraries,
        offset: 0,
        limit: 9,
    };
    let found: Vec<AssetId> = index.search(&query).unwrap().hits.into_iter().map(|hit| hit.id).collect();
    assert_eq!(found, [kept.id]);
    let (_, room, is_pressing) = index.progress().unwrap();
    assert!(!is_pressing);
    let many = (last + 1..).zip(0..room).map(|(sequence, number)| {
        let asset = asset(libraries[0], &format!("beach {number}"));
        Changed { sequence, library: libraries[0], id: asset.id, asset: Some(asset) }
    });
    let many: Vec<Changed> = many.collect();
    index.take_in(last, &many, last + u64::try_from(many.len()).unwrap());
    let (_, room, is_pressing) = index.progress().unwrap();
    assert_eq!((room, is_pressing), (0, true));
}

/// A search waits only for changes that it can see.
#[tokio::test]
async fn a_search_does_not_wait_for_changes_to_other_libraries() {
    let fixture = Fixture::new().await;
    fixture.add("sunset").await;
    let snapshot = fixture.core.store().snapshot().unwrap();
    let (own, other) = (fixture.grant.library().0, fixture.grant.library().0 + 1);
    let newest = snapshot.sequence().unwrap();
    assert!(newest > 0);
    assert_eq!(snapshot.last_change_in(&[own]).unwrap(), newest);
    assert_eq!(snapshot.last_change_in(&[other, own]).unwrap(), newest);
    assert_eq!(snapshot.last_change_in(&[other]).unwrap(), 0);
}

#[tokio::test]
async fn a_restart_catches_up_without_a_rebuild() {
    let fixture = Fixture::new().await;
    let indexer = fixture.indexer();
    let before = fixture.add("sunset one").await;
    let gone = fixture.add("sunset two").await;
    assert_eq!(fixture.found(&indexer, "sunset").await.len(), 2);
    fixture.committed(&indexer).await;
    drop(indexer);
    let database = fixture.core.store().snapshot().unwrap().database().unwrap();
    let mut folder = IndexFolder::open(&fixture.folder(), database).unwrap().unwrap();
    assert_eq!(folder.sequence(), fixture.sequence());
    // This file belongs to no index: it stays only if the index is not rebuilt.
    let stray = asset(fixture.grant.library().0, "sunset");
    folder.add(&Document::of(&stray).unwrap()).unwrap();
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
async fn a_lost_damaged_or_foreign_index_is_rebuilt() {
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
        ("another store's", |folder| IndexFolder::create(folder, 0).unwrap().commit(3).unwrap()),
    ];
    for (what, harm) in harms {
        harm(&fixture.folder());
        assert_eq!(fixture.found(&fixture.indexer(), "sunset").await, [kept.id], "{what}");
    }
}

#[tokio::test]
async fn an_index_older_than_the_truncated_log_is_rebuilt() {
    let fixture = Fixture::new().await;
    drop(fixture.indexer());
    let kept = fixture.add("sunset").await;
    let sequence = fixture.sequence();
    fixture.core.store().write(move |tx| tx.prune_changes(sequence, 100)).await.unwrap();
    assert_eq!(fixture.found(&fixture.indexer(), "sunset").await, [kept.id]);
}

#[tokio::test]
async fn truncating_the_log_that_the_index_has_read_does_no_harm() {
    let fixture = Fixture::new().await;
    let indexer = fixture.indexer();
    let first = fixture.add("sunset").await;
    assert_eq!(fixture.found(&indexer, "sunset").await, [first.id]);
    let sequence = fixture.sequence();
    fixture.core.store().write(move |tx| tx.prune_changes(sequence, 100)).await.unwrap();
    assert_eq!(fixture.found(&indexer, "sunset").await, [first.id]);
    drop(indexer);
    assert_eq!(fixture.found(&fixture.indexer(), "sunset").await, [first.id]);
}

#[tokio::test]
async fn an_index_that_differs_from_the_store_is_found_and_built_again() {
    let fixture = Fixture::new().await;
    let (kept, lost) = (fixture.add("sunset one").await, fixture.add("sunset two").await);
    let indexer = fixture.indexer();
    fixture.committed(&indexer).await;
    let compared = |indexer: &Indexer| {
        let difference = indexer.index().compare(fixture.core.store(), &mut |_| Ok(())).unwrap();
        difference.map(|found| (found.missing, found.extra, found.compared))
    };
    assert_eq!(compared(&indexer), Some((0, 0, 2)));
    drop(indexer);
    let database = fixture.core.store().snapshot().unwrap().database().unwrap();
    let mut folder = IndexFolder::open(&fixture.folder(), database).unwrap().unwrap();
    let stray = asset(fixture.grant.library().0, "sunset");
    folder.add(&Document::of(&stray).unwrap()).unwrap();
    folder.remove(lost.library.0, &lost.id);
    folder.commit(folder.sequence()).unwrap();
    drop(folder);
    let indexer = fixture.indexer();
    assert_eq!(compared(&indexer), Some((1, 1, 2)));
    // What changes meanwhile is not taken for a difference.
    fixture.trash(&kept).await;
    let later = fixture.add("sunset three").await;
    let (missing, extra, _) = compared(&indexer).unwrap();
    assert_eq!((missing, extra), (1, 1));
    fixture.core.store().write(|tx| tx.rebuild_index()).await.unwrap();
    drop(indexer);
    let indexer = fixture.indexer();
    fixture.committed(&indexer).await;
    let mut found = fixture.found(&indexer, "sunset").await;
    found.sort_unstable();
    let mut expected = [lost.id, later.id];
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(compared(&indexer), Some((0, 0, 2)));
}
