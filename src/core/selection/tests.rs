//! A change does what it can, says what it did, and can be undone.

use super::*;
use crate::core::Core;
use crate::core::clock::Clock;
use crate::core::tests::{PHOTOS, pixel, writer_of};
use crate::testing::{TempFolder, settings};

async fn filled(folder: &TempFolder, tags_per_asset: usize) -> (Core, String, Vec<String>) {
    let mut settings = settings(folder.path(), "https://localhost");
    settings.limits.tags_per_asset = tags_per_asset;
    let core = Core::open(settings, Clock::default()).unwrap();
    let key = writer_of(&core, &["photos", "kit"]).await.reveal().to_owned();
    let mut ids = Vec::new();
    for name in ["a.gif", "b.gif", "c.gif"] {
        let caller = core.authenticate(&key).unwrap();
        let done = core.upload_sources(caller, &PHOTOS, vec![pixel(name)], None, |_| {}).await.unwrap();
        ids.push(done.assets[0].asset.id.to_string());
    }
    (core, key, ids)
}

async fn change(core: &Core, key: &str, ids: &[String], change: SelectionChange) -> SelectionOutcome {
    let caller = core.authenticate(key).unwrap();
    core.change_selection(&caller, &PHOTOS, ids, &change).await.unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn changed(outcome: &SelectionOutcome) -> Vec<String> {
    outcome.changed.iter().map(|asset| asset.id.to_string()).collect()
}

#[tokio::test]
async fn tags_that_were_there_before_are_not_undone() {
    let folder = TempFolder::new();
    let (core, key, ids) = filled(&folder, 20).await;
    let tag = |tags: &[&str]| SelectionChange::Tag(texts(tags));
    assert_eq!(changed(&change(&core, &key, &ids[..1], tag(&["Sea", "sea"])).await), ids[..1]);
    let outcome = change(&core, &key, &ids, tag(&["sea", "sun"])).await;
    let added: Vec<&[String]> = outcome.changed.iter().map(|asset| asset.tags.as_slice()).collect();
    assert_eq!(added, [texts(&["sun"]), texts(&["sea", "sun"]), texts(&["sea", "sun"])]);
    let outcome = change(&core, &key, &ids, tag(&["SEA"])).await;
    assert_eq!((outcome.changed.len(), outcome.unchanged), (0, texts(&["a", "b", "c"])));
    let outcome = change(&core, &key, &ids, SelectionChange::Untag(texts(&["nothere"]))).await;
    assert_eq!((outcome.changed.len(), outcome.unchanged.len()), (0, 3));
}

#[tokio::test]
async fn what_is_gone_or_refused_keeps_nothing_else_from_happening() {
    let folder = TempFolder::new();
    let (core, key, ids) = filled(&folder, 2).await;
    change(&core, &key, &ids[..1], SelectionChange::Tag(texts(&["x", "y"]))).await;
    change(&core, &key, &ids[1..2], SelectionChange::Trash).await;
    let mut asked = ids.clone();
    asked.extend([ids[2].clone(), "nonsense".to_owned()]);
    let outcome = change(&core, &key, &asked, SelectionChange::Tag(texts(&["z"]))).await;
    assert_eq!(changed(&outcome), ids[2..]);
    let left_out: Vec<(&str, LeftOutReason)> =
        outcome.left_out.iter().map(|left| (left.name.as_str(), left.reason)).collect();
    let expected =
        [("b", LeftOutReason::Gone), ("nonsense", LeftOutReason::Gone), ("a", LeftOutReason::TooManyTags)];
    assert_eq!(left_out, expected);
    // What somebody else trashed is not restored with what this change trashed.
    let outcome = change(&core, &key, &ids, SelectionChange::Trash).await;
    assert_eq!(changed(&outcome), [ids[0].clone(), ids[2].clone()]);
    let outcome = change(&core, &key, &changed(&outcome), SelectionChange::Restore).await;
    assert_eq!(changed(&outcome).len(), 2);
    let outcome = change(&core, &key, &ids, SelectionChange::Transfer("kit".to_owned())).await;
    assert_eq!((changed(&outcome).len(), outcome.left_out.len()), (2, 1));
}

#[tokio::test]
async fn descriptions_come_back_as_they_were() {
    let folder = TempFolder::new();
    let (core, key, ids) = filled(&folder, 2).await;
    let describe = |text: &str| SelectionChange::Describe { text: text.to_owned(), only_after: None };
    change(&core, &key, &ids[..1], describe("before")).await;
    let outcome = change(&core, &key, &ids, describe("after")).await;
    let before: Vec<Option<&str>> =
        outcome.changed.iter().map(|asset| asset.description.as_deref()).collect();
    assert_eq!(before, [Some("before"), Some(""), Some("")]);
    let again = change(&core, &key, &ids, describe("after")).await;
    assert_eq!((again.changed.len(), again.unchanged.len()), (0, 3));
    // What somebody else wrote since is not undone.
    change(&core, &key, &ids[..1], describe("later")).await;
    let undo = SelectionChange::Describe { text: "before".to_owned(), only_after: Some("after".to_owned()) };
    let outcome = change(&core, &key, &ids, undo).await;
    assert_eq!((changed(&outcome), outcome.unchanged.len()), (ids[1..].to_vec(), 1));
    let caller = core.authenticate(&key).unwrap();
    let long = describe(&"x".repeat(1_000_000));
    core.change_selection(&caller, &PHOTOS, &ids, &long).await.unwrap_err();
}

#[tokio::test]
async fn a_query_comes_in_parts_without_its_exceptions() {
    let folder = TempFolder::new();
    let (core, key, ids) = filled(&folder, 2).await;
    let caller = core.authenticate(&key).unwrap();
    let query = AssetQuery { order: Some(Order::Name), ..AssetQuery::default() };
    let part = core.selection_part(caller, &PHOTOS, &query, &ids[1..2], None).await.unwrap().1;
    assert_eq!(part, SelectionPart { ids: vec![ids[2].clone(), ids[0].clone()], next: None });
}
