//! Pixels in memory, 8 bits per channel. Alpha is premultiplied, so that resizing does not bleed the colour of transparent
//! pixels; only encoders get straight alpha.

use std::borrow::Cow;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};
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

    pub(super) const fn pixel_type(self) -> PixelType {
        match self {
            Self::Gray => PixelType::U8,
            Self::GrayAlpha => PixelType::U8x2,
            Self::Rgb => PixelType::U8x3,
            Self::Rgba | Self::Cmyk => PixelType::U8x4,
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
    pub(super) fn resized(&self, to: PixelSize) -> Result<Self, Failure> {
        if to == self.size {
            return Ok(self.clone());
        }
        let mut pixels = vec![0; self.layout.stride(to.width) * to.height as usize];
        let kind = self.layout.pixel_type();
        let source =
            ImageRef::new(self.size.width, self.size.height, &self.pixels, kind).map_err(unexpected)?;
        let mut target = Image::from_slice_u8(to.width, to.height, &mut pixels, kind).map_err(unexpected)?;
        Resizer::new().resize(&source, &mut target, &kernel()).map_err(unexpected)?;
        drop(target);
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

/// Multiplies the colour of straight pixels by their alpha.
pub(super) fn multiply_alpha(
    pixels: &mut [u8],
    size: PixelSize,
    layout: ChannelLayout,
) -> Result<(), Failure> {
    let mut image =
        Image::from_slice_u8(size.width, size.height, pixels, layout.pixel_type()).map_err(unexpected)?;
    MulDiv::new().multiply_alpha_inplace(&mut image).map_err(unexpected)
}

/// Reverses [`multiply_alpha`].
pub(super) fn divide_alpha(pixels: &mut [u8], size: PixelSize, layout: ChannelLayout) -> Result<(), Failure> {
    let mut image =
        Image::from_slice_u8(size.width, size.height, pixels, layout.pixel_type()).map_err(unexpected)?;
    MulDiv::new().divide_alpha_inplace(&mut image).map_err(unexpected)
}

/// For errors of a library that our own checks should have ruled out.
pub(super) fn unexpected(error: impl std::fmt::Display) -> Failure {
    Failure::damaged(error)
}
