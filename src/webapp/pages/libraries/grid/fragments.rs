//! Parts of a library's page that a script asks for: assets from a position on, tags by their letters.

use actix_web::HttpResponse;
use askama::Template;

use super::{Freshness, PAGE, TagFilter, tag_filters, tiles};
use crate::core::model::name::fold;
use crate::core::model::page::MAX_TAGS;
use crate::error::Result;
use crate::webapp::answer::page;
use crate::webapp::pages::libraries::browsing::Browsing;
use crate::webapp::pages::libraries::upload::TileList;
use crate::webapp::signed_in_user::SignedInUser;

/// How many tags the menu shows.
const TAGS_FOUND: usize = 50;

/// A part that a script asks for.
pub enum PageFragment {
    /// The assets from this position on.
    From(usize),
    /// The tags that have these letters.
    Tags(String),
}

impl PageFragment {
    /// The part that an address asks for; none for the page itself.
    pub fn wanted(query: &str) -> Option<Self> {
        url::form_urlencoded::parse(query.as_bytes()).find_map(|(name, value)| match &*name {
            "start" => value.parse().ok().map(Self::From),
            "find-tag" => Some(Self::Tags(value.into_owned())),
            _ => None,
        })
    }
}

/// The list of the menu "All tags".
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/tags_found.html")]
struct TagsFound {
    tags: Vec<TagFilter>,
    more: usize,
}

pub async fn answer(user: SignedInUser, browsing: Browsing, part: PageFragment) -> Result<HttpResponse> {
    let caller = user.caller(&browsing.organization)?;
    let (core, path, query) = (&user.core, browsing.path(), &browsing.query);
    match part {
        PageFragment::From(start) => {
            let part = core.browse_at(caller, &path, query, Freshness::Cached, (start, PAGE)).await;
            let (_, part) = part?;
            let tiles = tiles(&browsing, &part);
            page(&TileList { tiles, total: Some(part.total), warning: "" })
        }
        PageFragment::Tags(letters) => {
            let wanted = fold(&letters);
            let mut found = core.list_tags(&caller, &path, MAX_TAGS)?;
            found.retain(|tag| fold(&tag.text).contains(wanted.as_str()));
            let mut tags = tag_filters(&browsing, &found);
            tags.retain(|tag| fold(&tag.text).contains(wanted.as_str()));
            let more = tags.len().saturating_sub(TAGS_FOUND);
            tags.truncate(TAGS_FOUND);
            page(&TagsFound { tags, more })
        }
    }
}
