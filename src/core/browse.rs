//! The assets of a library for people: searched, filtered by tags, sorted and paged; and the assets before and after
//! one of them. The lists for programs are in `assets.rs`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Core;
use super::assets::{AssetDetail, expect_tag_filter, parse_id};
use super::index::{SearchQuery, Terms};
use super::model::Asset;
use super::store::{AssetLists, AssetQueries, LibraryQueries};
use crate::core::access::{Caller, LibraryPath, ReadGrant};
use crate::core::model::id::AssetId;
use crate::core::model::name::{Tag, fold};
use crate::core::model::page::{AssetPageRequest, Cursor, Page, PageStart};
use crate::error::{Error, Result};

/// How many bytes of a name determine its position, so that a cursor stays short.
const NAME_BYTES: usize = 128;
/// How many hits of a search are considered, the best first. To see others, people have to search for more words.
pub const MAX_HITS: usize = 10_000;

/// Which assets of a library to show, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetQuery {
    /// The words that must occur; blank for everything. Only the [`MAX_HITS`] best hits are considered, filtered and
    /// sorted.
    pub words: String,
    /// The tags of which an asset must have one; none for everything.
    pub tags: Vec<String>,
    /// The order; by default, the best match first, or the newest without a search.
    pub order: Option<Order>,
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

/// A position in the result of a query. It stays valid when its asset is deleted. Clients get it as opaque text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrowseCursor {
    key: Vec<u8>,
    id: AssetId,
}

impl BrowseCursor {
    /// Parses a cursor. Any other text is either invalid, or a position before or after everything.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, key) = bytes.split_first_chunk::<16>()?;
        Some(Self { id: AssetId::parse(std::str::from_utf8(id).ok()?)?, key: key.to_vec() })
    }

    fn of(asset: &Asset, rank: Rank) -> Self {
        let key = match rank {
            Rank::By(Order::Newest) => Cursor::of(asset).age.to_be_bytes().to_vec(),
            Rank::By(Order::Oldest) => asset.created.to_be_bytes().to_vec(),
            Rank::By(Order::Name) => name_key(&asset.name),
            Rank::By(Order::Size) => (u64::MAX - asset.content.size).to_be_bytes().to_vec(),
            // The bits of non-negative floats sort like the floats.
            Rank::Match(score) => {
                [(u32::MAX - score.to_bits()).to_be_bytes().as_slice(), &Cursor::of(asset).age.to_be_bytes()]
                    .concat()
            }
        };
        Self { key, id: asset.id }
    }

    /// The same position in the list that the store keeps newest first.
    fn cursor(&self) -> Option<Cursor> {
        let age = self.key.as_slice().try_into().ok()?;
        Some(Cursor { age: u64::from_be_bytes(age), id: self.id })
    }
}

impl From<Cursor> for BrowseCursor {
    fn from(Cursor { age, id }: Cursor) -> Self {
        Self { key: age.to_be_bytes().to_vec(), id }
    }
}

impl fmt::Display for BrowseCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.id.bytes().iter().chain(&self.key).copied().collect();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// How the result is sorted.
#[derive(Debug, Clone, Copy)]
enum Rank {
    By(Order),
    Match(f32),
}

/// Bytes that sort as people sort names: case-insensitively, and numbers by their value.
fn name_key(name: &str) -> Vec<u8> {
    let folded = fold(name);
    let mut key = Vec::with_capacity(folded.len());
    let mut rest = folded.as_str();
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (part, after) = rest.split_at(if digits > 0 { digits } else { first.len_utf8() });
        if digits > 0 {
            let value = part.trim_start_matches('0');
            // A number becomes a 0, its length and its digits. So it sorts among digits, and longer numbers after
            // shorter ones.
            key.push(b'0');
            key.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
            key.extend(value.bytes());
        } else {
            key.extend(part.bytes());
        }
        rest = after;
    }
    key.truncate(NAME_BYTES);
    key
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
    /// In the order of the store, only the assets of the page are read. Any other order reads all matching assets, and
    /// a search reads its [`MAX_HITS`] best hits; these run as one of the client's scans.
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
        let wanted = self.wanted(query)?;
        if wanted.is_as_stored() {
            let start = after.and_then(BrowseCursor::cursor).map_or(PageStart::Offset(0), PageStart::After);
            let page = AssetPageRequest { start, size };
            let Page { items, next } = stored(&caller, &grant, &wanted.tags, page)?;
            let total = stored_count(&caller, &grant, &wanted.tags)?;
            let assets = self.marked(&caller, items, &wanted)?;
            return Ok((caller, BrowsePage { assets, next: next.map(BrowseCursor::from), total }));
        }
        let after = after.cloned();
        self.scan(caller, grant, wanted, move |core, caller, grant, wanted| {
            let positions = core.positions(caller, grant, wanted)?;
            let from = after.map_or(0, |after| positions.partition_point(|position| *position <= after));
            let mut shown = positions.iter().skip(from).take(size);
            let assets = shown
                .clone()
                .map(|position| caller.snapshot().asset(grant, &position.id))
                .collect::<Result<_>>()?;
            let next = shown.next_back().filter(|_| from + size < positions.len()).cloned();
            Ok(BrowsePage { assets: core.marked(caller, assets, wanted)?, next, total: positions.len() })
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
        let wanted = self.wanted(query)?;
        if wanted.is_as_stored() {
            let adjacent = stored_neighbours(&caller, &grant, &wanted, &asset)?;
            return Ok((caller, adjacent));
        }
        self.scan(caller, grant, wanted, move |core, caller, grant, wanted| {
            let positions = core.positions(caller, grant, wanted)?;
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

    /// Runs `look` as a scan, once the index has every change in the caller's snapshot.
    async fn scan<T: Send + 'static>(
        &self,
        caller: Caller,
        grant: ReadGrant,
        wanted: ParsedQuery,
        look: impl FnOnce(&Self, &Caller, &ReadGrant, &ParsedQuery) -> Result<T> + Send + 'static,
    ) -> Result<(Caller, T)> {
        if !wanted.terms.is_empty() {
            self.indexer().reach(caller.snapshot(), &[grant.library().0]).await?;
        }
        let core = self.clone();
        self.scans()
            .run(caller.client_id(), move || look(&core, &caller, &grant, &wanted).map(|seen| (caller, seen)))
            .await
    }

    fn wanted(&self, query: &AssetQuery) -> Result<ParsedQuery> {
        expect_tag_filter(&query.tags, self.settings().limits.tag_filter)?;
        let is_search = !query.words.trim().is_empty();
        Ok(ParsedQuery {
            tags: query.tags.iter().map(|tag| Tag::read(tag)).collect(),
            terms: Terms::parse(&query.words),
            order: if is_search { query.order } else { query.order.or(Some(Order::Newest)) },
            is_search,
        })
    }

    fn marked(&self, caller: &Caller, assets: Vec<Asset>, wanted: &ParsedQuery) -> Result<Vec<BrowsedAsset>> {
        let mark = |detail: AssetDetail| BrowsedAsset {
            marked_name: wanted.terms.highlight(&detail.asset.name),
            detail,
        };
        Ok(self.details(caller, assets)?.into_iter().map(mark).collect())
    }

    /// The sorted positions of all matching assets.
    fn positions(
        &self,
        caller: &Caller,
        grant: &ReadGrant,
        wanted: &ParsedQuery,
    ) -> Result<Vec<BrowseCursor>> {
        let mut positions: Vec<BrowseCursor> = if wanted.is_search {
            let found = self.matching(caller, grant, &wanted.terms)?;
            let fitting = found.into_iter().filter(|(asset, _)| wanted.has_tag_of(asset));
            fitting
                .map(|(asset, score)| {
                    BrowseCursor::of(&asset, wanted.order.map_or(Rank::Match(score), Rank::By))
                })
                .collect()
        } else {
            let all = AssetPageRequest { start: PageStart::Offset(0), size: usize::MAX };
            let rank = Rank::By(wanted.order.unwrap_or(Order::Newest));
            let found = stored(caller, grant, &wanted.tags, all)?;
            found.items.iter().map(|asset| BrowseCursor::of(asset, rank)).collect()
        };
        positions.sort_unstable();
        Ok(positions)
    }

    /// The considered assets that have all the words, with their scores.
    fn matching(&self, caller: &Caller, grant: &ReadGrant, terms: &Terms) -> Result<Vec<(Asset, f32)>> {
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let libraries = [grant.library().0];
        let query = SearchQuery { terms, libraries: &libraries, offset: 0, limit: MAX_HITS };
        let hits = self.indexer().index().search(&query)?.hits;
        // The index may already have a change that was made after this request's snapshot.
        let found =
            hits.iter().filter_map(|hit| Some((caller.snapshot().asset(grant, &hit.id).ok()?, hit.score)));
        Ok(found.collect())
    }
}

/// A parsed query.
struct ParsedQuery {
    tags: Vec<Tag>,
    terms: Terms,
    /// `None` for the best match first.
    order: Option<Order>,
    /// Whether there is a search, even one without any searchable word.
    is_search: bool,
}

impl ParsedQuery {
    /// Whether the store keeps a list in this order.
    fn is_as_stored(&self) -> bool {
        !self.is_search && self.order == Some(Order::Newest)
    }

    fn has_tag_of(&self, asset: &Asset) -> bool {
        let has = |tag: &Tag| asset.tags.iter().any(|text| fold(text) == tag.folded());
        self.tags.is_empty() || self.tags.iter().any(has)
    }
}

fn stored_neighbours(
    caller: &Caller,
    grant: &ReadGrant,
    wanted: &ParsedQuery,
    asset: &Asset,
) -> Result<Adjacent> {
    if !wanted.has_tag_of(asset) {
        return Ok(Adjacent::default());
    }
    let here = Cursor::of(asset);
    let page = AssetPageRequest { start: PageStart::After(here), size: 1 };
    let following = stored(caller, grant, &wanted.tags, page)?;
    let before = caller.snapshot().listed_before(grant, &wanted.tags, here)?;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_ordered_as_people_order_them() {
        let ordered = ["a", "a2", "a10", "A11b", "a11c", "ab", "B", "img_0009", "IMG_10", "img_x", "é"];
        let mut sorted = ordered;
        sorted.reverse();
        sorted.sort_by_cached_key(|name| name_key(name));
        assert_eq!(sorted, ordered);
    }

    proptest! {
        #[test]
        fn a_place_reads_back(key: Vec<u8>) {
            let position = BrowseCursor { key, id: AssetId::random() };
            prop_assert_eq!(BrowseCursor::parse(&position.to_string()), Some(position));
        }

        #[test]
        fn reading_never_panics(text: String, name: String) {
            let _ = BrowseCursor::parse(&text);
            prop_assert!(name_key(&name).len() <= NAME_BYTES);
        }

        #[test]
        fn a_better_match_comes_first(one in 0f32..=1.0, other in 0f32..=1.0) {
            let key = |score: f32| u32::MAX - score.to_bits();
            prop_assert_eq!(one > other, key(one) < key(other));
        }
    }
}
