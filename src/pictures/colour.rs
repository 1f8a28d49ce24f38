//! Converts the colours of a picture to sRGB, as RGB or RGBA. Works on downscaled pictures, so speed matters little.
//! Profiles that are unreadable or for other channels are ignored.

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    MatrixCoefficients, ParsingOptions, ToneReprCurve, TransferCharacteristics, TransformOptions, XyY,
};

use super::Failure;
use super::canvas::{Canvas, ChannelLayout, divide_alpha, multiply_alpha, unexpected};
use super::hdr::HdrToneMap;
use super::resize::PixelSize;

/// The largest profile that is read. Those of printing presses have up to 3 MB.
pub(super) const MAX_PROFILE_BYTES: usize = 4 << 20;

/// The chromaticities of white, red, green and blue in sRGB, in CIE 1931.
const SRGB_CHROMATICITIES: [[f32; 2]; 4] = [[0.3127, 0.329], [0.64, 0.33], [0.3, 0.6], [0.15, 0.06]];

/// The colour space of a picture.
pub(super) struct Profile {
    conversion: Conversion,
    /// Whether an RGB profile also applies to gray pictures. An embedded ICC profile does not.
    applies_to_gray: bool,
}

/// How colours are converted to sRGB.
enum Conversion {
    Icc(Box<ColorProfile>),
    Hdr(Box<HdrToneMap>),
}

impl Profile {
    /// Parses an ICC profile; `None` for an unreadable one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let options = ParsingOptions { max_profile_size: MAX_PROFILE_BYTES, ..ParsingOptions::default() };
        ColorProfile::new_from_slice_with_options(bytes, options)
            .ok()
            .map(|colours| Self { conversion: Conversion::Icc(Box::new(colours)), applies_to_gray: false })
    }

    /// The profile for HDR code points; `None` for others.
    pub(super) fn hdr(primaries: u8, transfer: u8) -> Option<Self> {
        let light = Box::new(HdrToneMap::of(primaries, transfer)?);
        Some(Self { conversion: Conversion::Hdr(light), applies_to_gray: true })
    }

    /// The profile for these code points; `None` for those of sRGB and for unspecified ones.
    pub(super) fn from_cicp(
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
        let cicp = CicpProfile {
            color_primaries: primaries,
            transfer_characteristics: transfer,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        };
        (!is_srgb).then(|| Self::declared(ColorProfile::new_from_cicp(cicp)))
    }

    /// The profile for code points as browsers read them in a PNG: the transfer function of BT.709 is a gamma of 2.4, not
    /// that of sRGB.
    pub(super) fn from_png_cicp(
        primaries: CicpColorPrimaries,
        transfer: TransferCharacteristics,
    ) -> Option<Self> {
        if !matches!(transfer, TransferCharacteristics::Bt709 | TransferCharacteristics::Bt601) {
            return Self::from_cicp(primaries, transfer);
        }
        let mut colours = ColorProfile::new_from_cicp(CicpProfile {
            color_primaries: primaries,
            transfer_characteristics: TransferCharacteristics::Srgb,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        });
        colours.cicp = None;
        let curve = || Some(ToneReprCurve::Parametric(vec![2.4]));
        (colours.red_trc, colours.green_trc, colours.blue_trc) = (curve(), curve(), curve());
        Some(Self::declared(colours))
    }

    /// The profile for an encoding gamma and the chromaticities of white, red, green and blue in CIE 1931; those of sRGB
    /// where they are missing. `None` for invalid values, and for those of sRGB.
    pub(super) fn from_gamma(gamma: f32, primaries: Option<[[f32; 2]; 4]>) -> Option<Self> {
        if !(0.01..=10.0).contains(&gamma) {
            return None;
        }
        let mut profile = ColorProfile::new_srgb();
        profile.cicp = None;
        // This gamma with the primaries of sRGB means sRGB.
        let has_srgb_primaries = primaries.is_none_or(|chromaticities| {
            let mut pairs = chromaticities.iter().flatten().zip(SRGB_CHROMATICITIES.iter().flatten());
            pairs.all(|(declared, srgb)| (declared - srgb).abs() < 0.001)
        });
        if has_srgb_primaries && (gamma - 0.454_55).abs() < 0.000_5 {
            return None;
        }
        let curve = || Some(ToneReprCurve::Parametric(vec![1.0 / gamma]));
        (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve(), curve(), curve());
        match primaries {
            None => Some(Self::declared(profile)),
            Some(chromaticities) => {
                if chromaticities.iter().flatten().any(|value| !(0.0..=1.0).contains(value))
                    || chromaticities.iter().any(|[_, y]| *y == 0.0)
                {
                    return None;
                }
                let [[x, y], red, green, blue] = chromaticities;
                let chromaticity = |[x, y]: [f32; 2]| Chromaticity { x, y };
                profile.update_rgb_colorimetry(
                    XyY { x: x.into(), y: y.into(), yb: 1.0 },
                    ColorPrimaries {
                        red: chromaticity(red),
                        green: chromaticity(green),
                        blue: chromaticity(blue),
                    },
                );
                let colorants = [profile.red_colorant, profile.green_colorant, profile.blue_colorant];
                colorants
                    .iter()
                    .all(|colorant| {
                        colorant.x.is_finite() && colorant.y.is_finite() && colorant.z.is_finite()
                    })
                    .then(|| Self::declared(profile))
            }
        }
    }

    fn declared(colours: ColorProfile) -> Self {
        Self { conversion: Conversion::Icc(Box::new(colours)), applies_to_gray: true }
    }

    fn is_for(&self, space: DataColorSpace) -> bool {
        match &self.conversion {
            Conversion::Icc(colours) => colours.color_space == space,
            Conversion::Hdr(_) => space == DataColorSpace::Rgb,
        }
    }
}

/// Converts to sRGB. A fully opaque picture loses its alpha channel.
pub(super) fn to_srgb(canvas: Canvas, profile: Option<&Profile>) -> Result<Canvas, Failure> {
    let size = canvas.size();
    match canvas.layout() {
        ChannelLayout::Gray => from_gray(size, canvas.pixels(), profile),
        ChannelLayout::GrayAlpha => from_gray_alpha(size, canvas.into_pixels(), profile),
        ChannelLayout::Rgb => from_rgb(size, canvas.into_pixels(), profile),
        ChannelLayout::Rgba => from_rgba(size, canvas.into_pixels(), profile),
        ChannelLayout::Cmyk => from_cmyk(size, canvas.pixels(), profile),
    }
}

fn from_gray(size: PixelSize, pixels: &[u8], profile: Option<&Profile>) -> Result<Canvas, Failure> {
    let mut rgb = pixels.iter().flat_map(|gray| [*gray; 3]).collect::<Vec<_>>();
    if let Some(profile) = profile {
        if profile.is_for(DataColorSpace::Gray) {
            convert(profile, moxcms::Layout::Gray, pixels, moxcms::Layout::Rgb, &mut rgb);
        } else if profile.is_for(DataColorSpace::Rgb) && profile.applies_to_gray {
            let source = rgb.clone();
            convert(profile, moxcms::Layout::Rgb, &source, moxcms::Layout::Rgb, &mut rgb);
        }
    }
    Canvas::new(size, ChannelLayout::Rgb, rgb)
}

fn from_gray_alpha(
    size: PixelSize,
    mut pixels: Vec<u8>,
    profile: Option<&Profile>,
) -> Result<Canvas, Failure> {
    divide_alpha(&mut pixels, size, ChannelLayout::GrayAlpha)?;
    let (pairs, _) = pixels.as_chunks::<2>();
    let mut rgba = pairs.iter().flat_map(|[gray, alpha]| [*gray, *gray, *gray, *alpha]).collect::<Vec<_>>();
    if let Some(profile) = profile {
        if profile.is_for(DataColorSpace::Gray) {
            convert(profile, moxcms::Layout::GrayAlpha, &pixels, moxcms::Layout::Rgba, &mut rgba);
        } else if profile.is_for(DataColorSpace::Rgb) && profile.applies_to_gray {
            let source = rgba.clone();
            convert(profile, moxcms::Layout::Rgba, &source, moxcms::Layout::Rgba, &mut rgba);
        }
    }
    with_alpha(size, rgba)
}

fn from_rgb(size: PixelSize, mut pixels: Vec<u8>, profile: Option<&Profile>) -> Result<Canvas, Failure> {
    if let Some(profile) = profile.filter(|profile| profile.is_for(DataColorSpace::Rgb)) {
        let source = pixels.clone();
        convert(profile, moxcms::Layout::Rgb, &source, moxcms::Layout::Rgb, &mut pixels);
    }
    Canvas::new(size, ChannelLayout::Rgb, pixels)
}

fn from_rgba(size: PixelSize, mut pixels: Vec<u8>, profile: Option<&Profile>) -> Result<Canvas, Failure> {
    let Some(profile) = profile.filter(|profile| profile.is_for(DataColorSpace::Rgb)) else {
        return if is_opaque(&pixels) {
            without_alpha(size, &pixels)
        } else {
            Canvas::new(size, ChannelLayout::Rgba, pixels)
        };
    };
    divide_alpha(&mut pixels, size, ChannelLayout::Rgba)?;
    let source = pixels.clone();
    convert(profile, moxcms::Layout::Rgba, &source, moxcms::Layout::Rgba, &mut pixels);
    with_alpha(size, pixels)
}

fn from_cmyk(size: PixelSize, pixels: &[u8], profile: Option<&Profile>) -> Result<Canvas, Failure> {
    let (inks, _) = pixels.as_chunks::<4>();
    let mut rgb = inks.iter().flat_map(|ink| cmyk_to_rgb(*ink)).collect::<Vec<_>>();
    if let Some(profile) = profile.filter(|profile| profile.is_for(DataColorSpace::Cmyk)) {
        convert(profile, moxcms::Layout::Rgba, pixels, moxcms::Layout::Rgb, &mut rgb);
    }
    Canvas::new(size, ChannelLayout::Rgb, rgb)
}

/// Converts CMYK without a profile: each ink absorbs its share of the light.
fn cmyk_to_rgb([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    [cyan, magenta, yellow].map(|ink| {
        let light = u16::from(255 - ink) * u16::from(255 - black);
        #[expect(clippy::cast_possible_truncation, reason = "255 times 255 by 255")]
        let light = ((light + 127) / 255) as u8;
        light
    })
}

/// Converts into `target`, which stays unchanged when the profile can't be used.
fn convert(profile: &Profile, from: moxcms::Layout, source: &[u8], to: moxcms::Layout, target: &mut [u8]) {
    let colours = match &profile.conversion {
        Conversion::Icc(colours) => colours,
        Conversion::Hdr(light) => return tone_map(light, source, to.channels(), target),
    };
    let srgb = ColorProfile::new_srgb();
    let converted = colours
        .create_transform_8bit(from, &srgb, to, TransformOptions::default())
        .and_then(|transform| transform.transform(source, target));
    if let Err(error) = converted {
        tracing::debug!(%error, "a colour profile can't be used");
    }
}

/// Converts red, green and blue; other channels of a pixel stay unchanged.
fn tone_map(light: &HdrToneMap, source: &[u8], channels: usize, target: &mut [u8]) {
    for (from, to) in source.chunks_exact(channels).zip(target.chunks_exact_mut(channels)) {
        if let (Some(from), Some(to)) = (from.first_chunk(), to.first_chunk_mut()) {
            *to = light.bytes_to_srgb(*from);
        }
    }
}

fn with_alpha(size: PixelSize, mut straight: Vec<u8>) -> Result<Canvas, Failure> {
    if is_opaque(&straight) {
        return without_alpha(size, &straight);
    }
    multiply_alpha(&mut straight, size, ChannelLayout::Rgba)?;
    Canvas::new(size, ChannelLayout::Rgba, straight)
}

fn is_opaque(rgba: &[u8]) -> bool {
    rgba.as_chunks::<4>().0.iter().all(|[_, _, _, alpha]| *alpha == 255)
}

fn without_alpha(size: PixelSize, rgba: &[u8]) -> Result<Canvas, Failure> {
    let rgb =
        rgba.as_chunks::<4>().0.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect();
    Canvas::new(size, ChannelLayout::Rgb, rgb)
}

/// Flattens on a white background, for formats without alpha.
pub(super) fn on_white(canvas: &Canvas) -> Result<Canvas, Failure> {
    match canvas.layout() {
        ChannelLayout::Rgba => {
            let (pixels, _) = canvas.pixels().as_chunks::<4>();
            let flat = pixels
                .iter()
                .flat_map(|[red, green, blue, alpha]| {
                    [red, green, blue].map(|colour| colour.saturating_add(255 - alpha))
                })
                .collect();
            Canvas::new(canvas.size(), ChannelLayout::Rgb, flat)
        }
        ChannelLayout::Rgb => Ok(canvas.clone()),
        ChannelLayout::Gray | ChannelLayout::GrayAlpha | ChannelLayout::Cmyk => {
            Err(unexpected("it was not converted to sRGB"))
        }
    }
}
