//! Whether the file of a picture is there to its end. Of one that was cut off, browsers show the upper part.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use super::MediaType;
use super::jpeg::SegmentReader;
use super::reader::{ByteOrder, ByteReader, Damage};

/// The second byte of the marker at the end of a JPEG.
const END_OF_IMAGE: u8 = 0xD9;
/// The last chunk of a PNG, which is empty, with its checksum.
const PNG_END: [u8; 12] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xAE, 0x42, 0x60, 0x82];

/// Whether the file ends before its picture does. Nothing is known of types that do not mark their end.
///
/// # Errors
/// When the file can't be read.
pub fn ends_early(file: &mut (impl Read + Seek), media_type: MediaType) -> io::Result<bool> {
    let mut reader = ByteReader::new(file)?;
    let is_whole = match media_type {
        MediaType::Jpeg => jpeg(&mut reader),
        MediaType::Png => png(&mut reader),
        MediaType::WebP => webp(&mut reader),
        MediaType::Gif
        | MediaType::Avif
        | MediaType::Tiff
        | MediaType::Bmp
        | MediaType::Svg
        | MediaType::Heic
        | MediaType::Mp4
        | MediaType::Mov
        | MediaType::WebM
        | MediaType::Pdf => return Ok(false),
    };
    if reader.has_failed() {
        return Err(io::Error::other("the file could not be read"));
    }
    Ok(!is_whole.unwrap_or(false))
}

/// Whether a JPEG has its end. Cameras write previews and videos after it, so it may be anywhere after the first scan.
fn jpeg<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<bool, Damage> {
    let last: [u8; 2] = reader.bytes(reader.length().saturating_sub(2))?;
    if last == [0xFF, END_OF_IMAGE] {
        return Ok(true);
    }
    let mut segments = SegmentReader::new(reader);
    let pixels = loop {
        let segment = segments.next()?;
        if segment.is_scan() {
            break segment.body.end;
        }
    };
    let stream = reader.rewound()?;
    has_end(stream, pixels).map_err(|_| Damage::from("it could not be read"))
}

/// Whether the marker at the end of a JPEG is after this offset. Among the pixels, an FF that is one of them has a zero after it.
fn has_end(stream: &mut (impl BufRead + Seek), start: u64) -> io::Result<bool> {
    stream.seek(SeekFrom::Start(start))?;
    let mut before = 0;
    loop {
        let bytes = stream.fill_buf()?;
        let Some(last) = bytes.last().copied() else { return Ok(false) };
        let is_end = before == 0xFF && bytes.first() == Some(&END_OF_IMAGE);
        if is_end || bytes.windows(2).any(|pair| pair == [0xFF, END_OF_IMAGE]) {
            return Ok(true);
        }
        before = last;
        let read = bytes.len();
        stream.consume(read);
    }
}

/// Whether a PNG has its last chunk. Other bytes may follow it.
fn png<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<bool, Damage> {
    let last: [u8; 12] = reader.bytes(reader.length().saturating_sub(12))?;
    if last == PNG_END {
        return Ok(true);
    }
    let mut at = 8;
    loop {
        let (length, kind): (u32, [u8; 4]) = (reader.u32(at, ByteOrder::Big)?, reader.bytes(at + 4)?);
        if &kind == b"IEND" {
            return Ok(at + 12 <= reader.length());
        }
        at += 12 + u64::from(length);
    }
}

/// Whether a WebP is as long as it says.
fn webp<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<bool, Damage> {
    Ok(8 + u64::from(reader.u32(4, ByteOrder::Little)?) <= reader.length())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn fixture(name: &str) -> (Vec<u8>, MediaType) {
        let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        let media_type = super::super::inspect(&mut Cursor::new(&bytes), u64::MAX).unwrap().media_type;
        (bytes, media_type)
    }

    #[test]
    fn a_file_that_was_cut_off_ends_early_and_one_with_something_after_it_does_not() {
        for name in ["sunset.jpg", "wine.jpg", "picos-de-europa.jpg", "seeding.png", "umang.webp"] {
            let (bytes, media_type) = fixture(name);
            let ends = |bytes: &[u8]| ends_early(&mut Cursor::new(bytes), media_type).unwrap();
            assert!(!ends(&bytes), "{name}");
            assert!(!ends(&[&bytes[..], &vec![7; 100_000]].concat()), "{name} with something after it");
            for part in [3, 2] {
                assert!(ends(&bytes[..bytes.len() / part]), "{name} cut to 1/{part}");
            }
            assert!(ends(&bytes[..bytes.len() - 1]), "{name} without its last byte");
        }
    }
}
