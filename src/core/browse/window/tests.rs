//! Parts by position are those of the whole result, whichever way it is found.

use super::super::timeline::Period;
use super::*;
use crate::core::clock::Clock;
use crate::core::index::asset;
use crate::core::model::name::Tag;
use crate::core::store::{AssetCommands, NewAsset};
use crate::core::tests::{PHOTOS, writer_of};
use crate::testing::{TempFolder, settings};

const DAY: u64 = 24 * 60 * 60 * 1000;

async fn filled(folder: &TempFolder, apart: u64) -> (Core, String) {
    let core = Core::open(settings(folder.path(), "https://localhost"), Clock::default()).unwrap();
    let key = writer_of(&core, &["photos"]).await;
    let grant = core.authenticate(key.reveal()).unwrap().write(&PHOTOS).unwrap();
    let library = grant.library().0;
    core.store()
        .write(move |tx| {
            for number in 0..40_u64 {
                let new = Asset {
                    id: AssetId::random(),
                    name: format!("sea {}", number * 7 % 40),
                    created: 1_700_000_000_000 + number * apart,
                    ..asset(library, "x")
                };
                let mut added = tx.add_asset(&grant, NewAsset(new))?;
                if number % 3 == 0 {
                    tx.tag_asset(&grant, &mut added, &Tag::parse("third")?)?;
                    tx.put_asset(&grant, &added)?;
                }
            }
            Ok(())
        })
        .await
        .unwrap();
    (core, key.reveal().to_owned())
}

fn queries() -> Vec<AssetQuery> {
    let mut queries = Vec::new();
    for order in Order::ALL.into_iter().map(Some).chain([None]) {
        for tags in [Vec::new(), vec!["third".to_owned()]] {
            for words in ["", "sea"] {
                queries.push(AssetQuery {
                    words: words.to_owned(),
                    tags: tags.clone(),
                    order,
                    ..AssetQuery::default()
                });
            }
        }
    }
    queries
}

async fn part(core: &Core, key: &str, query: &AssetQuery, range: (usize, usize)) -> (Vec<AssetId>, usize) {
    let caller = core.authenticate(key).unwrap();
    let (_, page) = core.browse_at(caller, &PHOTOS, query, Freshness::Cached, range).await.unwrap();
    (page.assets.iter().map(|found| found.detail.asset.id).collect(), page.total)
}

#[tokio::test]
async fn parts_are_those_of_the_whole_result() {
    let folder = TempFolder::new();
    let (core, key) = filled(&folder, DAY).await;
    for query in queries() {
        let caller = core.authenticate(&key).unwrap();
        let (_, whole) = core.browse(caller, &PHOTOS, &query, None, 1000).await.unwrap();
        let whole: Vec<AssetId> = whole.assets.iter().map(|found| found.detail.asset.id).collect();
        for range in [(0, 7), (5, 10), (33, 20), (1000, 5), (0, 1000)] {
            let expected: Vec<AssetId> = whole.iter().skip(range.0).take(range.1).copied().collect();
            assert_eq!(
                part(&core, &key, &query, range).await,
                (expected, whole.len()),
                "{query:?} {range:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_change_is_seen_in_every_order_at_once() {
    let folder = TempFolder::new();
    let (core, key) = filled(&folder, DAY).await;
    for query in queries() {
        let (before, total) = part(&core, &key, &query, (0, 1000)).await;
        let caller = core.authenticate(&key).unwrap();
        let id = before[before.len() / 2];
        core.delete_assets(&caller, &PHOTOS, &[id.to_string()]).await.unwrap();
        let (after, left) = part(&core, &key, &query, (0, 1000)).await;
        assert_eq!((left, after.len(), after.contains(&id)), (total - 1, total - 1, false), "{query:?}");
        core.restore_assets(&caller, &PHOTOS, &[id.to_string()]).await.unwrap();
    }
}

#[test]
fn the_cache_is_bounded() {
    let (results, query) = (CachedResults::default(), AssetQuery::default());
    for library in 0..100 {
        let ids: Arc<[AssetId]> = vec![AssetId::random(); MAX_IDS / 10].into();
        results.add(LibraryId(library), 1, &query, &ids);
    }
    let known = (0..100).filter(|library| results.find(LibraryId(*library), 1, &query).is_some()).count();
    assert_eq!(known, 10);
    assert!(results.find(LibraryId(99), 2, &query).is_none(), "the library has changed");
}

async fn timeline(core: &Core, key: &str, query: &AssetQuery) -> Vec<Period> {
    let caller = core.authenticate(key).unwrap();
    core.timeline(caller, &PHOTOS, query).await.unwrap().1
}

#[tokio::test]
async fn periods_begin_where_the_list_says() {
    for (apart, length) in [(5 * DAY, "2026-11".len()), (DAY / 3, "2026-11-27".len())] {
        let folder = TempFolder::new();
        let (core, key) = filled(&folder, apart).await;
        for query in queries() {
            let periods = timeline(&core, &key, &query).await;
            let is_timed = match query.order {
                Some(order) => matches!(order, Order::Newest | Order::Oldest),
                None => query.words.is_empty(),
            };
            assert_eq!(!periods.is_empty(), is_timed, "{query:?}");
            let caller = core.authenticate(&key).unwrap();
            let (_, whole) = core.browse(caller, &PHOTOS, &query, None, 1000).await.unwrap();
            let mut expected: Vec<Period> = Vec::new();
            for (first, found) in whole.assets.iter().enumerate().filter(|_| is_timed) {
                let seconds = std::time::Duration::from_millis(found.detail.asset.created);
                let date = humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + seconds).to_string();
                if expected.last().is_none_or(|last| last.name != date[..length]) {
                    expected.push(Period { name: date[..length].to_owned(), first });
                }
            }
            assert_eq!(periods, expected, "{query:?}");
        }
    }
}
