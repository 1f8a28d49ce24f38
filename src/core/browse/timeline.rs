//! When the assets in the result of a query were uploaded: where each month begins in it, for a grid's scrubber.

use std::time::{Duration, UNIX_EPOCH};

use super::window::Freshness;
use super::{AssetQuery, Order, ParsedQuery};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath, ReadGrant};
use crate::core::model::id::AssetId;
use crate::core::model::time::{Millis, newest_first};
use crate::core::store::{AssetQueries, LibraryQueries, OrderQueries};
use crate::error::{Error, Result};

/// Up to how long a result is divided by days instead of months.
const DAYS_UP_TO: Millis = 62 * 24 * 60 * 60 * 1000;
/// Divisions beyond these belong to the last one: a hundred years of months.
const MAX: usize = 1200;

/// A month or a day in a result that is ordered by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Its name as in dates: `2026-11`, or `2026-11-27` in a result of few days. In UTC.
    pub name: String,
    /// The position of its first asset in the result.
    pub first: usize,
}

impl Core {
    /// Where each month or day begins in a result that is ordered by time; none for any other order. Also returns the
    /// caller.
    ///
    /// # Errors
    /// Those of [`Core::browse`].
    pub async fn timeline(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        query: &AssetQuery,
    ) -> Result<(Caller, Vec<Period>)> {
        let grant = caller.read(path)?;
        let parsed = self.parse_query(query)?;
        if let Some(order) = parsed.order_in_store() {
            let total =
                usize::try_from(caller.snapshot().library(&grant)?.assets).map_err(Error::internal)?;
            let list = StoredList { caller: &caller, grant: &grant };
            let periods = in_order(order, periods(&list, total)?, total);
            return Ok((caller, periods));
        }
        let Some(order) = parsed.order.filter(|order| matches!(order, Order::Newest | Order::Oldest)) else {
            return Ok((caller, Vec::new()));
        };
        let query = query.clone();
        self.scan(caller, grant, parsed, move |core, caller, grant, parsed: &ParsedQuery| {
            let mut ids = core.result(caller, grant, &query, parsed, Freshness::Cached)?.to_vec();
            if order == Order::Oldest {
                ids.reverse();
            }
            let list = KnownList { caller, grant, ids: &ids };
            Ok(in_order(order, periods(&list, ids.len())?, ids.len()))
        })
        .await
    }
}

/// A list, newest first.
trait TimedList {
    /// When the asset at a position was uploaded.
    fn time_at(&self, position: usize) -> Result<Option<Millis>>;

    /// How many assets were uploaded at this time or later.
    fn count_since(&self, time: Millis) -> Result<usize>;
}

/// The whole list of a library.
struct StoredList<'a> {
    caller: &'a Caller,
    grant: &'a ReadGrant,
}

impl TimedList for StoredList<'_> {
    fn time_at(&self, position: usize) -> Result<Option<Millis>> {
        let cursor = self.caller.snapshot().listed_at(self.grant, position)?;
        Ok(cursor.map(|cursor| newest_first(cursor.age)))
    }

    fn count_since(&self, time: Millis) -> Result<usize> {
        self.caller.snapshot().listed_before_age(self.grant, newest_first(time).saturating_add(1))
    }
}

/// The result of a query.
struct KnownList<'a> {
    caller: &'a Caller,
    grant: &'a ReadGrant,
    ids: &'a [AssetId],
}

impl TimedList for KnownList<'_> {
    fn time_at(&self, position: usize) -> Result<Option<Millis>> {
        // One that was trashed since the result was computed has no time any more.
        let mut rest = self.ids.iter().skip(position);
        Ok(rest.find_map(|id| self.caller.snapshot().asset(self.grant, id).ok()).map(|asset| asset.created))
    }

    fn count_since(&self, time: Millis) -> Result<usize> {
        let is_since = |id: &AssetId| {
            self.caller.snapshot().asset(self.grant, id).is_ok_and(|asset| asset.created >= time)
        };
        Ok(self.ids.partition_point(is_since))
    }
}

/// The periods of a list, newest first.
fn periods(list: &impl TimedList, total: usize) -> Result<Vec<Period>> {
    let (newest, oldest) = (list.time_at(0)?, list.time_at(total.saturating_sub(1))?);
    let Some((newest, oldest)) = newest.zip(oldest) else { return Ok(Vec::new()) };
    let letters = if newest.saturating_sub(oldest) <= DAYS_UP_TO { "2026-11-27" } else { "2026-11" }.len();
    let mut periods: Vec<Period> = Vec::new();
    let mut first = 0;
    while let Some(time) = list.time_at(first)?.filter(|_| periods.len() < MAX) {
        let name = date(time).get(..letters).unwrap_or_default().to_owned();
        let next = list.count_since(beginning(&name).min(time))?;
        periods.push(Period { name, first });
        first = next.max(first + 1);
    }
    Ok(periods)
}

/// The same periods as they come in an order.
fn in_order(order: Order, mut periods: Vec<Period>, total: usize) -> Vec<Period> {
    if order != Order::Oldest {
        return periods;
    }
    let ends: Vec<usize> = periods.iter().skip(1).map(|period| period.first).chain([total]).collect();
    for (period, end) in periods.iter_mut().zip(ends) {
        period.first = total - end;
    }
    periods.reverse();
    periods
}

/// The date of a time.
fn date(time: Millis) -> String {
    // The last second that the format has a name for.
    let seconds = (time / 1000).min(253_402_300_799);
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

/// When a month or a day begins.
fn beginning(name: &str) -> Millis {
    let day = if name.len() > "2026-11".len() { name.to_owned() } else { format!("{name}-01") };
    let begins = humantime::parse_rfc3339(&format!("{day}T00:00:00Z")).unwrap_or(UNIX_EPOCH);
    let since = begins.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
