//! The assets of a library for people: searched, filtered by tags, sorted and paged; and the assets before and after
//! one of them. The lists for programs are in `assets.rs`.

use std::collections::HashSet;

use super::Core;
use super::assets::{AssetDetail, expect_tag_filter, parse_id};
use super::index::{Hit, IndexFilter, SearchQuery, Terms};
use super::model::Asset;
use super::store::{AssetLists, AssetQueries, LibraryQueries};
use crate::core::access::{Caller, LibraryPath, ReadGrant};
use crate::core::model::id::AssetId;
use crate::core::model::name::{Tag, fold};
use crate::core::model::page::{AssetPageRequest, Cursor, Page, PageStart};
use crate::error::{Code, Error, Result};

mod cursor;
mod filter;
pub mod timeline;
pub mod window;

use cursor::Rank;

pub use cursor::BrowseCursor;
pub use filter::{AssetFilter, Day, TypeFilter};

/// How many hits of a search are considered, the best first. To see others, people have to search for more words.
pub const MAX_HITS: usize = 10_000;

/// Which assets of a library to show, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetQuery {
    /// The words that must occur; blank for everything. Only the [`MAX_HITS`] best hits are considered, filtered and
    /// sorted.
    pub words: String,
    /// The tags of which an asset must have one, or all if the filter says so; none for everything.
    pub tags: Vec<String>,
    /// The order; by default, the best match first, or the newest without a search.
    pub order: Option<Order>,
    /// What else an asset must have.
    pub filter: AssetFilter,
}

/// An order of assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The last one uploaded first.
    Newest,
    /// The first one uploaded first.
    Oldest,
    /// By name, and numbers in it by their value.
    Name,
    /// The largest file first.
    Size,
}

impl Order {
    /// All of them, in the order in which people see them.
    pub const ALL: [Self; 4] = [Self::Newest, Self::Oldest, Self::Name, Self::Size];

    /// Its name in urls.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Name => "name",
            Self::Size => "size",
        }
    }

    /// The order with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == text)
    }
}

/// An asset in the result of a query.
#[derive(Debug, Clone)]
pub struct BrowsedAsset {
    /// The asset.
    pub detail: AssetDetail,
    /// The name as HTML, each match wrapped in `<mark>`.
    pub marked_name: String,
}

/// A page of the result of a query.
#[derive(Debug, Clone)]
pub struct BrowsePage {
    /// The assets.
    pub assets: Vec<BrowsedAsset>,
    /// The cursor after which the next page begins, if there is more.
    pub next: Option<BrowseCursor>,
    /// The number of all assets; for a search, among its [`MAX_HITS`] best hits.
    pub total: usize,
}

/// The assets before and after an asset in the result of a query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adjacent {
    /// The asset before it.
    pub before: Option<AssetId>,
    /// The asset after it.
    pub after: Option<AssetId>,
}

impl Core {
    /// A page of a library's assets, after a cursor or from the start; also returns the caller. Following the cursors
    /// shows every asset that is there all the time exactly once.
    ///
    /// In the order of the store, only the assets of the page are read. A filter reads its lists in the index, and in an
    /// order by time only the assets of the page, too. Another order reads all matching assets, and a search reads its
    /// [`MAX_HITS`] best hits. All but the first run as one of the client's scans.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `BAD_USER_INPUT` for too many tags; `SERVICE_UNAVAILABLE` while the index is far
    /// behind.
    pub async fn browse(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        query: &AssetQuery,
        after: Option<&BrowseCursor>,
        size: usize,
    ) -> Result<(Caller, BrowsePage)> {
        let grant = caller.read(path)?;
        let parsed = self.parse_query(query)?;
        if parsed.is_as_stored() {
            let start = after.and_then(BrowseCursor::cursor).map_or(PageStart::Offset(0), PageStart::After);
            let page = AssetPageRequest { start, size };
            let Page { items, next } = stored(&caller, &grant, &parsed.tags, page)?;
            let total = stored_count(&caller, &grant, &parsed.tags)?;
            let assets = self.marked(&caller, items, &parsed)?;
            return Ok((caller, BrowsePage { assets, next: next.map(BrowseCursor::from), total }));
        }
        let (after, query) = (after.cloned(), query.clone());
        self.scan(caller, grant, parsed, move |core, caller, grant, parsed| {
            let positions = core.positions(caller, grant, parsed)?;
            core.cache_result(caller, grant, &query, &positions)?;
            let from = after.map_or(0, |after| positions.partition_point(|position| *position <= after));
            let mut shown = positions.iter().skip(from).take(size);
            // The index may already have a change that was made after this request's snapshot.
            let assets = shown
                .clone()
                .map(|position| found(caller.snapshot().asset(grant, &position.id)))
                .filter_map(Result::transpose)
                .collect::<Result<_>>()?;
            let next = shown.next_back().filter(|_| from + size < positions.len()).cloned();
            Ok(BrowsePage { assets: core.marked(caller, assets, parsed)?, next, total: positions.len() })
        })
        .await
    }

    /// The assets before and after an asset, and the caller; none if the asset is not in the result.
    ///
    /// # Errors
    /// Those of [`Core::browse`]; `RESOURCE_NOT_FOUND`.
    pub async fn adjacent(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        query: &AssetQuery,
        id: &str,
    ) -> Result<(Caller, Adjacent)> {
        let grant = caller.read(path)?;
        let asset = caller.snapshot().asset(&grant, &parse_id(id)?)?;
        let parsed = self.parse_query(query)?;
        if parsed.is_as_stored() {
            let adjacent = stored_adjacent(&caller, &grant, &parsed, &asset)?;
            return Ok((caller, adjacent));
        }
        self.scan(caller, grant, parsed, move |core, caller, grant, parsed| {
            let positions = core.positions(caller, grant, parsed)?;
            let here = positions.iter().position(|position| position.id == asset.id);
            let at = |position: Option<usize>| {
                position.and_then(|position| positions.get(position)).map(|position| position.id)
            };
            Ok(here.map_or_else(Adjacent::default, |here| Adjacent {
                before: at(here.checked_sub(1)),
                after: at(here.checked_add(1)),
            }))
        })
        .await
    }

    /// Runs `scan` as one of the client's scans, once the index has every change in the caller's snapshot.
    async fn scan<T: Send + 'static>(
        &self,
        caller: Caller,
        grant: ReadGrant,
        parsed: ParsedQuery,
        scan: impl FnOnce(&Self, &Caller, &ReadGrant, &ParsedQuery) -> Result<T> + Send + 'static,
    ) -> Result<(Caller, T)> {
        if parsed.needs_index() {
            self.indexer().reach(caller.snapshot(), &[grant.library().0]).await?;
        }
        let core = self.clone();
        self.scans()
            .run(caller.client_id(), move || scan(&core, &caller, &grant, &parsed).map(|seen| (caller, seen)))
            .await
    }

    fn parse_query(&self, query: &AssetQuery) -> Result<ParsedQuery> {
        expect_tag_filter(&query.tags, self.settings().limits.tag_filter)?;
        let is_search = !query.words.trim().is_empty();
        let tags: Vec<Tag> = query.tags.iter().map(|tag| Tag::read(tag)).collect();
        let is_plain = query.filter.is_empty() && !(query.filter.all_tags && tags.len() > 1);
        Ok(ParsedQuery {
            filter: if is_plain && !is_search { None } else { Some(query.filter.clauses(&tags)) },
            tags,
            by_type: TypedWords::parse(&query.words),
            terms: Terms::parse(&query.words),
            order: if is_search { query.order } else { query.order.or(Some(Order::Newest)) },
            is_search,
        })
    }

    fn marked(&self, caller: &Caller, assets: Vec<Asset>, parsed: &ParsedQuery) -> Result<Vec<BrowsedAsset>> {
        let mark = |detail: AssetDetail| BrowsedAsset {
            marked_name: parsed.terms.highlight(&detail.asset.name),
            detail,
        };
        Ok(self.details(caller, assets)?.into_iter().map(mark).collect())
    }

    /// The sorted positions of all matching assets.
    fn positions(
        &self,
        caller: &Caller,
        grant: &ReadGrant,
        parsed: &ParsedQuery,
    ) -> Result<Vec<BrowseCursor>> {
        let mut positions: Vec<BrowseCursor> = if let Some(filter) = &parsed.filter {
            let hits = self.matching(grant, parsed, filter)?.into_iter();
            let place = |hit: Hit| match parsed.order {
                Some(order @ (Order::Newest | Order::Oldest)) => {
                    Some(BrowseCursor::by_time(order, hit.created, hit.id))
                }
                order => {
                    // The index may already have a change that was made after this request's snapshot.
                    let asset = caller.snapshot().asset(grant, &hit.id).ok()?;
                    Some(BrowseCursor::of(&asset, order.map_or(Rank::Match(hit.score), Rank::By)))
                }
            };
            hits.filter_map(place).collect()
        } else {
            let all = AssetPageRequest { start: PageStart::Offset(0), size: usize::MAX };
            let rank = Rank::By(parsed.order.unwrap_or(Order::Newest));
            let found = stored(caller, grant, &parsed.tags, all)?;
            found.items.iter().map(|asset| BrowseCursor::of(asset, rank)).collect()
        };
        positions.sort_unstable();
        Ok(positions)
    }

    /// The considered assets that have all the words, each in their text or in their type, and that the filter takes.
    fn matching(&self, grant: &ReadGrant, parsed: &ParsedQuery, filter: &IndexFilter) -> Result<Vec<Hit>> {
        if parsed.is_search && parsed.terms.is_empty() {
            return Ok(Vec::new());
        }
        let libraries = [grant.library().0];
        let limit = if parsed.is_search { MAX_HITS } else { usize::MAX };
        let search = |terms: &Terms, filter: &IndexFilter| {
            let query = SearchQuery { terms, filter, libraries: &libraries, offset: 0, limit };
            self.indexer().index().search(&query).map(|found| found.hits)
        };
        let mut hits = search(&parsed.terms, filter)?;
        if let Some(TypedWords { rest, types }) = &parsed.by_type {
            let filter = types.iter().fold(filter.clone(), |filter, wanted| filter.any_of(wanted.facets()));
            let known: HashSet<AssetId> = hits.iter().map(|hit| hit.id).collect();
            hits.extend(search(rest, &filter)?.into_iter().filter(|hit| !known.contains(&hit.id)));
            hits.truncate(limit);
        }
        Ok(hits)
    }

    /// The names of those who uploaded assets of a library, to filter by: in order, at most `most`.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `SERVICE_UNAVAILABLE` before the index is open.
    pub fn list_uploaders(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        most: usize,
    ) -> Result<Vec<String>> {
        self.indexer().index().uploaders(caller.read(path)?.library().0, most)
    }
}

/// The words of a search that are names of types, and the other words.
struct TypedWords {
    rest: Terms,
    types: Vec<TypeFilter>,
}

impl TypedWords {
    /// The types in a search; none if there is no such word.
    fn parse(words: &str) -> Option<Self> {
        let (mut types, mut rest) = (Vec::new(), Vec::new());
        for word in words.split_whitespace() {
            match TypeFilter::of_word(word) {
                Some(wanted) => types.push(wanted),
                None => rest.push(word),
            }
        }
        (!types.is_empty()).then(|| Self { rest: Terms::parse(&rest.join(" ")), types })
    }
}

/// A parsed query.
struct ParsedQuery {
    tags: Vec<Tag>,
    terms: Terms,
    /// The words that are also names of types.
    by_type: Option<TypedWords>,
    /// What the index filters by, tags included; none if the lists of the store are enough.
    filter: Option<IndexFilter>,
    /// `None` for the best match first.
    order: Option<Order>,
    /// Whether there is a search, even one without any searchable word.
    is_search: bool,
}

impl ParsedQuery {
    /// Whether the store keeps a list in this order.
    fn is_as_stored(&self) -> bool {
        !self.needs_index() && self.order == Some(Order::Newest)
    }

    /// Whether the index finds the assets, and not the store.
    fn needs_index(&self) -> bool {
        self.filter.is_some()
    }

    fn has_tag_of(&self, asset: &Asset) -> bool {
        let has = |tag: &Tag| asset.tags.iter().any(|text| fold(text) == tag.folded());
        self.tags.is_empty() || self.tags.iter().any(has)
    }
}

/// An asset, if it is there.
fn found(asset: Result<Asset>) -> Result<Option<Asset>> {
    match asset {
        Err(error) if error.code() == Code::ResourceNotFound => Ok(None),
        asset => asset.map(Some),
    }
}

fn stored_adjacent(
    caller: &Caller,
    grant: &ReadGrant,
    parsed: &ParsedQuery,
    asset: &Asset,
) -> Result<Adjacent> {
    if !parsed.has_tag_of(asset) {
        return Ok(Adjacent::default());
    }
    let here = Cursor::of(asset);
    let page = AssetPageRequest { start: PageStart::After(here), size: 1 };
    let following = stored(caller, grant, &parsed.tags, page)?;
    let before = caller.snapshot().listed_before(grant, &parsed.tags, here)?;
    Ok(Adjacent { before, after: following.items.first().map(|asset| asset.id) })
}

fn stored(caller: &Caller, grant: &ReadGrant, tags: &[Tag], page: AssetPageRequest) -> Result<Page<Asset>> {
    if tags.is_empty() {
        caller.snapshot().listed(std::slice::from_ref(grant), page)
    } else {
        caller.snapshot().tagged(grant, tags, page)
    }
}

fn stored_count(caller: &Caller, grant: &ReadGrant, tags: &[Tag]) -> Result<usize> {
    if tags.is_empty() {
        let assets = caller.snapshot().library(grant)?.assets;
        return usize::try_from(assets).map_err(Error::internal);
    }
    caller.snapshot().tagged_count(grant, tags)
}
