//! The geometry of a picture for decoding: read by [`media`], as for the asset's dimensions, and checked against the limits.

use std::fs::File;

use image::metadata::Orientation;

use super::canvas::Canvas;
use super::colour::Profile;
use super::resize::{PixelSize, ResizeSpec, upright};
use super::{DecodeLimits, Decoded, Failure, within_pixels};
use crate::pictures::media::{self, GeometryError, MediaType};

/// The size that is decoded, the visible part of it, and the orientation to apply.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckedGeometry {
    decoded: PixelSize,
    pub(super) stored: PixelSize,
    pub(super) orientation: Orientation,
}

impl CheckedGeometry {
    /// Reads it from the header of a raster image.
    ///
    /// # Errors
    /// When the file is damaged, or has more pixels than allowed.
    pub(super) fn read(source: &File, media_type: MediaType, limits: &DecodeLimits) -> Result<Self, Failure> {
        let mut file = source;
        let geometry = media::geometry(&mut file, media_type).map_err(|error| match error {
            GeometryError::Damaged(reason) => Failure::Damaged(reason),
            GeometryError::Unreadable => Failure::Unavailable(error.to_string()),
        })?;
        within_pixels(geometry.decoded.width, geometry.decoded.height, limits)?;
        let size = |size: media::Dimensions| PixelSize { width: size.width, height: size.height };
        Ok(Self {
            decoded: size(geometry.decoded),
            stored: size(geometry.stored),
            orientation: geometry.orientation,
        })
    }

    /// The same for a picture that is already upright, whatever its file says.
    pub(super) fn without_orientation(self) -> Self {
        Self { orientation: Orientation::NoTransforms, ..self }
    }

    /// The size that is decoded.
    pub(super) fn decoded_size(&self) -> PixelSize {
        self.decoded
    }

    /// The size to downscale to, before the orientation is applied.
    pub(super) fn target(&self, resize: &ResizeSpec) -> PixelSize {
        upright(resize.scaled(upright(self.stored, self.orientation)), self.orientation)
    }

    /// Compares the size that a decoder found with the one in the header.
    ///
    /// # Errors
    /// When they differ.
    pub(super) fn expect(&self, width: u32, height: u32) -> Result<(), Failure> {
        if (PixelSize { width, height }) == self.decoded {
            return Ok(());
        }
        Err(Failure::damaged("its parts do not agree on its size"))
    }

    /// Adds the geometry to what a decoder produced.
    pub(super) fn decoded(&self, canvas: Canvas, profile: Option<Profile>) -> Decoded {
        Decoded { canvas, stored: self.stored, orientation: self.orientation, profile }
    }
}
