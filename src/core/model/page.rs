//! Paging: which page of a list a client asks for. Pages count from 1; absent and 0 both mean the first. A list that
//! changes while it is read is paged by a cursor, which is a position and not a number.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::id::AssetId;
use crate::core::model::Asset;
use crate::core::model::time::{Millis, newest_first};

/// The default number of entries on a page of a list.
pub const PAGE_SIZE: usize = 50;
/// The default number of hits on a page of a search.
pub const SEARCH_PAGE_SIZE: usize = 20;
/// Photos on a page; the oldest clients of GraphQL ask for the next page only after this many.
pub const PHOTOS_PAGE_SIZE: usize = 500;
/// The default number of tags of a library.
pub const TAGS: usize = 100;
/// The most tags of a library in one answer.
pub const MAX_TAGS: usize = 1000;

/// A request for a page of a list, as an offset and a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// How many entries come before it.
    pub offset: usize,
    /// The most entries on it.
    pub size: usize,
}

impl PageRequest {
    /// The requested page: a `size` that is missing or 0 means `default`, one above `largest` is clamped.
    #[must_use]
    pub fn new(page: Option<u64>, size: Option<u64>, default: usize, largest: usize) -> Self {
        let size = match size {
            None | Some(0) => default.min(largest),
            Some(size) => usize::try_from(size).unwrap_or(largest).min(largest),
        };
        let before = page.unwrap_or(0).saturating_sub(1);
        let offset = usize::try_from(before).unwrap_or(usize::MAX).saturating_mul(size);
        Self { offset, size }
    }

    /// The number of entries up to the end of this page.
    #[must_use]
    pub fn end(self) -> usize {
        self.offset.saturating_add(self.size)
    }

    /// This page of a complete list.
    pub fn cut<T>(self, list: impl IntoIterator<Item = T>) -> Vec<T> {
        list.into_iter().skip(self.offset).take(self.size).collect()
    }
}

/// A request for a page of a list of assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetPageRequest {
    /// Where it begins.
    pub start: PageStart,
    /// The most entries on it.
    pub size: usize,
}

/// Where a page of assets begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStart {
    /// After this many entries.
    Offset(usize),
    /// After this cursor, even if entries before it were added or removed.
    After(Cursor),
}

impl From<PageRequest> for AssetPageRequest {
    fn from(PageRequest { offset, size }: PageRequest) -> Self {
        Self { start: PageStart::Offset(offset), size }
    }
}

/// One page of a list, and the start of the next one, if there is one.
#[derive(Debug, Clone)]
pub struct Page<T, C = Cursor> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor after which the next page begins; `None` at the end.
    pub next: Option<C>,
}

/// A position in a list of assets that is ordered newest first. It stays valid when its asset is deleted. Clients get
/// it as opaque text, which reveals no more than the entry before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// When the asset at this position was created, in the form in which the store sorts it: newest first.
    pub age: u64,
    /// The id of that asset, which breaks ties.
    pub id: AssetId,
}

impl Cursor {
    /// The position of an asset.
    #[must_use]
    pub fn of(asset: &Asset) -> Self {
        Self::at(asset.created, asset.id)
    }

    /// The position of an asset that was uploaded at this time.
    #[must_use]
    pub fn at(created: Millis, id: AssetId) -> Self {
        Self { age: newest_first(created), id }
    }

    /// Parses a client's cursor; `None` for an invalid one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (age, id) = bytes.split_first_chunk::<8>()?;
        let id = AssetId::parse(std::str::from_utf8(id).ok()?)?;
        Some(Self { age: u64::from_be_bytes(*age), id })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.age.to_be_bytes().iter().chain(self.id.bytes()).copied().collect();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_survives_a_round_trip(age: u64) {
            let cursor = Cursor { age, id: AssetId::random() };
            prop_assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }

        #[test]
        fn a_parsed_cursor_is_written_unchanged(text in "[A-Za-z0-9_-]{0,40}|.*") {
            if let Some(cursor) = Cursor::parse(&text) {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }

    #[test]
    fn absent_zero_and_one_are_the_first_page() {
        for page in [None, Some(0), Some(1)] {
            assert_eq!(PageRequest::new(page, None, 50, 500), PageRequest { offset: 0, size: 50 });
        }
        assert_eq!(PageRequest::new(Some(3), Some(20), 50, 500), PageRequest { offset: 40, size: 20 });
    }

    #[test]
    fn sizes_are_clamped_and_distant_pages_do_not_overflow() {
        assert_eq!(PageRequest::new(None, Some(9999), 50, 500).size, 500);
        assert_eq!(PageRequest::new(Some(u64::MAX), Some(500), 50, 500).end(), usize::MAX);
    }
}
