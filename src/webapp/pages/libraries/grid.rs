//! The page of a library: a grid of its assets, to search, filter and sort.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::browsing::Browsing;
use super::filters::Filters;
use super::tile::Tile;
use super::upload::accepted_extensions;
use super::{ALL, Can, InLibrary};
use crate::core::Core;
use crate::core::access::Caller;
use crate::core::browse::timeline::Period;
use crate::core::browse::window::Freshness;
use crate::core::browse::{BrowsePage, Order};
use crate::core::model::{Library, TagCount};
use crate::error::Result;
use crate::webapp::answer::page;
use crate::webapp::format::numbers::{counted, grouped};
use crate::webapp::layout::{Layout, NavSection};
use crate::webapp::signed_in_user::SignedInUser;

mod fragments;

/// How many assets a page has, and a part of a grid that a script asks for: a few screens full.
const PAGE: usize = 60;
/// How many tags are offered at once; the others are found in the menu "All tags".
const TAGS_AT_ONCE: usize = 16;
/// How many tags are suggested while somebody types some.
const SUGGESTED: usize = 40;

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/grid.html")]
struct LibraryPage {
    layout: Layout,
    library: Library,
    trashed: Option<String>,
    can: Can,
    /// The largest file that is taken, in bytes.
    most_bytes: u64,
    targets: Vec<TransferTarget>,
    suggestions: Vec<String>,
    listing: ListPage,
}

/// The parts of the page that a search changes, for a script.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/results_part.html")]
struct Results {
    can: Can,
    listing: ListPage,
}

/// What is listed, and how to go on from there.
struct ListPage {
    browsing: Browsing,
    tiles: Vec<Tile>,
    summary: String,
    /// How many assets the list has.
    total: usize,
    next: Option<String>,
    /// Where each month or day begins in a list that is ordered by time, for a script: `2026-11:0 2026-10:37`.
    timeline: String,
    tags: Vec<TagFilter>,
    /// All tags, for those who have no script that looks for some.
    all_tags: Vec<TagFilter>,
    is_library_empty: bool,
    filters: Filters,
}

impl ListPage {
    /// The name of the order that applies if none is chosen.
    fn default_order(&self) -> &'static str {
        if self.is_search() { "Best match" } else { label(Order::Newest) }
    }

    /// The other orders.
    fn orders(&self) -> Vec<Order> {
        let others = Order::ALL.into_iter();
        others.filter(|order| self.is_search() || *order != Order::Newest).collect()
    }

    /// Whether there may be a scrubber beside the list, which only a script can know.
    fn may_have_scrubber(&self) -> bool {
        !self.timeline.is_empty() && self.total > PAGE
    }

    fn is_search(&self) -> bool {
        !self.browsing.query.words.is_empty()
    }
}

/// A tag to filter by.
struct TagFilter {
    text: String,
    count: Option<String>,
    href: String,
    is_on: bool,
}

/// A library that assets can be transferred to.
struct TransferTarget {
    slug: String,
    name: String,
}

pub async fn show(user: SignedInUser, path: InLibrary, request: HttpRequest) -> Result<HttpResponse> {
    let browsing = Browsing::parse(path.into_inner(), request.query_string());
    if user.context.is_partial()
        && let Some(part) = fragments::PageFragment::wanted(request.query_string())
    {
        return fragments::answer(user, browsing, part).await;
    }
    let caller = user.caller(&browsing.organization)?;
    let core = &user.core;
    let detail = core.get_library(&caller, &browsing.path())?;
    let (caller, part) =
        core.browse(caller, &browsing.path(), &browsing.query, browsing.after.as_ref(), PAGE).await?;
    // A page that begins after an asset does not know its positions in the whole list.
    let (caller, periods) = match &browsing.after {
        None => core.timeline(caller, &browsing.path(), &browsing.query).await?,
        Some(_) => (caller, Vec::new()),
    };
    let can = Can::of(&caller);
    let suggestions = detail.tags.iter().take(SUGGESTED).map(|tag| tag.text.clone()).collect();
    let filters = Filters::of(core, &caller, &browsing)?;
    let listing = listing(browsing, &detail.library, &detail.tags, &part, &periods, filters);
    if user.context.is_partial() {
        return page(&Results { can, listing });
    }
    let organization = &listing.browsing.organization;
    let layout = user.layout(detail.library.name.clone())?.within(&caller, NavSection::Libraries);
    page(&LibraryPage {
        layout: layout.under("Libraries", format!("/app/{organization}")),
        targets: if can.change { targets(core, &caller, &listing.browsing)? } else { Vec::new() },
        trashed: (detail.library.trashed > 0).then(|| grouped(detail.library.trashed)),
        library: detail.library,
        can,
        most_bytes: core.settings().limits.file_bytes,
        suggestions,
        listing,
    })
}

fn listing(
    browsing: Browsing,
    library: &Library,
    tags: &[TagCount],
    part: &BrowsePage,
    periods: &[Period],
    filters: Filters,
) -> ListPage {
    let all_tags = tag_filters(&browsing, tags);
    let mut shown_tags = tag_filters(&browsing, tags);
    shown_tags.truncate(TAGS_AT_ONCE.max(browsing.query.tags.len()));
    ListPage {
        tiles: tiles(&browsing, part),
        summary: summary(&browsing, part.total),
        total: part.total,
        next: part.next.as_ref().map(|cursor| browsing.after(cursor).to_string()),
        tags: shown_tags,
        all_tags,
        is_library_empty: library.assets == 0,
        filters,
        timeline: marks(periods),
        browsing,
    }
}

/// Where each period begins, as a script reads it.
fn marks(periods: &[Period]) -> String {
    let marks = periods.iter().map(|period| format!("{}:{}", period.name, period.first));
    marks.collect::<Vec<_>>().join(" ")
}

fn tiles(browsing: &Browsing, part: &BrowsePage) -> Vec<Tile> {
    let tile = |found: &crate::core::browse::BrowsedAsset| {
        let href = browsing.asset_address(found.detail.asset.id.as_str()).to_string();
        Tile::new(&found.detail, href, found.marked_name.clone())
    };
    part.assets.iter().map(tile).collect()
}

/// How much was found, to be seen and to be read out.
fn summary(browsing: &Browsing, total: usize) -> String {
    let count = counted(u64::try_from(total).unwrap_or(u64::MAX), "asset");
    if browsing.is_narrowed() { format!("{count} found") } else { count }
}

/// The tags that are filtered by, then the others, most used first.
fn tag_filters(browsing: &Browsing, tags: &[TagCount]) -> Vec<TagFilter> {
    let filter = |text: &str, count: Option<u64>| TagFilter {
        href: browsing.toggled(text).list_address().to_string(),
        is_on: browsing.has_tag(text),
        count: count.map(grouped),
        text: text.to_owned(),
    };
    let count_of = |text: &str| tags.iter().find(|tag| tag.text == text).map(|tag| tag.count);
    let on = browsing.query.tags.iter().map(|text| filter(text, count_of(text)));
    let mut filters: Vec<TagFilter> = on.collect();
    let others = tags.iter().filter(|tag| !browsing.has_tag(&tag.text));
    filters.extend(others.map(|tag| filter(&tag.text, Some(tag.count))));
    filters
}

fn targets(core: &Core, caller: &Caller, browsing: &Browsing) -> Result<Vec<TransferTarget>> {
    let libraries = core.list_libraries_with(caller, &browsing.organization, ALL, 0)?;
    let others = libraries.into_iter().map(|detail| detail.library);
    let others = others.filter(|library| library.slug.as_str() != browsing.library);
    Ok(others.map(|library| TransferTarget { slug: library.slug.to_string(), name: library.name }).collect())
}

/// What an order is called.
const fn label(order: Order) -> &'static str {
    match order {
        Order::Newest => "Newest first",
        Order::Oldest => "Oldest first",
        Order::Name => "By name",
        Order::Size => "Largest first",
    }
}
