//! Pixels in memory, 8 bits a channel. Alpha is premultiplied here, so that resizing does not bleed the colour of
//! what can't be seen; only encoders see it straight.

use std::borrow::Cow;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;
use image::metadata::Orientation;

use super::Failure;
use super::size::Size;

/// The channels of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    /// 255 is full ink.
    Cmyk,
}

impl Layout {
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
    size: Size,
    layout: Layout,
    pixels: Vec<u8>,
}

impl Canvas {
    /// # Errors
    /// When the pixels are not as many as the size says.
    pub(super) fn new(size: Size, layout: Layout, pixels: Vec<u8>) -> Result<Self, Failure> {
        if pixels.len() != layout.stride(size.width) * size.height as usize {
            return Err(Failure::damaged("it ends before its last row"));
        }
        Ok(Self { size, layout, pixels })
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn layout(&self) -> Layout {
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

    /// Resized to exactly `to`, with the kernel that the reducer uses.
    pub(super) fn resized(&self, to: Size) -> Result<Self, Failure> {
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

    /// The middle part of this size.
    pub(super) fn cropped(self, to: Size) -> Self {
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

    /// Turned as the camera was held. Only for RGB and RGBA, which is what colour conversion leaves.
    pub(super) fn upright(self, orientation: Orientation) -> Self {
        if orientation == Orientation::NoTransforms {
            return self;
        }
        let (width, height, layout) = (self.size.width, self.size.height, self.layout);
        let turned = match layout {
            Layout::Rgb => image::RgbImage::from_raw(width, height, self.pixels).map(DynamicImage::ImageRgb8),
            Layout::Rgba => {
                image::RgbaImage::from_raw(width, height, self.pixels).map(DynamicImage::ImageRgba8)
            }
            Layout::Gray | Layout::GrayAlpha | Layout::Cmyk => None,
        };
        let mut turned = turned.unwrap_or_default();
        turned.apply_orientation(orientation);
        let size = Size { width: turned.width(), height: turned.height() };
        Self { size, layout, pixels: turned.into_bytes() }
    }
}

/// Lanczos with three lobes; alpha is premultiplied already.
pub(super) fn kernel() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false)
}

/// Multiplies the colour of straight pixels by their alpha.
pub(super) fn multiply_alpha(pixels: &mut [u8], size: Size, layout: Layout) -> Result<(), Failure> {
    let mut image =
        Image::from_slice_u8(size.width, size.height, pixels, layout.pixel_type()).map_err(unexpected)?;
    MulDiv::new().multiply_alpha_inplace(&mut image).map_err(unexpected)
}

/// Takes back [`multiply_alpha`].
pub(super) fn divide_alpha(pixels: &mut [u8], size: Size, layout: Layout) -> Result<(), Failure> {
    let mut image =
        Image::from_slice_u8(size.width, size.height, pixels, layout.pixel_type()).map_err(unexpected)?;
    MulDiv::new().divide_alpha_inplace(&mut image).map_err(unexpected)
}

/// For what a library refuses although we counted right.
pub(super) fn unexpected(error: impl std::fmt::Display) -> Failure {
    Failure::damaged(error)
}
