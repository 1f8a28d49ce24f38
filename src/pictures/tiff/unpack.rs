//! Decompresses the rows of a strip or tile while reading the file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::os::unix::fs::FileExt;

use flate2::bufread::ZlibDecoder;
use mozjpeg::{Decompress, decompress::DecompressStarted};
use weezl::{BitOrder, LzwStatus, decode::Decoder};

use super::fax::{Fax, Mode};
use super::header::{Compression, Header, Predictor, SampleFormat};
use crate::pictures::media::reader::ByteOrder;
use crate::pictures::{Failure, unsupported};

/// The size of the read buffer, in bytes.
const BUFFER: usize = 16 << 10;

/// The decompressed rows of a chunk, of one plane or of all.
pub(super) struct Rows<'a> {
    bytes: Box<dyn Read + 'a>,
    header: &'a Header,
    /// Bytes of a row.
    length: usize,
    /// Decoded rows of subsampled colours that were not requested yet.
    waiting: Vec<Vec<u8>>,
}

impl<'a> Rows<'a> {
    /// Opens the chunk with this number.
    pub(super) fn open(source: &'a File, header: &'a Header, number: u64) -> Result<Self, Failure> {
        let (at, left) = header.chunk_range(number)?;
        // The bit order does not apply to JPEG.
        let is_reversed = header.is_lsb_first && header.compression != Compression::Jpeg;
        let raw = BufReader::with_capacity(BUFFER, Raw { file: source, at, left, is_reversed });
        let bits = header.samples_per_row() * header.bits as usize;
        let width = header.chunk.width;
        let fax = |raw, mode| Box::new(Fax::new(raw, width, mode)) as Box<dyn Read>;
        let bytes: Box<dyn Read> = match header.compression {
            Compression::None => Box::new(raw),
            Compression::PackBits => Box::new(PackBits { packed: raw, run: Run::None }),
            Compression::Deflate => Box::new(ZlibDecoder::new(raw)),
            Compression::Lzw => Box::new(Lzw::new(raw)?),
            Compression::Jpeg => Box::new(Jpeg::open(raw, header)?),
            Compression::FaxRows | Compression::Fax3 { .. } | Compression::Fax4 if bits != width as usize => {
                return Err(Failure::damaged("a fax has one bit a pixel"));
            }
            Compression::FaxRows => fax(raw, Mode::ModifiedHuffman),
            Compression::Fax3 { is_two_dimensional } => fax(raw, Mode::Group3 { is_two_dimensional }),
            Compression::Fax4 => fax(raw, Mode::Group4),
        };
        Ok(Self { bytes, header, length: bits.div_ceil(8), waiting: Vec::new() })
    }

    /// The next row, decompressed and with its predictor undone.
    pub(super) fn next(&mut self, row: &mut Vec<u8>) -> Result<(), Failure> {
        if self.header.subsampling != (1, 1) {
            return self.next_subsampled(row);
        }
        row.resize(self.length, 0);
        self.bytes.read_exact(row).map_err(failure)?;
        let interleaved = if self.header.is_planar { 1 } else { self.header.samples };
        match self.header.predictor {
            Predictor::None => {}
            Predictor::Horizontal => undo_horizontal(row, interleaved, self.header.bits, self.header.order)?,
            Predictor::Float => undo_float(row, interleaved, self.header)?,
        }
        Ok(())
    }

    /// The next row of blocks of pixels that share their chroma: each luma sample, then the two chroma samples.
    fn next_subsampled(&mut self, row: &mut Vec<u8>) -> Result<(), Failure> {
        let (across, down) = (self.header.subsampling.0 as usize, self.header.subsampling.1 as usize);
        if self.header.bits != 8 || self.header.samples != 3 || self.header.is_planar {
            return Err(unsupported("a TIFF with an unusual chroma subsampling"));
        }
        if self.waiting.is_empty() {
            let width = self.header.chunk.width as usize;
            let mut blocks = vec![0; width.div_ceil(across) * (across * down + 2)];
            self.bytes.read_exact(&mut blocks).map_err(failure)?;
            let mut rows = vec![Vec::with_capacity((width + across) * 3); down];
            for block in blocks.chunks_exact(across * down + 2) {
                let (luma, chroma) = block.split_at(across * down);
                for (row, luma) in rows.iter_mut().zip(luma.chunks_exact(across)) {
                    for luma in luma {
                        row.push(*luma);
                        row.extend_from_slice(chroma);
                    }
                }
            }
            rows.reverse();
            self.waiting = rows;
        }
        *row = self.waiting.pop().unwrap_or_default();
        row.truncate(self.length);
        Ok(())
    }
}

/// Distinguishes faults of the file from faults of the disk.
fn failure(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::damaged("it ends before its last row"),
        _ if error.raw_os_error().is_some() => error.into(),
        _ => Failure::damaged("its pixels can't be decompressed"),
    }
}

/// Undoes the horizontal predictor: adds to each sample the one to its left.
fn undo_horizontal(row: &mut [u8], samples: usize, bits: u32, order: ByteOrder) -> Result<(), Failure> {
    match bits {
        8 => {
            for index in samples..row.len() {
                let left = row.get(index - samples).copied().unwrap_or_default();
                if let Some(sample) = row.get_mut(index) {
                    *sample = sample.wrapping_add(left);
                }
            }
        }
        16 => undo_horizontal_wide::<2>(row, samples, order),
        32 => undo_horizontal_wide::<4>(row, samples, order),
        64 => undo_horizontal_wide::<8>(row, samples, order),
        _ => return Err(unsupported(format!("a TIFF with a predictor for {bits} bits"))),
    }
    Ok(())
}

fn undo_horizontal_wide<const BYTES: usize>(row: &mut [u8], samples: usize, order: ByteOrder) {
    let (words, _) = row.as_chunks_mut::<BYTES>();
    let mut left = vec![0u64; samples];
    for pixel in words.chunks_mut(samples) {
        for (word, left) in pixel.iter_mut().zip(&mut left) {
            *left = left.wrapping_add(number(*word, order));
            let bytes = left.to_be_bytes();
            for (index, byte) in word.iter_mut().enumerate() {
                let from_the_top = match order {
                    ByteOrder::Big => index,
                    ByteOrder::Little => BYTES - 1 - index,
                };
                *byte = bytes.get(8 - BYTES + from_the_top).copied().unwrap_or_default();
            }
        }
    }
}

/// The number in these bytes.
pub(super) fn number<const BYTES: usize>(bytes: [u8; BYTES], order: ByteOrder) -> u64 {
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match order {
        ByteOrder::Big => bytes.iter().fold(0, add),
        ByteOrder::Little => bytes.iter().rev().fold(0, add),
    }
}

/// Undoes the floating-point predictor: the highest bytes of all samples come first, then the next ones, as differences.
fn undo_float(row: &mut [u8], samples: usize, header: &Header) -> Result<(), Failure> {
    if header.sample_format != SampleFormat::Float || !header.bits.is_multiple_of(8) {
        return Err(Failure::damaged("its samples are declared as floating point and are not"));
    }
    undo_horizontal(row, samples, 8, header.order)?;
    let bytes = (header.bits / 8) as usize;
    let count = row.len() / bytes;
    let apart = row.to_vec();
    for (index, target) in row.iter_mut().enumerate() {
        let (sample, byte) = (index / bytes, index % bytes);
        let from_the_top = match header.order {
            ByteOrder::Big => byte,
            ByteOrder::Little => bytes - 1 - byte,
        };
        *target = apart.get(from_the_top * count + sample).copied().unwrap_or_default();
    }
    Ok(())
}

/// A range of the raw file.
pub(super) struct Raw<'a> {
    file: &'a File,
    at: u64,
    left: u64,
    is_reversed: bool,
}

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        // No file is longer than this.
        if buffer.is_empty() || i64::try_from(self.at).is_err() {
            return Ok(0);
        }
        let count = self.file.read_at(buffer, self.at)?;
        self.at = self.at.saturating_add(count as u64);
        self.left -= count as u64;
        if self.is_reversed {
            for byte in buffer.iter_mut().take(count) {
                *byte = byte.reverse_bits();
            }
        }
        Ok(count)
    }
}

/// `PackBits`: repeated bytes and literal bytes.
struct PackBits<R> {
    packed: R,
    run: Run,
}

enum Run {
    None,
    Repeat(u8, usize),
    Literal(usize),
}

impl<R: Read> PackBits<R> {
    fn begin_run(&mut self) -> io::Result<bool> {
        let mut byte = [0];
        loop {
            if self.packed.read(&mut byte)? == 0 {
                return Ok(false);
            }
            match byte[0] {
                128 => {}
                count @ ..128 => {
                    self.run = Run::Literal(usize::from(count) + 1);
                    return Ok(true);
                }
                count => {
                    self.packed.read_exact(&mut byte)?;
                    self.run = Run::Repeat(byte[0], 257 - usize::from(count));
                    return Ok(true);
                }
            }
        }
    }
}

impl<R: Read> Read for PackBits<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.run {
                Run::Repeat(_, 0) | Run::Literal(0) | Run::None => {
                    if !self.begin_run()? {
                        return Ok(0);
                    }
                }
                Run::Repeat(byte, left) => {
                    let count = buffer.len().min(*left);
                    buffer.get_mut(..count).unwrap_or_default().fill(*byte);
                    *left -= count;
                    return Ok(count);
                }
                Run::Literal(left) => {
                    let count = buffer.len().min(*left);
                    let count = self.packed.read(buffer.get_mut(..count).unwrap_or_default())?;
                    *left -= count;
                    return Ok(count);
                }
            }
        }
    }
}

/// LZW as specified, and the old style with reversed bits that early programs wrote.
struct Lzw<R> {
    packed: R,
    decoder: Decoder,
    has_ended: bool,
}

impl<R: BufRead> Lzw<R> {
    fn new(mut packed: R) -> Result<Self, Failure> {
        let is_old_style = matches!(packed.fill_buf()?, [0, second, ..] if second & 1 == 1);
        let decoder = if is_old_style {
            Decoder::new(BitOrder::Lsb, 8)
        } else {
            Decoder::with_tiff_size_switch(BitOrder::Msb, 8)
        };
        Ok(Self { packed, decoder, has_ended: false })
    }
}

impl<R: BufRead> Read for Lzw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended && !buffer.is_empty() {
            let packed = self.packed.fill_buf()?;
            let is_over = packed.is_empty();
            let step = self.decoder.decode_bytes(packed, buffer);
            self.packed.consume(step.consumed_in);
            match step.status {
                Ok(LzwStatus::Done) => self.has_ended = true,
                Ok(LzwStatus::Ok | LzwStatus::NoProgress) => {}
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
            if step.consumed_out > 0 {
                return Ok(step.consumed_out);
            }
            if is_over || (step.consumed_in == 0 && !self.has_ended) {
                break;
            }
        }
        Ok(0)
    }
}

/// A JPEG, with the shared tables added.
struct Jpeg<'a> {
    rows: DecompressStarted<Box<dyn BufRead + 'a>>,
    row: Vec<u8>,
    taken: usize,
    left: usize,
}

impl<'a> Jpeg<'a> {
    fn open(raw: BufReader<Raw<'a>>, header: &Header) -> Result<Self, Failure> {
        if header.bits != 8 {
            return Err(unsupported(format!("a TIFF of JPEGs of {} bits", header.bits)));
        }
        let whole: Box<dyn BufRead + 'a> = match header.tables.as_slice() {
            [0xff, 0xd8, tables @ .., 0xff, 0xd9] => {
                let mut raw = raw;
                let mut start = [0; 2];
                raw.read_exact(&mut start).map_err(failure)?;
                Box::new(Cursor::new([&[0xff, 0xd8], tables].concat()).chain(raw))
            }
            _ => Box::new(raw),
        };
        let cannot = |_| Failure::damaged("its pixels can't be decoded");
        let picture = Decompress::builder().from_reader(whole).map_err(cannot)?;
        let components = if header.is_planar { 1 } else { header.samples };
        let (width, height) = picture.size();
        let fits = width == header.chunk.width as usize && height <= header.chunk.height as usize;
        if picture.components().len() != components || !fits {
            return Err(Failure::damaged("one of the JPEGs in it is of another size or kind"));
        }
        // In the stored colour space, because the TIFF declares what the samples mean.
        let stored = picture.color_space();
        let rows = picture.to_colorspace(stored).map_err(cannot)?;
        Ok(Self { rows, row: vec![0; width * components], taken: width * components, left: height })
    }
}

impl Read for Jpeg<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.row.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.rows.read_scanlines_into(&mut self.row)?;
            (self.taken, self.left) = (0, self.left - 1);
        }
        let rest = self.row.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (target, byte) in buffer.iter_mut().zip(rest) {
            *target = *byte;
        }
        self.taken += count;
        Ok(count)
    }
}
