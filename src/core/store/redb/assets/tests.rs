//! A record that was read under one grant is never written under another.

use super::NewAsset;
use crate::core::Core;
use crate::core::access::LibraryPath;
use crate::core::clock::Clock;
use crate::core::index::asset;
use crate::core::model::Asset;
use crate::core::model::name::Tag;
use crate::core::store::{AssetCommands, TrashCommands};
use crate::core::tests::writer_of;
use crate::error::Code;
use crate::testing::{TempFolder, settings};

#[tokio::test]
async fn every_change_refuses_an_asset_of_another_library() {
    let folder = TempFolder::new();
    let core = Core::open(settings(folder.path(), "https://localhost"), Clock::default()).unwrap();
    let key = writer_of(&core, &["here", "there"]).await;
    let caller = core.authenticate(key.reveal()).unwrap();
    let [here, there] = ["here", "there"]
        .map(|library| caller.write(&LibraryPath { organization: "acme", library }).unwrap());
    drop(caller);
    let foreign = asset(there.library().0, "x");
    let outcomes = core
        .store()
        .write(move |tx| {
            let (tag, foreign) = (Tag::parse("sea")?, || foreign.clone());
            Ok([
                tx.add_asset(&here, NewAsset(foreign())).map(drop),
                tx.put_asset(&here, &foreign()),
                tx.tag_asset(&here, &mut foreign(), &tag).map(drop),
                tx.untag_asset(&here, &mut foreign(), &tag).map(drop),
                tx.move_asset(&here, &there, foreign(), 5).map(drop),
                tx.promote_variant(&here, foreign(), foreign(), 5).map(drop),
                tx.trash_asset(&here, foreign(), 5),
                tx.restore_asset(&here, Asset { trashed: Some(4), ..foreign() }, 5),
            ])
        })
        .await
        .unwrap();
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let error = outcome.expect_err("the asset is in another library");
        let cause = error.cause().expect("a cause").to_string();
        assert_eq!(error.code(), Code::Internal, "change {number}");
        assert!(cause.contains("another library"), "change {number}: {cause}");
    }
}
