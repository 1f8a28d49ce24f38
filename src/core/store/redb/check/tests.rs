//! What is derived is compared with the records, and derived again.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use redb::{ReadableTable, TableDefinition};

use super::super::tables::{
    ASSET_HOMES, ASSETS, AUDIT, BLOBS, FAILED_WORK, KEY_IDS, LIBRARIES, LIBRARY_BYTES, LISTED, LISTED_COUNTS,
    META, ORGANIZATION_SLUGS, ORGANIZATION_USE, QUOTAS, SESSIONS, TAG_RANKS, TAGGED, TAGS, TRASH, VARIANTS,
    decode, encode,
};
use super::super::{Reader, Store, Tx, everything};
use crate::core::Core;
use crate::core::access::grant::Administrator;
use crate::core::clock::Clock;
use crate::core::doctor::{Area, Diagnosis, DoctorOptions, Severity};
use crate::core::long_work::Reporter;
use crate::core::model::page::{AssetPageRequest, PageRequest, PageStart};
use crate::core::model::{Asset, Library};
use crate::core::store::records::{AuditCommands, CheckQueries, CheckedRecords, CopyQueries, RepairCommands};
use crate::core::tests::{PHOTOS, pixel, writer_of};
use crate::error::Result;
use crate::testing::{TempFolder, settings};

/// What no record is.
const NONSENSE: &[u8] = &[255, 1, 2];

async fn filled(dir: &TempFolder) -> (Core, String) {
    let core = Core::open(settings(&dir.path().join("data"), "https://localhost"), Clock::default()).unwrap();
    let key = writer_of(&core, &["photos"]).await;
    let caller = || core.authenticate(key.reveal()).unwrap();
    let mut ids: Vec<String> = Vec::new();
    for (name, parent) in
        [("a.gif", None), ("b.gif", None), ("c.gif", None), ("v.gif", Some(0)), ("w.gif", Some(0))]
    {
        let parent = parent.map(|index: usize| ids[index].clone());
        let done = core
            .upload_sources(caller(), &PHOTOS, vec![pixel(name)], parent.as_deref(), |_| {})
            .await
            .unwrap();
        ids.push(done.assets[0].asset.id.to_string());
    }
    core.tag_assets(&caller(), &PHOTOS, &ids[..2], &["Blue".to_owned()]).await.unwrap();
    core.tag_assets(&caller(), &PHOTOS, &ids[..1], &["sea".to_owned()]).await.unwrap();
    core.delete_assets(&caller(), &PHOTOS, &ids[2..3]).await.unwrap();
    // A variant that is in the trash by itself.
    core.delete_assets(&caller(), &PHOTOS, &ids[4..5]).await.unwrap();
    (core, key.reveal().to_owned())
}

fn checked(store: &Store) -> CheckedRecords {
    store.snapshot().unwrap().check_records(&mut |_| Ok(())).unwrap()
}

/// What is wrong with what is derived, where nothing else is wrong.
fn problems(store: &Store) -> Vec<String> {
    let found = checked(store);
    assert!(found.in_records.is_empty(), "{:?}", found.in_records);
    found.in_derived.texts
}

async fn repair(core: &Core) -> Diagnosis {
    let options = DoctorOptions { quick: true, repair: true };
    core.run_doctor(&Administrator::local(), options, &Reporter::default()).await.unwrap()
}

async fn write(core: &Core, mut work: impl FnMut(&Tx<'_>) -> Result<()> + Send + 'static) {
    core.store().write(move |tx| work(tx)).await.unwrap();
}

/// How many assets a search finds.
async fn found(core: &Core, key: &str) -> usize {
    let caller = core.authenticate(key).unwrap();
    core.search_assets(&caller, "acme", "blue", &[], PageRequest::new(None, None, 10, 10))
        .await
        .unwrap()
        .total
}

fn first_listed(tx: &Tx<'_>) -> Result<Asset> {
    let mut first = None;
    tx.scan(ASSETS, everything(), |_, bytes| {
        let asset: Asset = decode(bytes)?;
        first = first.take().or(asset.is_listed().then_some(asset));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(first.unwrap())
}

/// Everything that is derived, as text.
fn derived(store: &Store) -> String {
    let snapshot = store.snapshot().unwrap();
    let mut text = String::new();
    macro_rules! add {
        ($($table:ident)+) => { $(
            if stringify!($table) != "META" {
                let table = snapshot.tx.open_table(super::super::tables::$table).unwrap();
                for entry in table.iter().unwrap() {
                    let (key, value) = entry.unwrap();
                    text.push_str(&format!("{} {:?} {:?}\n", stringify!($table), key.value(), value.value()));
                }
            }
        )+ };
    }
    super::super::tables::with_every_table!(add);
    text
}

fn remove_first<K: redb::Key + 'static, V: redb::Value + 'static>(
    tx: &Tx<'_>,
    table: TableDefinition<'static, K, V>,
) {
    let mut table = tx.transaction().open_table(table).unwrap();
    drop(table.pop_first().unwrap().expect("an entry"));
}

#[tokio::test]
async fn what_is_missing_is_found_and_derived_as_it_was() {
    let dir = TempFolder::new();
    let (core, _) = filled(&dir).await;
    let store = core.store();
    assert_eq!(problems(store), Vec::<String>::new());
    let before = derived(store);
    macro_rules! break_each {
        ($($table:ident)+) => { $(
            store.write(|tx| {
                remove_first(tx, $table);
                tx.put(META, "touched", 1)
            }).await.unwrap();
            assert!(!problems(store).is_empty(), "{} is not compared", stringify!($table));
            store.write(|tx| tx.rebuild_derived(7)).await.unwrap();
            assert_eq!(problems(store), Vec::<String>::new(), "{}", stringify!($table));
            if stringify!($table) != "TRASH" {
                assert_eq!(derived(store), before, "{}", stringify!($table));
            }
        )+ };
    }
    break_each!(ASSET_HOMES BLOBS KEY_IDS LIBRARY_BYTES LISTED LISTED_COUNTS ORGANIZATION_USE TAGGED TAGS TAG_RANKS VARIANTS TRASH);
}

#[tokio::test]
async fn wrong_counts_are_found_and_counted_again() {
    let dir = TempFolder::new();
    let (core, _) = filled(&dir).await;
    let store = core.store();
    let before = derived(store);
    store
        .write(|tx| {
            let libraries: Vec<Library> = {
                let table = tx.transaction().open_table(LIBRARIES).unwrap();
                table.iter().unwrap().map(|entry| decode(entry.unwrap().1.value()).unwrap()).collect()
            };
            for library in libraries {
                let wrong = Library { assets: library.assets + 5, ..library };
                tx.put(LIBRARIES, wrong.id.0, encode(&wrong)?.as_slice())?;
            }
            tx.put(BLOBS, &[7; 32], 3)
        })
        .await
        .unwrap();
    assert_eq!(problems(store).len(), 2);
    store.write(|tx| tx.rebuild_derived(7)).await.unwrap();
    // The file without assets is due to be deleted, with its grace.
    assert_eq!(problems(store), Vec::<String>::new());
    let after: Vec<String> =
        derived(store).lines().filter(|line| !before.contains(*line)).map(str::to_owned).collect();
    assert_eq!(after.len(), 2, "{after:?}");
}

#[tokio::test]
async fn every_entry_of_every_table_is_read() {
    let dir = TempFolder::new();
    let (core, _) = filled(&dir).await;
    assert_eq!(checked(core.store()).entries, core.store().snapshot().unwrap().entries().unwrap());
    write(&core, |tx| tx.put(QUOTAS, 1, NONSENSE)).await;
    let found = checked(core.store());
    assert_eq!((found.in_records.texts.len(), found.in_derived.texts.len()), (1, 0), "{found:?}");
}

#[tokio::test]
async fn entries_without_an_asset_or_an_organization_are_found_and_removed() {
    let dir = TempFolder::new();
    let (core, _) = filled(&dir).await;
    let before = derived(core.store());
    let strays: [fn(&Tx<'_>) -> Result<()>; 3] = [
        |tx| tx.put(FAILED_WORK, (1, 5, &[9; 16]), ()),
        |tx| tx.put(ORGANIZATION_USE, 99, (0, 0, 1)),
        // It is not due to be deleted.
        |tx| tx.put(BLOBS, &[7; 32], 0),
    ];
    for (number, stray) in strays.into_iter().enumerate() {
        write(&core, stray).await;
        assert_eq!(problems(core.store()).len(), 1, "{number}");
        write(&core, |tx| tx.rebuild_derived(7)).await;
        assert_eq!(problems(core.store()), Vec::<String>::new(), "{number}");
        assert!(number == 2 || derived(core.store()) == before, "{number}");
    }
}

/// The record of an asset that can't be read is set aside: nothing else fails because of it, and its file stays.
#[tokio::test]
async fn an_asset_that_cannot_be_read_is_set_aside_by_a_repair() {
    let dir = TempFolder::new();
    let (core, key) = filled(&dir).await;
    assert_eq!(found(&core, &key).await, 2);
    write(&core, |tx| {
        let Asset { library, id, .. } = first_listed(tx)?;
        tx.put(ASSETS, (library.0, id.bytes()), NONSENSE)
    })
    .await;
    let caller = core.authenticate(&key).unwrap();
    let page = AssetPageRequest { start: PageStart::Offset(0), size: 9 };
    let error = core.page_of_assets(&caller, &PHOTOS, &[], page).err().unwrap();
    let cause = error.cause().unwrap().to_string();
    assert!(cause.contains("of the table assets.v1 can't be read"), "{cause}");
    assert!(cause.contains("run `rasterd doctor`"), "{cause}");
    let diagnosis = repair(&core).await;
    let open: Vec<&str> = diagnosis
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error && !finding.repaired)
        .map(|finding| finding.text.as_str())
        .collect();
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(open[0].starts_with("The record of asset"), "{open:?}");
    let left = checked(core.store());
    assert!(left.in_derived.is_empty(), "{left:?}");
    drop(caller);
    let caller = core.authenticate(&key).unwrap();
    assert_eq!(core.page_of_assets(&caller, &PHOTOS, &[], page).unwrap().items.len(), 1);
    // The index is built again without it.
    let until = Instant::now() + Duration::from_mins(1);
    while found(&core, &key).await != 1 {
        assert!(Instant::now() < until, "the index is not built again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The assets of a library whose record can't be read stay where they are.
#[tokio::test]
async fn a_library_that_cannot_be_read_loses_nothing_by_a_repair() {
    let dir = TempFolder::new();
    let (core, _) = filled(&dir).await;
    write(&core, |tx| {
        let id = first_listed(tx)?.library.0;
        tx.put(LIBRARIES, id, NONSENSE)?;
        tx.put(KEY_IDS, "key_of_nobody", &[3; 32])
    })
    .await;
    let before = derived(core.store());
    let found = checked(core.store());
    assert_eq!(found.in_derived.texts, ["The id key_of_nobody belongs to no key."]);
    repair(&core).await;
    let after = derived(core.store());
    let lost: Vec<&str> = before.lines().filter(|line| !after.contains(*line)).collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].contains("key_of_nobody"));
}

#[tokio::test]
async fn more_problems_than_are_described_are_repaired_all_the_same() {
    let dir = TempFolder::new();
    let (core, _) = filled(&dir).await;
    write(&core, |tx| {
        (0..600_u64).try_for_each(|number| {
            let mut token = [0; 32];
            token[..8].copy_from_slice(&number.to_be_bytes());
            tx.put(SESSIONS, &token, NONSENSE)?;
            tx.put(ORGANIZATION_SLUGS, format!("gone-{number}").as_str(), 9999)
        })
    })
    .await;
    let diagnosis = repair(&core).await;
    let (repaired, open): (Vec<_>, Vec<_>) = diagnosis
        .findings
        .iter()
        .filter(|found| found.area == Area::Records)
        .partition(|found| found.repaired);
    // 500 of each, and that there are more.
    assert_eq!((repaired.len(), open.len()), (501, 501));
    assert!(checked(core.store()).in_derived.is_empty());
}

#[tokio::test]
async fn an_event_that_cannot_be_read_does_not_keep_the_others_for_ever() {
    let dir = TempFolder::new();
    let (core, _) = filled(&dir).await;
    core.create_organization(Administrator::local(), "Other", Some("other")).await.unwrap();
    let pruned = core
        .store()
        .write(|tx| {
            let mut first = None;
            tx.scan(AUDIT, everything(), |key, _| {
                first = first.or(Some(key));
                Ok(ControlFlow::Continue(()))
            })?;
            tx.put(AUDIT, first.unwrap(), NONSENSE)?;
            tx.prune_events(u64::MAX, 100)
        })
        .await
        .unwrap();
    assert_eq!(pruned, 1, "that of the other organization");
}
