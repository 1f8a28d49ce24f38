//! Pixels in memory, 8 bits per channel. Alpha is premultiplied, so that resizing does not bleed the colour of transparent
//! pixels; only encoders get straight alpha.

use std::borrow::Cow;

use fast_image_resize::images::TypedImage;
use fast_image_resize::pixels::{U8, U8x2, U8x3, U8x4};
use fast_image_resize::{FilterType, MulDiv, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;
use image::metadata::Orientation;

use super::Failure;
use super::resize::PixelSize;

/// The channels of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChannelLayout {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    /// 255 is full ink.
    Cmyk,
}

impl ChannelLayout {
    pub(super) const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    pub(super) const fn has_alpha(self) -> bool {
        match self {
            Self::GrayAlpha | Self::Rgba => true,
            Self::Gray | Self::Rgb | Self::Cmyk => false,
        }
    }

    /// Bytes of a row of this width.
    pub(super) const fn stride(self, width: u32) -> usize {
        width as usize * self.channels()
    }
}

/// A picture in memory.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    size: PixelSize,
    layout: ChannelLayout,
    pixels: Vec<u8>,
}

impl Canvas {
    /// # Errors
    /// When the number of pixels does not match the size.
    pub(super) fn new(size: PixelSize, layout: ChannelLayout, pixels: Vec<u8>) -> Result<Self, Failure> {
        if pixels.len() != layout.stride(size.width) * size.height as usize {
            return Err(Failure::damaged("it ends before its last row"));
        }
        Ok(Self { size, layout, pixels })
    }

    pub(super) fn size(&self) -> PixelSize {
        self.size
    }

    pub(super) fn layout(&self) -> ChannelLayout {
        self.layout
    }

    /// The pixels, alpha premultiplied.
    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    pub(super) fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The pixels with straight alpha.
    pub(super) fn straight(&self) -> Result<Cow<'_, [u8]>, Failure> {
        if !self.layout.has_alpha() {
            return Ok(Cow::Borrowed(&self.pixels));
        }
        let mut pixels = self.pixels.clone();
        divide_alpha(&mut pixels, self.size, self.layout)?;
        Ok(Cow::Owned(pixels))
    }

    /// Resized to exactly `to`, with the same kernel as [`Downscaler`](super::downscale::Downscaler).
    pub(super) fn resized(mut self, to: PixelSize) -> Result<Self, Failure> {
        if to == self.size {
            return Ok(self);
        }
        let mut pixels = vec![0; self.layout.stride(to.width) * to.height as usize];
        let source = (self.size, self.pixels.as_mut_slice());
        resize(&mut Resizer::new(), self.layout, source, (to, &mut pixels), &kernel())?;
        Ok(Self { size: to, layout: self.layout, pixels })
    }

    /// The centre of the picture in this size.
    pub(super) fn cropped(self, to: PixelSize) -> Self {
        if to == self.size {
            return self;
        }
        let left = self.layout.stride((self.size.width - to.width) / 2);
        let top = (self.size.height - to.height) / 2;
        let pixels = self
            .pixels
            .chunks_exact(self.layout.stride(self.size.width))
            .skip(top as usize)
            .take(to.height as usize)
            .filter_map(|row| row.get(left..left + self.layout.stride(to.width)))
            .flatten()
            .copied()
            .collect();
        Self { size: to, layout: self.layout, pixels }
    }

    /// Applies the orientation. Only for RGB and RGBA, which are the results of colour conversion.
    pub(super) fn upright(self, orientation: Orientation) -> Self {
        if orientation == Orientation::NoTransforms {
            return self;
        }
        let (width, height, layout) = (self.size.width, self.size.height, self.layout);
        let image = match layout {
            ChannelLayout::Rgb => {
                image::RgbImage::from_raw(width, height, self.pixels).map(DynamicImage::ImageRgb8)
            }
            ChannelLayout::Rgba => {
                image::RgbaImage::from_raw(width, height, self.pixels).map(DynamicImage::ImageRgba8)
            }
            ChannelLayout::Gray | ChannelLayout::GrayAlpha | ChannelLayout::Cmyk => None,
        };
        let mut image = image.unwrap_or_default();
        image.apply_orientation(orientation);
        let size = PixelSize { width: image.width(), height: image.height() };
        Self { size, layout, pixels: image.into_bytes() }
    }
}

/// Lanczos with three lobes; alpha is already premultiplied.
pub(super) fn kernel() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false)
}

/// Resizes the first pixels, of one size, into the second, of another.
///
/// Each layout names its type of pixel, so that the binary holds the kernels of these four types instead of all thirteen.
/// The first pixels stay as they are. They are mutable so that they have the type of the library's own buffers: a second type
/// would mean a second copy of each kernel.
pub(super) fn resize(
    resizer: &mut Resizer,
    layout: ChannelLayout,
    from: (PixelSize, &mut [u8]),
    to: (PixelSize, &mut [u8]),
    options: &ResizeOptions,
) -> Result<(), Failure> {
    match layout {
        ChannelLayout::Gray => resize_as::<U8>(resizer, from, to, options),
        ChannelLayout::GrayAlpha => resize_as::<U8x2>(resizer, from, to, options),
        ChannelLayout::Rgb => resize_as::<U8x3>(resizer, from, to, options),
        ChannelLayout::Rgba | ChannelLayout::Cmyk => resize_as::<U8x4>(resizer, from, to, options),
    }
}

fn resize_as<P: PixelTrait>(
    resizer: &mut Resizer,
    (from, source): (PixelSize, &mut [u8]),
    (to, target): (PixelSize, &mut [u8]),
    options: &ResizeOptions,
) -> Result<(), Failure> {
    let (source, mut target) = (typed::<P>(from, source)?, typed::<P>(to, target)?);
    resizer.resize_typed(&source, &mut target, options).map_err(unexpected)
}

fn typed<P: PixelTrait>(size: PixelSize, pixels: &mut [u8]) -> Result<TypedImage<'_, P>, Failure> {
    TypedImage::from_buffer(size.width, size.height, pixels).map_err(unexpected)
}

/// Multiplies the colour of straight pixels by their alpha, where the layout has one.
pub(super) fn multiply_alpha(
    pixels: &mut [u8],
    size: PixelSize,
    layout: ChannelLayout,
) -> Result<(), Failure> {
    let math = MulDiv::new();
    match layout {
        ChannelLayout::GrayAlpha => math.multiply_alpha_inplace_typed(&mut typed::<U8x2>(size, pixels)?),
        ChannelLayout::Rgba => math.multiply_alpha_inplace_typed(&mut typed::<U8x4>(size, pixels)?),
        ChannelLayout::Gray | ChannelLayout::Rgb | ChannelLayout::Cmyk => return Ok(()),
    }
    .map_err(unexpected)
}

/// Reverses [`multiply_alpha`].
pub(super) fn divide_alpha(pixels: &mut [u8], size: PixelSize, layout: ChannelLayout) -> Result<(), Failure> {
    let math = MulDiv::new();
    match layout {
        ChannelLayout::GrayAlpha => math.divide_alpha_inplace_typed(&mut typed::<U8x2>(size, pixels)?),
        ChannelLayout::Rgba => math.divide_alpha_inplace_typed(&mut typed::<U8x4>(size, pixels)?),
        ChannelLayout::Gray | ChannelLayout::Rgb | ChannelLayout::Cmyk => return Ok(()),
    }
    .map_err(unexpected)
}

/// For errors of a library that our own checks should have ruled out.
pub(super) fn unexpected(error: impl std::fmt::Display) -> Failure {
    Failure::damaged(error)
}
