//! Goes through the listed assets of libraries without having all of them in memory.

use std::ops::ControlFlow;

use super::model::Asset;
use super::store::{AssetLists, Snapshot};
use crate::core::access::ReadGrant;
use crate::core::model::page::{AssetPageRequest, Page, PageStart};
use crate::error::Result;

/// How many records are read at a time.
const BATCH: usize = 1000;

/// Calls `look_at` with the listed assets of these libraries, newest first, until it breaks off or there are no more.
///
/// # Errors
/// When the store fails.
pub(super) fn newest_first(
    snapshot: &Snapshot,
    grants: &[ReadGrant],
    mut look_at: impl FnMut(Asset) -> ControlFlow<()>,
) -> Result<()> {
    let mut start = PageStart::Offset(0);
    loop {
        let Page { items, next } = snapshot.listed(grants, AssetPageRequest { start, size: BATCH })?;
        let is_over = items.into_iter().try_for_each(&mut look_at).is_break();
        match next {
            Some(next) if !is_over => start = PageStart::After(next),
            Some(_) | None => return Ok(()),
        }
    }
}
