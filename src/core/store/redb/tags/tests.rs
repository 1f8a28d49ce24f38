//! What is kept of tags is what would be counted.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::core::Core;
use crate::core::access::caller::LibraryPath;
use crate::core::access::grant::WriteGrant;
use crate::core::clock::Clock;
use crate::core::index::asset;
use crate::core::model::Asset;
use crate::core::model::id::AssetId;
use crate::core::model::name::{Tag, fold};
use crate::core::store::{AssetCommands, AssetQueries, ChangeQueries, NewAsset, TrashCommands};
use crate::core::tests::writer_of;
use crate::testing::settings;

const TAGS_TRIED: [&str; 6] = ["Sea", "sea", "Sun", "sky", "Ärger", "a b"];

#[derive(Debug, Clone, Copy)]
enum Step {
    Tag(usize, usize),
    Untag(usize, usize),
    Trash(usize),
    Restore(usize),
    Move(usize),
    Purge(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (asset, tag) = (0..4_usize, 0..TAGS_TRIED.len());
    prop_oneof![
        4 => (asset.clone(), tag.clone()).prop_map(|(asset, tag)| Step::Tag(asset, tag)),
        2 => (asset.clone(), tag).prop_map(|(asset, tag)| Step::Untag(asset, tag)),
        2 => asset.clone().prop_map(Step::Trash),
        1 => asset.clone().prop_map(Step::Restore),
        1 => asset.clone().prop_map(Step::Move),
        1 => asset.prop_map(Step::Purge),
    ]
}

/// Runs one step on the asset wherever it is; nothing where it does not apply.
fn run(tx: &Tx<'_>, grants: &[WriteGrant; 2], ids: &[AssetId], step: Step) -> Result<()> {
    let (Step::Tag(number, _)
    | Step::Untag(number, _)
    | Step::Trash(number)
    | Step::Restore(number)
    | Step::Move(number)
    | Step::Purge(number)) = step;
    for (here, there) in [(&grants[0], &grants[1]), (&grants[1], &grants[0])] {
        let Some(mut asset) = tx.asset_or_trashed(here, &ids[number])? else { continue };
        return match (step, asset.trashed) {
            (Step::Tag(_, tag), None) => {
                tx.tag_asset(here, &mut asset, &Tag::parse(TAGS_TRIED[tag])?)?;
                tx.put_asset(here, &asset)
            }
            (Step::Untag(_, tag), None) => {
                tx.untag_asset(here, &mut asset, &Tag::parse(TAGS_TRIED[tag])?)?;
                tx.put_asset(here, &asset)
            }
            (Step::Trash(_), None) => tx.trash_asset(here, asset, 5),
            (Step::Restore(_), Some(_)) => tx.restore_asset(here, asset, 6),
            (Step::Move(_), None) => tx.move_asset(here, there, asset, 7).map(drop),
            (Step::Purge(_), Some(_)) => tx.purge_asset_now(here, &asset.id, 8).map(drop),
            (_, _) => Ok(()),
        };
    }
    Ok(())
}

/// The tags of a library, counted from its assets.
fn computed(assets: &[Asset], library: LibraryId) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let listed = assets.iter().filter(|asset| asset.is_listed() && asset.library == library);
    for text in listed.flat_map(|asset| &asset.tags) {
        *counts.entry(fold(text)).or_default() += 1;
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts
}

async fn kept_is_computed(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let core = Core::open(settings(&dir.path().join("data"), "https://localhost"), Clock::default()).unwrap();
    let key = writer_of(&core, &["one", "two"]).await;
    let caller = core.authenticate(key.reveal()).unwrap();
    let grants =
        ["one", "two"].map(|library| caller.write(&LibraryPath { organization: "acme", library }).unwrap());
    drop(caller);
    let assets: Vec<Asset> = (0..4).map(|_| asset(grants[0].library().0, "x")).collect();
    let ids: Vec<AssetId> = assets.iter().map(|asset| asset.id).collect();
    let (adding, steps_of) = (grants.clone(), ids.clone());
    core.store()
        .write(move |tx| {
            assets.iter().try_for_each(|asset| tx.add_asset(&adding[0], NewAsset(asset.clone())).map(drop))
        })
        .await
        .unwrap();
    for step in steps {
        let (moved, ids) = (grants.clone(), steps_of.clone());
        core.store().write(move |tx| run(tx, &moved, &ids, step)).await.unwrap();
        check(&core, &grants_of(&grants));
    }
}

fn grants_of(grants: &[WriteGrant; 2]) -> [ReadGrant; 2] {
    [ReadGrant::clone(&grants[0]), ReadGrant::clone(&grants[1])]
}

fn check(core: &Core, grants: &[ReadGrant; 2]) {
    let snapshot = core.store().snapshot().unwrap();
    let assets = snapshot.every_asset(None, 100).unwrap();
    for grant in grants {
        let kept = snapshot.tags(grant, 100).unwrap();
        let mut folded: Vec<(String, u64)> = kept.iter().map(|tag| (fold(&tag.text), tag.count)).collect();
        let order = kept.iter().map(|tag| (std::cmp::Reverse(tag.count), tag.text.as_str()));
        assert!(order.is_sorted(), "{kept:?}");
        folded.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let expected = computed(&assets, grant.library());
        assert_eq!(folded, expected);
        assert_eq!(snapshot.tag_total(grant).unwrap(), u64::try_from(expected.len()).unwrap());
        assert_eq!(snapshot.tags(grant, 2).unwrap(), kept[..kept.len().min(2)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn what_is_kept_of_tags_is_what_would_be_counted(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(kept_is_computed(steps));
    }
}
