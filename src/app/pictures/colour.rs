//! Colour: whatever a picture is stored in becomes sRGB, as RGB or RGBA. Works on reduced pictures only, so it may
//! take its time. Profiles that can't be read, or that are for other channels, are left out of account.

use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, MatrixCoefficients, ParsingOptions,
    TransferCharacteristics, TransformOptions,
};

use super::Failure;
use super::canvas::{Canvas, Layout, divide_alpha, multiply_alpha, unexpected};
use super::size::Size;

/// The largest profile that is read. Those of printing presses have up to 3 MB.
pub(super) const LARGEST_PROFILE: usize = 4 << 20;

/// What the numbers of a picture mean.
pub(super) struct Profile(ColorProfile);

impl Profile {
    /// Reads an ICC profile; one that can't be read is none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let options = ParsingOptions { max_profile_size: LARGEST_PROFILE, ..ParsingOptions::default() };
        ColorProfile::new_from_slice_with_options(bytes, options).ok().map(Self)
    }

    /// The profile that these code points stand for; none for sRGB's own and for those that say nothing.
    pub(super) fn of_code_points(
        primaries: CicpColorPrimaries,
        transfer: TransferCharacteristics,
    ) -> Option<Self> {
        let is_srgb = matches!(primaries, CicpColorPrimaries::Bt709 | CicpColorPrimaries::Unspecified)
            && matches!(
                transfer,
                TransferCharacteristics::Srgb
                    | TransferCharacteristics::Bt709
                    | TransferCharacteristics::Bt601
                    | TransferCharacteristics::Unspecified
            );
        let told = CicpProfile {
            color_primaries: primaries,
            transfer_characteristics: transfer,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        };
        (!is_srgb).then(|| Self(ColorProfile::new_from_cicp(told)))
    }

    fn is_for(&self, space: DataColorSpace) -> bool {
        self.0.color_space == space
    }
}

/// Converts to sRGB. A picture in which nothing is transparent loses its alpha channel.
pub(super) fn to_srgb(canvas: Canvas, profile: Option<&Profile>) -> Result<Canvas, Failure> {
    let size = canvas.size();
    match canvas.layout() {
        Layout::Gray => from_gray(size, canvas.pixels(), profile),
        Layout::GrayAlpha => from_gray_alpha(size, canvas.into_pixels(), profile),
        Layout::Rgb => from_rgb(size, canvas.into_pixels(), profile),
        Layout::Rgba => from_rgba(size, canvas.into_pixels(), profile),
        Layout::Cmyk => from_cmyk(size, canvas.pixels(), profile),
    }
}

fn from_gray(size: Size, pixels: &[u8], profile: Option<&Profile>) -> Result<Canvas, Failure> {
    let mut rgb = pixels.iter().flat_map(|gray| [*gray; 3]).collect::<Vec<_>>();
    if let Some(profile) = profile.filter(|profile| profile.is_for(DataColorSpace::Gray)) {
        convert(profile, moxcms::Layout::Gray, pixels, moxcms::Layout::Rgb, &mut rgb);
    }
    Canvas::new(size, Layout::Rgb, rgb)
}

fn from_gray_alpha(size: Size, mut pixels: Vec<u8>, profile: Option<&Profile>) -> Result<Canvas, Failure> {
    divide_alpha(&mut pixels, size, Layout::GrayAlpha)?;
    let (pairs, _) = pixels.as_chunks::<2>();
    let mut rgba = pairs.iter().flat_map(|[gray, alpha]| [*gray, *gray, *gray, *alpha]).collect::<Vec<_>>();
    if let Some(profile) = profile.filter(|profile| profile.is_for(DataColorSpace::Gray)) {
        convert(profile, moxcms::Layout::GrayAlpha, &pixels, moxcms::Layout::Rgba, &mut rgba);
    }
    with_alpha(size, rgba)
}

fn from_rgb(size: Size, mut pixels: Vec<u8>, profile: Option<&Profile>) -> Result<Canvas, Failure> {
    if let Some(profile) = profile.filter(|profile| profile.is_for(DataColorSpace::Rgb)) {
        let source = pixels.clone();
        convert(profile, moxcms::Layout::Rgb, &source, moxcms::Layout::Rgb, &mut pixels);
    }
    Canvas::new(size, Layout::Rgb, pixels)
}

fn from_rgba(size: Size, mut pixels: Vec<u8>, profile: Option<&Profile>) -> Result<Canvas, Failure> {
    let Some(profile) = profile.filter(|profile| profile.is_for(DataColorSpace::Rgb)) else {
        return if is_opaque(&pixels) {
            without_alpha(size, &pixels)
        } else {
            Canvas::new(size, Layout::Rgba, pixels)
        };
    };
    divide_alpha(&mut pixels, size, Layout::Rgba)?;
    let source = pixels.clone();
    convert(profile, moxcms::Layout::Rgba, &source, moxcms::Layout::Rgba, &mut pixels);
    with_alpha(size, pixels)
}

fn from_cmyk(size: Size, pixels: &[u8], profile: Option<&Profile>) -> Result<Canvas, Failure> {
    let (inks, _) = pixels.as_chunks::<4>();
    let mut rgb = inks.iter().flat_map(|ink| mixed(*ink)).collect::<Vec<_>>();
    if let Some(profile) = profile.filter(|profile| profile.is_for(DataColorSpace::Cmyk)) {
        convert(profile, moxcms::Layout::Rgba, pixels, moxcms::Layout::Rgb, &mut rgb);
    }
    Canvas::new(size, Layout::Rgb, rgb)
}

/// What inks give that no profile tells about: each takes its part of the light.
fn mixed([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    [cyan, magenta, yellow].map(|ink| {
        let light = u16::from(255 - ink) * u16::from(255 - black);
        #[expect(clippy::cast_possible_truncation, reason = "255 times 255 by 255")]
        let light = ((light + 127) / 255) as u8;
        light
    })
}

/// Converts in place of `target`, which stays as it is when the profile can't be used.
fn convert(profile: &Profile, from: moxcms::Layout, source: &[u8], to: moxcms::Layout, target: &mut [u8]) {
    let srgb = ColorProfile::new_srgb();
    let converted = profile
        .0
        .create_transform_8bit(from, &srgb, to, TransformOptions::default())
        .and_then(|transform| transform.transform(source, target));
    if let Err(error) = converted {
        tracing::debug!(%error, "a colour profile is of no use");
    }
}

fn with_alpha(size: Size, mut straight: Vec<u8>) -> Result<Canvas, Failure> {
    if is_opaque(&straight) {
        return without_alpha(size, &straight);
    }
    multiply_alpha(&mut straight, size, Layout::Rgba)?;
    Canvas::new(size, Layout::Rgba, straight)
}

fn is_opaque(rgba: &[u8]) -> bool {
    rgba.as_chunks::<4>().0.iter().all(|[_, _, _, alpha]| *alpha == 255)
}

fn without_alpha(size: Size, rgba: &[u8]) -> Result<Canvas, Failure> {
    let rgb =
        rgba.as_chunks::<4>().0.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect();
    Canvas::new(size, Layout::Rgb, rgb)
}

/// Flattens on white: what a format without alpha shows.
pub(super) fn on_white(canvas: &Canvas) -> Result<Canvas, Failure> {
    match canvas.layout() {
        Layout::Rgba => {
            let (pixels, _) = canvas.pixels().as_chunks::<4>();
            let flat = pixels
                .iter()
                .flat_map(|[red, green, blue, alpha]| {
                    [red, green, blue].map(|colour| colour.saturating_add(255 - alpha))
                })
                .collect();
            Canvas::new(canvas.size(), Layout::Rgb, flat)
        }
        Layout::Rgb => Ok(canvas.clone()),
        Layout::Gray | Layout::GrayAlpha | Layout::Cmyk => Err(unexpected("it was not converted to sRGB")),
    }
}
