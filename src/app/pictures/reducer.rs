//! Reduces a picture while its rows arrive, so that only a few rows of the original are ever in memory.
//!
//! Large reductions first average whole blocks of pixels, down to between two and four times the target, and
//! then go through the same Lanczos kernel as every other resize. The kernel runs over strips of the target, each
//! with the rows around it that it needs: the result is the one of resizing the whole picture at once.

use fast_image_resize::Resizer;
use fast_image_resize::images::{Image, ImageRef};

use super::canvas::{Canvas, Layout, kernel, multiply_alpha, unexpected};
use super::size::Size;
use super::{Failure, Limits};

/// Rows of the target that are made at once.
const STRIP: u32 = 64;
/// Half the width of the Lanczos kernel, in pixels of the larger side.
const SUPPORT: f64 = 3.0;
/// The largest block that sums of bytes in 16 bits allow.
const LARGEST_BLOCK: u32 = 256;

/// Takes the rows of a picture from top to bottom and gives the reduced picture.
pub(super) struct Reducer {
    layout: Layout,
    from: Size,
    rows_taken: u32,
    scratch: Vec<u8>,
    blocks: Blocks,
    strips: Strips,
}

impl Reducer {
    /// Begins to reduce a picture of `from` to `to`.
    ///
    /// # Errors
    /// When the result alone takes more than half the memory that is allowed.
    pub(super) fn new(layout: Layout, from: Size, to: Size, limits: &Limits) -> Result<Self, Failure> {
        let bytes = layout.stride(to.width) as u64 * u64::from(to.height);
        within_memory(bytes, limits)?;
        let block = block(from, to);
        Ok(Self {
            layout,
            from,
            rows_taken: 0,
            scratch: Vec::new(),
            blocks: Blocks::new(layout, from, block),
            strips: Strips::new(layout, from, block, to),
        })
    }

    /// Takes whole rows of straight pixels, one or more.
    ///
    /// # Errors
    /// When there are more rows than the picture has.
    pub(super) fn push(&mut self, rows: &[u8]) -> Result<(), Failure> {
        for row in rows.chunks_exact(self.layout.stride(self.from.width)) {
            if self.rows_taken == self.from.height {
                return Err(Failure::damaged("it has more rows than it says"));
            }
            self.rows_taken += 1;
            if self.layout.has_alpha() {
                self.scratch.clear();
                self.scratch.extend_from_slice(row);
                multiply_alpha(&mut self.scratch, Size::new(self.from.width, 1), self.layout)?;
                self.blocks.push(&self.scratch, &mut self.strips)?;
            } else {
                self.blocks.push(row, &mut self.strips)?;
            }
        }
        Ok(())
    }

    /// The reduced picture.
    ///
    /// # Errors
    /// When rows are missing.
    pub(super) fn finish(mut self) -> Result<Canvas, Failure> {
        if self.rows_taken != self.from.height {
            return Err(Failure::damaged("it ends before its last row"));
        }
        self.blocks.flush(&mut self.strips)?;
        Canvas::new(self.strips.to, self.layout, self.strips.target)
    }
}

/// Half of the allowed memory is for pixels, the rest for what decoders need beside them.
pub(super) fn within_memory(bytes: u64, limits: &Limits) -> Result<(), Failure> {
    if bytes > limits.memory / 2 {
        return Err(Failure::TooLarge(format!(
            "it needs {} MB of memory at once, and {} MB are allowed",
            bytes >> 20,
            limits.memory >> 21
        )));
    }
    Ok(())
}

/// The edge of the blocks that are averaged: what is left to do is a reduction by two to four.
fn block(from: Size, to: Size) -> u32 {
    (from.width / to.width.max(1)).min(from.height / to.height.max(1)).div_euclid(2).clamp(1, LARGEST_BLOCK)
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
    fn new(layout: Layout, from: Size, edge: u32) -> Self {
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

    /// Hands on the row of blocks that is begun.
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

/// Runs the kernel over strips of the target.
struct Strips {
    layout: Layout,
    /// Whole pixels that arrive. The last column and row may stand for less than a block.
    blocks: Size,
    /// How many blocks the picture is wide and high, exactly.
    exact: (f64, f64),
    to: Size,
    resizer: Resizer,
    /// Rows from `first` on that a coming strip needs.
    window: Vec<u8>,
    first: u32,
    arrived: u32,
    written: u32,
    target: Vec<u8>,
}

impl Strips {
    fn new(layout: Layout, from: Size, block: u32, to: Size) -> Self {
        let exact = (f64::from(from.width) / f64::from(block), f64::from(from.height) / f64::from(block));
        let blocks = Size::new(from.width.div_ceil(block), from.height.div_ceil(block));
        let target = Vec::with_capacity(layout.stride(to.width) * to.height as usize);
        Self {
            layout,
            blocks,
            exact,
            to,
            resizer: Resizer::new(),
            window: Vec::new(),
            first: 0,
            arrived: 0,
            written: 0,
            target,
        }
    }

    fn push(&mut self, row: &[u8]) -> Result<(), Failure> {
        if self.blocks == self.to && self.is_exact() {
            self.target.extend_from_slice(row);
            return Ok(());
        }
        self.window.extend_from_slice(row);
        self.arrived += 1;
        while self.written < self.to.height && self.arrived >= self.rows_for(self.strip_end()) {
            self.write_strip()?;
        }
        Ok(())
    }

    /// Whether no block stands for less than the others.
    fn is_exact(&self) -> bool {
        self.exact == (f64::from(self.blocks.width), f64::from(self.blocks.height))
    }

    fn strip_end(&self) -> u32 {
        (self.written + STRIP).min(self.to.height)
    }

    /// Rows of blocks for one row of the target.
    fn step(&self) -> f64 {
        self.exact.1 / f64::from(self.to.height)
    }

    /// How many rows the target down to `end` needs.
    fn rows_for(&self, end: u32) -> u32 {
        let reach = f64::from(end) * self.step() + SUPPORT * self.step().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and cut off below"
        )]
        let rows = reach.ceil() as u32;
        rows.saturating_add(1).min(self.blocks.height)
    }

    fn write_strip(&mut self) -> Result<(), Failure> {
        let (start, end) = (self.written, self.strip_end());
        let stride = self.layout.stride(self.to.width);
        self.target.resize(stride * end as usize, 0);
        let kind = self.layout.pixel_type();
        let rows = self.arrived - self.first;
        let top = f64::from(start) * self.step() - f64::from(self.first);
        let height = (f64::from(end - start) * self.step()).min(f64::from(rows) - top);
        let source = ImageRef::new(self.blocks.width, rows, &self.window, kind).map_err(unexpected)?;
        let strip = self.target.get_mut(stride * start as usize..).unwrap_or_default();
        let mut strip = Image::from_slice_u8(self.to.width, end - start, strip, kind).map_err(unexpected)?;
        let options = kernel().crop(0.0, top, self.exact.0, height);
        self.resizer.resize(&source, &mut strip, &options).map_err(unexpected)?;
        self.written = end;
        self.forget();
        Ok(())
    }

    /// Drops the rows that no coming strip needs.
    fn forget(&mut self) {
        let reach = f64::from(self.written) * self.step() - SUPPORT * self.step().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, less than a u32"
        )]
        let needed = (reach.floor().max(0.0) as u32).saturating_sub(1).clamp(self.first, self.arrived);
        let bytes = self.layout.stride(self.blocks.width) * (needed - self.first) as usize;
        self.window.drain(..bytes);
        self.first = needed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::default()
    }

    /// A picture without symmetry, of waves of several lengths.
    fn picture(layout: Layout, size: Size) -> Vec<u8> {
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

    fn furthest(one: &Canvas, other: &Canvas) -> u8 {
        assert_eq!(one.size(), other.size());
        one.pixels().iter().zip(other.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or_default()
    }

    fn reduce(layout: Layout, from: Size, to: Size) -> Canvas {
        let mut reducer = Reducer::new(layout, from, to, &limits()).expect("small enough");
        for row in picture(layout, from).chunks(layout.stride(from.width)) {
            reducer.push(row).expect("a row");
        }
        reducer.finish().expect("all rows are there")
    }

    #[test]
    fn strips_give_what_the_whole_picture_gives() {
        for (from, to) in [
            (Size::new(300, 400), Size::new(151, 201)),
            (Size::new(101, 997), Size::new(37, 365)),
            (Size::new(50, 700), Size::new(50, 700)),
        ] {
            let whole = Canvas::new(from, Layout::Rgb, picture(Layout::Rgb, from)).expect("counted right");
            let whole = whole.resized(to).expect("it can be resized");
            let furthest = furthest(&reduce(Layout::Rgb, from, to), &whole);
            assert!(furthest <= 1, "{from:?} to {to:?}: {furthest}");
        }
    }

    #[test]
    fn averaging_first_changes_little_and_moves_nothing() {
        let from = Size::new(1003, 2009);
        let to = Size::new(100, 200);
        let mut pixels = Vec::new();
        for y in 0..from.height {
            for x in 0..from.width {
                pixels.push(u8::try_from((x * 120 / from.width) + (y * 120 / from.height)).expect("a byte"));
            }
        }
        let mut reducer = Reducer::new(Layout::Gray, from, to, &limits()).expect("small enough");
        reducer.push(&pixels).expect("rows");
        let small = reducer.finish().expect("all rows are there");
        let whole =
            Canvas::new(from, Layout::Gray, pixels).expect("counted right").resized(to).expect("resized");
        let furthest = furthest(&small, &whole);
        assert!(furthest <= 1, "{furthest}");
    }

    #[test]
    fn missing_and_surplus_rows_are_damage() {
        let (from, to) = (Size::new(10, 10), Size::new(5, 5));
        let mut short = Reducer::new(Layout::Rgb, from, to, &limits()).expect("small enough");
        short.push(&[0; 30 * 9]).expect("nine rows");
        assert!(matches!(short.finish(), Err(Failure::Damaged(_))));
        let mut long = Reducer::new(Layout::Rgb, from, to, &limits()).expect("small enough");
        assert!(matches!(long.push(&[0; 30 * 11]), Err(Failure::Damaged(_))));
    }

    #[test]
    fn the_colour_of_what_cannot_be_seen_does_not_bleed() {
        let (from, to) = (Size::new(64, 64), Size::new(8, 8));
        let mut reducer = Reducer::new(Layout::Rgba, from, to, &limits()).expect("small enough");
        for y in 0..64u8 {
            let row: Vec<u8> = (0..64u8)
                .flat_map(|x| if (x + y) % 2 == 0 { [0, 0, 255, 255] } else { [255, 0, 0, 0] })
                .collect();
            reducer.push(&row).expect("a row");
        }
        let small = reducer.finish().expect("all rows are there");
        let straight = small.straight().expect("it has alpha");
        assert!(
            straight.as_chunks::<4>().0.iter().all(|pixel| pixel[0] < 4 && pixel[2] > 250),
            "{straight:?}"
        );
    }

    #[test]
    fn a_result_beyond_the_memory_is_refused_before_any_row() {
        let size = Size::new(60_000, 60_000);
        assert!(matches!(Reducer::new(Layout::Rgb, size, size, &limits()), Err(Failure::TooLarge(_))));
    }
}
