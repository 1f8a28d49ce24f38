//! Reads metadata: when and with which camera a picture was taken, its title, caption and keywords. As in photo editors,
//! XMP takes precedence over IPTC, and IPTC over EXIF.

use std::fs::File;
use std::io::{BufReader, Seek};

use image::{ImageDecoder, ImageFormat, ImageReader};
use nom_exif::{Exif, ExifDateTime, ExifTag, MediaKind, MediaParser, MediaSource};
use serde::{Deserialize, Serialize};

use super::jpeg_header::JpegHeader;
use super::{DecodeLimits, Failure, guarded};
use crate::pictures::media::reader::ByteReader;
use crate::pictures::media::{MediaType, tiff};

mod exposure;
mod iptc;
mod xmp;

pub use exposure::{Coordinates, Exposure};

/// The longest text that is read, in characters: the default limit of a description.
const MAX_TEXT_CHARACTERS: usize = 10_000;
/// The most keywords that are read: the default limit of an asset's tags.
const MAX_KEYWORDS: usize = 200;
/// The largest XMP packet that is read.
const MAX_XMP_BYTES: usize = 1 << 20;

/// The metadata of a picture. Texts are trimmed and never empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// When it was taken, in ISO 8601 to the second, with an offset from UTC only where the file has one.
    pub captured: Option<String>,
    /// Maker and model of the camera.
    pub camera: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The caption.
    pub caption: Option<String>,
    /// The keywords, each once, at most 200.
    pub keywords: Vec<String>,
    /// How it was taken.
    pub exposure: Exposure,
    /// Where it was taken.
    pub position: Option<Coordinates>,
}

impl Metadata {
    /// Fills in what is missing here.
    fn or(self, other: Self) -> Self {
        Self {
            captured: self.captured.or(other.captured),
            camera: self.camera.or(other.camera),
            title: self.title.or(other.title),
            caption: self.caption.or(other.caption),
            keywords: if self.keywords.is_empty() { other.keywords } else { self.keywords },
            exposure: if self.exposure == Exposure::default() { other.exposure } else { self.exposure },
            position: self.position.or(other.position),
        }
    }

    fn add_keyword(&mut self, keyword: &str) {
        if let Some(keyword) = text(keyword)
            && self.keywords.len() < MAX_KEYWORDS
            && !self.keywords.contains(&keyword)
        {
            self.keywords.push(keyword);
        }
    }
}

/// Reads the metadata of a file. Unreadable parts are ignored.
///
/// # Errors
/// When the file can't be read, or is a damaged JPEG.
pub fn metadata(source: &File, media_type: MediaType, limits: &DecodeLimits) -> Result<Metadata, Failure> {
    guarded(|| {
        let from_exif = exif(source).as_ref().map(of_exif).unwrap_or_default();
        let packets = match media_type {
            MediaType::Jpeg => {
                let segments = JpegHeader::read(source)?;
                Packets { xmp: segments.xmp, iptc: segments.iptc }
            }
            MediaType::Png => packets(source, ImageFormat::Png, limits),
            MediaType::WebP => packets(source, ImageFormat::WebP, limits),
            MediaType::Tiff => of_tiff(source),
            MediaType::Gif
            | MediaType::Avif
            | MediaType::Bmp
            | MediaType::Svg
            | MediaType::Heic
            | MediaType::Mp4
            | MediaType::Mov
            | MediaType::WebM
            | MediaType::Pdf => Packets::default(),
        };
        let from_xmp = packets.xmp.filter(|packet| packet.len() <= MAX_XMP_BYTES).as_deref().map(xmp::read);
        Ok(from_xmp.unwrap_or_default().or(iptc::read(&packets.iptc)).or(from_exif))
    })
}

#[derive(Default)]
struct Packets {
    xmp: Option<Vec<u8>>,
    iptc: Vec<u8>,
}

fn packets(source: &File, format: ImageFormat, limits: &DecodeLimits) -> Packets {
    let mut reader = BufReader::new(source);
    if reader.rewind().is_err() {
        return Packets::default();
    }
    let mut reader = ImageReader::with_format(reader, format);
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.memory / 2);
    reader.limits(decoder_limits);
    let Ok(mut decoder) = reader.into_decoder() else { return Packets::default() };
    Packets {
        xmp: decoder.xmp_metadata().ok().flatten(),
        iptc: decoder.iptc_metadata().ok().flatten().unwrap_or_default(),
    }
}

/// The packets of a TIFF. Unreadable ones are ignored.
fn of_tiff(file: &File) -> Packets {
    let Ok(mut reader) = ByteReader::new(file) else { return Packets::default() };
    let whole = 0..reader.length();
    let Ok(tags) = tiff::Directory::first(&mut reader, whole) else { return Packets::default() };
    let mut bytes = |tag| tags.bytes(&mut reader, tag, MAX_XMP_BYTES as u64).ok().flatten();
    Packets { xmp: bytes(tiff::XMP), iptc: bytes(tiff::IPTC).unwrap_or_default() }
}

fn exif(source: &File) -> Option<Exif> {
    let mut source = source.try_clone().ok()?;
    source.rewind().ok()?;
    let source = MediaSource::seekable(source).ok()?;
    match source.kind() {
        MediaKind::Image => MediaParser::new().parse_exif(source).ok().map(Exif::from),
        MediaKind::Track => None,
    }
}

fn of_exif(exif: &Exif) -> Metadata {
    let tag = |tag| exif.get(tag).and_then(|value| value.as_str()).and_then(text);
    let captured = [ExifTag::DateTimeOriginal, ExifTag::CreateDate]
        .into_iter()
        .find_map(|tag| exif.get(tag)?.as_datetime())
        .map(|taken| match taken {
            ExifDateTime::Aware(taken) => taken.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            ExifDateTime::Naive(taken) => taken.format("%Y-%m-%dT%H:%M:%S").to_string(),
        });
    Metadata {
        captured,
        camera: camera(tag(ExifTag::Make), tag(ExifTag::Model)),
        title: None,
        // Many cameras write their own name into the EXIF caption.
        caption: None,
        keywords: Vec::new(),
        exposure: Exposure::of(exif),
        position: exif.gps_info().and_then(Coordinates::of),
    }
}

/// Maker and model; most models already begin with the maker.
fn camera(make: Option<String>, model: Option<String>) -> Option<String> {
    match (make, model) {
        (Some(make), Some(model)) => {
            let first = make.split(' ').next().unwrap_or_default().to_lowercase();
            Some(if model.to_lowercase().starts_with(&first) { model } else { format!("{make} {model}") })
        }
        (make, model) => model.or(make),
    }
}

/// A text without control characters and surrounding white space; `None` when nothing is left.
fn text(raw: &str) -> Option<String> {
    let visible: String = raw
        .chars()
        .filter(|character| !character.is_control() || matches!(character, '\n' | '\t'))
        .take(MAX_TEXT_CHARACTERS)
        .collect();
    let visible = visible.trim();
    (!visible.is_empty()).then(|| visible.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_is_named_once() {
        let camera = |make: &str, model: &str| super::camera(Some(make.into()), Some(model.into()));
        assert_eq!(camera("Canon", "Canon EOS R5").as_deref(), Some("Canon EOS R5"));
        assert_eq!(camera("NIKON CORPORATION", "NIKON D850").as_deref(), Some("NIKON D850"));
        assert_eq!(camera("SONY", "ILCE-7M3").as_deref(), Some("SONY ILCE-7M3"));
    }

    #[test]
    fn empty_texts_are_none() {
        assert_eq!(text(" \0\0 "), None);
        assert_eq!(text("OLYMPUS DIGITAL CAMERA         ").as_deref(), Some("OLYMPUS DIGITAL CAMERA"));
    }
}
