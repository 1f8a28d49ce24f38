//! SVG: a well-formed XML document whose root element is `svg`, plain or compressed with gzip. Expands no entities, follows
//! no links and does not check the content: SVGs are served so that scripts can't run.

use std::io::{self, BufRead, BufReader, Read, Seek};

use flate2::read::GzDecoder;
use quick_xml::encoding::DecodingReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::Dimensions;
use super::reader::{ByteReader, Damage};

mod css_size;

pub use css_size::CssSize;

/// The largest single tag, text or comment, in bytes. Each is held in memory, and may embed a picture as base64.
const MAX_EVENT_BYTES: usize = 16 << 20;
/// The first bytes of a file compressed with gzip.
pub const GZIP: &[u8] = &[0x1F, 0x8B];
/// The most bytes that are decompressed. The rest counts as missing.
const MAX_INFLATED: u64 = 64 << 20;
/// How deep elements may be nested. Browsers stop at a few hundred.
const MAX_DEPTH: usize = 1000;
/// The longest name of an element, in bytes. The names of all open elements are held.
const MAX_NAME_BYTES: usize = 1000;
/// The namespace of SVG.
const NAMESPACE: &[u8] = b"http://www.w3.org/2000/svg";

/// The root element of a document.
struct Root {
    size: Result<Option<Dimensions>, Damage>,
    is_closed: bool,
}

/// Whether a file is an XML document whose root element is `svg`.
pub fn is_svg<R: Read + Seek>(reader: &mut ByteReader<R>) -> bool {
    Document::open(reader).and_then(|mut document| document.root()).is_ok_and(|root| root.is_some())
}

/// The dimensions that the root element gives, in pixels.
///
/// # Errors
/// When the document is not well-formed.
pub fn size<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Option<Dimensions>, Damage> {
    let mut document = Document::open(reader)?;
    let root = document.root()?.ok_or("its root element is not svg")?;
    let size = root.size?;
    document.read_on(usize::from(!root.is_closed))?;
    Ok(size)
}

struct Document<'a> {
    reader: Reader<Limited<Box<dyn BufRead + 'a>>>,
    buffer: Vec<u8>,
}

impl<'a> Document<'a> {
    fn open<R: Read + Seek>(reader: &'a mut ByteReader<R>) -> Result<Self, Damage> {
        let head = reader.head(2)?;
        let text: Box<dyn BufRead + 'a> = match head.as_slice() {
            GZIP => Box::new(BufReader::new(GzDecoder::new(reader.rewound()?).take(MAX_INFLATED))),
            _ => Box::new(reader.rewound()?),
        };
        let mut text = text;
        let start = text.fill_buf().map_err(|_| "it can't be unpacked")?;
        // Every other encoding uses ASCII for the syntax of XML, so it needs no decoding.
        let text: Box<dyn BufRead + 'a> = match start {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, b'<', ..] | [b'<', 0, ..] => {
                Box::new(DecodingReader::new(text))
            }
            _ => text,
        };
        let reader = Reader::from_reader(Limited { inner: text, left: MAX_EVENT_BYTES });
        Ok(Self { reader, buffer: Vec::new() })
    }

    fn next(&mut self) -> Result<Event<'_>, Damage> {
        self.buffer.clear();
        self.reader.get_mut().left = MAX_EVENT_BYTES;
        let failed_at = self.reader.buffer_position();
        self.reader.read_event_into(&mut self.buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Damage(format!("one of its parts is larger than {MAX_EVENT_BYTES} bytes").into())
            }
            _ => Damage(format!("it is not well-formed XML from byte {failed_at} on").into()),
        })
    }

    /// Reads up to the root element; `None` when it is not `svg`, or other content comes before it.
    fn root(&mut self) -> Result<Option<Root>, Damage> {
        loop {
            match self.next()? {
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                Event::DocType(name) if is_svg_doctype(&name) => {}
                Event::Start(tag) => return Ok(read_root(&tag, false)),
                Event::Empty(tag) => return Ok(read_root(&tag, true)),
                Event::DocType(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::GeneralRef(_)
                | Event::End(_)
                | Event::Eof => return Ok(None),
            }
        }
    }

    /// Reads to the end of the document, from inside `depth` elements.
    fn read_on(&mut self, mut depth: usize) -> Result<(), Damage> {
        loop {
            match self.next()? {
                Event::Start(_) | Event::Empty(_) | Event::CData(_) | Event::GeneralRef(_) if depth == 0 => {
                    return Err("there is something after its root element".into());
                }
                Event::Start(tag) => {
                    check_tag(&tag)?;
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(Damage(
                            format!("its elements are nested deeper than {MAX_DEPTH}").into(),
                        ));
                    }
                }
                Event::Empty(tag) => check_tag(&tag)?,
                Event::End(_) => depth = depth.saturating_sub(1),
                Event::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => {
                    return Err("there is something after its root element".into());
                }
                Event::Decl(_) | Event::DocType(_) => {
                    return Err("it has a declaration in the wrong place".into());
                }
                Event::Text(_)
                | Event::CData(_)
                | Event::GeneralRef(_)
                | Event::Comment(_)
                | Event::PI(_) => {}
                Event::Eof if depth == 0 => return Ok(()),
                Event::Eof => return Err("it ends too early".into()),
            }
        }
    }
}

fn read_root(tag: &BytesStart<'_>, is_closed: bool) -> Option<Root> {
    let is_svg = tag.local_name().as_ref() == b"svg" && is_in_namespace(tag);
    is_svg.then(|| Root { size: root_size(tag), is_closed })
}

fn root_size(tag: &BytesStart<'_>) -> Result<Option<Dimensions>, Damage> {
    check_tag(tag)?;
    let attribute = |name: &[u8]| attribute(tag, name).and_then(|value| String::from_utf8(value).ok());
    let [width, height, view_box] = [&b"width"[..], b"height", b"viewBox"].map(attribute);
    let dimensions = CssSize::read(width.as_deref(), height.as_deref(), view_box.as_deref());
    Ok(dimensions.map(CssSize::rounded))
}

/// Whether a document type names `svg`. One that names `html` would make the file a page when it is read as HTML.
fn is_svg_doctype(doctype: &[u8]) -> bool {
    let name = doctype.trim_ascii_start();
    let end = name.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'[').unwrap_or(name.len());
    let name = name.get(..end).unwrap_or_default();
    name == b"svg" || name.ends_with(b":svg")
}

/// Whether the element's namespace is SVG or not declared. Some programs declare it through an entity.
fn is_in_namespace(tag: &BytesStart<'_>) -> bool {
    let declaration = match tag.name().prefix() {
        Some(prefix) => [b"xmlns:", prefix.as_ref()].concat(),
        None => b"xmlns".to_vec(),
    };
    attribute(tag, &declaration).is_none_or(|value| value == NAMESPACE || value.starts_with(b"&"))
}

/// Checks what the XML reader does not: the length of the name, and the syntax of the attributes.
fn check_tag(tag: &BytesStart<'_>) -> Result<(), Damage> {
    if tag.name().as_ref().len() > MAX_NAME_BYTES {
        return Err(Damage(format!("a name in it is longer than {MAX_NAME_BYTES} bytes").into()));
    }
    // The check for duplicates is off, because its time grows with the square of their number.
    if tag.attributes().with_checks(false).any(|attribute| attribute.is_err()) {
        return Err("an attribute in it is malformed".into());
    }
    Ok(())
}

fn attribute(tag: &BytesStart<'_>, name: &[u8]) -> Option<Vec<u8>> {
    let mut attributes = tag.attributes();
    attributes
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.as_ref() == name)
        .map(|attribute| attribute.value.into_owned())
}

/// A stream that fails when one event takes more bytes than allowed.
struct Limited<B> {
    inner: B,
    left: usize,
}

impl<B: BufRead> Read for Limited<B> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let count = available.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<B: BufRead> BufRead for Limited<B> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.inner.consume(count);
    }
}
