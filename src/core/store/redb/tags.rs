//! The tags of libraries in the tables: how many assets carry each, in the order in which they are shown. Counts, order
//! and total change together with the asset that is tagged; nothing is counted or sorted when somebody looks.

use std::ops::ControlFlow;

use super::libraries::adjusted;
use super::tables::{TAG_RANKS, TAG_TOTALS, TAGS, most_first};
use super::{Reader, Tx, between};
use crate::core::access::grant::ReadGrant;
use crate::core::model::TagCount;
use crate::core::model::id::LibraryId;
use crate::core::store::records::TagQueries;
use crate::error::Result;

/// sorts after every tag.
const LAST: &str = "\u{10FFFF}";

impl<R: Reader> TagQueries for R {
    fn tags(&self, grant: &ReadGrant, limit: usize) -> Result<Vec<TagCount>> {
        let library = grant.library().0;
        let mut tags = Vec::new();
        if limit == 0 {
            return Ok(tags);
        }
        let all = between((library, 0, "", ""), (library, u64::MAX, LAST, LAST));
        self.scan(TAG_RANKS, all, |(_, rank, text, _), ()| {
            tags.push(TagCount { text: text.to_owned(), count: most_first(rank) });
            Ok(if tags.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(tags)
    }

    fn tag_total(&self, grant: &ReadGrant) -> Result<u64> {
        Ok(self.lookup(TAG_TOTALS, grant.library().0, Ok)?.unwrap_or(0))
    }
}

impl Tx<'_> {
    /// Counts an asset in or out of a tag, and returns the tag as the library first wrote it.
    pub(super) fn adjust_tag_count(
        &self,
        library: LibraryId,
        folded: &str,
        text: &str,
        change: i64,
    ) -> Result<String> {
        let found = self.lookup(TAGS, (library.0, folded), |(text, count)| Ok((text.to_owned(), count)))?;
        let (text, before) = found.unwrap_or_else(|| (text.to_owned(), 0));
        let after = adjusted(before, change)?;
        if before > 0 {
            self.delete(TAG_RANKS, (library.0, most_first(before), text.as_str(), folded))?;
        }
        if after > 0 {
            self.put(TAG_RANKS, (library.0, most_first(after), text.as_str(), folded), ())?;
            self.put(TAGS, (library.0, folded), (text.as_str(), after))?;
        } else {
            self.delete(TAGS, (library.0, folded))?;
        }
        match (before, after) {
            (0, 1..) => self.adjust_tag_total(library, 1)?,
            (1.., 0) => self.adjust_tag_total(library, -1)?,
            (0, 0) | (1.., 1..) => {}
        }
        Ok(text)
    }

    /// How many different tags a library has.
    pub(super) fn tag_total_of(&self, library: LibraryId) -> Result<u64> {
        Ok(self.lookup(TAG_TOTALS, library.0, Ok)?.unwrap_or(0))
    }

    /// Whether a library has a tag.
    pub(super) fn has_tag(&self, library: LibraryId, folded: &str) -> Result<bool> {
        Ok(self.lookup(TAGS, (library.0, folded), |_| Ok(()))?.is_some())
    }

    /// Counts different tags in or out of a library.
    fn adjust_tag_total(&self, library: LibraryId, change: i64) -> Result<()> {
        match adjusted(self.tag_total_of(library)?, change)? {
            0 => self.delete(TAG_TOTALS, library.0),
            total => self.put(TAG_TOTALS, library.0, total),
        }
    }
}

#[cfg(test)]
mod tests;
