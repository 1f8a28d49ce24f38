//! Runs the Lanczos kernel strip by strip, on rows that were averaged in blocks before. Keeps only the rows that the next
//! strip needs.

use fast_image_resize::Resizer;

use crate::pictures::Failure;
use crate::pictures::canvas::{Canvas, ChannelLayout, kernel, resize};
use crate::pictures::resize::PixelSize;

/// The rows of the target that are computed at once.
const STRIP: u32 = 64;
/// Half the width of the Lanczos kernel, in pixels of the larger side.
const SUPPORT: f64 = 3.0;

/// Runs the kernel over strips of the target.
pub(super) struct Strips {
    layout: ChannelLayout,
    /// The size of the input in blocks. The last column and row may cover less than a whole block.
    blocks: PixelSize,
    /// The exact width and height of the picture in blocks.
    exact: (f64, f64),
    to: PixelSize,
    resizer: Resizer,
    /// The rows from `first` on that later strips need.
    window: Vec<u8>,
    first: u32,
    arrived: u32,
    written: u32,
    target: Vec<u8>,
}

impl Strips {
    pub(super) fn new(layout: ChannelLayout, from: PixelSize, block: u32, to: PixelSize) -> Self {
        let exact = (f64::from(from.width) / f64::from(block), f64::from(from.height) / f64::from(block));
        let blocks = PixelSize::new(from.width.div_ceil(block), from.height.div_ceil(block));
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

    pub(super) fn push(&mut self, row: &[u8]) -> Result<(), Failure> {
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

    /// Whether all blocks are whole.
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

    /// How many rows of the input the target needs down to `end`.
    fn rows_for(&self, end: u32) -> u32 {
        let reach = f64::from(end) * self.step() + SUPPORT * self.step().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and limited below"
        )]
        let rows = reach.ceil() as u32;
        rows.saturating_add(1).min(self.blocks.height)
    }

    fn write_strip(&mut self) -> Result<(), Failure> {
        let (start, end) = (self.written, self.strip_end());
        let stride = self.layout.stride(self.to.width);
        self.target.resize(stride * end as usize, 0);
        let rows = self.arrived - self.first;
        let top = f64::from(start) * self.step() - f64::from(self.first);
        let height = (f64::from(end - start) * self.step()).min(f64::from(rows) - top);
        let strip = self.target.get_mut(stride * start as usize..).unwrap_or_default();
        resize(
            &mut self.resizer,
            self.layout,
            (PixelSize::new(self.blocks.width, rows), &mut self.window),
            (PixelSize::new(self.to.width, end - start), strip),
            &kernel().crop(0.0, top, self.exact.0, height),
        )?;
        self.written = end;
        self.discard_used_rows();
        Ok(())
    }

    /// Drops the rows that no later strip needs.
    fn discard_used_rows(&mut self) {
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

    /// The finished target.
    ///
    /// # Errors
    /// When rows are missing.
    pub(super) fn into_canvas(self) -> Result<Canvas, Failure> {
        Canvas::new(self.to, self.layout, self.target)
    }
}
