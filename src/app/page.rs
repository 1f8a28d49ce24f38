//! Paging: which part of a list is asked for. 1-based pages; absent and 0 both mean the first.
//! A list that changes while it is read is followed by a cursor, which is a place and not a number.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::id::AssetId;
use super::model::Asset;
use super::store::newest_first;

/// A page of a list, as an offset and a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many entries come before it.
    pub offset: usize,
    /// How many entries it has at most.
    pub size: usize,
}

impl Page {
    /// The page that a client asked for: `size` absent or 0 is `default`, and above `largest` is clamped.
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

    /// How many entries of a list matter up to the end of this page.
    #[must_use]
    pub fn end(self) -> usize {
        self.offset.saturating_add(self.size)
    }

    /// Cuts this page out of a whole list.
    pub fn cut<T>(self, list: impl IntoIterator<Item = T>) -> Vec<T> {
        list.into_iter().skip(self.offset).take(self.size).collect()
    }
}

/// The part of a list of assets that is asked for: after a place in it, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Where it begins.
    pub start: Start,
    /// How many entries it has at most.
    pub size: usize,
}

/// Where a slice begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Behind this many entries, whichever they are by now.
    Offset(usize),
    /// Behind this place, whatever came and went before it.
    After(Cursor),
}

impl From<Page> for Slice {
    fn from(Page { offset, size }: Page) -> Self {
        Self { start: Start::Offset(offset), size }
    }
}

/// A place in a list of assets that is ordered newest first, also when no asset is there any more.
/// Clients get it as text that means nothing to them; it tells no more than the entry before it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// When the asset at this place was created, as the store orders it: newest first.
    pub age: u64,
    /// The id of that asset, which settles ties.
    pub id: AssetId,
}

impl Cursor {
    /// The place of an asset.
    #[must_use]
    pub fn of(asset: &Asset) -> Self {
        Self { age: newest_first(asset.created), id: asset.id }
    }

    /// Reads a cursor as a client sent it; `None` for one that was never given out.
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
        fn a_cursor_reads_back(age: u64) {
            let cursor = Cursor { age, id: AssetId::random() };
            prop_assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }

        #[test]
        fn what_is_read_as_a_cursor_is_written_the_same(text in "[A-Za-z0-9_-]{0,40}|.*") {
            if let Some(cursor) = Cursor::parse(&text) {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }

    #[test]
    fn absent_zero_and_one_are_the_first_page() {
        for page in [None, Some(0), Some(1)] {
            assert_eq!(Page::new(page, None, 50, 500), Page { offset: 0, size: 50 });
        }
        assert_eq!(Page::new(Some(3), Some(20), 50, 500), Page { offset: 40, size: 20 });
    }

    #[test]
    fn sizes_are_clamped_and_far_pages_do_not_overflow() {
        assert_eq!(Page::new(None, Some(9999), 50, 500).size, 500);
        assert_eq!(Page::new(Some(u64::MAX), Some(500), 50, 500).end(), usize::MAX);
    }
}
