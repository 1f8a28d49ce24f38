//! Reads a few properties of an XMP packet. A packet that is not valid XML has none. The parser refuses custom entities,
//! and the number of elements is limited.

use resvg::usvg::roxmltree::{Document, Node, ParsingOptions};

use super::{Metadata, camera, text};

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const DUBLIN_CORE: &str = "http://purl.org/dc/elements/1.1/";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const EXIF: &str = "http://ns.adobe.com/exif/1.0/";
const TIFF: &str = "http://ns.adobe.com/tiff/1.0/";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// More nodes than any editor writes into a megabyte of packet.
const MAX_NODES: u32 = 50_000;

/// The metadata in the packet.
pub(super) fn read(packet: &[u8]) -> Metadata {
    let packet = String::from_utf8_lossy(packet);
    let packet = packet.trim_end_matches('\0').trim_start_matches('\u{feff}');
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let Ok(document) = Document::parse_with_options(packet, options) else { return Metadata::default() };

    let mut found = Metadata::default();
    let (mut make, mut model) = (None, None);
    for description in document.descendants().filter(|node| node.has_tag_name((RDF, "Description"))) {
        let simple = |namespace, name| property(description, namespace, name).and_then(|value| text(&value));
        found.captured = found.captured.or_else(|| {
            [(EXIF, "DateTimeOriginal"), (PHOTOSHOP, "DateCreated"), (XMP, "CreateDate")]
                .into_iter()
                .find_map(|(namespace, name)| timestamp(&simple(namespace, name)?))
        });
        make = make.or_else(|| simple(TIFF, "Make"));
        model = model.or_else(|| simple(TIFF, "Model"));
        found.title = found.title.or_else(|| text(&alternative(description, "title")?));
        found.caption = found.caption.or_else(|| text(&alternative(description, "description")?));
        for keyword in items(description, "subject") {
            found.add_keyword(&all_text(keyword));
        }
    }
    found.camera = camera(make, model);
    found
}

/// A simple property, as an attribute or as an element.
fn property(description: Node, namespace: &str, name: &str) -> Option<String> {
    let as_element =
        || description.children().find(|child| child.has_tag_name((namespace, name))).map(all_text);
    description.attribute((namespace, name)).map(str::to_owned).or_else(as_element)
}

/// The text in the default language, else the first.
fn alternative(description: Node, name: &'static str) -> Option<String> {
    let items: Vec<_> = items(description, name).collect();
    let default = items.iter().find(|item| item.attribute((XML, "lang")) == Some("x-default"));
    default.or(items.first()).map(|item| all_text(*item))
}

/// The items of a list of Dublin Core.
fn items<'a, 'input>(
    description: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    description
        .children()
        .filter(move |child| child.has_tag_name((DUBLIN_CORE, name)))
        .flat_map(|list| list.descendants())
        .filter(|node| node.has_tag_name((RDF, "li")))
}

fn all_text(node: Node) -> String {
    node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

/// A timestamp to the second, with its offset if it has one: `2024-05-01T12:30:00.25+02:00` loses its fraction. `None`
/// when it is less precise than a minute.
fn timestamp(written: &str) -> Option<String> {
    let (day, time) = written.split_once('T')?;
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(zone);
    let time = time.split('.').next().unwrap_or_default();
    let time = if time.len() == 5 { format!("{time}:00") } else { time.to_owned() };
    let zone = if zone == "Z" { "+00:00" } else { zone };
    let is_timestamp = fits(day, "0000-00-00") && fits(&time, "00:00:00");
    let is_zone = zone.is_empty() || fits(zone.get(1..).unwrap_or_default(), "00:00");
    (is_timestamp && is_zone).then(|| format!("{day}T{time}{zone}"))
}

/// Whether a text has digits where the pattern has them, and equals it elsewhere.
fn fits(written: &str, pattern: &str) -> bool {
    written.len() == pattern.len()
        && written.bytes().zip(pattern.bytes()).all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            _ => byte == expected,
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PACKET: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
  photoshop:DateCreated="2024-05-01T12:30:00.25+02:00" tiff:Make="SONY">
 <tiff:Model>ILCE-7M3</tiff:Model>
 <dc:title><rdf:Alt><rdf:li xml:lang="de">Düne</rdf:li><rdf:li xml:lang="x-default">Dune &amp; sky</rdf:li></rdf:Alt></dc:title>
 <dc:description><rdf:Alt><rdf:li xml:lang="x-default">At dusk</rdf:li></rdf:Alt></dc:description>
 <dc:subject><rdf:Bag><rdf:li>sand</rdf:li><rdf:li>dusk</rdf:li><rdf:li>sand</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"#;

    #[test]
    fn properties_are_found_as_attributes_and_as_elements() {
        let found = read(PACKET.as_bytes());
        let expected = Metadata {
            captured: Some("2024-05-01T12:30:00+02:00".into()),
            camera: Some("SONY ILCE-7M3".into()),
            title: Some("Dune & sky".into()),
            caption: Some("At dusk".into()),
            keywords: vec!["sand".into(), "dusk".into()],
            ..Metadata::default()
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn entity_bombs_are_ignored() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>"#;
        assert_eq!(read(bomb.as_bytes()), Metadata::default());
    }

    #[test]
    fn timestamps_are_complete_or_none() {
        assert_eq!(timestamp("2024-05-01T12:30Z").as_deref(), Some("2024-05-01T12:30:00+00:00"));
        assert_eq!(timestamp("2024-05-01T12:30:15").as_deref(), Some("2024-05-01T12:30:15"));
        assert_eq!(timestamp("2024-05-01"), None);
        assert_eq!(timestamp("2024-05-01Tnoon"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(packet in ".{0,200}") {
            read(packet.as_bytes());
            timestamp(&packet);
        }
    }
}
