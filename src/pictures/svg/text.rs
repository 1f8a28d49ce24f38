//! Reads the text of an SVG: decompresses it, and decodes it in its declared encoding.

use std::fs::File;
use std::io::Read;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use flate2::read::GzDecoder;

use crate::pictures::Failure;
use crate::pictures::media::svg::GZIP;

/// The largest decompressed file, in bytes. Real SVGs are far smaller, and parsing takes many times the file's size.
const MAX_BYTES: u64 = 8 << 20;
/// The encoding must be declared within this many bytes from the start.
const DECLARATION: usize = 200;

/// Reads a file as text.
///
/// # Errors
/// When it is too large, or is not text in its encoding.
pub(super) fn read(source: &File) -> Result<String, Failure> {
    let bytes = bounded(source)?;
    let bytes = if bytes.starts_with(GZIP) { bounded(GzDecoder::new(bytes.as_slice()))? } else { bytes };
    let encoding = match Encoding::for_bom(&bytes) {
        Some((encoding, _)) => encoding,
        None => unmarked(&bytes),
    };
    let (text, _, had_errors) = encoding.decode(&bytes);
    if had_errors {
        return Err(Failure::damaged(format!("it is not text in {}", encoding.name())));
    }
    Ok(text.into_owned())
}

fn bounded(source: impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Failure::TooLarge(format!("it is an SVG of more than {} MB", MAX_BYTES >> 20)));
    }
    Ok(bytes)
}

/// The encoding of a text without a byte order mark: from its first bytes, or its declaration.
fn unmarked(bytes: &[u8]) -> &'static Encoding {
    match bytes {
        [0, b'<', ..] => UTF_16BE,
        [b'<', 0, ..] => UTF_16LE,
        _ => declared(bytes).unwrap_or(UTF_8),
    }
}

fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..DECLARATION).unwrap_or(bytes));
    let declaration = head.strip_prefix("<?xml")?.split_once("?>")?.0;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let label = value.get(1..)?.split(quote).next()?;
    // A declaration readable as single bytes can't be UTF-16, whatever it says.
    Encoding::for_label(label.as_bytes()).filter(|encoding| encoding.is_ascii_compatible())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_detected_from_the_bytes_or_the_declaration() {
        for (bytes, name) in [
            (&b"<svg/>"[..], "UTF-8"),
            (b"<\0s\0", "UTF-16LE"),
            (b"\0<\0s", "UTF-16BE"),
            (b"<?xml version='1.0' encoding='ISO-8859-1'?><svg/>", "windows-1252"),
            (b"<?xml version=\"1.0\" encoding = \"Shift_JIS\" ?><svg/>", "Shift_JIS"),
            (b"<?xml version='1.0' encoding='UTF-16'?><svg/>", "UTF-8"),
            (b"<?xml version='1.0' encoding='none such'?><svg/>", "UTF-8"),
        ] {
            assert_eq!(unmarked(bytes).name(), name, "{bytes:?}");
        }
    }
}
