//! Converts AV1 planes to rows of RGB. HDR is tone mapped to sRGB; other colours keep their own colour space.

use re_rav1d::dav1d::{Picture, PixelLayout, PlanarImageComponent, Plane};

use super::container::CodePoints;
use crate::pictures::hdr::{HdrToneMap, byte};

/// A decoded picture, row by row.
pub(super) struct Pixels {
    width: usize,
    height: usize,
    luma: PlaneSamples,
    chroma: Option<[PlaneSamples; 2]>,
    /// Whether two columns, and two rows, share one chroma sample.
    subsampled: (bool, bool),
    matrix: Matrix,
    hdr: Option<HdrToneMap>,
}

/// The samples of one plane.
struct PlaneSamples {
    plane: Plane,
    stride: usize,
    is_wide: bool,
    width: usize,
    height: usize,
    /// The value for black or no colour, and the range above it.
    zero: f32,
    range: f32,
}

impl PlaneSamples {
    /// A row, from 0 to 1, or from -0.5 to 0.5.
    fn row(&self, y: usize, into: &mut Vec<f32>) {
        into.clear();
        let start = self.stride * y.min(self.height.saturating_sub(1));
        let bytes = if self.is_wide { self.width * 2 } else { self.width };
        let row = self.plane.get(start..start + bytes).unwrap_or_default();
        let scale = 1.0 / self.range;
        if self.is_wide {
            let samples = row.as_chunks().0.iter().map(|sample| f32::from(u16::from_ne_bytes(*sample)));
            into.extend(samples.map(|sample| (sample - self.zero) * scale));
        } else {
            into.extend(row.iter().map(|sample| (f32::from(*sample) - self.zero) * scale));
        }
        into.resize(self.width, 0.0);
    }
}

/// How luma and chroma become red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Matrix {
    /// By the weights of red and blue in luma.
    Weights(f32, f32),
    /// The planes are green, blue and red.
    Identity,
    /// Luma, orange, green.
    YCgCo,
}

impl Matrix {
    fn of(points: CodePoints) -> Self {
        match (points.matrix, points.primaries) {
            (0, _) => Self::Identity,
            (1, _) | (12, 1) => Self::Weights(0.2126, 0.0722),
            (4, _) => Self::Weights(0.30, 0.11),
            (7, _) => Self::Weights(0.212, 0.087),
            (8, _) => Self::YCgCo,
            (9, _) | (12, 9) => Self::Weights(0.2627, 0.0593),
            (12, 11 | 12) => Self::Weights(0.228_975, 0.079_287),
            _ => Self::Weights(0.299, 0.114),
        }
    }

    fn colour(self, luma: f32, blue: f32, red: f32) -> [f32; 3] {
        match self {
            Self::Weights(of_red, of_blue) => {
                let (red, blue) = (luma + 2.0 * (1.0 - of_red) * red, luma + 2.0 * (1.0 - of_blue) * blue);
                [red, (luma - of_red * red - of_blue * blue) / (1.0 - of_red - of_blue), blue]
            }
            Self::Identity => [red, luma, blue],
            Self::YCgCo => [luma - blue + red, luma + blue, luma - blue - red],
        }
    }
}

/// The code points in the coded picture.
pub(super) fn code_points(picture: &Picture) -> CodePoints {
    CodePoints {
        primaries: picture.color_primaries() as u8,
        transfer: picture.transfer_characteristic() as u8,
        matrix: picture.matrix_coefficients() as u8,
        is_full_range: picture.color_range() == re_rav1d::dav1d::pixel::YUVRange::Full,
    }
}

impl Pixels {
    pub(super) fn new(picture: &Picture, points: CodePoints, hdr: Option<HdrToneMap>) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let subsampled = match picture.pixel_layout() {
            PixelLayout::I400 | PixelLayout::I444 => (false, false),
            PixelLayout::I422 => (true, false),
            PixelLayout::I420 => (true, true),
        };
        let matrix = Matrix::of(points);
        let depth = picture.bits_per_component().map_or(8, |bits| bits.0);
        #[expect(clippy::cast_precision_loss, reason = "12 bits at most")]
        let (one, max) = ((1u32 << (depth - 8)) as f32, ((1u32 << depth) - 1) as f32);
        let luma = if points.is_full_range { (0.0, max) } else { (16.0 * one, 219.0 * one) };
        let chroma = match (matrix, points.is_full_range) {
            (Matrix::Identity, _) => luma,
            (Matrix::Weights(..) | Matrix::YCgCo, true) => (128.0 * one, max),
            (Matrix::Weights(..) | Matrix::YCgCo, false) => (128.0 * one, 224.0 * one),
        };
        let samples = |component, (zero, range), (width, height)| PlaneSamples {
            plane: picture.plane(component),
            stride: picture.stride(component) as usize,
            is_wide: depth > 8,
            width,
            height,
            zero,
            range,
        };
        let half = |edge: usize, is_halved| if is_halved { edge.div_ceil(2) } else { edge };
        let of_chroma = (half(width, subsampled.0), half(height, subsampled.1));
        let chroma = (picture.pixel_layout() != PixelLayout::I400).then(|| {
            [PlanarImageComponent::U, PlanarImageComponent::V].map(|plane| samples(plane, chroma, of_chroma))
        });
        let luma = samples(PlanarImageComponent::Y, luma, (width, height));
        Self { width, height, luma, chroma, subsampled, matrix, hdr }
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Adds a row of red, green and blue.
    pub(super) fn colours(&self, y: usize, into: &mut Vec<u8>) {
        let mut luma = Vec::new();
        self.luma.row(y, &mut luma);
        let [blue, red] = match &self.chroma {
            Some(planes) => planes.each_ref().map(|plane| self.chroma(plane, y)),
            None => [vec![0.0; self.width], vec![0.0; self.width]],
        };
        let matrix = if self.chroma.is_some() { self.matrix } else { Matrix::Weights(0.299, 0.114) };
        let pixels = luma.iter().zip(&blue).zip(&red);
        let colours = pixels.map(|((luma, blue), red)| matrix.colour(*luma, *blue, *red));
        match &self.hdr {
            Some(hdr) => into.extend(colours.flat_map(|colour| hdr.to_srgb(colour))),
            None => into.extend(colours.flat_map(|colour| colour.map(byte))),
        }
    }

    /// Adds a row of alpha.
    pub(super) fn opacity(&self, y: usize, into: &mut Vec<u8>) {
        let mut luma = Vec::new();
        self.luma.row(y, &mut luma);
        into.extend(luma.into_iter().map(byte));
    }

    /// A row of chroma, upsampled to the width of the picture by linear interpolation.
    fn chroma(&self, plane: &PlaneSamples, y: usize) -> Vec<f32> {
        let mut near = Vec::new();
        if self.subsampled.1 {
            let mut far = Vec::new();
            plane.row(y / 2, &mut near);
            plane.row(if y % 2 == 1 { y / 2 + 1 } else { (y / 2).saturating_sub(1) }, &mut far);
            for (near, far) in near.iter_mut().zip(far) {
                *near = *near * 0.75 + far * 0.25;
            }
        } else {
            plane.row(y, &mut near);
        }
        if !self.subsampled.0 {
            return near;
        }
        let sample = |x: usize| near.get(x.min(near.len().saturating_sub(1))).copied().unwrap_or_default();
        (0..self.width)
            .map(|x| {
                sample(x / 2) * 0.75
                    + sample(if x % 2 == 1 { x / 2 + 1 } else { (x / 2).saturating_sub(1) }) * 0.25
            })
            .collect()
    }
}
