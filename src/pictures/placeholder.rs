//! Placeholders to show while a picture loads: a blurhash, a dominant colour, a blurred picture. All are made from the few
//! hundred pixels of the smallest size.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Failure;
use super::canvas::{Canvas, ChannelLayout, unexpected};
use super::colour::on_white;

/// The blurhash: four components along the longer edge, three along the other.
pub(super) fn blurhash(small: &Canvas) -> Result<String, Failure> {
    let flat = on_white(small)?;
    let (pixels, _) = flat.pixels().as_chunks::<3>();
    let rgba: Vec<u8> = pixels.iter().flat_map(|[red, green, blue]| [*red, *green, *blue, 255]).collect();
    let size = flat.size();
    let (across, down) = if size.width >= size.height { (4, 3) } else { (3, 4) };
    blurhash::encode(across, down, size.width, size.height, &rgba).map_err(unexpected)
}

/// The mean of the most frequent group of similar pixels. Transparent pixels don't count.
pub(super) fn dominant_colour(small: &Canvas) -> [u8; 3] {
    let channels = small.layout().channels();
    let mut groups: BTreeMap<[u8; 3], (u32, [u32; 3])> = BTreeMap::new();
    for pixel in small.pixels().chunks_exact(channels) {
        let [red, green, blue, rest @ ..] = pixel else { continue };
        if rest.first().is_some_and(|alpha| *alpha < 128) {
            continue;
        }
        let colour = [*red, *green, *blue];
        let (count, sums) = groups.entry(colour.map(|channel| channel >> 5)).or_default();
        *count += 1;
        for (sum, channel) in sums.iter_mut().zip(colour) {
            *sum += u32::from(channel);
        }
    }
    let largest = groups.into_iter().min_by_key(|(_, (count, _))| Reverse(*count));
    largest.map_or([255; 3], |(_, (count, sums))| {
        #[expect(clippy::cast_possible_truncation, reason = "the mean of bytes is a byte")]
        let mean = sums.map(|sum| (sum / count) as u8);
        mean
    })
}

/// The small picture with a 3 × 3 box blur, applied twice.
pub(super) fn blurred(small: &Canvas) -> Canvas {
    blurred_once(&blurred_once(small))
}

fn blurred_once(canvas: &Canvas) -> Canvas {
    let (size, layout) = (canvas.size(), canvas.layout());
    let pixels = canvas.pixels();
    let mut target = Vec::with_capacity(pixels.len());
    for y in 0..size.height {
        for x in 0..size.width {
            for channel in 0..layout.channels() {
                target.push(neighbourhood(canvas, layout, x, y, channel));
            }
        }
    }
    Canvas::new(size, layout, target).unwrap_or_else(|_| canvas.clone())
}

/// The mean of up to 3 × 3 pixels.
fn neighbourhood(canvas: &Canvas, layout: ChannelLayout, x: u32, y: u32, channel: usize) -> u8 {
    let (mut sum, mut count) = (0u32, 0u32);
    for row in y.saturating_sub(1)..=(y + 1).min(canvas.size().height - 1) {
        for column in x.saturating_sub(1)..=(x + 1).min(canvas.size().width - 1) {
            let index = layout.stride(canvas.size().width) * row as usize + layout.stride(column) + channel;
            sum += canvas.pixels().get(index).copied().map_or(0, u32::from);
            count += 1;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "the mean of bytes is a byte")]
    let mean = ((sum + count / 2) / count) as u8;
    mean
}

#[cfg(test)]
mod tests {
    use super::super::resize::PixelSize;
    use super::*;

    #[test]
    fn the_most_frequent_colour_is_dominant() {
        let mut pixels = vec![[200, 30, 40]; 60];
        pixels.extend(vec![[10, 10, 250]; 40]);
        let canvas =
            Canvas::new(PixelSize::new(10, 10), ChannelLayout::Rgb, pixels.concat()).expect("counted right");
        assert_eq!(dominant_colour(&canvas), [200, 30, 40]);
    }

    #[test]
    fn transparent_pixels_do_not_count() {
        let mut pixels = vec![[0, 0, 0, 0]; 60];
        pixels.extend(vec![[10, 10, 250, 255]; 40]);
        let canvas =
            Canvas::new(PixelSize::new(10, 10), ChannelLayout::Rgba, pixels.concat()).expect("counted right");
        assert_eq!(dominant_colour(&canvas), [10, 10, 250]);
    }

    #[test]
    fn a_blur_keeps_flat_areas_and_softens_edges() {
        let even =
            Canvas::new(PixelSize::new(5, 4), ChannelLayout::Rgb, vec![77; 60]).expect("counted right");
        assert_eq!(blurred(&even).pixels(), even.pixels());
        let edge: Vec<u8> = [[0; 3], [0; 3], [255; 3], [255; 3]].concat();
        let edge = Canvas::new(PixelSize::new(4, 1), ChannelLayout::Rgb, edge).expect("counted right");
        let soft: Vec<u8> = blurred(&edge).pixels().iter().step_by(3).copied().collect();
        assert!(soft.is_sorted() && soft[0] > 0 && soft[3] < 255, "{soft:?}");
    }
}
