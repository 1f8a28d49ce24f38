//! Decodes the first frame of a GIF, row by row. Pixels outside of the frame are transparent. Of a truncated file, the
//! existing rows are shown.

use std::fs::File;
use std::io::{BufReader, Seek};

use ::gif::{ColorOutput, DecodeOptions, Decoder, Frame as GifFrame, MemoryLimit};

use super::canvas::ChannelLayout;
use super::downscale::{Downscaler, within_memory};
use super::resize::ResizeSpec;
use super::{CheckedGeometry, DecodeLimits, Decoded, Failure};

pub(super) fn decode(
    source: &File,
    geometry: &CheckedGeometry,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<Decoded, Failure> {
    let mut reader = BufReader::with_capacity(64 << 10, source);
    reader.rewind()?;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Unlimited);
    options.allow_unknown_blocks(true);
    let mut decoder = options.read_info(reader).map_err(unreadable)?;
    let found = decoder.next_frame_info().map_err(unreadable)?.cloned();
    let found = found.ok_or_else(|| Failure::damaged("it has no picture in it"))?;
    let palette = found.palette.clone().or_else(|| decoder.global_palette().map(<[u8]>::to_vec));
    let palette = palette.unwrap_or_default();

    let mut downscaler =
        Downscaler::new(ChannelLayout::Rgba, geometry.stored, geometry.target(resize), limits)?;
    let mut rows = Rows::open(&mut decoder, &found, limits)?;
    let (top, left) = (u32::from(found.top), usize::from(found.left));
    let mut row = vec![0; ChannelLayout::Rgba.stride(geometry.stored.width)];
    for line in 0..geometry.stored.height {
        row.fill(0);
        if (top..top + u32::from(found.height)).contains(&line)
            && let Some(numbers) = rows.next(&mut decoder)?
        {
            let (pixels, _) = row.as_chunks_mut::<4>();
            for (pixel, number) in pixels.iter_mut().skip(left).zip(numbers) {
                *pixel = colour(*number, &palette, found.transparent);
            }
        }
        downscaler.push(&row)?;
    }
    if rows.count == 0 && found.height > 0 {
        return Err(Failure::damaged("it ends before its first row"));
    }
    Ok(geometry.decoded(downscaler.finish()?, None))
}

/// The colour for an index; black where the palette has no such entry.
fn colour(number: u8, palette: &[u8], transparent: Option<u8>) -> [u8; 4] {
    if transparent == Some(number) {
        return [0; 4];
    }
    let colours = palette.get(usize::from(number) * 3..).and_then(<[u8]>::first_chunk::<3>);
    let [red, green, blue] = colours.copied().unwrap_or_default();
    [red, green, blue, 255]
}

/// The rows of a frame from top to bottom, as far as they exist.
struct Rows {
    width: usize,
    row: Vec<u8>,
    /// All rows, if they are interlaced.
    whole: Option<Vec<u8>>,
    count: usize,
    is_over: bool,
}

impl Rows {
    fn open(
        decoder: &mut Decoder<BufReader<&File>>,
        geometry: &GifFrame<'_>,
        limits: &DecodeLimits,
    ) -> Result<Self, Failure> {
        let (width, height) = (usize::from(geometry.width), usize::from(geometry.height));
        let mut rows =
            Self { width, row: vec![0; width], whole: None, count: 0, is_over: width == 0 || height == 0 };
        if !geometry.interlaced || rows.is_over {
            return Ok(rows);
        }
        within_memory(width as u64 * height as u64, limits)?;
        let mut whole = vec![0; width * height];
        let mut last = None;
        for line in passes(height) {
            let Some(row) = rows.read(decoder)? else { break };
            let start = line * width;
            if let Some(target) = whole.get_mut(start..start + width) {
                target.copy_from_slice(row);
            }
            last = Some(line);
        }
        (rows.count, rows.is_over) = (0, last.is_none());
        rows.whole = Some(whole);
        Ok(rows)
    }

    fn next(&mut self, decoder: &mut Decoder<BufReader<&File>>) -> Result<Option<&[u8]>, Failure> {
        if self.whole.is_none() {
            return self.read(decoder);
        }
        if self.is_over {
            return Ok(None);
        }
        let start = self.count * self.width;
        self.count += 1;
        Ok(self.whole.as_ref().and_then(|whole| whole.get(start..start + self.width)))
    }

    /// The next row in stored order.
    fn read(&mut self, decoder: &mut Decoder<BufReader<&File>>) -> Result<Option<&[u8]>, Failure> {
        if self.is_over {
            return Ok(None);
        }
        match decoder.fill_buffer(&mut self.row) {
            Ok(true) => {
                self.count += 1;
                Ok(Some(&self.row))
            }
            Err(::gif::DecodingError::Io(error)) if error.raw_os_error().is_some() => Err(error.into()),
            Ok(false) | Err(_) => {
                self.is_over = true;
                Ok(None)
            }
        }
    }
}

/// The order in which interlaced rows are stored.
fn passes(height: usize) -> impl Iterator<Item = usize> {
    [(0, 8), (4, 8), (2, 4), (1, 2)].into_iter().flat_map(move |(first, step)| (first..height).step_by(step))
}

fn unreadable(error: ::gif::DecodingError) -> Failure {
    match error {
        ::gif::DecodingError::Io(error) => error.into(),
        _ => Failure::damaged("its header can't be read"),
    }
}
