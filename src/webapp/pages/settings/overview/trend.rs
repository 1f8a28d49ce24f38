//! How an organization grows: the storage of each library, and what was added in the last days.

use crate::core::growth::AddedInDay;
use crate::core::model::Library;
use crate::webapp::format::numbers::{bytes, counted};

/// How many days the trend has.
pub const DAYS: usize = 30;
/// The distance between two bars of the picture, in its units.
const STEP: usize = 10;
/// The height of the highest bar.
const HEIGHT: u64 = 100;

/// What was added in the last days, as bars of a picture.
pub struct Trend {
    /// One for each day, the oldest first.
    pub bars: Vec<Bar>,
    /// All of it, in words.
    pub summary: String,
    /// The bytes of all days.
    pub bytes: u64,
}

/// One day.
pub struct Bar {
    /// From the left.
    pub x: usize,
    /// From the top.
    pub y: u64,
    /// Its height; a day with anything has at least one unit.
    pub height: u64,
    /// What was added, in words.
    pub text: String,
}

impl Trend {
    /// The trend of these days.
    pub fn of(days: &[AddedInDay]) -> Self {
        let highest = days.iter().map(|day| day.bytes).max().unwrap_or(0).max(1);
        let bar = |(place, day): (usize, &AddedInDay)| {
            let scaled = u128::from(day.bytes) * u128::from(HEIGHT) / u128::from(highest);
            let height = u64::try_from(scaled).unwrap_or(HEIGHT).max(u64::from(day.assets > 0));
            let ago = match days.len() - place {
                1 => "The last 24 hours".to_owned(),
                days => format!("{} days ago", days - 1),
            };
            let text = format!("{ago}: {}, {}", counted(day.assets, "asset"), bytes(day.bytes));
            Bar { x: place * STEP, y: HEIGHT - height, height, text }
        };
        let (assets, all) = (days.iter().map(|day| day.assets).sum(), days.iter().map(|day| day.bytes).sum());
        Self {
            bars: days.iter().enumerate().map(bar).collect(),
            summary: format!("{}, {}", counted(assets, "asset"), bytes(all)),
            bytes: all,
        }
    }
}

/// When this much room is used up if as much is added each day as in the last days; none if that is further away than
/// anybody plans for.
pub fn full_in(available: u64, added: u64) -> Option<String> {
    /// Ten years.
    const FAR: u64 = 3650;
    let days = available.checked_mul(DAYS as u64)?.checked_div(added)?;
    let (number, unit) = match days {
        0..=60 => (days, "day"),
        61..=730 => (days / 30, "month"),
        731..FAR => (days / 365, "year"),
        FAR.. => return None,
    };
    Some(counted(number, unit))
}

/// The storage of one library.
pub struct LibraryStorage {
    /// Its name.
    pub name: String,
    /// Its address.
    pub href: String,
    /// How many bytes, for people.
    pub size: String,
    /// Its part of the largest, in percent.
    pub percent: u64,
}

impl LibraryStorage {
    /// Those of all libraries, the largest first.
    pub fn of(libraries: &[(Library, u64)], organization: &str) -> Vec<Self> {
        let largest = libraries.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0).max(1);
        let mut sorted: Vec<_> = libraries.iter().collect();
        sorted.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let row = |(library, size): &(Library, u64)| Self {
            name: library.name.clone(),
            href: format!("/app/{organization}/{}", library.slug),
            size: bytes(*size),
            percent: u64::try_from(u128::from(*size) * 100 / u128::from(largest)).unwrap_or(100),
        };
        sorted.into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_day_fills_the_picture_and_none_is_lost() {
        let days = [(0, 0), (1, 10), (9, 1_000_000)].map(|(assets, bytes)| AddedInDay { assets, bytes });
        let trend = Trend::of(&days);
        assert_eq!(trend.bars.iter().map(|bar| bar.height).collect::<Vec<_>>(), [0, 1, 100]);
        assert_eq!(trend.summary, "10 assets, 1 MB");
        assert_eq!(trend.bars[0].text, "2 days ago: 0 assets, 0 bytes");
        assert!(Trend::of(&[]).bars.is_empty());
    }

    #[test]
    fn a_disk_is_full_when_its_room_is_used_up_at_this_pace() {
        for (available, added, expected) in [
            (0, 30, Some("0 days")),
            (100, 30, Some("3 months")),
            (2, 60, Some("1 day")),
            (1_000, 30, Some("2 years")),
            (1_000_000, 30, None),
            (1, 0, None),
            (u64::MAX, u64::MAX, None),
        ] {
            assert_eq!(full_in(available, added).as_deref(), expected, "{available} {added}");
        }
    }
}
