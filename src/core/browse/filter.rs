//! Filters of a list for people: what an asset must have besides words. Each becomes a clause of the index, so that a page of
//! a large library reads lists of documents and the records of that page, and not every asset.

use std::fmt;

use crate::core::index::{Facet, IndexFilter};
use crate::core::model::name::Tag;
use crate::core::model::time::Millis;
use crate::core::model::{ApprovalFilter, Orientation};
use crate::pictures::media::MediaType;

/// How long a day is, in milliseconds.
const DAY: Millis = 24 * 60 * 60 * 1000;

/// What an asset must have besides words and tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetFilter {
    /// Whether it must have all of the tags, and not only one.
    pub all_tags: bool,
    /// Whether it must have no tag.
    pub untagged: bool,
    /// The types of which it must have one; none for every type.
    pub types: Vec<TypeFilter>,
    /// The name of its uploader.
    pub uploader: Option<String>,
    /// The first day on which it may have been uploaded, in UTC.
    pub from: Option<Day>,
    /// The last day.
    pub to: Option<Day>,
    /// Its shape.
    pub orientation: Option<Orientation>,
    /// Its approval.
    pub approval: Option<ApprovalFilter>,
}

impl AssetFilter {
    /// Whether every asset fits. How tags are combined does not count by itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self { all_tags: self.all_tags, ..Self::default() }
    }

    /// The clauses of this filter, with these tags.
    pub(in crate::core) fn clauses(&self, tags: &[Tag]) -> IndexFilter {
        let mut filter = self.without_tags();
        let tags = tags.iter().map(|tag| Facet::tag(tag.folded()));
        if self.all_tags {
            for tag in tags {
                filter = filter.any_of(vec![tag]);
            }
            filter
        } else {
            let any: Vec<Facet> = tags.collect();
            if any.is_empty() { filter } else { filter.any_of(any) }
        }
    }

    fn without_tags(&self) -> IndexFilter {
        let Self { all_tags: _, untagged, types, uploader, from, to, orientation, approval } = self;
        let mut filter = IndexFilter::default();
        if *untagged {
            filter = filter.any_of(vec![Facet::untagged()]);
        }
        if !types.is_empty() {
            filter = filter.any_of(types.iter().flat_map(|wanted| wanted.facets()).collect());
        }
        let one = uploader.iter().map(|name| Facet::uploader(name));
        let one = one.chain(orientation.map(Facet::orientation)).chain(approval.map(Facet::approval));
        filter = one.fold(filter, |filter, facet| filter.any_of(vec![facet]));
        if from.is_none() && to.is_none() {
            return filter;
        }
        filter.created(from.map_or(0, Day::start)..=to.map_or(Millis::MAX, Day::end))
    }
}

/// A day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u64);

impl Day {
    /// The day of this text, as `2026-11-24`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_day = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let moment = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok().filter(|_| is_day)?;
        let since = moment.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Self(since.as_secs() * 1000 / DAY))
    }

    /// Its first millisecond.
    #[must_use]
    pub fn start(self) -> Millis {
        self.0.saturating_mul(DAY)
    }

    /// Its last millisecond.
    #[must_use]
    pub fn end(self) -> Millis {
        self.start().saturating_add(DAY - 1)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = std::time::UNIX_EPOCH + std::time::Duration::from_millis(self.start());
        let text = humantime::format_rfc3339_seconds(moment).to_string();
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

/// A type to filter by: a group of formats, or one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeFilter {
    /// Pictures made of pixels.
    Image,
    /// Drawings.
    Vector,
    /// Videos.
    Video,
    /// Documents.
    Document,
    /// One format.
    Format(MediaType),
}

impl TypeFilter {
    /// The groups, in the order in which people see them.
    pub const GROUPS: [Self; 4] = [Self::Image, Self::Vector, Self::Video, Self::Document];

    /// Its name in addresses.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Image => "image".to_owned(),
            Self::Vector => "vector".to_owned(),
            Self::Video => "video".to_owned(),
            Self::Document => "document".to_owned(),
            Self::Format(media_type) => media_type.name().to_lowercase(),
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Image => "Images",
            Self::Vector => "Vector images",
            Self::Video => "Videos",
            Self::Document => "Documents",
            Self::Format(media_type) => media_type.name(),
        }
    }

    /// The type with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let formats = MediaType::ALL.into_iter().map(Self::Format);
        Self::GROUPS.into_iter().chain(formats).find(|known| known.name() == text)
    }

    /// The type that a word of a search means.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        Some(match word.as_str() {
            "jpg" => Self::Format(MediaType::Jpeg),
            "tif" => Self::Format(MediaType::Tiff),
            "heif" => Self::Format(MediaType::Heic),
            "quicktime" => Self::Format(MediaType::Mov),
            "images" => Self::Image,
            "vectors" => Self::Vector,
            "videos" => Self::Video,
            "documents" => Self::Document,
            _ => return Self::parse(&word),
        })
    }

    /// The formats that it takes.
    fn media_types(self) -> impl Iterator<Item = MediaType> {
        MediaType::ALL.into_iter().filter(move |media_type| self.takes(*media_type))
    }

    /// What the index knows of it.
    pub(super) fn facets(self) -> Vec<Facet> {
        self.media_types().map(|media_type| Facet::media_type(media_type.mime())).collect()
    }

    fn takes(self, media_type: MediaType) -> bool {
        match self {
            Self::Format(format) => format == media_type,
            Self::Image | Self::Vector | Self::Video | Self::Document => self == group_of(media_type),
        }
    }
}

const fn group_of(media_type: MediaType) -> TypeFilter {
    match media_type {
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::Gif
        | MediaType::WebP
        | MediaType::Avif
        | MediaType::Tiff
        | MediaType::Bmp
        | MediaType::Heic => TypeFilter::Image,
        MediaType::Svg => TypeFilter::Vector,
        MediaType::Mp4 | MediaType::Mov | MediaType::WebM => TypeFilter::Video,
        MediaType::Pdf => TypeFilter::Document,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_it_is_written() {
        let day = Day::parse("2026-11-24").unwrap();
        assert_eq!((day.start(), day.end()), (1_795_478_400_000, 1_795_564_799_999));
        assert_eq!(day.to_string(), "2026-11-24");
        for text in
            ["", "2026-11-31", "2026-1-1", "24.11.2026", "2026-11-24T00:00", "1969-12-31", "+026-11-24"]
        {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_type_has_a_name_that_is_read_again_and_is_in_one_group() {
        for media_type in MediaType::ALL {
            let format = TypeFilter::Format(media_type);
            assert_eq!(TypeFilter::parse(&format.name()), Some(format));
            let groups = TypeFilter::GROUPS.into_iter().filter(|group| group.takes(media_type));
            assert_eq!(groups.count(), 1, "{media_type:?}");
        }
        assert_eq!(TypeFilter::of_word("HEIF"), Some(TypeFilter::Format(MediaType::Heic)));
        assert_eq!(TypeFilter::of_word("beach"), None);
    }
}
