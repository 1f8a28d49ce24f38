//! What is asked for, and the one form that equal wishes share: the ladder of sizes, the format, the key in the cache.

use std::fmt::Write;

use crate::app::media::MediaType;
use crate::app::model::{Content, ContentHash};
use crate::app::pictures::{Fit, Format, LARGEST_EDGE, Pictured, Rendition, Size, Wanted};

/// The widths that renditions are made in; any other is snapped up to the next. What the thumbnails and `sizes` use,
/// and between those steps of a third at most, so that a picture is never sent much larger than it is shown.
pub const LADDER: [u32; 23] = [
    16, 32, 48, 64, 96, 128, 200, 256, 320, 400, 480, 640, 800, 960, 1200, 1600, 2000, 2400, 3200, 4000,
    4800, 6400, LARGEST,
];
/// The last of them.
pub const LARGEST: u32 = 8000;
/// Goes up when the same order comes out as another picture, so that nobody keeps the old one.
const ENGINE: u8 = 1;

/// The longer edge of the small thumbnail, in pixels.
pub const THUMB: u32 = 400;
/// The longer edge of the larger one.
pub const THUMB_HIGH: u32 = 800;
/// The longer edges of the pictures that an asset lists, where they are shorter than its own.
pub const SIZES: [u32; 4] = [400, 800, 1600, 2400];

/// What somebody wishes a picture to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The width of the box it is to fit in or fill, 1 to [`LARGEST`].
    pub width: Option<u32>,
    /// The height of that box, 1 to [`LARGEST`].
    pub height: Option<u32>,
    /// How it is put in the box.
    pub fit: Fit,
    /// The format.
    pub format: AskedFormat,
    /// 1 to 100.
    pub quality: Option<u8>,
    /// How many pixels of the screen are one of the box, in hundredths: 100 to 300.
    pub density: u32,
    /// Whether it is the tiny blurred picture that is wanted, whatever the rest says.
    pub blurred: bool,
}

impl Default for Asked {
    /// The picture in its own size and format.
    fn default() -> Self {
        Self {
            width: None,
            height: None,
            fit: Fit::Contain,
            format: AskedFormat::Own,
            quality: None,
            density: 100,
            blurred: false,
        }
    }
}

impl Asked {
    /// What the url of an asset's picture of this edge asks for, in a browser.
    pub(super) fn listed(edge: u32) -> Self {
        let format = AskedFormat::Auto { webp: true };
        Self { width: Some(edge), height: Some(edge), format, ..Self::default() }
    }
}

/// The edges of the pictures that every browser will ask for: the thumbnails, and what else is listed.
pub(super) fn listed_edges(content: &Content) -> Vec<u32> {
    let longer = content.width.max(content.height).unwrap_or(0);
    SIZES.into_iter().filter(|edge| *edge <= THUMB_HIGH || *edge < longer).collect()
}

/// The format that somebody wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedFormat {
    /// The original's, or what everybody shows in its place: PNG for GIF, BMP and SVG, JPEG for TIFF.
    Own,
    /// WebP for those who take it, else JPEG, or PNG where the original is a drawing. Never AVIF: making one takes
    /// many times as long as a WebP that is hardly larger.
    Auto {
        /// Whether WebP is taken.
        webp: bool,
    },
    /// This one.
    This(Format),
}

/// What is to be made, in the one form that all equal wishes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Order {
    /// The tiny blurred picture, a WebP.
    Blurred,
    /// A picture.
    Picture(Rendition),
}

/// Where a rendition is kept, and the tag it is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(pub [u8; 32]);

impl Key {
    pub fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl Order {
    /// What is made of such a file. Nothing when no pictures are made of its type.
    pub fn new(asked: &Asked, content: &Content, pictured: Pictured) -> Option<Self> {
        if !pictured.includes(content.media_type) {
            return None;
        }
        if asked.blurred {
            return Some(Self::Blurred);
        }
        let original = content.width.zip(content.height).map(|(width, height)| Size::new(width, height));
        let format = format(asked.format, content.media_type);
        let quality = match format {
            Format::Png => None,
            Format::Jpeg | Format::WebP | Format::Avif => asked.quality,
        };
        Some(Self::Picture(Rendition { size: wanted(asked, original), format, quality }))
    }

    /// Whether it is so little work beside opening the file that what goes wrong lies in the file.
    pub fn is_small(&self) -> bool {
        match self {
            Self::Blurred => true,
            Self::Picture(Rendition { format: Format::Avif, .. }) => false,
            Self::Picture(Rendition { size, .. }) => {
                size.width.zip(size.height).is_some_and(|(width, height)| width.max(height) <= THUMB_HIGH)
            }
        }
    }

    /// The format of what comes out.
    pub const fn format(&self) -> Format {
        match self {
            Self::Blurred => Format::WebP,
            Self::Picture(rendition) => rendition.format,
        }
    }

    /// Where it is kept when it is made, on its own, of a file with this hash.
    pub fn key(&self, hash: ContentHash) -> Key {
        self.key_in("rasterd 2026 rendition", hash)
    }

    /// Where it is kept when it is one of those that the work after the upload makes, one from the other. These come
    /// out a little differently, and bytes that differ must not share a tag.
    pub fn cascaded_key(&self, hash: ContentHash) -> Option<Key> {
        let is_one = match self {
            Self::Blurred => true,
            Self::Picture(rendition) => rendition.format == Format::WebP && rendition.quality.is_none(),
        };
        is_one.then(|| self.key_in("rasterd 2026 rendition, cascaded", hash))
    }

    fn key_in(&self, context: &str, hash: ContentHash) -> Key {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(&[ENGINE]).update(&hash.0);
        // Any form will do that tells orders apart: in another, they are only made once more.
        hasher.update(format!("{self:?}").as_bytes());
        Key(*hasher.finalize().as_bytes())
    }
}

fn format(asked: AskedFormat, original: MediaType) -> Format {
    match (asked, original) {
        (AskedFormat::This(format), _) => format,
        (AskedFormat::Auto { webp: true }, _) | (AskedFormat::Own, MediaType::WebP) => Format::WebP,
        (AskedFormat::Own, MediaType::Avif) => Format::Avif,
        (AskedFormat::Own | AskedFormat::Auto { webp: false }, original) => plain(original),
    }
}

/// What everybody shows: lossless for what is usually drawn and may be transparent.
fn plain(original: MediaType) -> Format {
    match original {
        MediaType::Png | MediaType::Gif | MediaType::Bmp | MediaType::Svg => Format::Png,
        MediaType::Jpeg
        | MediaType::WebP
        | MediaType::Avif
        | MediaType::Tiff
        | MediaType::Heic
        | MediaType::Mp4
        | MediaType::Mov
        | MediaType::WebM
        | MediaType::Pdf => Format::Jpeg,
    }
}

/// The box on the ladder. One that is as large as the original is none.
fn wanted(asked: &Asked, original: Option<Size>) -> Wanted {
    let dense = |edge: u32| edge.saturating_mul(asked.density).div_ceil(100);
    let wanted = match (asked.width.map(dense), asked.height.map(dense)) {
        (None, None) => Wanted::default(),
        (Some(width), None) => Wanted { width: Some(snapped(width)), ..Wanted::default() },
        (None, Some(height)) => Wanted { height: Some(snapped(height)), ..Wanted::default() },
        (Some(width), Some(height)) => {
            let rung = snapped(width);
            Wanted { width: Some(rung), height: Some(proportional(height, rung, width)), fit: asked.fit }
        }
    };
    match (wanted.fit, original) {
        (Fit::Contain, Some(original)) if wanted.scaled(original) == original => Wanted::default(),
        (Fit::Contain | Fit::Cover, Some(_) | None) => wanted,
    }
}

/// The next width on the ladder, or its last.
fn snapped(width: u32) -> u32 {
    LADDER.into_iter().find(|rung| *rung >= width).unwrap_or(LARGEST)
}

/// The height that keeps the shape of a box whose width went to another.
fn proportional(height: u32, rung: u32, width: u32) -> u32 {
    let scaled = (u64::from(height) * u64::from(rung)).div_ceil(u64::from(width.max(1)));
    u32::try_from(scaled).unwrap_or(LARGEST_EDGE).clamp(1, LARGEST_EDGE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::app::model::Work;

    fn photo(width: u32, height: u32) -> Content {
        Content {
            hash: ContentHash([7; 32]),
            size: 1000,
            media_type: MediaType::Jpeg,
            width: Some(width),
            height: Some(height),
            work: Work::Nothing,
        }
    }

    fn size(asked: &Asked, content: &Content) -> Wanted {
        match Order::new(asked, content, Pictured::default()) {
            Some(Order::Picture(rendition)) => rendition.size,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_width_goes_up_to_the_ladder_and_takes_the_height_along() {
        let content = photo(6000, 4000);
        let asked = |width, height, density| Asked { width, height, density, ..Asked::default() };
        for (width, height, density, expected) in [
            (Some(400), None, 100, (Some(400), None)),
            (Some(401), None, 100, (Some(480), None)),
            (Some(100), None, 250, (Some(256), None)),
            (None, Some(500), 100, (None, Some(640))),
            (Some(500), Some(500), 100, (Some(640), Some(640))),
            (Some(500), Some(250), 200, (Some(1200), Some(600))),
        ] {
            let wanted = size(&asked(width, height, density), &content);
            assert_eq!((wanted.width, wanted.height), expected, "{width:?} {height:?} {density}");
        }
    }

    #[test]
    fn equal_wishes_share_a_key_and_others_do_not() {
        let (content, other) = (photo(300, 200), Content { hash: ContentHash([8; 32]), ..photo(300, 200) });
        let key = |asked: Asked, content: &Content| {
            Order::new(&asked, content, Pictured::default()).unwrap().key(content.hash)
        };
        let whole = key(Asked::default(), &content);
        assert_eq!(key(Asked { width: Some(800), ..Asked::default() }, &content), whole);
        assert_eq!(key(Asked { fit: Fit::Cover, density: 300, ..Asked::default() }, &content), whole);
        let different = [
            whole,
            key(Asked::default(), &other),
            key(Asked { width: Some(200), ..Asked::default() }, &content),
            key(Asked { quality: Some(50), ..Asked::default() }, &content),
            key(Asked { format: AskedFormat::Auto { webp: true }, ..Asked::default() }, &content),
            key(Asked { blurred: true, ..Asked::default() }, &content),
        ];
        let distinct: std::collections::HashSet<_> = different.into_iter().collect();
        assert_eq!(distinct.len(), different.len());
    }

    #[test]
    fn what_is_made_after_an_upload_is_what_is_listed() {
        for (width, edges) in [(300, vec![400, 800]), (1600, vec![400, 800]), (1601, vec![400, 800, 1600])] {
            assert_eq!(listed_edges(&photo(100, width)), edges, "{width}");
        }
        let content = photo(3000, 2000);
        let listed = Order::new(&Asked::listed(400), &content, Pictured::default()).unwrap();
        assert_ne!(listed.cascaded_key(content.hash), Some(listed.key(content.hash)));
        let other = Asked { quality: Some(80), ..Asked::listed(400) };
        assert_eq!(
            Order::new(&other, &content, Pictured::default()).unwrap().cascaded_key(content.hash),
            None
        );
    }

    #[test]
    fn a_thumbnail_is_small_and_whatever_takes_work_is_not() {
        let is_small =
            |asked: Asked| Order::new(&asked, &photo(9000, 6000), Pictured::default()).unwrap().is_small();
        assert!(is_small(Asked::listed(800)));
        assert!(is_small(Asked { blurred: true, ..Asked::default() }));
        assert!(!is_small(Asked::listed(960)));
        assert!(!is_small(Asked { height: None, ..Asked::listed(400) }), "its height may be anything");
        assert!(!is_small(Asked::default()));
        assert!(!is_small(Asked { format: AskedFormat::This(Format::Avif), ..Asked::listed(800) }));
    }

    #[test]
    fn what_is_not_decoded_has_none() {
        let film = Content { media_type: MediaType::Mp4, ..photo(300, 200) };
        assert_eq!(Order::new(&Asked::default(), &film, Pictured::default()), None);
    }

    proptest! {
        #[test]
        fn every_box_is_on_the_ladder_and_holds_what_was_asked(
            width in 1..=LARGEST,
            height in 1..=LARGEST,
            density in 100..=300u32,
        ) {
            let asked = Asked { width: Some(width), height: Some(height), density, fit: Fit::Cover, ..Asked::default() };
            let wanted = size(&asked, &photo(60_000, 60_000));
            prop_assert!(LADDER.contains(&wanted.width.unwrap()));
            let dense = width * density / 100;
            if dense <= LARGEST {
                prop_assert!(wanted.width.unwrap() >= dense);
                prop_assert!(wanted.height.unwrap() >= (height * density / 100).min(LARGEST_EDGE));
            }
        }
    }
}
