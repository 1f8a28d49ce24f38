//! The segments of a JPEG before its pixels: what they say about it, read without decoding anything. Bounded in
//! bytes and in segments, whatever the file claims.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use super::colour::LARGEST_PROFILE;
use super::{Failure, Limits};

/// More segments than any camera or editor writes.
const MOST_SEGMENTS: usize = 4096;
/// The most bytes of IPTC that are kept: a few segments.
const LARGEST_IPTC: usize = 256 << 10;
/// The work that scans may cause, as pixels times scans. A progressive picture has about ten scans.
const MOST_SCANNED: u64 = 4_000_000_000;
/// The most scans of a small picture.
const MOST_SCANS: u64 = 500;

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
const ADOBE: &[u8] = b"Adobe";

/// What the segments say.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// A TIFF structure with the EXIF tags.
    pub(super) exif: Option<Vec<u8>>,
    /// An XMP packet.
    pub(super) xmp: Option<Vec<u8>>,
    /// Photoshop's image resources, the IPTC record among them.
    pub(super) iptc: Vec<u8>,
    /// Whether Adobe's segment is there: then inks are stored inverted.
    pub(super) adobe: bool,
    frame: Option<Frame>,
    /// Parts of the ICC profile with their numbers.
    profile: Vec<(u8, Vec<u8>)>,
    profile_bytes: usize,
    /// The components of the first scan.
    scan_components: usize,
}

/// The frame header.
#[derive(Debug)]
struct Frame {
    is_progressive: bool,
    width: u16,
    height: u16,
    /// Sampling factors, across and down.
    sampling: Vec<(u8, u8)>,
}

impl Segments {
    /// Reads them.
    pub(super) fn read(source: &File) -> Result<Self, Failure> {
        let mut reader = BufReader::with_capacity(16 << 10, source);
        reader.rewind()?;
        let mut segments = Self::default();
        if byte(&mut reader)? != 0xff || byte(&mut reader)? != 0xd8 {
            return Err(Failure::damaged("it does not begin like a JPEG"));
        }
        for _ in 0..MOST_SEGMENTS {
            let marker = marker(&mut reader)?;
            match marker {
                0xd8 | 0x01 | 0xd0..=0xd7 => {}
                0xd9 => return Err(Failure::damaged("it has no pixels")),
                _ => {
                    let length = u16::from_be_bytes([byte(&mut reader)?, byte(&mut reader)?]);
                    let length =
                        length.checked_sub(2).ok_or_else(|| Failure::damaged("a segment has no length"))?;
                    if marker == 0xda {
                        segments.scan_components = usize::from(byte(&mut reader)?);
                        return Ok(segments);
                    }
                    segments.take(marker, length, &mut reader)?;
                }
            }
        }
        Err(Failure::TooLarge(format!("it has more than {MOST_SEGMENTS} segments")))
    }

    fn take(&mut self, marker: u8, length: u16, reader: &mut BufReader<&File>) -> Result<(), Failure> {
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                self.frame = Frame::parse(marker, &body(length, reader)?);
            }
            0xe1 | 0xe2 | 0xed | 0xee => self.keep(marker, &body(length, reader)?)?,
            _ => reader.seek_relative(i64::from(length))?,
        }
        Ok(())
    }

    fn keep(&mut self, marker: u8, body: &[u8]) -> Result<(), Failure> {
        match marker {
            0xe1 => {
                if let Some(exif) = body.strip_prefix(EXIF) {
                    self.exif.get_or_insert_with(|| exif.to_vec());
                } else if let Some(xmp) = body.strip_prefix(XMP) {
                    self.xmp.get_or_insert_with(|| xmp.to_vec());
                }
            }
            0xe2 => {
                if let Some([number, _count, part @ ..]) = body.strip_prefix(ICC) {
                    self.profile_bytes += part.len();
                    if self.profile_bytes > LARGEST_PROFILE {
                        return Err(Failure::TooLarge(format!(
                            "its colour profile is larger than {} MB",
                            LARGEST_PROFILE >> 20
                        )));
                    }
                    self.profile.push((*number, part.to_vec()));
                }
            }
            0xed => {
                if let Some(resources) = body.strip_prefix(PHOTOSHOP)
                    && self.iptc.len() + resources.len() <= LARGEST_IPTC
                {
                    self.iptc.extend_from_slice(resources);
                }
            }
            _ => self.adobe |= body.starts_with(ADOBE),
        }
        Ok(())
    }

    /// The ICC profile, put together.
    pub(super) fn profile(&self) -> Vec<u8> {
        let mut parts: Vec<_> = self.profile.iter().collect();
        parts.sort_by_key(|(number, _)| *number);
        parts.into_iter().flat_map(|(_, part)| part).copied().collect()
    }

    /// Refuses what would take more pixels, memory or time to decode than is allowed.
    pub(super) fn check(&self, source: &File, limits: &Limits) -> Result<(), Failure> {
        let Some(frame) = &self.frame else { return Err(Failure::damaged("it has no frame header")) };
        super::within_pixels(frame.width.into(), frame.height.into(), limits)?;
        if !frame.is_progressive && self.scan_components == frame.sampling.len() {
            return Ok(());
        }
        let bytes = frame.coefficients() * 2;
        if bytes > limits.memory / 4 * 3 {
            return Err(Failure::TooLarge(format!(
                "it is progressive and needs {} MB of memory at once, and {} MB are allowed",
                bytes >> 20,
                (limits.memory / 4 * 3) >> 20
            )));
        }
        let scans = count_scans(source)?;
        if scans > MOST_SCANS || scans * frame.coefficients() > MOST_SCANNED {
            return Err(Failure::TooLarge(format!("it is made of {scans} scans")));
        }
        Ok(())
    }
}

impl Frame {
    fn parse(marker: u8, body: &[u8]) -> Option<Self> {
        let [_precision, height @ ..] = body else { return None };
        let (height, width) = (height.first_chunk()?, height.get(2..)?.first_chunk()?);
        let sampling =
            body.get(6..)?.as_chunks::<3>().0.iter().map(|[_, factors, _]| (factors >> 4, factors & 15));
        Some(Self {
            is_progressive: matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce),
            width: u16::from_be_bytes(*width),
            height: u16::from_be_bytes(*height),
            sampling: sampling.collect(),
        })
    }

    /// Samples of all components together.
    fn coefficients(&self) -> u64 {
        let across = self.sampling.iter().map(|(across, _)| *across).max().unwrap_or(1).max(1);
        let down = self.sampling.iter().map(|(_, down)| *down).max().unwrap_or(1).max(1);
        let parts: u64 = self.sampling.iter().map(|(across, down)| u64::from(across * down)).sum();
        u64::from(self.width) * u64::from(self.height) * parts / u64::from(across * down)
    }
}

fn byte(reader: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn body(length: u16, reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut body = vec![0; usize::from(length)];
    reader.read_exact(&mut body)?;
    Ok(body)
}

/// The next marker, past its fill bytes.
fn marker(reader: &mut BufReader<&File>) -> Result<u8, Failure> {
    if byte(reader)? != 0xff {
        return Err(Failure::damaged("there are bytes between its segments"));
    }
    for _ in 0..1024 {
        match byte(reader)? {
            0xff => {}
            marker => return Ok(marker),
        }
    }
    Err(Failure::damaged("there are bytes between its segments"))
}

/// How many scans begin in the file.
fn count_scans(source: &File) -> Result<u64, Failure> {
    let mut reader = BufReader::with_capacity(64 << 10, source);
    reader.rewind()?;
    let (mut scans, mut after_ff) = (0, false);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(scans);
        }
        for byte in bytes {
            scans += u64::from(after_ff && *byte == 0xda);
            after_ff = *byte == 0xff;
        }
        let length = bytes.len();
        reader.consume(length);
    }
}
