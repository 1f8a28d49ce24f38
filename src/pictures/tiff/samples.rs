//! Converts rows of samples of any size, byte order and meaning to 8 bits per channel.

use super::header::{Alpha, Colours, Header, SampleFormat};
use super::unpack::number;
use crate::pictures::canvas::ChannelLayout;
use crate::pictures::media::reader::ByteOrder;
use crate::pictures::{Failure, unsupported};

/// A conversion of the rows of a file to our layout.
pub(super) struct SampleConverter {
    bits: u32,
    order: ByteOrder,
    sample_format: SampleFormat,
    width: usize,
    /// The number of interleaved samples in a plane.
    interleaved: usize,
    /// The planes that are read.
    planes: Vec<usize>,
    colours: Colours,
    alpha: Option<Alpha>,
    palette: Vec<[u8; 3]>,
}

impl SampleConverter {
    /// A converter for this file.
    ///
    /// # Errors
    /// When the size of its samples is not supported.
    pub(super) fn new(header: &Header) -> Result<Self, Failure> {
        match (header.sample_format, header.bits) {
            (SampleFormat::Float, 16 | 24 | 32 | 64)
            | (SampleFormat::Unsigned, 1..=32 | 64)
            | (SampleFormat::Signed, 8 | 16 | 32) => {}
            (_, bits) => return Err(unsupported(format!("a TIFF of samples of {bits} bits of this kind"))),
        }
        // Only gray and RGB have alpha.
        let alpha = header.alpha.filter(|_| matches!(header.colours, Colours::Gray { .. } | Colours::Rgb));
        let (interleaved, planes) = if header.is_planar {
            (1, (0..header.colours.channels()).chain(alpha.map(|alpha| alpha.channel)).collect())
        } else {
            (header.samples, vec![0])
        };
        Ok(Self {
            bits: header.bits,
            order: header.order,
            sample_format: header.sample_format,
            width: header.chunk.width as usize,
            interleaved,
            planes,
            colours: header.colours,
            alpha,
            palette: header.palette.clone(),
        })
    }

    /// The planes that are read. Those without colour or alpha are skipped.
    pub(super) fn planes(&self) -> &[usize] {
        &self.planes
    }

    pub(super) fn layout(&self) -> ChannelLayout {
        match (self.colours, self.alpha) {
            (Colours::Gray { .. }, None) => ChannelLayout::Gray,
            (Colours::Gray { .. }, Some(_)) => ChannelLayout::GrayAlpha,
            (Colours::Rgb, Some(_)) => ChannelLayout::Rgba,
            (Colours::Rgb | Colours::Palette | Colours::YCbCr | Colours::Lab { .. }, _) => ChannelLayout::Rgb,
            (Colours::Cmyk, _) => ChannelLayout::Cmyk,
        }
    }

    /// Whether the samples are already in our layout.
    fn is_in_our_layout(&self) -> bool {
        let is_plain = match self.colours {
            Colours::Gray { is_inverted } => !is_inverted,
            Colours::Rgb | Colours::Cmyk => true,
            Colours::Palette | Colours::YCbCr | Colours::Lab { .. } => false,
        };
        let channels = self.layout().channels();
        is_plain
            && self.interleaved == channels
            && self.alpha.is_none_or(|alpha| alpha.channel == channels - 1)
    }

    /// Whether the colours are premultiplied.
    pub(super) fn is_premultiplied(&self) -> bool {
        self.alpha.is_some_and(|alpha| alpha.is_premultiplied)
    }

    /// Converts a row from these planes. Overwrites the planes.
    pub(super) fn convert(&self, planes: &mut [Vec<u8>], row: &mut Vec<u8>) {
        for plane in planes.iter_mut() {
            self.to_bytes(plane);
        }
        if let [plane] = planes
            && self.is_in_our_layout()
        {
            std::mem::swap(plane, row);
            return;
        }
        let is_planar = self.planes.len() > 1;
        let sample = |pixel: usize, channel: usize| {
            let (plane, at) =
                if is_planar { (channel, pixel) } else { (0, pixel * self.interleaved + channel) };
            planes.get(plane).and_then(|plane| plane.get(at)).copied().unwrap_or_default()
        };
        // The plane of the alpha is read last.
        let alpha = self.alpha.map(|alpha| if is_planar { self.planes.len() - 1 } else { alpha.channel });
        row.clear();
        for pixel in 0..self.width {
            let three = || [0, 1, 2].map(|channel| sample(pixel, channel));
            match self.colours {
                Colours::Gray { is_inverted: false } => row.push(sample(pixel, 0)),
                Colours::Gray { is_inverted: true } => row.push(255 - sample(pixel, 0)),
                Colours::Rgb => row.extend(three()),
                Colours::Cmyk => row.extend([0, 1, 2, 3].map(|channel| sample(pixel, channel))),
                Colours::YCbCr => row.extend(from_ycc(three())),
                Colours::Lab { is_signed } => row.extend(from_lab(three(), is_signed)),
                Colours::Palette => {
                    let colour = match self.bits {
                        16 => usize::from(sample(pixel * 2, 0)) << 8 | usize::from(sample(pixel * 2 + 1, 0)),
                        _ => usize::from(sample(pixel, 0)),
                    };
                    row.extend(self.palette.get(colour).copied().unwrap_or_default());
                }
            }
            row.extend(alpha.map(|channel| sample(pixel, channel)));
        }
    }

    /// Converts samples to bytes: larger ones lose their low bits, smaller ones are scaled. Palette indexes stay unchanged.
    fn to_bytes(&self, plane: &mut Vec<u8>) {
        let is_palette = self.colours == Colours::Palette;
        let count = self.width * self.interleaved;
        if self.sample_format == SampleFormat::Float {
            *plane = from_floats(plane, self.bits, self.order);
            return;
        }
        match self.bits {
            8 => {}
            16 if is_palette => {
                if self.order == ByteOrder::Little {
                    plane.as_chunks_mut::<2>().0.iter_mut().for_each(|word| word.reverse());
                }
            }
            16 => *plane = highest::<2>(plane, self.order),
            24 => *plane = highest::<3>(plane, self.order),
            32 => *plane = highest::<4>(plane, self.order),
            64 => *plane = highest::<8>(plane, self.order),
            bits => *plane = unpacked(plane, count, bits, is_palette),
        }
        if self.sample_format == SampleFormat::Signed && !is_palette {
            for sample in plane {
                *sample ^= 0x80;
            }
        }
    }
}

fn highest<const BYTES: usize>(plane: &[u8], order: ByteOrder) -> Vec<u8> {
    let highest = match order {
        ByteOrder::Big => 0,
        ByteOrder::Little => BYTES - 1,
    };
    plane.as_chunks::<BYTES>().0.iter().map(|word| word[highest]).collect()
}

/// Unpacks samples that do not fill bytes, the highest bit first.
fn unpacked(plane: &[u8], count: usize, bits: u32, is_palette: bool) -> Vec<u8> {
    let (mut bytes, mut held, mut left) = (plane.iter(), 0u64, 0);
    let largest = (1u64 << bits) - 1;
    let sample = || {
        while left < bits {
            held = held << 8 | u64::from(bytes.next().copied().unwrap_or_default());
            left += 8;
        }
        left -= bits;
        let sample = held >> left & largest;
        let byte = match bits {
            _ if is_palette => sample,
            ..8 => sample * 255 / largest,
            _ => sample >> (bits - 8),
        };
        u8::try_from(byte).unwrap_or(u8::MAX)
    };
    std::iter::repeat_with(sample).take(count).collect()
}

/// Converts floating-point samples from 0 to 1.
fn from_floats(plane: &[u8], bits: u32, order: ByteOrder) -> Vec<u8> {
    let byte = |fraction: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "NaN becomes 0")]
        let byte = (fraction.clamp(0.0, 1.0) * 255.0).round() as u8;
        byte
    };
    match bits {
        16 => plane.as_chunks::<2>().0.iter().map(|word| byte(float(number(*word, order), 5, 10))).collect(),
        24 => plane.as_chunks::<3>().0.iter().map(|word| byte(float(number(*word, order), 7, 16))).collect(),
        32 => plane.as_chunks::<4>().0.iter().map(|word| byte(float(number(*word, order), 8, 23))).collect(),
        _ => plane.as_chunks::<8>().0.iter().map(|word| byte(f64::from_bits(number(*word, order)))).collect(),
    }
}

/// A floating-point number with this many bits of exponent and mantissa.
fn float(bits: u64, exponent: u32, mantissa: u32) -> f64 {
    let is_negative = bits >> (exponent + mantissa) & 1 == 1;
    let power = i32::try_from(bits >> mantissa & ((1 << exponent) - 1)).unwrap_or_default();
    let part = bits & ((1 << mantissa) - 1);
    let zero_power = (1 << (exponent - 1)) - 1;
    #[expect(clippy::cast_precision_loss, reason = "at most 23 bits")]
    let part = part as f64 / f64::from(1u32 << mantissa);
    let value = match power {
        0 => part * f64::powi(2.0, 1 - zero_power),
        _ if power == (1 << exponent) - 1 => f64::INFINITY,
        _ => (1.0 + part) * f64::powi(2.0, power - zero_power),
    };
    if is_negative { -value } else { value }
}

/// YCbCr with the weights of ITU-R BT.601 in full range, the default of TIFF.
fn from_ycc([brightness, blue, red]: [u8; 3]) -> [u8; 3] {
    let (brightness, blue, red) = (i32::from(brightness) << 16, i32::from(blue) - 128, i32::from(red) - 128);
    [brightness + 91_881 * red, brightness - 22_554 * blue - 46_802 * red, brightness + 116_130 * blue]
        .map(|light| u8::try_from(((light + (1 << 15)) >> 16).clamp(0, 255)).unwrap_or(u8::MAX))
}

/// CIE L*a*b* under D50, as in printing, to sRGB.
fn from_lab([light, green_to_red, blue_to_yellow]: [u8; 3], is_signed: bool) -> [u8; 3] {
    let opponent = |value: u8| {
        if is_signed { f64::from(value.cast_signed()) } else { f64::from(value) - 128.0 }
    };
    let y = (f64::from(light) * 100.0 / 255.0 + 16.0) / 116.0;
    let linear = |t: f64| if t > 6.0 / 29.0 { t * t * t } else { (t - 4.0 / 29.0) * 108.0 / 841.0 };
    let (x, y, z) = (
        0.9642 * linear(y + opponent(green_to_red) / 500.0),
        linear(y),
        0.8249 * linear(y - opponent(blue_to_yellow) / 200.0),
    );
    // From D50 to the primaries of sRGB, with Bradford adaptation.
    [
        3.133_856_1 * x - 1.616_866_7 * y - 0.490_614_6 * z,
        -0.978_768_4 * x + 1.916_141_5 * y + 0.033_454 * z,
        0.071_945_3 * x - 0.228_991_4 * y + 1.405_242_7 * z,
    ]
    .map(|light| {
        let light = light.clamp(0.0, 1.0);
        let coded = if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 255")]
        let byte = (coded * 255.0).round() as u8;
        byte
    })
}
