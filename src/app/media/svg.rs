//! SVG: an XML document whose root element is `svg`, well-formed to its end. Expands no entity, follows no link,
//! and judges nothing that the picture says: it is served so that it can't run.

use std::io::{self, BufRead, Read, Seek};

use quick_xml::encoding::DecodingReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::Size;
use super::source::{Damage, Source};

/// The largest single tag, text or comment, in bytes: each is held as a whole, and pictures stand inside as base64.
const MOST_EVENT_BYTES: usize = 16 << 20;
/// How deep elements may be nested. Browsers stop at a few hundred.
const MOST_DEPTH: usize = 1000;
/// The longest name of an element, in bytes. The names of all open elements are held.
const MOST_NAME_BYTES: usize = 1000;
/// What `svg` means.
const NAMESPACE: &[u8] = b"http://www.w3.org/2000/svg";

/// The root element of a document.
struct Root {
    size: Result<Option<Size>, Damage>,
    is_closed: bool,
}

/// Whether a file is an XML document whose root element is `svg`.
pub fn is_svg<R: Read + Seek>(source: &mut Source<R>) -> bool {
    Document::open(source).and_then(|mut document| document.root()).is_ok_and(|root| root.is_some())
}

/// The dimensions that the root element gives in pixels, or else those of its view box.
///
/// # Errors
/// When the document is not well-formed.
pub fn size<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<Size>, Damage> {
    let mut document = Document::open(source)?;
    let root = document.root()?.ok_or("its root element is not svg")?;
    let size = root.size?;
    document.read_on(usize::from(!root.is_closed))?;
    Ok(size)
}

struct Document<'a> {
    reader: Reader<Metered<Box<dyn BufRead + 'a>>>,
    buffer: Vec<u8>,
}

impl<'a> Document<'a> {
    fn open<R: Read + Seek>(source: &'a mut Source<R>) -> Result<Self, Damage> {
        let head = source.head(2)?;
        let text = source.rewound()?;
        // Everything else is ASCII where XML has its syntax, so it is read as it is.
        let text: Box<dyn BufRead + 'a> = match head.as_slice() {
            [0xFF, 0xFE] | [0xFE, 0xFF] | [0, b'<'] | [b'<', 0] => Box::new(DecodingReader::new(text)),
            _ => Box::new(text),
        };
        let reader = Reader::from_reader(Metered { inner: text, left: MOST_EVENT_BYTES });
        Ok(Self { reader, buffer: Vec::new() })
    }

    fn next(&mut self) -> Result<Event<'_>, Damage> {
        self.buffer.clear();
        self.reader.get_mut().left = MOST_EVENT_BYTES;
        let failed_at = self.reader.buffer_position();
        self.reader.read_event_into(&mut self.buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Damage(format!("one of its parts is larger than {MOST_EVENT_BYTES} bytes").into())
            }
            _ => Damage(format!("it is not well-formed XML from byte {failed_at} on").into()),
        })
    }

    /// Reads up to the root element; `None` when that is not `svg`, or there is something else before it.
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
                    return Err("there is something behind its root element".into());
                }
                Event::Start(tag) => {
                    check_tag(&tag)?;
                    depth += 1;
                    if depth > MOST_DEPTH {
                        return Err(Damage(
                            format!("its elements are nested deeper than {MOST_DEPTH}").into(),
                        ));
                    }
                }
                Event::Empty(tag) => check_tag(&tag)?,
                Event::End(_) => depth = depth.saturating_sub(1),
                Event::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => {
                    return Err("there is something behind its root element".into());
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

fn root_size(tag: &BytesStart<'_>) -> Result<Option<Size>, Damage> {
    check_tag(tag)?;
    let attribute = |name: &[u8]| attribute(tag, name);
    let size = match (attribute(b"width"), attribute(b"height")) {
        (Some(width), Some(height)) => pixels(&width).zip(pixels(&height)),
        _ => None,
    };
    let size = size.or_else(|| attribute(b"viewBox").as_deref().and_then(view_box));
    Ok(size.map(|(width, height)| Size { width, height }))
}

/// A document type that is named `html` makes a page of the file where somebody reads it as HTML.
fn is_svg_doctype(doctype: &[u8]) -> bool {
    let name = doctype.trim_ascii_start();
    let end = name.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'[').unwrap_or(name.len());
    let name = name.get(..end).unwrap_or_default();
    name == b"svg" || name.ends_with(b":svg")
}

/// Whether the element's namespace, where it is given, is that of SVG. Some programs give it by an entity.
fn is_in_namespace(tag: &BytesStart<'_>) -> bool {
    let declaration = match tag.name().prefix() {
        Some(prefix) => [b"xmlns:", prefix.as_ref()].concat(),
        None => b"xmlns".to_vec(),
    };
    attribute(tag, &declaration).is_none_or(|value| value == NAMESPACE || value.starts_with(b"&"))
}

/// Checks what the reader leaves to whoever reads a tag: the length of its name, the syntax of its attributes.
fn check_tag(tag: &BytesStart<'_>) -> Result<(), Damage> {
    if tag.name().as_ref().len() > MOST_NAME_BYTES {
        return Err(Damage(format!("a name in it is longer than {MOST_NAME_BYTES} bytes").into()));
    }
    // Looking for duplicates takes the square of their number, so it is left out.
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

/// A length in pixels: a number alone, or with `px`. Other units depend on where the picture is shown.
fn pixels(value: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(value).ok()?.trim();
    whole(text.strip_suffix("px").unwrap_or(text).parse().ok()?)
}

/// The width and height of a view box: the last two of its four numbers.
fn view_box(value: &[u8]) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let mut numbers = text
        .split(|character: char| character == ',' || character.is_ascii_whitespace())
        .filter(|number| !number.is_empty())
        .skip(2);
    let mut next = || numbers.next().and_then(|number| number.parse().ok()).and_then(whole);
    Some((next()?, next()?))
}

fn whole(length: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    (length > 0.0 && length <= f64::from(u32::MAX)).then(|| length.round().max(1.0) as u32)
}

/// A stream that gives up when one event takes more bytes than it may.
struct Metered<B> {
    inner: B,
    left: usize,
}

impl<B: BufRead> Read for Metered<B> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let count = available.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<B: BufRead> BufRead for Metered<B> {
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
