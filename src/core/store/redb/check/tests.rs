//! What is derived is compared with the records, and derived again.

use redb::{ReadableTable, TableDefinition};

use super::super::tables::{
    ASSET_HOMES, BLOBS, KEY_IDS, LIBRARIES, LIBRARY_BYTES, LISTED, META, ORGANIZATION_USE, TAG_RANKS, TAGGED,
    TAGS, TRASH, VARIANTS, decode, encode,
};
use super::super::{Store, Tx};
use crate::core::Core;
use crate::core::access::caller::LibraryPath;
use crate::core::access::grant::Administrator;
use crate::core::clock::Clock;
use crate::core::model::{Access, Library};
use crate::core::store::records::{CheckQueries, RepairCommands};
use crate::core::uploads::UploadSource;
use crate::testing::{TempFolder, settings};

const LIBRARY: LibraryPath<'_> = LibraryPath { organization: "acme", library: "photos" };
const PIXEL: &str = "R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=";

async fn filled(dir: &TempFolder) -> Core {
    let core = Core::open(settings(&dir.path().join("data"), "https://localhost"), Clock::default()).unwrap();
    let by = Administrator::local();
    core.create_organization(by.clone(), "Acme", Some("acme")).await.unwrap();
    core.create_library_as_admin(by.clone(), "acme", "Photos", Some("photos")).await.unwrap();
    let grants = vec![("photos".to_owned(), Some(Access::Write))];
    let (key, _) = core.create_key(by, "acme", "key", grants, None).await.unwrap();
    let caller = || core.authenticate(key.reveal()).unwrap();
    let mut ids: Vec<String> = Vec::new();
    for (name, parent) in
        [("a.gif", None), ("b.gif", None), ("c.gif", None), ("v.gif", Some(0)), ("w.gif", Some(0))]
    {
        let source =
            UploadSource::Base64 { filename: name.into(), mime_type: String::new(), data: PIXEL.into() };
        let parent = parent.map(|index: usize| ids[index].clone());
        let done =
            core.upload_sources(caller(), &LIBRARY, vec![source], parent.as_deref(), |_| {}).await.unwrap();
        ids.push(done.assets[0].asset.id.to_string());
    }
    core.tag_assets(&caller(), &LIBRARY, &ids[..2], &["Blue".to_owned()]).await.unwrap();
    core.tag_assets(&caller(), &LIBRARY, &ids[..1], &["sea".to_owned()]).await.unwrap();
    core.delete_assets(&caller(), &LIBRARY, &ids[2..3]).await.unwrap();
    // A variant that is in the trash by itself.
    core.delete_assets(&caller(), &LIBRARY, &ids[4..5]).await.unwrap();
    core
}

fn problems(store: &Store) -> Vec<String> {
    let found = store.snapshot().unwrap().check_records(&mut |_| Ok(())).unwrap();
    assert!(found.problems.iter().all(|problem| problem.is_derived), "{:?}", found.problems);
    found.problems.into_iter().map(|problem| problem.text).collect()
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
    let core = filled(&dir).await;
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
    break_each!(ASSET_HOMES BLOBS KEY_IDS LIBRARY_BYTES LISTED ORGANIZATION_USE TAGGED TAGS TAG_RANKS VARIANTS TRASH);
}

#[tokio::test]
async fn wrong_counts_are_found_and_counted_again() {
    let dir = TempFolder::new();
    let core = filled(&dir).await;
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
