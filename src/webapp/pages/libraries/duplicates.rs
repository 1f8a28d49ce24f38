//! The page of what a library has several times: the same file, or pictures that look alike.

use actix_web::HttpResponse;
use askama::Template;

use super::browsing::Browsing;
use super::tile::Tile;
use super::{Can, InLibrary};
use crate::core::duplicates::{DuplicateGroup, Duplicates};
use crate::error::Result;
use crate::webapp::answer::page;
use crate::webapp::format::numbers::{counted, grouped};
use crate::webapp::layout::{Layout, NavSection};
use crate::webapp::path::LocalPath;
use crate::webapp::signed_in_user::SignedInUser;

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/duplicates.html")]
struct DuplicatesPage {
    layout: Layout,
    can: Can,
    /// The library's address.
    library: LocalPath,
    /// The address of this page.
    here: LocalPath,
    same_file: Vec<DuplicateTiles>,
    look_alike: Vec<DuplicateTiles>,
    /// How many assets were compared.
    compared: String,
    is_truncated: bool,
}

/// Some assets that are the same in one way.
struct DuplicateTiles {
    tiles: Vec<Tile>,
    count: String,
    /// How many are not shown.
    more: usize,
}

pub async fn show(user: SignedInUser, path: InLibrary) -> Result<HttpResponse> {
    let browsing = Browsing::parse(path.into_inner(), "");
    let caller = user.caller(&browsing.organization)?;
    let library = user.core.get_library(&caller, &browsing.path())?.library;
    let (caller, found) = user.core.find_duplicates(caller, &browsing.path()).await?;
    let Duplicates { same_file, look_alike, compared, is_truncated } = found;
    let group = |DuplicateGroup { assets, count }: &DuplicateGroup| DuplicateTiles {
        more: count.saturating_sub(assets.len()),
        tiles: assets
            .iter()
            .map(|detail| {
                Tile::new(detail, browsing.asset_address(detail.asset.id.as_str()).to_string(), String::new())
            })
            .collect(),
        count: counted(u64::try_from(*count).unwrap_or(u64::MAX), "asset"),
    };
    let layout =
        user.layout(format!("Duplicates in {}", library.name))?.within(&caller, NavSection::Libraries);
    page(&DuplicatesPage {
        layout: layout
            .under("Libraries", format!("/app/{}", browsing.organization))
            .under(library.name, browsing.library_address().to_string()),
        can: Can::of(&caller),
        library: browsing.library_address(),
        here: browsing.library_address().below("duplicates"),
        same_file: same_file.iter().map(group).collect(),
        look_alike: look_alike.iter().map(group).collect(),
        compared: grouped(u64::try_from(compared).unwrap_or(u64::MAX)),
        is_truncated,
    })
}
