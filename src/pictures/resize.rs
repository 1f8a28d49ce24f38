//! Sizes of pictures, and how they fit into boxes. Raster pictures are never enlarged.

use image::metadata::Orientation;
use serde::{Deserialize, Serialize};

/// Width and height in pixels, neither 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PixelSize {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl PixelSize {
    /// A size of at least one pixel each way.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width: if width == 0 { 1 } else { width }, height: if height == 0 { 1 } else { height } }
    }

    /// The longer of the two.
    #[must_use]
    pub const fn longest(self) -> u32 {
        if self.width > self.height { self.width } else { self.height }
    }

    /// The number of pixels.
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
                reason = "saturates, and what is too large is refused for its memory"
            )]
            let scaled = (f64::from(edge) * factor).round() as u32;
            scaled
        };
        Self::new(edge(self.width), edge(self.height))
    }
}

/// How a picture is fitted into a box that has both a width and a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Fit {
    /// The whole picture is visible; it touches two sides of the box.
    #[default]
    Contain,
    /// It fills the box; the excess is cropped equally on both sides.
    Cover,
}

/// How to resize a picture. Without a width and a height its size stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ResizeSpec {
    /// The width of the box.
    pub width: Option<u32>,
    /// The height of the box.
    pub height: Option<u32>,
    /// How the picture is fitted when both are given and it has another aspect ratio.
    pub fit: Fit,
}

impl ResizeSpec {
    /// Limits both edges to `edge`.
    #[must_use]
    pub const fn within(edge: u32) -> Self {
        Self { width: Some(edge), height: Some(edge), fit: Fit::Contain }
    }

    /// The size that an upright raster picture of `from` is scaled to, before cropping. Never larger.
    #[must_use]
    pub fn scaled(&self, from: PixelSize) -> PixelSize {
        from.scaled(self.factor(from).min(1.0))
    }

    /// The size that a vector image of `from` is drawn at, before cropping. It may be larger.
    #[must_use]
    pub fn drawn(&self, from: PixelSize) -> PixelSize {
        from.scaled(self.factor(from))
    }

    fn factor(&self, from: PixelSize) -> f64 {
        let across = self.width.map(|width| ratio(width, from.width));
        let down = self.height.map(|height| ratio(height, from.height));
        match (across, down, self.fit) {
            (None, None, _) => 1.0,
            (Some(only), None, _) | (None, Some(only), _) => only,
            (Some(across), Some(down), Fit::Contain) => across.min(down),
            (Some(across), Some(down), Fit::Cover) => across.max(down),
        }
    }

    /// The size of a scaled picture after cropping: the box, or the box's aspect ratio where the picture is smaller.
    #[must_use]
    pub fn crop(&self, scaled: PixelSize) -> PixelSize {
        let (Some(width), Some(height), Fit::Cover) = (self.width, self.height, self.fit) else {
            return scaled;
        };
        let shrink = ratio(scaled.width, width).min(ratio(scaled.height, height)).min(1.0);
        let cropped = PixelSize::new(width, height).scaled(shrink);
        PixelSize::new(cropped.width.min(scaled.width), cropped.height.min(scaled.height))
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    f64::from(part.max(1)) / f64::from(whole.max(1))
}

/// The size after rotation.
pub(super) fn upright(stored: PixelSize, orientation: Orientation) -> PixelSize {
    match orientation {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => stored,
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => PixelSize { width: stored.height, height: stored.width },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec(width: u32, height: u32, fit: Fit) -> ResizeSpec {
        ResizeSpec { width: Some(width), height: Some(height), fit }
    }

    #[test]
    fn a_contained_picture_touches_the_box() {
        assert_eq!(ResizeSpec::within(400).scaled(PixelSize::new(6000, 4000)), PixelSize::new(400, 267));
        assert_eq!(ResizeSpec::within(400).scaled(PixelSize::new(1000, 30_000)), PixelSize::new(13, 400));
        assert_eq!(ResizeSpec::within(400).scaled(PixelSize::new(30, 100_000)), PixelSize::new(1, 400));
    }

    #[test]
    fn raster_pictures_are_not_enlarged() {
        assert_eq!(ResizeSpec::within(400).scaled(PixelSize::new(300, 200)), PixelSize::new(300, 200));
        assert_eq!(spec(800, 400, Fit::Cover).scaled(PixelSize::new(300, 300)), PixelSize::new(300, 300));
    }

    #[test]
    fn a_covering_picture_is_cropped_to_the_ratio_of_the_box() {
        let square = spec(100, 100, Fit::Cover);
        assert_eq!(square.scaled(PixelSize::new(6000, 4000)), PixelSize::new(150, 100));
        assert_eq!(square.crop(PixelSize::new(150, 100)), PixelSize::new(100, 100));
        assert_eq!(spec(800, 400, Fit::Cover).crop(PixelSize::new(300, 300)), PixelSize::new(300, 150));
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
            let spec = ResizeSpec { width, height, fit };
            let from = PixelSize::new(from.0, from.1);
            let scaled = spec.scaled(from);
            let cropped = spec.crop(scaled);
            prop_assert!(scaled.width <= from.width && scaled.height <= from.height);
            prop_assert!(cropped.width <= scaled.width && cropped.height <= scaled.height);
            prop_assert!(width.is_none_or(|width| cropped.width <= width));
            prop_assert!(height.is_none_or(|height| cropped.height <= height));
        }
    }
}
