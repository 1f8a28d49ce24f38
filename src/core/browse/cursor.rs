//! Positions in the result of a query, and how results are sorted.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Order;
use crate::core::model::Asset;
use crate::core::model::id::AssetId;
use crate::core::model::name::fold;
use crate::core::model::page::Cursor;
use crate::core::model::time::{Millis, newest_first};

/// How many bytes of a name determine its position, so that a cursor stays short.
const NAME_BYTES: usize = 128;

/// A position in the result of a query. It stays valid when its asset is deleted. Clients get it as opaque text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrowseCursor {
    key: Vec<u8>,
    pub(super) id: AssetId,
}

impl BrowseCursor {
    /// Parses a cursor. Any other text is either invalid, or a position before or after everything.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, key) = bytes.split_first_chunk::<16>()?;
        Some(Self { id: AssetId::parse(std::str::from_utf8(id).ok()?)?, key: key.to_vec() })
    }

    /// The position in an order by time.
    pub(super) fn by_time(order: Order, created: Millis, id: AssetId) -> Self {
        let key = match order {
            Order::Oldest => created,
            Order::Newest | Order::Name | Order::Size => newest_first(created),
        };
        Self { key: key.to_be_bytes().to_vec(), id }
    }

    pub(super) fn of(asset: &Asset, rank: Rank) -> Self {
        let key = match rank {
            Rank::By(order @ (Order::Newest | Order::Oldest)) => {
                return Self::by_time(order, asset.created, asset.id);
            }
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
    pub(super) fn cursor(&self) -> Option<Cursor> {
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
pub(super) enum Rank {
    /// In this order.
    By(Order),
    /// By this score, the best match first.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_sorted_naturally() {
        let ordered = ["a", "a2", "a10", "A11b", "a11c", "ab", "B", "img_0009", "IMG_10", "img_x", "é"];
        let mut sorted = ordered;
        sorted.reverse();
        sorted.sort_by_cached_key(|name| name_key(name));
        assert_eq!(sorted, ordered);
    }

    proptest! {
        #[test]
        fn a_cursor_survives_a_round_trip(key: Vec<u8>) {
            let position = BrowseCursor { key, id: AssetId::random() };
            prop_assert_eq!(BrowseCursor::parse(&position.to_string()), Some(position));
        }

        #[test]
        fn parsing_a_cursor_never_panics(text: String, name: String) {
            let _ = BrowseCursor::parse(&text);
            prop_assert!(name_key(&name).len() <= NAME_BYTES);
        }

        #[test]
        fn better_matches_come_first(one in 0f32..=1.0, other in 0f32..=1.0) {
            let key = |score: f32| u32::MAX - score.to_bits();
            prop_assert_eq!(one > other, key(one) < key(other));
        }
    }
}
