//! Sizes of pictures: what fits into what. Never enlarges.

use image::metadata::Orientation;
use serde::{Deserialize, Serialize};

/// Width and height in pixels, neither 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Size {
    /// A size; nothing is narrower than a pixel.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width: if width == 0 { 1 } else { width }, height: if height == 0 { 1 } else { height } }
    }

    /// The longer of the two.
    #[must_use]
    pub const fn longest(self) -> u32 {
        if self.width > self.height { self.width } else { self.height }
    }

    /// How many pixels.
    #[must_use]
    pub const fn pixels(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Both edges times `factor`, rounded.
    fn scaled(self, factor: f64) -> Self {
        let edge = |edge: u32| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a factor of at most 1 keeps a u32 a u32"
            )]
            let scaled = (f64::from(edge) * factor).round() as u32;
            scaled
        };
        Self::new(edge(self.width), edge(self.height))
    }
}

/// How a picture is put into a box of both a width and a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Fit {
    /// All of it is seen; it touches two sides of the box.
    #[default]
    Contain,
    /// It fills the box; what hangs over is cut off on both sides alike.
    Cover,
}

/// How large a picture is wanted. Without a width and a height it stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Wanted {
    /// The width of the box.
    pub width: Option<u32>,
    /// The height of the box.
    pub height: Option<u32>,
    /// What happens when both are given and the picture has another shape.
    pub fit: Fit,
}

impl Wanted {
    /// Neither edge longer than `edge`.
    #[must_use]
    pub const fn within(edge: u32) -> Self {
        Self { width: Some(edge), height: Some(edge), fit: Fit::Contain }
    }

    /// The size that an upright picture of `from` is scaled to, before anything is cut off.
    #[must_use]
    pub fn scaled(&self, from: Size) -> Size {
        let across = self.width.map(|width| ratio(width, from.width));
        let down = self.height.map(|height| ratio(height, from.height));
        let factor = match (across, down, self.fit) {
            (None, None, _) => 1.0,
            (Some(only), None, _) | (None, Some(only), _) => only,
            (Some(across), Some(down), Fit::Contain) => across.min(down),
            (Some(across), Some(down), Fit::Cover) => across.max(down),
        };
        from.scaled(factor.min(1.0))
    }

    /// What is left of a scaled picture after the cut: the box, or its shape where the picture is smaller.
    #[must_use]
    pub fn crop(&self, scaled: Size) -> Size {
        let (Some(width), Some(height), Fit::Cover) = (self.width, self.height, self.fit) else {
            return scaled;
        };
        let shrink = ratio(scaled.width, width).min(ratio(scaled.height, height)).min(1.0);
        let cut = Size::new(width, height).scaled(shrink);
        Size::new(cut.width.min(scaled.width), cut.height.min(scaled.height))
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    f64::from(part.max(1)) / f64::from(whole.max(1))
}

/// The size after the turn.
pub(super) fn upright(stored: Size, orientation: Orientation) -> Size {
    match orientation {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => stored,
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => Size { width: stored.height, height: stored.width },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(width: u32, height: u32, fit: Fit) -> Wanted {
        Wanted { width: Some(width), height: Some(height), fit }
    }

    #[test]
    fn what_is_contained_touches_the_box() {
        assert_eq!(Wanted::within(400).scaled(Size::new(6000, 4000)), Size::new(400, 267));
        assert_eq!(Wanted::within(400).scaled(Size::new(1000, 30_000)), Size::new(13, 400));
        assert_eq!(Wanted::within(400).scaled(Size::new(30, 100_000)), Size::new(1, 400));
    }

    #[test]
    fn nothing_is_enlarged() {
        assert_eq!(Wanted::within(400).scaled(Size::new(300, 200)), Size::new(300, 200));
        assert_eq!(wanted(800, 400, Fit::Cover).scaled(Size::new(300, 300)), Size::new(300, 300));
    }

    #[test]
    fn what_covers_is_cut_to_the_shape_of_the_box() {
        let square = wanted(100, 100, Fit::Cover);
        assert_eq!(square.scaled(Size::new(6000, 4000)), Size::new(150, 100));
        assert_eq!(square.crop(Size::new(150, 100)), Size::new(100, 100));
        assert_eq!(wanted(800, 400, Fit::Cover).crop(Size::new(300, 300)), Size::new(300, 150));
    }

    proptest! {
        #[test]
        fn results_are_within_the_original_and_the_box(
            from in (1u32..70_000, 1u32..70_000),
            width in proptest::option::of(1u32..5000),
            height in proptest::option::of(1u32..5000),
            cover: bool,
        ) {
            let fit = if cover { Fit::Cover } else { Fit::Contain };
            let wanted = Wanted { width, height, fit };
            let from = Size::new(from.0, from.1);
            let scaled = wanted.scaled(from);
            let cut = wanted.crop(scaled);
            prop_assert!(scaled.width <= from.width && scaled.height <= from.height);
            prop_assert!(cut.width <= scaled.width && cut.height <= scaled.height);
            prop_assert!(width.is_none_or(|width| cut.width <= width));
            prop_assert!(height.is_none_or(|height| cut.height <= height));
        }
    }
}
