//! Positions are those of the list, read from its start.

use proptest::prelude::*;

use super::*;
use crate::core::Core;
use crate::core::access::LibraryPath;
use crate::core::clock::Clock;
use crate::core::index::asset;
use crate::core::model::Asset;
use crate::core::model::time::newest_first;
use crate::core::store::{AssetCommands, NewAsset, TrashCommands};
use crate::core::tests::writer_of;
use crate::testing::settings;

/// When assets are uploaded: close together and far apart, at the edges of periods and within them.
fn times() -> impl Strategy<Value = Vec<u64>> {
    let around = |bits: u32| (0..4_u64, 0..3_u64).prop_map(move |(period, offset)| (period << bits) + offset);
    let time = prop_oneof![0..600_u64, around(8), around(16), around(24), around(32), any::<u64>()];
    proptest::collection::vec(time, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn positions_are_those_of_the_list(times in times(), trashed in proptest::collection::vec(any::<bool>(), 60)) {
        let folder = crate::testing::TempFolder::new();
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let core = Core::open(settings(folder.path(), "https://localhost"), Clock::default()).unwrap();
            let key = writer_of(&core, &["here", "there"]).await;
            let caller = core.authenticate(key.reveal()).unwrap();
            let [here, there] = ["here", "there"]
                .map(|library| caller.write(&LibraryPath { organization: "acme", library }).unwrap());
            drop(caller);
            let mut expected: Vec<(u64, AssetId)> = Vec::new();
            let mut added: Vec<(Asset, bool)> = Vec::new();
            for (created, trashed) in times.iter().zip(trashed) {
                let new = Asset { id: AssetId::random(), created: *created, ..asset(here.library().0, "x") };
                expected.extend((!trashed).then_some((newest_first(*created), new.id)));
                added.push((new, trashed));
            }
            expected.sort_unstable();
            let (write, foreign) = (here.clone(), asset(there.library().0, "y"));
            core.store().write(move |tx| {
                tx.add_asset(&there, NewAsset(Asset { id: AssetId::random(), ..foreign.clone() }))?;
                for (asset, is_trashed) in &added {
                    let asset = tx.add_asset(&write, NewAsset(asset.clone()))?;
                    if *is_trashed {
                        tx.trash_asset(&write, asset, 5)?;
                    }
                }
                Ok(())
            }).await.unwrap();
            let snapshot = core.store().snapshot().unwrap();
            for (position, (age, id)) in expected.iter().enumerate() {
                let found = snapshot.listed_at(&here, position).unwrap();
                assert_eq!(found, Some(Cursor { age: *age, id: *id }), "at {position}");
                let newer = expected.iter().filter(|(other, _)| other < age).count();
                assert_eq!(snapshot.listed_before_age(&here, *age).unwrap(), newer, "before {age}");
            }
            assert_eq!(snapshot.listed_at(&here, expected.len()).unwrap(), None);
            assert_eq!(snapshot.listed_before_age(&here, 0).unwrap(), 0);
            let older = expected.iter().filter(|(age, _)| *age < u64::MAX).count();
            assert_eq!(snapshot.listed_before_age(&here, u64::MAX).unwrap(), older);
        });
    }
}
