//! Reads IPTC-IIM records, bare or inside Photoshop image resources. Takes any bytes and stops at the first invalid ones.

use super::{Metadata, text};

const RESOURCE: &[u8] = b"8BIM";
/// The image resource that holds the IPTC record.
const RECORD: u16 = 0x0404;
/// The escape sequence for UTF-8 in the coded character set.
const UTF8: &[u8] = b"\x1b%G";

/// The metadata in the records.
pub(super) fn read(bytes: &[u8]) -> Metadata {
    if !bytes.starts_with(RESOURCE) {
        return records(bytes);
    }
    let mut rest = bytes;
    while let Some((id, body, after)) = resource(rest) {
        if id == RECORD {
            return records(body);
        }
        rest = after;
    }
    Metadata::default()
}

/// An image resource: its id, its body, and what comes after. Names and bodies are padded to even lengths.
fn resource(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (id, rest) = bytes.strip_prefix(RESOURCE)?.split_first_chunk::<2>()?;
    let name = usize::from(*rest.first()?) + 1;
    let (length, rest) = rest.get(name.next_multiple_of(2)..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (body, after) = rest.split_at_checked(length)?;
    Some((u16::from_be_bytes(*id), body, after.get(length % 2..).unwrap_or_default()))
}

fn records(mut bytes: &[u8]) -> Metadata {
    let mut found = Metadata::default();
    let mut is_utf8 = false;
    while let [0x1c, record, number, high, low, rest @ ..] = bytes {
        // A length with the highest bit set has an extended form, which no editor uses for texts.
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, after)) = rest.split_at_checked(length) else { break };
        bytes = after;
        let read = || decoded(value, is_utf8);
        match (record, number) {
            (1, 90) => is_utf8 = value == UTF8,
            (2, 5) => found.title = found.title.or_else(|| text(&read())),
            (2, 25) => found.add_keyword(&read()),
            (2, 120) => found.caption = found.caption.or_else(|| text(&read())),
            _ => {}
        }
    }
    found
}

/// Decodes UTF-8 where it is declared or valid, else Latin-1, which old editors wrote.
fn decoded(value: &[u8], is_utf8: bool) -> String {
    match (std::str::from_utf8(value), is_utf8) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), true) => String::from_utf8_lossy(value).into_owned(),
        (Err(_), false) => value.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dataset(record: u8, number: u8, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).expect("short").to_be_bytes();
        [&[0x1c, record, number][..], &length, value].concat()
    }

    fn in_resources(records: &[u8]) -> Vec<u8> {
        let length = u32::try_from(records.len()).expect("short").to_be_bytes();
        let other = b"8BIM\x04\x25\0\0\0\0\0\x01\xff\0";
        [&other[..], b"8BIM\x04\x04\0\0", &length, records].concat()
    }

    #[test]
    fn title_caption_and_keywords_are_found() {
        let records = [
            dataset(1, 90, UTF8),
            dataset(2, 5, b"Dune"),
            dataset(2, 25, "Sand".as_bytes()),
            dataset(2, 25, "Düne".as_bytes()),
            dataset(2, 25, "Sand".as_bytes()),
            dataset(2, 120, b"At dusk"),
        ]
        .concat();
        let found = read(&in_resources(&records));
        assert_eq!(found.title.as_deref(), Some("Dune"));
        assert_eq!(found.caption.as_deref(), Some("At dusk"));
        assert_eq!(found.keywords, ["Sand", "Düne"]);
        assert_eq!(read(&records), found);
    }

    #[test]
    fn latin_1_is_read_where_no_character_set_is_declared() {
        assert_eq!(read(&dataset(2, 5, b"D\xfcne")).title.as_deref(), Some("Düne"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read(&bytes);
            read(&in_resources(&bytes));
        }
    }
}
