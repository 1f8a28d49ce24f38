//! One small file of every type: intact, rotated, truncated, damaged and random.

use std::io::{Cursor, Read, Seek, SeekFrom};

use proptest::prelude::*;

use super::*;
use samples::*;

mod samples;

const MAX_PIXELS: u64 = 200_000_000;

fn inspected(bytes: &[u8]) -> Result<Inspected, String> {
    inspect(&mut Cursor::new(bytes), MAX_PIXELS)
}

fn size_of(bytes: &[u8]) -> Option<(u32, u32)> {
    let found = inspected(bytes).unwrap();
    found.width.zip(found.height)
}

#[test]
fn every_type_is_recognised_by_its_bytes() {
    for (media_type, bytes) in samples() {
        let found = inspected(&bytes).unwrap();
        assert_eq!(found.media_type, media_type);
        let size = if media_type == MediaType::Pdf { None } else { Some((40, 30)) };
        assert_eq!(found.width.zip(found.height), size, "{media_type:?}");
    }
}

#[test]
fn the_orientation_is_applied() {
    for orientation in 5..=8 {
        assert_eq!(size_of(&jpeg(40, 30, orientation)), Some((30, 40)));
        assert_eq!(size_of(&png(40, 30, orientation)), Some((30, 40)));
        assert_eq!(size_of(&tiff(orientation)), Some((30, 40)));
        // Chromium does not turn a WebP by its EXIF.
        assert_eq!(size_of(&extended_webp(&tiff(orientation))), Some((40, 30)));
        let named = [b"Exif\0\0", tiff(orientation).as_slice()].concat();
        assert_eq!(size_of(&extended_webp(&named)), Some((40, 30)));
    }
    for upright in [0, 1, 2, 3, 4, 9] {
        assert_eq!(size_of(&jpeg(40, 30, upright)), Some((40, 30)));
    }
    for (quarter_turns, size) in [(0, (40, 30)), (1, (30, 40)), (2, (40, 30)), (3, (30, 40))] {
        assert_eq!(size_of(&heif(*b"heic", &[], quarter_turns)), Some(size));
        assert_eq!(size_of(&heif(*b"avif", &[], quarter_turns)), Some(size));
    }
    assert_eq!(size_of(&mp4(QUARTER_TURN)), Some((30, 40)));
}

#[test]
fn a_movie_without_pictures_has_no_dimensions() {
    let sound = [brands(*b"mp42", &[]), movie(&[track(*b"soun", 0, 0, UPRIGHT)])].concat();
    assert_eq!(size_of(&sound), None);
}

#[test]
fn other_types_are_refused() {
    let others: [&[u8]; 14] = [
        b"plain text",
        b"BMW is a company, and this is a text about it",
        b"PK\x03\x04 a zip archive",
        b"\0\0\0\x0cJXL \r\n\x87\n",
        b"II*\0\x10\0\0\0CR\x02\0 a raw file of a camera",
        b"<html><body><svg xmlns='http://www.w3.org/2000/svg'/></body></html>",
        b"<!DOCTYPE html><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<svg xmlns='http://www.w3.org/1999/xhtml'><script/></svg>",
        b"<?xml version='1.0'?><notsvg/>",
        b"some words <svg/>",
        b"%PDF is what it is about",
        b"<",
        b"\xFF\xD8",
        b"\0",
    ];
    let raw = [brands(*b"crx ", &[*b"crx ", *b"isom"]), movie(&[])].concat();
    let audio = [brands(*b"M4A ", &[*b"mp42", *b"isom"]), movie(&[])].concat();
    let built = [raw, audio, matroska(b"matroska"), matroska(b"webmx")];
    for bytes in others.into_iter().chain(built.iter().map(Vec::as_slice)) {
        let reason = inspected(bytes).unwrap_err();
        assert!(reason.starts_with("its type is not accepted (accepted are JPEG, "), "{reason}");
    }
    assert_eq!(inspected(b"").unwrap_err(), "it is empty");
}

#[test]
fn damaged_files_are_refused() {
    let cut = |bytes: Vec<u8>, keep: usize| bytes[..keep].to_vec();
    for (bytes, reason) in [
        (cut(jpeg(40, 30, 1), 90), "it is a damaged JPEG: it ends too early"),
        (vec![0xFF, 0xD8, 0xFF, 0xD9], "it is a damaged JPEG: it has no picture in it"),
        (cut(png(40, 30, 1), 33), "it is a damaged PNG: it has no picture in it"),
        (png(40, 0, 1), "it is a damaged PNG: its width or height is zero"),
        (cut(gif(40, 30), 15), "it is a damaged GIF: it ends too early"),
        (cut(lossy_webp(), 24), "it is a damaged WebP: it ends too early"),
        (cut(tiff(1), 20), "it is a damaged TIFF: its dimensions are missing"),
        (bmp(-40, 30), "it is a damaged BMP: its width is negative"),
        (brands(*b"heic", &[]), "it is a damaged HEIC: it ends before its table of contents"),
        (brands(*b"mp42", &[]), "it is a damaged MP4: it ends before its table of contents"),
        (cut(matroska(b"webm"), 30), "it is a damaged WebM: it has no tracks"),
        (b"%PDF-1.7\n".to_vec(), "it is a damaged PDF: it has a header and no content"),
        (jpeg(0, 30, 1), "it is a damaged JPEG: its width or height is zero"),
        (png(20_000, 10_001, 1), "it has 200020000 pixels, and at most 200000000 are accepted"),
    ] {
        assert_eq!(inspected(&bytes).unwrap_err(), reason);
    }
}

#[test]
fn an_svg_must_be_well_formed_to_its_end() {
    let nested = "<g>".repeat(2000);
    for (text, reason) in [
        ("<svg><g></svg>", "it is not well-formed XML from byte 8 on"),
        ("<svg><g>", "it ends too early"),
        ("<svg/><script/>", "there is something after its root element"),
        ("<svg></svg>text", "there is something after its root element"),
        ("<svg a></svg>", "an attribute in it is malformed"),
        ("<svg><!DOCTYPE html></svg>", "it has a declaration in the wrong place"),
        (&format!("<svg>{nested}"), "its elements are nested deeper than 1000"),
        (&format!("<svg><{}/></svg>", "n".repeat(2000)), "a name in it is longer than 1000 bytes"),
        (&format!("<svg>{}</svg>", "x".repeat(17 << 20)), "one of its parts is larger than 16777216 bytes"),
    ] {
        assert_eq!(inspected(text.as_bytes()).unwrap_err(), format!("it is a damaged SVG: {reason}"));
    }
}

#[test]
fn an_svg_has_the_size_that_it_gives() {
    for (root, size) in [
        ("<svg width='40' height='30'/>", Some((40, 30))),
        ("<svg width=' 40.4px ' height='29.5'/>", Some((40, 30))),
        ("<svg width='10mm' height='10mm' viewBox='0 0 40 30'/>", Some((38, 38))),
        ("<svg width='100%' height='100%' viewBox='-1,-1, 40 , 30'/>", Some((40, 30))),
        ("<svg width='8' viewBox='0 0 40 30'/>", Some((8, 6))),
        ("<svg viewBox='0 0 0.2 NaN'/>", None),
        ("<svg width='-1' height='inf'/>", None),
        ("<svg width='1e300' height='1'/>", None),
        ("<s:svg xmlns:s='http://www.w3.org/2000/svg' width='40' height='30'/>", Some((40, 30))),
        ("<!DOCTYPE svg [<!ENTITY ns 'http://www.w3.org/2000/svg'>]><svg xmlns='&ns;'/>", None),
    ] {
        assert_eq!(size_of(root.as_bytes()), size, "{root}");
    }
}

#[test]
fn an_svg_may_begin_with_a_byte_order_mark() {
    let utf8 = format!("\u{feff}{SVG}").into_bytes();
    let text = SVG.replace("UTF-8", "UTF-16");
    let little: Vec<u8> =
        "\u{feff}".chars().chain(text.chars()).flat_map(|c| (c as u16).to_le_bytes()).collect();
    let big: Vec<u8> =
        "\u{feff}".chars().chain(text.chars()).flat_map(|c| (c as u16).to_be_bytes()).collect();
    for bytes in [utf8, little, big] {
        assert_eq!(size_of(&bytes), Some((40, 30)));
    }
}

/// A nearly endless file of zeros after its header that counts how much of it is read.
struct Endless {
    head: Vec<u8>,
    position: u64,
    read: u64,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        for (at, byte) in (self.position..).zip(into.iter_mut()) {
            *byte = usize::try_from(at).ok().and_then(|at| self.head.get(at)).copied().unwrap_or(0);
        }
        self.position += into.len() as u64;
        self.read += into.len() as u64;
        Ok(into.len())
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(place) => place,
            SeekFrom::End(offset) => (1u64 << 60).saturating_add_signed(offset),
            SeekFrom::Current(offset) => self.position.saturating_add_signed(offset),
        };
        Ok(self.position)
    }
}

#[test]
fn only_a_little_of_a_large_file_is_read() {
    for (media_type, head) in samples() {
        if media_type == MediaType::Svg {
            continue;
        }
        let mut file = Endless { head, position: 0, read: 0 };
        assert_eq!(inspect(&mut file, MAX_PIXELS).unwrap().media_type, media_type);
        assert!(file.read < 1 << 20, "{media_type:?}: {} bytes", file.read);
    }
}

proptest! {
    #[test]
    fn random_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = inspected(&bytes);
    }

    #[test]
    fn a_damaged_file_does_not_panic(
        sample in 0..samples().len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        keep in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let (_, mut bytes) = samples().swap_remove(sample);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if is_cut {
            bytes.truncate(keep.index(bytes.len()));
        }
        if let Ok(found) = inspected(&bytes) {
            prop_assert_eq!(found.width.is_some(), found.height.is_some());
            prop_assert!(found.width != Some(0) && found.height != Some(0));
        }
    }

    #[test]
    fn any_xml_does_not_panic(text in "[<>/!?a-c'\"=&;\\[\\] -]{0,80}") {
        let _ = inspected(text.as_bytes());
        let _ = inspected(format!("<svg>{text}</svg>").as_bytes());
    }
}
