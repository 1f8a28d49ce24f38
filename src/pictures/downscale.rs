//! Downscales a picture while its rows arrive, so that only a few rows of the original are ever in memory.
//!
//! Large factors first average whole blocks of pixels, down to between two and four times the target, and then use the
//! same Lanczos kernel as every other resize. The kernel runs over strips of the target, each with the surrounding rows
//! that it needs, so the result is the same as resizing the whole picture at once.

use super::canvas::{Canvas, ChannelLayout, multiply_alpha};
use super::resize::PixelSize;
use super::{DecodeLimits, Failure};

mod strips;

use strips::Strips;

/// The largest block whose sums of bytes fit into 16 bits.
const MAX_BLOCK: u32 = 256;

/// Takes the rows of a picture from top to bottom and returns the downscaled picture.
pub(super) struct Downscaler {
    layout: ChannelLayout,
    from: PixelSize,
    rows_taken: u32,
    /// Whether colours still have to be multiplied by their alpha.
    premultiplies: bool,
    scratch: Vec<u8>,
    blocks: Blocks,
    strips: Strips,
}

impl Downscaler {
    /// Starts to downscale a picture from `from` to `to`.
    ///
    /// # Errors
    /// When the result alone takes more than half of the allowed memory.
    pub(super) fn new(
        layout: ChannelLayout,
        from: PixelSize,
        to: PixelSize,
        limits: &DecodeLimits,
    ) -> Result<Self, Failure> {
        let bytes = layout.stride(to.width) as u64 * u64::from(to.height);
        within_memory(bytes, limits)?;
        let block = block(from, to);
        Ok(Self {
            layout,
            from,
            rows_taken: 0,
            premultiplies: layout.has_alpha(),
            scratch: Vec::new(),
            blocks: Blocks::new(layout, from, block),
            strips: Strips::new(layout, from, block, to),
        })
    }

    /// Declares that the colours of all rows are already multiplied by their alpha.
    pub(super) fn accept_premultiplied(&mut self) {
        self.premultiplies = false;
    }

    /// Takes one or more whole rows of pixels.
    ///
    /// # Errors
    /// When there are more rows than the picture has.
    pub(super) fn push(&mut self, rows: &[u8]) -> Result<(), Failure> {
        for row in rows.chunks_exact(self.layout.stride(self.from.width)) {
            if self.rows_taken == self.from.height {
                return Err(Failure::damaged("it has more rows than it declares"));
            }
            self.rows_taken += 1;
            if self.premultiplies {
                self.scratch.clear();
                self.scratch.extend_from_slice(row);
                multiply_alpha(&mut self.scratch, PixelSize::new(self.from.width, 1), self.layout)?;
                self.blocks.push(&self.scratch, &mut self.strips)?;
            } else {
                self.blocks.push(row, &mut self.strips)?;
            }
        }
        Ok(())
    }

    /// The downscaled picture, as far as its rows arrived: missing rows are white, or transparent.
    ///
    /// # Errors
    /// When no row arrived.
    pub(super) fn finish_partial(mut self) -> Result<Canvas, Failure> {
        if self.rows_taken == 0 {
            return Err(Failure::damaged("it ends before its first row"));
        }
        let fill = if self.layout.has_alpha() || self.layout == ChannelLayout::Cmyk { 0 } else { 255 };
        let row = vec![fill; self.layout.stride(self.from.width)];
        while self.rows_taken < self.from.height {
            self.push(&row)?;
        }
        self.finish()
    }

    /// The downscaled picture.
    ///
    /// # Errors
    /// When rows are missing.
    pub(super) fn finish(mut self) -> Result<Canvas, Failure> {
        if self.rows_taken != self.from.height {
            return Err(Failure::damaged("it ends before its last row"));
        }
        self.blocks.flush(&mut self.strips)?;
        self.strips.into_canvas()
    }
}

/// Refuses more pixels than fit into half of the allowed memory. The rest is for what decoders need in addition.
pub(super) fn within_memory(bytes: u64, limits: &DecodeLimits) -> Result<(), Failure> {
    if bytes > limits.memory / 2 {
        return Err(Failure::TooLarge(format!(
            "it needs {} MB of memory at once, and {} MB are allowed",
            bytes >> 20,
            limits.memory >> 21
        )));
    }
    Ok(())
}

/// The edge of the blocks that are averaged. It leaves a factor of two to four for the kernel.
fn block(from: PixelSize, to: PixelSize) -> u32 {
    (from.width / to.width.max(1)).min(from.height / to.height.max(1)).div_euclid(2).clamp(1, MAX_BLOCK)
}

/// Averages blocks of pixels.
struct Blocks {
    edge: u32,
    channels: usize,
    width: usize,
    /// Sums down a column of a block, for every byte of a row.
    sums: Vec<u16>,
    rows: u32,
    averaged: Vec<u8>,
}

impl Blocks {
    fn new(layout: ChannelLayout, from: PixelSize, edge: u32) -> Self {
        let sums = if edge > 1 { vec![0; layout.stride(from.width)] } else { Vec::new() };
        Self {
            edge,
            channels: layout.channels(),
            width: from.width as usize,
            sums,
            rows: 0,
            averaged: Vec::new(),
        }
    }

    fn push(&mut self, row: &[u8], strips: &mut Strips) -> Result<(), Failure> {
        if self.edge == 1 {
            return strips.push(row);
        }
        for (sum, value) in self.sums.iter_mut().zip(row) {
            *sum += u16::from(*value);
        }
        self.rows += 1;
        if self.rows == self.edge { self.flush(strips) } else { Ok(()) }
    }

    /// Passes the current row of blocks on.
    fn flush(&mut self, strips: &mut Strips) -> Result<(), Failure> {
        if self.rows == 0 {
            return Ok(());
        }
        self.averaged.clear();
        match self.channels {
            1 => self.average::<1>(),
            2 => self.average::<2>(),
            3 => self.average::<3>(),
            _ => self.average::<4>(),
        }
        self.sums.fill(0);
        self.rows = 0;
        strips.push(&self.averaged)
    }

    fn average<const CHANNELS: usize>(&mut self) {
        let (pixels, _) = self.sums.as_chunks::<CHANNELS>();
        for block in pixels.chunks(self.edge as usize) {
            let mut sums = [0u32; CHANNELS];
            for pixel in block {
                for (sum, column) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(*column);
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "a block is at most 256 pixels wide")]
            let count = block.len() as u32 * self.rows;
            #[expect(clippy::cast_possible_truncation, reason = "the mean of bytes is a byte")]
            self.averaged.extend(sums.map(|sum| ((sum + count / 2) / count) as u8));
        }
        debug_assert_eq!(self.averaged.len(), self.width.div_ceil(self.edge as usize) * CHANNELS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> DecodeLimits {
        DecodeLimits::default()
    }

    /// A picture without symmetry, with waves of several lengths.
    fn picture(layout: ChannelLayout, size: PixelSize) -> Vec<u8> {
        let mut pixels = Vec::new();
        for y in 0..size.height {
            for x in 0..size.width {
                let place = x * 3 + y * 5 + (x * y) / 64;
                let colours = [0, 40, 80, 120].map(|shift| (place + shift).to_le_bytes()[0] / 2 + 64);
                pixels.extend_from_slice(&colours[..layout.channels()]);
            }
        }
        pixels
    }

    fn max_difference(one: &Canvas, other: &Canvas) -> u8 {
        assert_eq!(one.size(), other.size());
        one.pixels().iter().zip(other.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or_default()
    }

    fn downscale(layout: ChannelLayout, from: PixelSize, to: PixelSize) -> Canvas {
        let mut downscaler = Downscaler::new(layout, from, to, &limits()).expect("small enough");
        for row in picture(layout, from).chunks(layout.stride(from.width)) {
            downscaler.push(row).expect("a row");
        }
        downscaler.finish().expect("all rows are there")
    }

    #[test]
    fn strips_give_the_same_result_as_the_whole_picture() {
        for (from, to) in [
            (PixelSize::new(300, 400), PixelSize::new(151, 201)),
            (PixelSize::new(101, 997), PixelSize::new(37, 365)),
            (PixelSize::new(50, 700), PixelSize::new(50, 700)),
        ] {
            let whole = Canvas::new(from, ChannelLayout::Rgb, picture(ChannelLayout::Rgb, from))
                .expect("counted right");
            let whole = whole.resized(to).expect("it can be resized");
            let difference = max_difference(&downscale(ChannelLayout::Rgb, from, to), &whole);
            assert!(difference <= 1, "{from:?} to {to:?}: {difference}");
        }
    }

    #[test]
    fn averaging_blocks_first_hardly_changes_the_result() {
        let from = PixelSize::new(1003, 2009);
        let to = PixelSize::new(100, 200);
        let mut pixels = Vec::new();
        for y in 0..from.height {
            for x in 0..from.width {
                pixels.push(u8::try_from((x * 120 / from.width) + (y * 120 / from.height)).expect("a byte"));
            }
        }
        let mut downscaler = Downscaler::new(ChannelLayout::Gray, from, to, &limits()).expect("small enough");
        downscaler.push(&pixels).expect("rows");
        let small = downscaler.finish().expect("all rows are there");
        let whole = Canvas::new(from, ChannelLayout::Gray, pixels)
            .expect("counted right")
            .resized(to)
            .expect("resized");
        let difference = max_difference(&small, &whole);
        assert!(difference <= 1, "{difference}");
    }

    #[test]
    fn missing_and_surplus_rows_are_damage() {
        let (from, to) = (PixelSize::new(10, 10), PixelSize::new(5, 5));
        let mut short = Downscaler::new(ChannelLayout::Rgb, from, to, &limits()).expect("small enough");
        short.push(&[0; 30 * 9]).expect("nine rows");
        assert!(matches!(short.finish(), Err(Failure::Damaged(_))));
        let mut long = Downscaler::new(ChannelLayout::Rgb, from, to, &limits()).expect("small enough");
        assert!(matches!(long.push(&[0; 30 * 11]), Err(Failure::Damaged(_))));
    }

    #[test]
    fn the_colour_of_transparent_pixels_does_not_bleed() {
        let (from, to) = (PixelSize::new(64, 64), PixelSize::new(8, 8));
        let mut downscaler = Downscaler::new(ChannelLayout::Rgba, from, to, &limits()).expect("small enough");
        for y in 0..64u8 {
            let row: Vec<u8> = (0..64u8)
                .flat_map(|x| if (x + y) % 2 == 0 { [0, 0, 255, 255] } else { [255, 0, 0, 0] })
                .collect();
            downscaler.push(&row).expect("a row");
        }
        let small = downscaler.finish().expect("all rows are there");
        let straight = small.straight().expect("it has alpha");
        assert!(
            straight.as_chunks::<4>().0.iter().all(|pixel| pixel[0] < 4 && pixel[2] > 250),
            "{straight:?}"
        );
    }

    #[test]
    fn a_result_that_exceeds_the_memory_is_refused_before_any_row() {
        let size = PixelSize::new(60_000, 60_000);
        assert!(matches!(
            Downscaler::new(ChannelLayout::Rgb, size, size, &limits()),
            Err(Failure::TooLarge(_))
        ));
    }
}
