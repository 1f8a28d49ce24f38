//! How and where a photo was taken, as its EXIF tags say.

use nom_exif::{Exif, ExifTag, GPSInfo};
use serde::{Deserialize, Serialize};

use super::text;

/// The settings of the camera, each ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exposure {
    /// The lens.
    pub lens: Option<String>,
    /// For how long the shutter was open, such as `1/250 s`.
    pub time: Option<String>,
    /// The aperture, such as `f/2.8`.
    pub aperture: Option<String>,
    /// The sensitivity, as ISO 12232 has it.
    pub sensitivity: Option<u32>,
    /// The focal length in millimetres, such as `35 mm`.
    pub focal_length: Option<String>,
}

impl Exposure {
    pub(super) fn of(exif: &Exif) -> Self {
        let number = |tag| exif.get(tag)?.as_urational()?.to_f64().filter(|number| *number > 0.0);
        let sensitivity = exif.get(ExifTag::ISOSpeedRatings);
        let sensitivity =
            sensitivity.and_then(|value| value.as_u16().map(u32::from).or_else(|| value.as_u32()));
        Self {
            lens: exif.get(ExifTag::LensModel).and_then(|lens| lens.as_str()).and_then(text),
            time: number(ExifTag::ExposureTime).map(shutter_time),
            aperture: number(ExifTag::FNumber).map(|number| format!("f/{}", short(number))),
            sensitivity: sensitivity.filter(|number| *number > 0),
            focal_length: number(ExifTag::FocalLength).map(|length| format!("{} mm", short(length))),
        }
    }
}

/// A place on the earth, in millionths of a degree: about ten centimetres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coordinates {
    latitude: i32,
    longitude: i32,
}

impl Coordinates {
    pub(super) fn of(gps: &GPSInfo) -> Option<Self> {
        Self::new(gps.latitude_decimal()?, gps.longitude_decimal()?)
    }

    /// A place by its degrees to the north and to the east; `None` for what is not on the earth. Cameras that have no
    /// signal write zeros.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let is_there =
            latitude.abs() <= 90.0 && longitude.abs() <= 180.0 && (latitude, longitude) != (0.0, 0.0);
        #[expect(clippy::cast_possible_truncation, reason = "at most 180 million")]
        let millionths = |degrees: f64| (degrees * 1e6).round() as i32;
        is_there.then(|| Self { latitude: millionths(latitude), longitude: millionths(longitude) })
    }

    /// Degrees to the north; to the south they are negative.
    #[must_use]
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude) / 1e6
    }

    /// Degrees to the east; to the west they are negative.
    #[must_use]
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude) / 1e6
    }
}

/// A time in seconds as photographers write it: short ones as a fraction.
fn shutter_time(seconds: f64) -> String {
    if seconds < 0.3 { format!("1/{} s", (1.0 / seconds).round()) } else { format!("{} s", short(seconds)) }
}

/// A number with at most one decimal.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_photographers_write_them() {
        for (seconds, expected) in [(0.004, "1/250 s"), (0.25, "1/4 s"), (0.5, "0.5 s"), (30.0, "30 s")] {
            assert_eq!(shutter_time(seconds), expected);
        }
        assert_eq!([short(2.8), short(8.0), short(4.25)], ["2.8", "8", "4.2"]);
    }

    #[test]
    fn only_places_on_the_earth_are_places() {
        let place = Coordinates::new(-33.8568, 151.2153).unwrap();
        assert_eq!((place.latitude(), place.longitude()), (-33.8568, 151.2153));
        for (latitude, longitude) in
            [(0.0, 0.0), (91.0, 0.0), (1.0, 180.1), (f64::NAN, 1.0), (1.0, f64::INFINITY)]
        {
            assert_eq!(Coordinates::new(latitude, longitude), None);
        }
    }
}
