//! A perceptual hash of what a picture shows, to find copies of it in other sizes and formats: whether each of 8 × 8 fields is
//! brighter than the one to its right ("dHash", Krawetz 2013). Similar pictures differ in few bits.

use super::Failure;
use super::canvas::Canvas;
use super::colour::on_white;

/// The fields that are compared: one more in a row than there are bits.
const ACROSS: usize = 9;
const DOWN: usize = 8;

/// The hash of a picture, made from its smallest size.
pub(super) fn perceptual_hash(small: &Canvas) -> Result<u64, Failure> {
    let flat = on_white(small)?;
    let (pixels, _) = flat.pixels().as_chunks::<3>();
    let (width, height) = (flat.size().width as usize, flat.size().height as usize);
    let brightness: Vec<u32> = pixels
        .iter()
        // The weights of red, green and blue in ITU-R BT.601.
        .map(|[red, green, blue]| 299 * u32::from(*red) + 587 * u32::from(*green) + 114 * u32::from(*blue))
        .collect();
    let field = |column: usize, row: usize| {
        let (left, right) = part(column, ACROSS, width);
        let (top, bottom) = part(row, DOWN, height);
        let rows = (top..bottom).filter_map(|y| brightness.get(y * width + left..y * width + right));
        let sum: u64 = rows.flatten().map(|pixel| u64::from(*pixel)).sum();
        sum / ((right - left) * (bottom - top)).max(1) as u64
    };
    let mut hash = 0;
    for row in 0..DOWN {
        for column in 1..ACROSS {
            hash = hash << 1 | u64::from(field(column - 1, row) > field(column, row));
        }
    }
    Ok(hash)
}

/// The pixels of one of `parts` equal parts of an edge: at least one.
fn part(index: usize, parts: usize, pixels: usize) -> (usize, usize) {
    let start = (index * pixels / parts).min(pixels.saturating_sub(1));
    (start, ((index + 1) * pixels / parts).clamp(start + 1, pixels.max(start + 1)))
}

#[cfg(test)]
mod tests {
    use super::super::canvas::ChannelLayout;
    use super::super::resize::PixelSize;
    use super::*;

    /// A picture whose brightness at a place in 0..1 is what `shade` says.
    fn picture(width: u32, height: u32, shade: impl Fn(f64, f64) -> f64) -> Canvas {
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let value = shade(f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "within 0..=255"
                )]
                pixels.extend([(value * 255.0).clamp(0.0, 255.0) as u8; 3]);
            }
        }
        Canvas::new(PixelSize::new(width, height), ChannelLayout::Rgb, pixels).expect("counted right")
    }

    fn waves(x: f64, y: f64) -> f64 {
        0.5 + 0.5 * (x * 9.0 + y * 4.0).sin() * (y * 7.0).cos()
    }

    #[test]
    fn another_size_looks_alike_and_another_picture_does_not() {
        let [one, smaller, other] = [
            perceptual_hash(&picture(32, 24, waves)),
            perceptual_hash(&picture(27, 20, waves)),
            perceptual_hash(&picture(32, 24, |x, y| waves(y, 1.0 - x))),
        ]
        .map(|hash| hash.expect("a picture"));
        assert!((one ^ smaller).count_ones() <= 6, "{one:x} {smaller:x}");
        assert!((one ^ other).count_ones() > 12, "{one:x} {other:x}");
    }

    #[test]
    fn the_smallest_pictures_have_a_hash() {
        for (width, height) in [(1, 1), (1, 32), (32, 1), (3, 2), (9, 8)] {
            assert_eq!(
                perceptual_hash(&picture(width, height, |_, _| 0.3)).expect("a picture"),
                0,
                "{width} × {height}"
            );
        }
    }
}
