//! A part of the result of a query by its position, for a grid that can be scrolled to any place at once. In the order of
//! the store, positions are found in its counts. Any other order is computed once, and its ids are cached until the
//! library changes.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::{AssetQuery, BrowseCursor, BrowsePage, Order, ParsedQuery, stored};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath, ReadGrant};
use crate::core::model::Asset;
use crate::core::model::id::{AssetId, LibraryId};
use crate::core::model::page::{AssetPageRequest, Page, PageStart};
use crate::core::store::{AssetQueries, ChangeQueries, LibraryQueries};
use crate::error::{Error, Result};

/// How many ids are cached, of 16 bytes each.
const MAX_IDS: usize = 2_000_000;
/// How many results are cached.
const MAX_RESULTS: usize = 32;

/// Whether a part of a result may come from the cache. Files, types and approvals change without the library's last
/// change that search can see, so a page that is opened computes its result again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Computed now.
    Computed,
    /// As it was computed for the same query, since when search sees no change of the library.
    Cached,
}

/// Cached results of queries.
#[derive(Default)]
pub struct CachedResults(Mutex<VecDeque<CachedResult>>);

struct CachedResult {
    library: LibraryId,
    /// The number of the library's last change when it was computed.
    change: u64,
    query: AssetQuery,
    ids: Arc<[AssetId]>,
}

impl CachedResults {
    fn find(&self, library: LibraryId, change: u64, query: &AssetQuery) -> Option<Arc<[AssetId]>> {
        let results = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |result: &&CachedResult| {
            result.library == library && result.change == change && result.query == *query
        };
        results.iter().find(is_wanted).map(|result| Arc::clone(&result.ids))
    }

    fn add(&self, library: LibraryId, change: u64, query: &AssetQuery, ids: &Arc<[AssetId]>) {
        let mut results = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        results.retain(|result| result.library != library || result.query != *query);
        results.push_front(CachedResult { library, change, query: query.clone(), ids: Arc::clone(ids) });
        let mut total = 0;
        let fits = |result: &CachedResult| {
            total += result.ids.len();
            total <= MAX_IDS
        };
        let kept = results.iter().take(MAX_RESULTS).map(fits).take_while(|fits| *fits).count();
        results.truncate(kept);
    }
}

impl Core {
    /// The assets of a library from a position on, counted from 0, and the number of all; also returns the caller.
    ///
    /// # Errors
    /// Those of [`Core::browse`].
    pub async fn browse_at(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        query: &AssetQuery,
        freshness: Freshness,
        (offset, size): (usize, usize),
    ) -> Result<(Caller, BrowsePage)> {
        let grant = caller.read(path)?;
        let parsed = self.parse_query(query)?;
        if let Some(order) = parsed.order_in_store() {
            let (items, total) = stored_part(&caller, &grant, order, (offset, size))?;
            let assets = self.marked(&caller, items, &parsed)?;
            return Ok((caller, BrowsePage { assets, next: None, total }));
        }
        let query = query.clone();
        self.scan(caller, grant, parsed, move |core, caller, grant, parsed| {
            let ids = core.result(caller, grant, &query, parsed, freshness)?;
            let shown = ids.iter().skip(offset).take(size);
            // One that was trashed after the result was computed leaves a gap at the end.
            let assets = shown.filter_map(|id| caller.snapshot().asset(grant, id).ok()).collect();
            Ok(BrowsePage { assets: core.marked(caller, assets, parsed)?, next: None, total: ids.len() })
        })
        .await
    }

    /// Those of some ids whose assets are in the result of a query; also returns the caller.
    ///
    /// # Errors
    /// Those of [`Core::browse`].
    pub async fn found_among(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        query: &AssetQuery,
        ids: &[String],
    ) -> Result<(Caller, Vec<String>)> {
        let query = AssetQuery { order: Some(Order::Newest), ..query.clone() };
        let grant = caller.read(path)?;
        let parsed = self.parse_query(&query)?;
        let wanted: HashSet<AssetId> = ids.iter().filter_map(|id| AssetId::parse(id)).collect();
        self.scan(caller, grant, parsed, move |core, caller, grant, parsed| {
            let found = core.result(caller, grant, &query, parsed, Freshness::Cached)?;
            Ok(found.iter().filter(|id| wanted.contains(id)).map(ToString::to_string).collect())
        })
        .await
    }

    /// The ids of all assets in the result of a query that the store has no list for.
    pub(super) fn result(
        &self,
        caller: &Caller,
        grant: &ReadGrant,
        query: &AssetQuery,
        parsed: &ParsedQuery,
        freshness: Freshness,
    ) -> Result<Arc<[AssetId]>> {
        let library = grant.library();
        let change = caller.snapshot().last_change_in(&[library.0])?;
        if freshness == Freshness::Cached
            && let Some(ids) = self.cached_results().find(library, change, query)
        {
            return Ok(ids);
        }
        let positions = self.positions(caller, grant, parsed)?;
        self.cache_result(caller, grant, query, &positions)
    }

    /// Caches the result of a query that was computed just now, and returns its ids.
    pub(super) fn cache_result(
        &self,
        caller: &Caller,
        grant: &ReadGrant,
        query: &AssetQuery,
        positions: &[BrowseCursor],
    ) -> Result<Arc<[AssetId]>> {
        let library = grant.library();
        let change = caller.snapshot().last_change_in(&[library.0])?;
        let ids: Arc<[AssetId]> = positions.iter().map(|position| position.id).collect();
        self.cached_results().add(library, change, query, &ids);
        Ok(ids)
    }
}

impl ParsedQuery {
    /// The order, if the store keeps the whole list in it.
    pub(super) fn order_in_store(&self) -> Option<Order> {
        let order = self.order.filter(|order| matches!(order, Order::Newest | Order::Oldest))?;
        (!self.needs_index() && self.tags.is_empty()).then_some(order)
    }
}

/// A part of the whole list of a library, and its length.
fn stored_part(
    caller: &Caller,
    grant: &ReadGrant,
    order: Order,
    (offset, size): (usize, usize),
) -> Result<(Vec<Asset>, usize)> {
    let total = usize::try_from(caller.snapshot().library(grant)?.assets).map_err(Error::internal)?;
    let read = |offset, size| -> Result<Vec<Asset>> {
        let page = AssetPageRequest { start: PageStart::Offset(offset), size };
        let Page { items, .. } = stored(caller, grant, &[], page)?;
        Ok(items)
    };
    if order != Order::Oldest {
        return Ok((read(offset, size)?, total));
    }
    let end = total.saturating_sub(offset);
    let begin = end.saturating_sub(size);
    let mut items = read(begin, end - begin)?;
    items.reverse();
    Ok((items, total))
}

#[cfg(test)]
mod tests;
