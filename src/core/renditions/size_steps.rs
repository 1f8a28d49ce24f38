//! The widths, aspect ratios and qualities that renditions are made in. A request is rounded up to the next step, so that
//! the number of renditions of a file is bounded.

use crate::pictures::MAX_ENCODED_EDGE;

/// The widths that renditions are made in; any other is rounded up to the next. They include the widths of the thumbnails
/// and of `sizes`; two neighbours differ by a third at most, so that no picture is much larger than it is shown.
pub const WIDTH_STEPS: [u32; 23] = [
    16, 32, 48, 64, 96, 128, 200, 256, 320, 400, 480, 640, 800, 960, 1200, 1600, 2000, 2400, 3200, 4000,
    4800, 6400, MAX_EDGE,
];
/// The largest of them.
pub const MAX_EDGE: u32 = 8000;
/// The distance between two steps of quality; any other quality is rounded up to the next.
const QUALITY_STEP: u8 = 5;
/// The aspect ratios of boxes, as height and width; any other is rounded up to the next higher one.
pub(super) const ASPECT_RATIOS: [(u32, u32); 31] = [
    (1, 100),
    (1, 50),
    (1, 25),
    (1, 16),
    (1, 8),
    (1, 6),
    (1, 4),
    (1, 3),
    (2, 5),
    (3, 7),
    (1, 2),
    (9, 16),
    (5, 8),
    (2, 3),
    (3, 4),
    (4, 5),
    (9, 10),
    (1, 1),
    (10, 9),
    (5, 4),
    (4, 3),
    (3, 2),
    (8, 5),
    (16, 9),
    (2, 1),
    (7, 3),
    (5, 2),
    (3, 1),
    (4, 1),
    (6, 1),
    (8, 1),
];
/// The heights of the highest boxes, for a width of 1.
pub(super) const TALLEST: [u32; 5] = [16, 25, 50, 100, 500];

/// The next larger step, or the largest.
pub(super) fn snapped(width: u32) -> u32 {
    WIDTH_STEPS.into_iter().find(|step| *step >= width).unwrap_or(MAX_EDGE)
}

/// The height for a box whose width was rounded to `step`: it keeps the aspect ratio, rounded up to one of [`ASPECT_RATIOS`].
pub(super) fn proportional(height: u32, step: u32, width: u32) -> u32 {
    let mut ratios = ASPECT_RATIOS.into_iter().chain(TALLEST.map(|height| (height, 1)));
    let is_as_high = |(high, wide): &(u32, u32)| {
        u64::from(*high) * u64::from(width.max(1)) >= u64::from(height) * u64::from(*wide)
    };
    let (high, wide) = ratios.find(is_as_high).unwrap_or((MAX_ENCODED_EDGE, 1));
    let scaled = (u64::from(high) * u64::from(step)).div_ceil(u64::from(wide));
    u32::try_from(scaled).unwrap_or(MAX_ENCODED_EDGE).clamp(1, MAX_ENCODED_EDGE)
}

/// The quality, rounded up to its next step.
pub(super) fn stepped(quality: u8) -> u8 {
    quality.div_ceil(QUALITY_STEP).saturating_mul(QUALITY_STEP)
}
