//! Distant pages are the same as with skipping.

use super::*;
use crate::core::clock::Clock;
use crate::core::index::asset;
use crate::core::store::{AssetCommands, NewAsset};
use crate::core::tests::{PHOTOS, writer_of};
use crate::testing::settings;

#[tokio::test]
async fn distant_pages_equal_those_found_by_skipping() {
    let dir = tempfile::tempdir().unwrap();
    let core = Core::open(settings(&dir.path().join("data"), "https://localhost"), Clock::default()).unwrap();
    let key = writer_of(&core, &["photos"]).await;
    let path = PHOTOS;
    let grant = core.authenticate(key.reveal()).unwrap().write(&path).unwrap();
    let library = grant.library().0;
    let sea = Tag::parse("sea").unwrap();
    core.store()
        .write(move |tx| {
            for number in 0..20 {
                let created = Asset { created: number / 3, ..asset(library, "x") };
                let mut added = tx.add_asset(&grant, NewAsset(created))?;
                if number % 2 == 0 {
                    tx.tag_asset(&grant, &mut added, &sea)?;
                    tx.put_asset(&grant, &added)?;
                }
            }
            Ok(())
        })
        .await
        .unwrap();
    let caller = core.authenticate(key.reveal()).unwrap();
    for tags in [Vec::new(), vec!["sea".to_owned()]] {
        for offset in (0..25).chain([usize::MAX]) {
            let page = AssetPageRequest { start: PageStart::Offset(offset), size: 3 };
            let near = core.seek_page_from(1, &caller, &path, &tags, page).await.unwrap();
            assert!(offset == 0 || near != page, "{offset}");
            let ids = |page| -> (Vec<AssetId>, Option<Cursor>) {
                let found = core.page_of_assets(&caller, &path, &tags, page).unwrap();
                (found.items.iter().map(|detail| detail.asset.id).collect(), found.next)
            };
            assert_eq!(ids(near), ids(page), "{offset} {tags:?}");
        }
    }
    let near = AssetPageRequest { start: PageStart::Offset(FAR - 1), size: 3 };
    assert_eq!(core.seek_page(&caller, &path, &[], near).await.unwrap(), near);
}
