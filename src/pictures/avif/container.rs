//! The container of an AVIF: finds the coded pictures that make up the primary picture, or the first of a sequence, and its
//! declared colours. Decodes no pixels.

use crate::pictures::Failure;
use crate::pictures::properties::{boxes, is_alpha};

/// The most tiles of a grid. Photo editors write a few dozen.
const MAX_TILES: usize = 1024;

/// A picture as one coded picture, or a grid of them.
#[derive(Debug)]
pub(super) struct CodedImage {
    /// From left to right, then top to bottom.
    pub(super) tiles: Vec<Vec<u8>>,
    pub(super) columns: usize,
    /// The sample layout of each tile, from its configuration.
    pub(super) samples: SampleLayout,
}

/// The number and size of the samples of a pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleLayout {
    /// Samples per pixel, in halves, because chroma may be subsampled.
    pub(super) half_samples: u64,
    pub(super) bytes: u64,
}

/// The declared colours of a picture.
#[derive(Debug, Clone, Default)]
pub(super) struct Colour {
    pub(super) icc: Option<Vec<u8>>,
    pub(super) code_points: Option<CodePoints>,
}

/// Code points of ITU-T H.273.
#[derive(Debug, Clone, Copy)]
pub(super) struct CodePoints {
    pub(super) primaries: u8,
    pub(super) transfer: u8,
    pub(super) matrix: u8,
    pub(super) is_full_range: bool,
}

/// The primary picture and its alpha picture.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) picture: CodedImage,
    pub(super) alpha: Option<CodedImage>,
    /// Whether the colours are premultiplied.
    pub(super) is_premultiplied: bool,
    pub(super) colour: Colour,
}

impl Contents {
    /// # Errors
    /// When there is no picture, or an incomplete one.
    pub(super) fn read(file: &[u8]) -> Result<Self, Failure> {
        match body(file, *b"meta").and_then(|meta| meta.get(4..)) {
            Some(meta) if body(meta, *b"pitm").is_some() => Items { file, meta }.contents(),
            Some(_) | None => first_of_sequence(file).ok_or_else(|| missing("there is no picture in it")),
        }
    }
}

fn missing(reason: &str) -> Failure {
    Failure::damaged(reason)
}

fn body(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    boxes(bytes).find(|(kind, _)| *kind == name).map(|(_, body)| body)
}

/// Reads numbers one after another.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self, bytes: usize) -> Option<u64> {
        let (number, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// The items of a file, by their ids.
struct Items<'a> {
    file: &'a [u8],
    meta: &'a [u8],
}

impl<'a> Items<'a> {
    fn contents(&self) -> Result<Contents, Failure> {
        let primary = self.primary().ok_or_else(|| missing("it does not declare its primary picture"))?;
        let picture = self.coded(primary)?;
        let alpha = self.referring_to(primary, *b"auxl").into_iter().find(|item| {
            let auxiliary =
                |(kind, body): &([u8; 4], &[u8])| kind == b"auxC" && body.get(4..).is_some_and(is_alpha);
            self.properties(*item).iter().any(auxiliary)
        });
        let is_premultiplied = alpha.is_some_and(|alpha| self.references(primary, *b"prem").contains(&alpha));
        let alpha = alpha.map(|alpha| self.coded(alpha)).transpose()?;
        let mut colour = colour(self.properties(primary).into_iter());
        if let (None, None, Some(tile)) =
            (&colour.icc, &colour.code_points, self.references(primary, *b"dimg").first())
        {
            colour = self::colour(self.properties(*tile).into_iter());
        }
        Ok(Contents { picture, alpha, is_premultiplied, colour })
    }

    fn primary(&self) -> Option<u64> {
        let body = body(self.meta, *b"pitm")?;
        Numbers(body.get(4..)?).next(if body.first()? == &0 { 2 } else { 4 })
    }

    /// The coded pictures of an item.
    fn coded(&self, item: u64) -> Result<CodedImage, Failure> {
        match self.kind(item).as_ref() {
            Some(b"av01") => {
                let samples = samples(&self.properties(item));
                Ok(CodedImage { tiles: vec![self.data(item)?], columns: 1, samples })
            }
            Some(b"grid") => self.grid(item),
            Some(kind) => Err(Failure::Unsupported(format!(
                "it is an AVIF whose picture is of the kind {}, which is not decoded here",
                kind.escape_ascii()
            ))),
            None => Err(missing("its primary picture is missing")),
        }
    }

    fn grid(&self, item: u64) -> Result<CodedImage, Failure> {
        let layout = self.data(item)?;
        let [_, _, rows, columns, ..] = *layout else { return Err(missing("its grid is too short")) };
        let (rows, columns) = (usize::from(rows) + 1, usize::from(columns) + 1);
        let items = self.references(item, *b"dimg");
        if items.len() != rows * columns {
            return Err(missing("its grid has too few or too many tiles"));
        }
        if items.len() > MAX_TILES {
            return Err(Failure::TooLarge(format!("it is a grid of more than {MAX_TILES} tiles")));
        }
        if items.iter().any(|item| self.kind(*item) != Some(*b"av01")) {
            return Err(Failure::Unsupported("it is a grid of other than AV1 pictures".into()));
        }
        let samples = items.first().map_or_else(|| samples(&[]), |item| samples(&self.properties(*item)));
        let tiles = items.iter().map(|item| self.data(*item)).collect::<Result<_, _>>()?;
        Ok(CodedImage { tiles, columns, samples })
    }

    fn kind(&self, item: u64) -> Option<[u8; 4]> {
        let list = body(self.meta, *b"iinf")?;
        let list = list.get(if list.first()? == &0 { 6 } else { 8 }..)?;
        boxes(list).filter(|(kind, _)| kind == b"infe").find_map(|(_, entry)| {
            let id_bytes = if entry.first()? == &2 { 2 } else { 4 };
            let mut numbers = Numbers(entry.get(4..)?);
            (numbers.next(id_bytes)? == item).then_some(())?;
            numbers.next(2)?;
            numbers.0.first_chunk().copied()
        })
    }

    /// The bytes of an item.
    fn data(&self, item: u64) -> Result<Vec<u8>, Failure> {
        self.extents(item)
            .filter(|data| !data.is_empty())
            .ok_or_else(|| missing("it ends before its picture"))
    }

    fn extents(&self, item: u64) -> Option<Vec<u8>> {
        let list = body(self.meta, *b"iloc")?;
        let version = *list.first()?;
        let mut numbers = Numbers(list.get(4..)?);
        let sizes = numbers.next(2)?;
        let size = |shift: u64| usize::try_from(sizes >> shift & 15).ok();
        let (offset_bytes, length_bytes, base_bytes) = (size(12)?, size(8)?, size(4)?);
        let index_bytes = if version == 0 { 0 } else { size(0)? };
        let id_bytes = if version < 2 { 2 } else { 4 };
        for _ in 0..numbers.next(id_bytes)? {
            let id = numbers.next(id_bytes)?;
            let is_inside = version > 0 && numbers.next(2)? & 15 == 1;
            numbers.next(2)?;
            let base = numbers.next(base_bytes)?;
            let place = if is_inside { body(self.meta, *b"idat")? } else { self.file };
            let mut data = Vec::new();
            for _ in 0..numbers.next(2)? {
                numbers.next(index_bytes)?;
                let offset = usize::try_from(base.checked_add(numbers.next(offset_bytes)?)?).ok()?;
                let length = usize::try_from(numbers.next(length_bytes)?).ok()?;
                if id != item {
                    continue;
                }
                // A length of 0 means up to the end.
                let end =
                    if length == 0 { place.len() } else { offset.checked_add(length)?.min(place.len()) };
                let extent = place.get(offset..end)?;
                // Overlapping extents could add up to far more than the file.
                (data.len() + extent.len() <= self.file.len()).then(|| data.extend_from_slice(extent))?;
            }
            if id == item {
                return Some(data);
            }
        }
        None
    }

    fn references(&self, from: u64, kind: [u8; 4]) -> Vec<u64> {
        let of_item = |(item, to)| if item == from { to } else { Vec::new() };
        self.all_references(kind).into_iter().flat_map(of_item).collect()
    }

    fn referring_to(&self, item: u64, kind: [u8; 4]) -> Vec<u64> {
        let all = self.all_references(kind).into_iter();
        all.filter(|(_, to)| to.contains(&item)).map(|(from, _)| from).collect()
    }

    fn all_references(&self, kind: [u8; 4]) -> Vec<(u64, Vec<u64>)> {
        let list = body(self.meta, *b"iref").unwrap_or_default();
        let id_bytes = if list.first() == Some(&0) { 2 } else { 4 };
        let read = |(_, body): ([u8; 4], &[u8])| {
            let mut numbers = Numbers(body);
            let from = numbers.next(id_bytes)?;
            let count = numbers.next(2)?;
            Some((from, (0..count).map_while(|_| numbers.next(id_bytes)).collect()))
        };
        boxes(list.get(4..).unwrap_or_default())
            .filter(|(found, _)| *found == kind)
            .filter_map(read)
            .collect()
    }

    fn properties(&self, item: u64) -> Vec<([u8; 4], &'a [u8])> {
        self.associated(item).unwrap_or_default()
    }

    fn associated(&self, item: u64) -> Option<Vec<([u8; 4], &'a [u8])>> {
        let properties = body(self.meta, *b"iprp")?;
        let all: Vec<_> = boxes(body(properties, *b"ipco")?).collect();
        let list = body(properties, *b"ipma")?;
        let id_bytes = if list.first()? == &0 { 2 } else { 4 };
        let (number_bytes, mask) = if list.get(3)? & 1 == 1 { (2, 0x7FFF) } else { (1, 0x7F) };
        let mut numbers = Numbers(list.get(4..)?);
        for _ in 0..numbers.next(4)? {
            let id = numbers.next(id_bytes)?;
            let count = numbers.next(1)?;
            let of_item: Vec<_> = (0..count).map_while(|_| numbers.next(number_bytes)).collect();
            if id == item {
                let place = |number: u64| usize::try_from(number & mask).ok()?.checked_sub(1);
                return Some(of_item.into_iter().filter_map(|n| all.get(place(n)?).copied()).collect());
            }
        }
        None
    }
}

fn colour<'a>(properties: impl Iterator<Item = ([u8; 4], &'a [u8])>) -> Colour {
    let mut found = Colour::default();
    for (kind, body) in properties {
        match (&kind, body) {
            (b"colr", [b'p', b'r', b'o', b'f', icc @ ..] | [b'r', b'I', b'C', b'C', icc @ ..]) => {
                found.icc.get_or_insert_with(|| icc.to_vec());
            }
            (b"colr", [b'n', b'c', b'l', b'x', _, primaries, _, transfer, _, matrix, range, ..]) => {
                found.code_points.get_or_insert(CodePoints {
                    primaries: *primaries,
                    transfer: *transfer,
                    matrix: *matrix,
                    is_full_range: range & 0x80 != 0,
                });
            }
            _ => {}
        }
    }
    found
}

/// The sample layout in the decoder's configuration; without one, the largest possible.
fn samples(properties: &[([u8; 4], &[u8])]) -> SampleLayout {
    let flags = properties.iter().find(|(kind, _)| kind == b"av1C").and_then(|(_, body)| body.get(2));
    let flags = flags.copied().unwrap_or(0x40);
    let half_samples = match (flags & 0x10 != 0, flags & 0x08 != 0, flags & 0x04 != 0) {
        (true, _, _) => 2,
        (false, true, true) => 3,
        (false, true, false) => 4,
        (false, false, _) => 6,
    };
    SampleLayout { half_samples, bytes: if flags & 0x40 != 0 { 2 } else { 1 } }
}

/// The first picture of a sequence without a still picture.
fn first_of_sequence(file: &[u8]) -> Option<Contents> {
    let movie = body(file, *b"moov")?;
    let track = |handlers: &[&[u8; 4]]| {
        let mut tracks = boxes(movie).filter(|(kind, _)| kind == b"trak");
        tracks.find_map(|(_, track)| Track::of(track, handlers))
    };
    let of_picture = track(&[b"pict", b"vide"])?;
    let picture = of_picture.first(file)?;
    let alpha = track(&[b"auxv"]).and_then(|track| track.first(file));
    let colour = colour(of_picture.entry());
    Some(Contents { picture, alpha, is_premultiplied: false, colour })
}

/// The sample table of a track.
struct Track<'a>(&'a [u8]);

impl<'a> Track<'a> {
    fn of(track: &'a [u8], handlers: &[&[u8; 4]]) -> Option<Self> {
        let media = body(track, *b"mdia")?;
        let handler: &[u8; 4] = body(media, *b"hdlr")?.get(8..)?.first_chunk()?;
        handlers.contains(&handler).then_some(())?;
        Some(Self(body(body(media, *b"minf")?, *b"stbl")?))
    }

    /// The boxes in its sample description.
    fn entry(&self) -> impl Iterator<Item = ([u8; 4], &'a [u8])> + use<'a> {
        let entries = body(self.0, *b"stsd").and_then(|list| list.get(8..)).unwrap_or_default();
        boxes(body(entries, *b"av01").and_then(|entry| entry.get(78..)).unwrap_or_default())
    }

    fn first(&self, file: &[u8]) -> Option<CodedImage> {
        let offset = match body(self.0, *b"stco") {
            Some(list) => Numbers(list.get(8..)?).next(4)?,
            None => Numbers(body(self.0, *b"co64")?.get(8..)?).next(8)?,
        };
        let mut sizes = Numbers(body(self.0, *b"stsz")?.get(4..)?);
        let of_all = sizes.next(4)?;
        sizes.next(4)?;
        let size = if of_all == 0 { sizes.next(4)? } else { of_all };
        let start = usize::try_from(offset).ok()?;
        let data = file.get(start..start.checked_add(usize::try_from(size).ok()?)?)?;
        let properties: Vec<_> = self.entry().collect();
        Some(CodedImage { tiles: vec![data.to_vec()], columns: 1, samples: samples(&properties) })
    }
}
