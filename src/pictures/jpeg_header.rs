//! What the segments before a JPEG's pixels say, read without decoding. Bytes and segments are limited, whatever the file
//! claims.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};

use super::colour::MAX_PROFILE_BYTES;
use super::{DecodeLimits, Failure, unsupported};
use crate::pictures::media::jpeg;
use crate::pictures::media::reader::ByteReader;

/// The most bytes of IPTC that are read: a few segments.
const MAX_IPTC: usize = 256 << 10;
/// The limit for pixels times scans, which is the work of decoding. A progressive picture has about ten scans.
const MAX_SCANNED_PIXELS: u64 = 4_000_000_000;
/// The most scans of any picture.
const MAX_SCANS: u64 = 500;

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
const ADOBE: &[u8] = b"Adobe";

/// What the segments say.
#[derive(Debug, Default)]
pub(super) struct JpegHeader {
    /// An XMP packet.
    pub(super) xmp: Option<Vec<u8>>,
    /// Photoshop's image resources, the IPTC record among them.
    pub(super) iptc: Vec<u8>,
    /// Whether Adobe's segment exists. If so, CMYK is stored inverted.
    pub(super) adobe: bool,
    frame: Option<FrameHeader>,
    /// Parts of the ICC profile with their numbers.
    profile: Vec<(u8, Vec<u8>)>,
    profile_bytes: usize,
    /// The components of the first scan.
    scan_components: usize,
}

/// The frame header.
#[derive(Debug)]
struct FrameHeader {
    marker: u8,
    /// Bits of a sample.
    precision: u8,
    width: u16,
    height: u16,
    /// Sampling factors, across and down.
    sampling: Vec<(u8, u8)>,
}

impl JpegHeader {
    /// Reads the segments up to the first scan.
    pub(super) fn read(source: &File) -> Result<Self, Failure> {
        let mut file = source;
        let mut reader = ByteReader::new(&mut file)?;
        let mut segments = jpeg::SegmentReader::new(&mut reader);
        let mut header = Self::default();
        loop {
            let segment = segments.next().map_err(Failure::damaged)?;
            if segment.is_scan() {
                let components = segments.reader().u8(segment.body.start).map_err(Failure::damaged)?;
                header.scan_components = usize::from(components);
                return Ok(header);
            }
            let has_metadata = matches!(segment.marker, 0xe1 | 0xe2 | 0xed | 0xee);
            if has_metadata || segment.is_frame() {
                let body = segments.reader().range(segment.body.clone(), u64::from(u16::MAX));
                header.add(&segment, &body.map_err(Failure::damaged)?)?;
            }
        }
    }

    fn add(&mut self, segment: &jpeg::JpegSegment, body: &[u8]) -> Result<(), Failure> {
        match segment.marker {
            0xe1 => {
                if let Some(xmp) = body.strip_prefix(XMP) {
                    self.xmp.get_or_insert_with(|| xmp.to_vec());
                }
            }
            0xe2 => {
                if let Some([number, _count, part @ ..]) = body.strip_prefix(ICC) {
                    self.profile_bytes += part.len();
                    if self.profile_bytes > MAX_PROFILE_BYTES {
                        return Err(Failure::TooLarge(format!(
                            "its colour profile is larger than {} MB",
                            MAX_PROFILE_BYTES >> 20
                        )));
                    }
                    self.profile.push((*number, part.to_vec()));
                }
            }
            0xed => {
                if let Some(resources) = body.strip_prefix(PHOTOSHOP)
                    && self.iptc.len() + resources.len() <= MAX_IPTC
                {
                    self.iptc.extend_from_slice(resources);
                }
            }
            0xee => self.adobe |= body.starts_with(ADOBE),
            marker => {
                if self.frame.is_none() {
                    self.frame = FrameHeader::parse(marker, body);
                }
            }
        }
        Ok(())
    }

    /// The ICC profile, assembled from its parts.
    pub(super) fn profile(&self) -> Vec<u8> {
        let mut parts: Vec<_> = self.profile.iter().collect();
        parts.sort_by_key(|(number, _)| *number);
        parts.into_iter().flat_map(|(_, part)| part).copied().collect()
    }

    /// Refuses a file that would need more memory or time to decode than allowed.
    pub(super) fn check(&self, source: &File, limits: &DecodeLimits) -> Result<(), Failure> {
        let Some(frame) = &self.frame else { return Err(Failure::damaged("it has no frame header")) };
        frame.check_kind()?;
        if !frame.is_progressive() && self.scan_components == frame.sampling.len() {
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
        if scans > MAX_SCANS || scans * frame.coefficients() > MAX_SCANNED_PIXELS {
            return Err(Failure::TooLarge(format!("it is made of {scans} scans")));
        }
        Ok(())
    }
}

impl FrameHeader {
    fn parse(marker: u8, body: &[u8]) -> Option<Self> {
        let [precision, height @ ..] = body else { return None };
        let (height, width) = (height.first_chunk()?, height.get(2..)?.first_chunk()?);
        let sampling =
            body.get(6..)?.as_chunks::<3>().0.iter().map(|[_, factors, _]| (factors >> 4, factors & 15));
        Some(Self {
            marker,
            precision: *precision,
            width: u16::from_be_bytes(*width),
            height: u16::from_be_bytes(*height),
            sampling: sampling.collect(),
        })
    }

    fn is_progressive(&self) -> bool {
        matches!(self.marker, 0xc2 | 0xc6 | 0xca | 0xce)
    }

    /// Refuses varieties that no browser shows.
    fn check_kind(&self) -> Result<(), Failure> {
        match (self.marker, self.precision) {
            (0xf7, _) => Err(unsupported("a JPEG-LS")),
            (0xc3 | 0xc7 | 0xcb | 0xcf, _) => Err(unsupported("a JPEG of the lossless kind")),
            (0xc5 | 0xc6 | 0xcd | 0xce, _) => Err(unsupported("a JPEG of the hierarchical kind")),
            (_, 8) => Ok(()),
            (_, bits) => Err(unsupported(format!("a JPEG of {bits} bits a sample"))),
        }
    }

    /// The number of samples of all components.
    fn coefficients(&self) -> u64 {
        let across = self.sampling.iter().map(|(across, _)| *across).max().unwrap_or(1).max(1);
        let down = self.sampling.iter().map(|(_, down)| *down).max().unwrap_or(1).max(1);
        let parts: u64 = self.sampling.iter().map(|(across, down)| u64::from(across * down)).sum();
        u64::from(self.width) * u64::from(self.height) * parts / u64::from(across * down)
    }
}

/// The number of scans in the file.
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
