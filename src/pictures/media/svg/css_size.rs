//! The size of a vector image from the attributes of its root element, for the asset and for all its renditions. Lengths
//! are CSS lengths, where an inch has 96 pixels.

use crate::pictures::media::Dimensions;

/// CSS pixels per unit, by the unit's name in lower case. Font-relative units assume browsers' default font size, 16 pixels.
/// See <https://www.w3.org/TR/css-values-3/#absolute-lengths>.
const UNITS: [(&str, f64); 12] = [
    ("px", 1.0),
    ("in", 96.0),
    ("cm", 96.0 / 2.54),
    ("mm", 96.0 / 25.4),
    ("pt", 96.0 / 72.0),
    ("pc", 16.0),
    ("rem", 16.0),
    ("em", 16.0),
    ("ex", 8.0),
    ("ch", 8.0),
    ("q", 96.0 / 101.6),
    ("", 1.0),
];
/// The edges that browsers assume when only the other one is given and there is no view box.
const DEFAULT: CssSize = CssSize { width: 300.0, height: 150.0 };

/// A width and a height in CSS pixels, both greater than 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CssSize {
    /// Width in CSS pixels.
    pub width: f64,
    /// Height in CSS pixels.
    pub height: f64,
}

impl CssSize {
    /// Reads the attributes `width`, `height` and `viewBox` as written in the file; `None` when they give no size. A length
    /// in per cent depends on where the image is shown and counts as not given.
    #[must_use]
    pub fn read(width: Option<&str>, height: Option<&str>, view_box: Option<&str>) -> Option<Self> {
        let box_size = view_box.and_then(view_box_size);
        let dimensions = match (width.and_then(length), height.and_then(length), box_size) {
            (Some(width), Some(height), _) => Self { width, height },
            (Some(width), None, Some(shape)) => Self { width, height: width * shape.height / shape.width },
            (None, Some(height), Some(shape)) => Self { width: height * shape.width / shape.height, height },
            (Some(width), None, None) => Self { width, ..DEFAULT },
            (None, Some(height), None) => Self { height, ..DEFAULT },
            (None, None, Some(shape)) => shape,
            (None, None, None) => return None,
        };
        dimensions.is_drawable().then_some(dimensions)
    }

    /// In whole pixels, at least one.
    #[must_use]
    pub fn rounded(self) -> Dimensions {
        Dimensions { width: whole(self.width), height: whole(self.height) }
    }

    fn is_drawable(self) -> bool {
        let fits = |edge: f64| edge > 0.0 && edge <= f64::from(u32::MAX);
        fits(self.width) && fits(self.height)
    }
}

/// A length in CSS pixels, greater than 0.
fn length(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    let (number, scale) =
        UNITS.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?.trim_end(), scale)))?;
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e');
    let number: f64 = number.chars().all(is_number).then(|| number.parse().ok())??;
    Some(number * scale).filter(|length| length.is_finite() && *length > 0.0)
}

/// The width and height of a view box: the last two of its four numbers.
fn view_box_size(text: &str) -> Option<CssSize> {
    let numbers: Vec<f64> = text
        .split(|c: char| c == ',' || c.is_ascii_whitespace())
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    let [_, _, width, height] = *numbers.first_chunk::<4>()?;
    let size = CssSize { width, height };
    size.is_drawable().then_some(size)
}

fn whole(edge: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let whole = edge.round().max(1.0) as u32;
    whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(width: &str, height: &str, view_box: &str) -> Option<(u32, u32)> {
        let given = |text: &'static str| (!text.is_empty()).then_some(text);
        let [width, height, view_box] = [width, height, view_box].map(|text| given(text.to_owned().leak()));
        let size = CssSize::read(width, height, view_box)?.rounded();
        Some((size.width, size.height))
    }

    #[test]
    fn every_unit_is_read_and_one_edge_gives_the_other() {
        for (width, height, view_box, expected) in [
            ("210mm", "297mm", "0 0 210 297", Some((794, 1123))),
            ("2in", "1in", "0 0 2000 1000", Some((192, 96))),
            ("2.54cm", "25.4MM", "", Some((96, 96))),
            ("72pt", "6pc", "", Some((96, 96))),
            ("2em", "4ex", "", Some((32, 32))),
            ("101.6q", "1e2", "", Some((96, 100))),
            (" 40.4 px", "+29.5", "", Some((40, 30))),
            ("", "150", "0 0 200 100", Some((300, 150))),
            ("100", "", "0,0 200,50", Some((100, 25))),
            ("100%", "50", "0 0 200 100", Some((100, 50))),
            ("100%", "100%", "0 0 24 24", Some((24, 24))),
            ("50", "", "", Some((50, 150))),
            ("", "", "", None),
            ("0", "-1", "0 0 NaN 5", None),
            ("inf", "nan", "0 0 3", None),
            ("1e300", "1e300", "", None),
            ("&w;", "auto", "0 0 7 8", Some((7, 8))),
        ] {
            assert_eq!(read(width, height, view_box), expected, "{width:?} {height:?} {view_box:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_valid_size_or_none(width in "\\PC{0,12}", height in "[0-9.e+-]{0,8}[a-zQ%]{0,3}", view in "[0-9., e-]{0,20}") {
            if let Some(found) = CssSize::read(Some(&width), Some(&height), Some(&view)) {
                prop_assert!(found.width > 0.0 && found.height > 0.0);
                prop_assert!(found.rounded().width > 0 && found.rounded().height > 0);
            }
        }
    }
}
