//! A library's assets as people look through them: searched, filtered by tags, in the order they like, followed from
//! place to place; and what comes before and after one of them. Lists for programs are where assets are.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::App;
use super::access::{Caller, LibraryPath, ReadGrant};
use super::assets::{AssetDetail, expect_tag_filter, parse_id};
use super::id::AssetId;
use super::index::{SearchQuery, Terms};
use super::model::Asset;
use super::name::{Tag, fold};
use super::page::{Cursor, Slice, Start};
use super::store::{AssetQueries, LibraryQueries};
use crate::error::{Error, Result};

/// How many bytes of a name decide its place, so that a place stays short.
const NAME_BYTES: usize = 128;
/// How many hits of a search are looked through, the best first; whoever gets more than that looks for too little.
pub const MOST_HITS: usize = 10_000;

/// What somebody looks through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// The words that must be there; blank for everything. Of a search, the [`MOST_HITS`] best hits count, and only
    /// those are filtered and put into another order.
    pub query: String,
    /// The tags of which one must be there; none for everything.
    pub tags: Vec<String>,
    /// The order; without one the best match comes first, and the newest where no words are looked for.
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
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Newest, Self::Oldest, Self::Name, Self::Size];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Name => "name",
            Self::Size => "size",
        }
    }

    /// The order of this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == text)
    }
}

/// A place in an arrangement, also when no asset is there any more. Text that means nothing to whoever has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    key: Vec<u8>,
    id: AssetId,
}

impl Place {
    /// Reads a place as it was given out. One that never was is none, or is before or behind everything.
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
            // The bits of a float that is not negative are ordered as it is.
            Rank::Match(score) => {
                [(u32::MAX - score.to_bits()).to_be_bytes().as_slice(), &Cursor::of(asset).age.to_be_bytes()]
                    .concat()
            }
        };
        Self { key, id: asset.id }
    }

    /// The place as the list that the store keeps newest first has it.
    fn cursor(&self) -> Option<Cursor> {
        let age = self.key.as_slice().try_into().ok()?;
        Some(Cursor { age: u64::from_be_bytes(age), id: self.id })
    }
}

impl From<Cursor> for Place {
    fn from(Cursor { age, id }: Cursor) -> Self {
        Self { key: age.to_be_bytes().to_vec(), id }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.id.bytes().iter().chain(&self.key).copied().collect();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// What decides where an asset comes.
#[derive(Debug, Clone, Copy)]
enum Rank {
    By(Order),
    Match(f32),
}

/// Bytes that are ordered as people order names: without case, and numbers by their value.
fn name_key(name: &str) -> Vec<u8> {
    let folded = fold(name);
    let mut key = Vec::with_capacity(folded.len());
    let mut rest = folded.as_str();
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (part, after) = rest.split_at(if digits > 0 { digits } else { first.len_utf8() });
        if digits > 0 {
            let value = part.trim_start_matches('0');
            // A digit stays a digit, so that numbers come where digits come; the longer is the greater.
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

/// An asset of an arrangement.
#[derive(Debug, Clone)]
pub struct Arranged {
    /// The asset.
    pub detail: AssetDetail,
    /// The name as HTML, each word that was looked for wrapped in `<mark>`.
    pub marked_name: String,
}

/// Some of an arrangement.
#[derive(Debug, Clone)]
pub struct ArrangedPart {
    /// The assets.
    pub assets: Vec<Arranged>,
    /// Behind which place the next of them are, if there are more.
    pub next: Option<Place>,
    /// How many there are in all; of a search, among its [`MOST_HITS`] best hits.
    pub total: usize,
}

/// What is beside an asset in an arrangement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// The asset before it.
    pub before: Option<AssetId>,
    /// The asset after it.
    pub after: Option<AssetId>,
}

impl App {
    /// Some of a library's assets, behind a place or from the start; gives the caller back. Followed from place to
    /// place, every asset that was there all along comes up exactly once.
    ///
    /// Newest first is a scan of what is shown. Every other order looks at all that fits, and a search at the
    /// [`MOST_HITS`] best hits: both wait for their turn, and keep no other request waiting.
    ///
    /// # Errors
    /// Of [`Caller::read`]; `BAD_USER_INPUT` for too many tags; `SERVICE_UNAVAILABLE` while the index is far behind.
    pub async fn look_through(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        arrangement: &Arrangement,
        behind: Option<&Place>,
        size: usize,
    ) -> Result<(Caller, ArrangedPart)> {
        let grant = caller.read(path)?;
        let wanted = self.wanted(arrangement)?;
        if wanted.is_as_stored() {
            let start = behind.and_then(Place::cursor).map_or(Start::Offset(0), Start::After);
            let (assets, next) = stored(&caller, &grant, &wanted.tags, Slice { start, size })?;
            let total = stored_count(&caller, &grant, &wanted.tags)?;
            let assets = self.arranged(&caller, assets, &wanted)?;
            return Ok((caller, ArrangedPart { assets, next: next.map(Place::from), total }));
        }
        let behind = behind.cloned();
        self.scan(caller, wanted, move |app, caller, wanted| {
            let places = app.places(caller, &grant, wanted)?;
            let from = behind.map_or(0, |behind| places.partition_point(|place| *place <= behind));
            let mut shown = places.iter().skip(from).take(size);
            let assets =
                shown.clone().map(|place| caller.view().asset(&grant, &place.id)).collect::<Result<_>>()?;
            let next = shown.next_back().filter(|_| from + size < places.len()).cloned();
            Ok(ArrangedPart { assets: app.arranged(caller, assets, wanted)?, next, total: places.len() })
        })
        .await
    }

    /// What comes before and after an asset, and the caller again; nothing does where it is not in the arrangement.
    ///
    /// # Errors
    /// As [`App::look_through`]; `RESOURCE_NOT_FOUND`.
    pub async fn neighbours(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        arrangement: &Arrangement,
        id: &str,
    ) -> Result<(Caller, Neighbours)> {
        let grant = caller.read(path)?;
        let asset = caller.view().asset(&grant, &parse_id(id)?)?;
        let wanted = self.wanted(arrangement)?;
        if wanted.is_as_stored() {
            let neighbours = stored_neighbours(&caller, &grant, &wanted, &asset)?;
            return Ok((caller, neighbours));
        }
        self.scan(caller, wanted, move |app, caller, wanted| {
            let places = app.places(caller, &grant, wanted)?;
            let here = places.iter().position(|place| place.id == asset.id);
            let at = |place: Option<usize>| place.and_then(|place| places.get(place)).map(|place| place.id);
            Ok(here.map_or_else(Neighbours::default, |here| Neighbours {
                before: at(here.checked_sub(1)),
                after: at(here.checked_add(1)),
            }))
        })
        .await
    }

    /// Runs `look` in its turn on what the caller sees, after the index has come as far as that.
    async fn scan<T: Send + 'static>(
        &self,
        caller: Caller,
        wanted: Wanted,
        look: impl FnOnce(&Self, &Caller, &Wanted) -> Result<T> + Send + 'static,
    ) -> Result<(Caller, T)> {
        if !wanted.terms.is_empty() {
            let sequence = caller.view().sequence()?;
            self.indexer().reach(sequence).await?;
        }
        let app = self.clone();
        self.scans().run(move || look(&app, &caller, &wanted).map(|seen| (caller, seen))).await
    }

    fn wanted(&self, arrangement: &Arrangement) -> Result<Wanted> {
        expect_tag_filter(&arrangement.tags, self.settings().limits.tag_filter)?;
        let is_search = !arrangement.query.trim().is_empty();
        Ok(Wanted {
            tags: arrangement.tags.iter().map(|tag| Tag::read(tag)).collect(),
            terms: Terms::parse(&arrangement.query),
            order: if is_search { arrangement.order } else { arrangement.order.or(Some(Order::Newest)) },
            is_search,
        })
    }

    fn arranged(&self, caller: &Caller, assets: Vec<Asset>, wanted: &Wanted) -> Result<Vec<Arranged>> {
        let marked = |detail: AssetDetail| Arranged {
            marked_name: wanted.terms.highlight(&detail.asset.name),
            detail,
        };
        Ok(self.details(caller, assets)?.into_iter().map(marked).collect())
    }

    /// The places of everything that is wanted, in order.
    fn places(&self, caller: &Caller, grant: &ReadGrant, wanted: &Wanted) -> Result<Vec<Place>> {
        let mut places: Vec<Place> = if wanted.is_search {
            let found = self.matching(caller, grant, &wanted.terms)?;
            let fitting = found.into_iter().filter(|(asset, _)| wanted.has_tag_of(asset));
            fitting
                .map(|(asset, score)| Place::of(&asset, wanted.order.map_or(Rank::Match(score), Rank::By)))
                .collect()
        } else {
            let all = Slice { start: Start::Offset(0), size: usize::MAX };
            let rank = Rank::By(wanted.order.unwrap_or(Order::Newest));
            let (assets, _) = stored(caller, grant, &wanted.tags, all)?;
            assets.iter().map(|asset| Place::of(asset, rank)).collect()
        };
        places.sort_unstable();
        Ok(places)
    }

    /// The assets that have all the words, as far as they are looked at, and how well they match.
    fn matching(&self, caller: &Caller, grant: &ReadGrant, terms: &Terms) -> Result<Vec<(Asset, f32)>> {
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let libraries = [grant.library().0];
        let query = SearchQuery { terms, libraries: &libraries, offset: 0, limit: MOST_HITS };
        let hits = self.indexer().index().search(&query)?.hits;
        // The index may be ahead of this request's snapshot by a change of this very moment.
        let found =
            hits.iter().filter_map(|hit| Some((caller.view().asset(grant, &hit.id).ok()?, hit.score)));
        Ok(found.collect())
    }
}

/// An arrangement, understood.
struct Wanted {
    tags: Vec<Tag>,
    terms: Terms,
    /// None for the best match.
    order: Option<Order>,
    /// Also of words that can't be found, of which there are no terms.
    is_search: bool,
}

impl Wanted {
    /// Whether the store keeps a list that is in this order already.
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
    wanted: &Wanted,
    asset: &Asset,
) -> Result<Neighbours> {
    if !wanted.has_tag_of(asset) {
        return Ok(Neighbours::default());
    }
    let here = Cursor::of(asset);
    let slice = Slice { start: Start::After(here), size: 1 };
    let (after, _) = stored(caller, grant, &wanted.tags, slice)?;
    let before = caller.view().listed_before(grant, &wanted.tags, here)?;
    Ok(Neighbours { before, after: after.first().map(|asset| asset.id) })
}

fn stored(
    caller: &Caller,
    grant: &ReadGrant,
    tags: &[Tag],
    slice: Slice,
) -> Result<(Vec<Asset>, Option<Cursor>)> {
    if tags.is_empty() {
        caller.view().listed(std::slice::from_ref(grant), slice)
    } else {
        caller.view().tagged(grant, tags, slice)
    }
}

fn stored_count(caller: &Caller, grant: &ReadGrant, tags: &[Tag]) -> Result<usize> {
    if tags.is_empty() {
        let assets = caller.view().library(grant)?.assets;
        return usize::try_from(assets).map_err(Error::internal);
    }
    caller.view().tagged_count(grant, tags)
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
            let place = Place { key, id: AssetId::random() };
            prop_assert_eq!(Place::parse(&place.to_string()), Some(place));
        }

        #[test]
        fn reading_never_panics(text: String, name: String) {
            let _ = Place::parse(&text);
            prop_assert!(name_key(&name).len() <= NAME_BYTES);
        }

        #[test]
        fn a_better_match_comes_first(one in 0f32..=1.0, other in 0f32..=1.0) {
            let key = |score: f32| u32::MAX - score.to_bits();
            prop_assert_eq!(one > other, key(one) < key(other));
        }
    }
}
