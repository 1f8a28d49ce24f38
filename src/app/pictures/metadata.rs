//! What a picture tells about itself: when and with what it was taken, its title, caption and keywords. From EXIF,
//! IPTC and XMP. Where several tell the same thing, XMP goes before IPTC and IPTC before EXIF, as editors do it.

use std::fs::File;
use std::io::{BufReader, Seek};

use image::{ImageDecoder, ImageFormat, ImageReader};
use nom_exif::{Exif, ExifDateTime, ExifTag, MediaKind, MediaParser, MediaSource};
use serde::{Deserialize, Serialize};

use super::segments::Segments;
use super::{Failure, Limits, guarded};
use crate::app::media::MediaType;

mod iptc;
mod xmp;

/// The longest text that is taken over, in characters: what a description may have.
const LONGEST_TEXT: usize = 10_000;
/// The most keywords that are taken over: what an asset may have of tags.
const MOST_KEYWORDS: usize = 200;
/// The largest XMP packet that is read.
const LARGEST_XMP: usize = 1 << 20;

/// What a picture tells about itself. Texts are trimmed and never empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// When it was taken, ISO 8601 to the second. With an offset from UTC only where the camera knew it.
    pub captured: Option<String>,
    /// Maker and model of the camera.
    pub camera: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The caption.
    pub caption: Option<String>,
    /// The keywords, each once, at most 200.
    pub keywords: Vec<String>,
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
        }
    }

    fn add_keyword(&mut self, keyword: &str) {
        if let Some(keyword) = text(keyword)
            && self.keywords.len() < MOST_KEYWORDS
            && !self.keywords.contains(&keyword)
        {
            self.keywords.push(keyword);
        }
    }
}

/// Reads what a file tells about itself. A part that can't be read is left out.
///
/// # Errors
/// When the file can't be read at all, or is no JPEG although it was said to be.
pub fn metadata(source: &File, media_type: MediaType, limits: &Limits) -> Result<Metadata, Failure> {
    guarded(|| {
        let from_exif = exif(source).as_ref().map(of_exif).unwrap_or_default();
        let packets = match media_type {
            MediaType::Jpeg => {
                let segments = Segments::read(source)?;
                Packets { xmp: segments.xmp, iptc: segments.iptc }
            }
            MediaType::Png => packets(source, ImageFormat::Png, limits),
            MediaType::WebP => packets(source, ImageFormat::WebP, limits),
            MediaType::Tiff => packets(source, ImageFormat::Tiff, limits),
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
        let from_xmp = packets.xmp.filter(|packet| packet.len() <= LARGEST_XMP).as_deref().map(xmp::read);
        Ok(from_xmp.unwrap_or_default().or(iptc::read(&packets.iptc)).or(from_exif))
    })
}

#[derive(Default)]
struct Packets {
    xmp: Option<Vec<u8>>,
    iptc: Vec<u8>,
}

fn packets(source: &File, format: ImageFormat, limits: &Limits) -> Packets {
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
        // Many cameras write their own name into what EXIF has for a caption.
        caption: None,
        keywords: Vec::new(),
    }
}

/// Maker and model; most models begin with their maker already.
fn camera(make: Option<String>, model: Option<String>) -> Option<String> {
    match (make, model) {
        (Some(make), Some(model)) => {
            let first = make.split(' ').next().unwrap_or_default().to_lowercase();
            Some(if model.to_lowercase().starts_with(&first) { model } else { format!("{make} {model}") })
        }
        (make, model) => model.or(make),
    }
}

/// A text without what surrounds it and without what no person can see; nothing when nothing is left.
fn text(raw: &str) -> Option<String> {
    let seen: String = raw
        .chars()
        .filter(|character| !character.is_control() || matches!(character, '\n' | '\t'))
        .take(LONGEST_TEXT)
        .collect();
    let seen = seen.trim();
    (!seen.is_empty()).then(|| seen.to_owned())
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
