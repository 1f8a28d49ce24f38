//! Properties of a picture in an AVIF or HEIC container: its colour space, and whether it has alpha. The orientation is in
//! [`geometry`](super::geometry). Decodes no pixels.

use moxcms::{CicpColorPrimaries, TransferCharacteristics};

use super::colour::Profile;

/// The properties of a picture. The first of each kind belongs to the colour picture.
#[derive(Debug, Default)]
pub(super) struct Properties {
    icc: Option<Vec<u8>>,
    /// Primaries and transfer as code points of ITU-T H.273.
    code_points: Option<(u8, u8)>,
    /// Whether there is an alpha picture.
    has_alpha: bool,
}

impl Properties {
    pub(super) fn read(file: &[u8]) -> Self {
        let inside = |bytes, name| boxes(bytes).find(|(kind, _)| *kind == name).map(|(_, body)| body);
        let list = inside(file, *b"meta")
            .and_then(|meta| meta.get(4..))
            .and_then(|meta| inside(meta, *b"iprp"))
            .and_then(|properties| inside(properties, *b"ipco"));
        let mut found = Self::default();
        for (kind, body) in boxes(list.unwrap_or_default()) {
            match (&kind, body) {
                (b"colr", [b'p', b'r', b'o', b'f', icc @ ..] | [b'r', b'I', b'C', b'C', icc @ ..]) => {
                    found.icc.get_or_insert_with(|| icc.to_vec());
                }
                (b"colr", [b'n', b'c', b'l', b'x', _, primaries, _, transfer, ..]) => {
                    found.code_points.get_or_insert((*primaries, *transfer));
                }
                (b"auxC", [_, _, _, _, kind @ ..]) => found.has_alpha |= is_alpha(kind),
                _ => {}
            }
        }
        found
    }

    pub(super) fn has_alpha(&self) -> bool {
        self.has_alpha
    }

    /// The ICC profile, else the profile for the code points, unless they are unspecified or those of sRGB.
    pub(super) fn profile(&self) -> Option<Profile> {
        if let Some(icc) = &self.icc {
            return Profile::parse(icc);
        }
        let (primaries, transfer) = self.code_points?;
        profile(primaries, transfer)
    }
}

/// The profile for these code points, unless they are unspecified or those of sRGB.
pub(super) fn profile(primaries: u8, transfer: u8) -> Option<Profile> {
    if let Some(profile) = Profile::hdr(primaries, transfer) {
        return Some(profile);
    }
    let primaries = CicpColorPrimaries::try_from(primaries).ok()?;
    let transfer = TransferCharacteristics::try_from(transfer).ok()?;
    Profile::from_cicp(primaries, transfer)
}

/// Whether the type of an auxiliary picture is one of the two for alpha.
pub(super) fn is_alpha(kind: &[u8]) -> bool {
    [&b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"[..], b"urn:mpeg:hevc:2015:auxid:1"]
        .iter()
        .any(|alpha| kind.strip_prefix(*alpha).is_some_and(|rest| rest.first().is_none_or(|end| *end == 0)))
}

/// The boxes of an ISO base media file, up to the first invalid one.
pub(super) fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (body, after) = match u32::from_be_bytes(*length) {
            0 => (rest, &[][..]),
            1 => {
                let (length, rest) = rest.split_first_chunk::<8>()?;
                rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?.checked_sub(16)?)?
            }
            length => rest.split_at_checked((length as usize).checked_sub(8)?)?,
        };
        bytes = after;
        Some((*kind, body))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn boxed(kind: &str, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 8).expect("small").to_be_bytes();
        [&length, kind.as_bytes(), body].concat()
    }

    fn file(properties: &[Vec<u8>]) -> Vec<u8> {
        let list = boxed("iprp", &boxed("ipco", &properties.concat()));
        [boxed("ftyp", b"avif"), boxed("meta", &[&[0; 4][..], &list].concat())].concat()
    }

    #[test]
    fn the_first_colour_property_counts() {
        let colour = |primaries| boxed("colr", &[b'n', b'c', b'l', b'x', 0, primaries, 0, 13, 0, 6, 0x80]);
        let properties = Properties::read(&file(&[colour(12), colour(1)]));
        assert_eq!(properties.code_points, Some((12, 13)));
        assert!(properties.profile().is_some());
        assert!(Properties::read(&file(&[colour(1)])).profile().is_none());
    }

    #[test]
    fn an_alpha_picture_is_distinguished_from_a_depth_map() {
        let auxiliary = |kind: &str| boxed("auxC", &[&[0; 4], kind.as_bytes(), &[0]].concat());
        for (kind, is_alpha) in [
            ("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", true),
            ("urn:mpeg:hevc:2015:auxid:1", true),
            ("urn:mpeg:hevc:2015:auxid:2", false),
            ("urn:mpeg:hevc:2015:auxid:12", false),
        ] {
            assert_eq!(Properties::read(&file(&[auxiliary(kind)])).has_alpha(), is_alpha, "{kind}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Properties::read(&bytes);
        }
    }
}
