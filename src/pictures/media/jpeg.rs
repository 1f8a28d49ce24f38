//! Walks the segments of a JPEG before its pixels, as browsers do: bytes between two segments are skipped. All code that
//! reads a JPEG's header uses this walk.

use std::io::{Read, Seek};
use std::ops::Range;

use image::metadata::Orientation;

use super::reader::{ByteOrder, ByteReader, Damage};
use super::{Dimensions, Geometry, tiff};

/// More segments than any camera or editor writes.
const MAX_SEGMENTS: usize = 10_000;
/// How many bytes between two segments are skipped. Real files have padding of a few KiB.
const MAX_STRAY_BYTES: u64 = 1 << 20;

/// A segment: its marker, and the range of its content without the length field.
#[derive(Debug, Clone)]
pub struct JpegSegment {
    /// The second byte of its marker.
    pub marker: u8,
    /// The range of its content.
    pub body: Range<u64>,
}

impl JpegSegment {
    /// Whether it is a frame header. C4, C8 and CC are other segments; F7 is the frame header of JPEG-LS.
    pub fn is_frame(&self) -> bool {
        matches!(self.marker, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7)
    }

    /// Whether it is a scan header, after which the pixels begin.
    pub fn is_scan(&self) -> bool {
        self.marker == 0xDA
    }
}

/// Reads one segment after another, up to the first scan.
pub struct SegmentReader<'a, R> {
    reader: &'a mut ByteReader<R>,
    at: u64,
    count: usize,
}

impl<'a, R: Read + Seek> SegmentReader<'a, R> {
    /// Starts after the start-of-image marker.
    pub fn new(reader: &'a mut ByteReader<R>) -> Self {
        Self { reader, at: 2, count: 0 }
    }

    /// The file.
    pub fn reader(&mut self) -> &mut ByteReader<R> {
        self.reader
    }

    /// The next one.
    ///
    /// # Errors
    /// When the file ends first, or has no picture.
    pub fn next(&mut self) -> Result<JpegSegment, Damage> {
        loop {
            self.count += 1;
            if self.count > MAX_SEGMENTS {
                return Err("it has too many segments".into());
            }
            let (marker, start) = self.marker()?;
            match marker {
                0xD9 => return Err("it has no picture in it".into()),
                // These markers have no content.
                0x01 | 0xD0..=0xD8 => self.at = start,
                _ => {
                    let length = match self.reader.u16(start, ByteOrder::Big) {
                        // A file truncated here still has known dimensions.
                        Err(_) if marker == 0xDA => 2,
                        length => u64::from(length?),
                    };
                    if length < 2 {
                        return Err("the length of a segment is wrong".into());
                    }
                    self.at = start + length;
                    return Ok(JpegSegment { marker, body: start + 2..start + length });
                }
            }
        }
    }

    /// The next marker and the offset after it.
    fn marker(&mut self) -> Result<(u8, u64), Damage> {
        let mut before = 0;
        for at in self.at..self.at + MAX_STRAY_BYTES {
            let byte = self.reader.u8(at)?;
            if before == 0xFF && byte != 0xFF && byte != 0 {
                return Ok((byte, at + 1));
            }
            before = byte;
        }
        Err("its header is wrong".into())
    }
}

/// The geometry of a JPEG. The first frame and the first EXIF segment count.
///
/// # Errors
/// When it has no frame, or ends before its pixels.
pub fn geometry<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Geometry, Damage> {
    let mut segments = SegmentReader::new(reader);
    let (mut size, mut orientation) = (None, None);
    loop {
        let segment = segments.next()?;
        if segment.is_scan() {
            break;
        }
        let reader = segments.reader();
        if segment.is_frame() && size.is_none() {
            let height = reader.u16(segment.body.start + 1, ByteOrder::Big)?;
            let width = reader.u16(segment.body.start + 3, ByteOrder::Big)?;
            size = Some(Dimensions { width: width.into(), height: height.into() });
        } else if orientation.is_none()
            && let Some(block) = exif(reader, &segment)
        {
            orientation = Some(tiff::exif_orientation(reader, block));
        }
    }
    let size = size.ok_or("its dimensions are missing")?;
    Ok(size.oriented(orientation.unwrap_or(Orientation::NoTransforms)))
}

/// The EXIF block in a segment. The sixth byte of its name is padding. A segment too short for a header is ignored.
fn exif<R: Read + Seek>(reader: &mut ByteReader<R>, segment: &JpegSegment) -> Option<Range<u64>> {
    let block = segment.body.start + 6..segment.body.end;
    let is_exif = segment.marker == 0xE1
        && block.end >= block.start + 8
        && reader.bytes(segment.body.start).is_ok_and(|name: [u8; 5]| &name == b"Exif\0");
    is_exif.then_some(block)
}
