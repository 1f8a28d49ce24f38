//! Decodes TIFF row by row, from strips or tiles (here called chunks) and from planes, so that a scan of hundreds of
//! megabytes needs the memory of one row. Only rows of tiles are held as a whole.

use std::fs::File;

use super::canvas::ChannelLayout;
use super::downscale::{Downscaler, within_memory};
use super::resize::ResizeSpec;
use super::{CheckedGeometry, DecodeLimits, Decoded, Failure};

mod fax;
mod header;
mod samples;
mod unpack;

use header::Header;
use samples::SampleConverter;
use unpack::Rows;

pub(super) fn decode(
    source: &File,
    geometry: &CheckedGeometry,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<Decoded, Failure> {
    let header = Header::read(source)?;
    geometry.expect(header.size.width, header.size.height)?;
    let samples = SampleConverter::new(&header)?;
    let mut downscaler = Downscaler::new(samples.layout(), geometry.stored, geometry.target(resize), limits)?;
    if samples.is_premultiplied() {
        downscaler.accept_premultiplied();
    }
    let across = header.size.width.div_ceil(header.chunk.width);
    if across == 1 {
        push_rows(source, &header, &samples, &mut downscaler)?;
    } else {
        push_tiles(source, &header, &samples, across, limits, &mut downscaler)?;
    }
    let profile = header.profile.as_deref().and_then(super::colour::Profile::parse);
    Ok(geometry.decoded(downscaler.finish()?, profile))
}

/// The rows of one strip or tile, converted to the layout of the result.
struct Chunk<'a> {
    planes: Vec<Rows<'a>>,
    samples: &'a SampleConverter,
    raw: Vec<Vec<u8>>,
}

impl<'a> Chunk<'a> {
    /// Opens the chunk with this number.
    fn open(
        source: &'a File,
        header: &'a Header,
        samples: &'a SampleConverter,
        number: u64,
    ) -> Result<Self, Failure> {
        let of_a_plane = header.chunks_per_plane();
        let open = |plane: &usize| Rows::open(source, header, *plane as u64 * of_a_plane + number);
        let planes = samples.planes().iter().map(open).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { planes, samples, raw: vec![Vec::new(); samples.planes().len()] })
    }

    /// Writes the next row.
    fn next_row(&mut self, row: &mut Vec<u8>) -> Result<(), Failure> {
        for (rows, raw) in self.planes.iter_mut().zip(&mut self.raw) {
            rows.next(raw)?;
        }
        self.samples.convert(&mut self.raw, row);
        Ok(())
    }
}

/// Strips, or tiles as wide as the picture: each row is passed on as soon as it is decoded.
fn push_rows(
    source: &File,
    header: &Header,
    samples: &SampleConverter,
    downscaler: &mut Downscaler,
) -> Result<(), Failure> {
    let stride = samples.layout().stride(header.size.width);
    let mut row = Vec::new();
    for down in 0..header.size.height.div_ceil(header.chunk.height) {
        let mut chunk = Chunk::open(source, header, samples, down.into())?;
        for _ in 0..header.chunk.height.min(header.size.height - down * header.chunk.height) {
            chunk.next_row(&mut row)?;
            downscaler.push(row.get(..stride).unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Tiles side by side: one row of tiles at a time.
fn push_tiles(
    source: &File,
    header: &Header,
    samples: &SampleConverter,
    across: u32,
    limits: &DecodeLimits,
    downscaler: &mut Downscaler,
) -> Result<(), Failure> {
    let layout: ChannelLayout = samples.layout();
    let stride = layout.stride(header.size.width);
    let band_rows = header.chunk.height.min(header.size.height);
    within_memory(stride as u64 * u64::from(band_rows), limits)?;
    let mut band = vec![0; stride * band_rows as usize];
    let mut row = Vec::new();
    for down in 0..header.size.height.div_ceil(header.chunk.height) {
        let rows = band_rows.min(header.size.height - down * header.chunk.height) as usize;
        for column in 0..across {
            let number = u64::from(down) * u64::from(across) + u64::from(column);
            let mut chunk = Chunk::open(source, header, samples, number)?;
            let left = layout.stride(header.chunk.width) * column as usize;
            for target in band.chunks_exact_mut(stride).take(rows) {
                chunk.next_row(&mut row)?;
                let target = target.get_mut(left..).unwrap_or_default();
                for (target, source) in target.iter_mut().zip(&row) {
                    *target = *source;
                }
            }
        }
        downscaler.push(band.get(..stride * rows).unwrap_or_default())?;
    }
    Ok(())
}
