//! What the file of an asset says about the photo in it: camera, exposure and place. Read from the file when somebody
//! opens that part of the page.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::wanted_variant;
use crate::error::{Error, Result};
use crate::pictures::{Coordinates, Exposure, Metadata};
use crate::webapp::answer::page;
use crate::webapp::layout::{Layout, NavSection};
use crate::webapp::pages::libraries::OfAsset;
use crate::webapp::pages::libraries::browsing::Browsing;
use crate::webapp::signed_in_user::SignedInUser;

/// The units of the map's outlines that are one degree.
const UNITS_PER_DEGREE: f64 = 5.0;

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/asset_photo.html")]
struct PhotoDetails {
    rows: Vec<(&'static str, String)>,
    place: Option<Location>,
}

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/asset_details.html")]
struct DetailsPage {
    layout: Layout,
    part: PhotoDetails,
}

/// Where a photo was taken.
struct Location {
    /// From the west to the east, in units of the map.
    x: String,
    /// From the north to the south.
    y: String,
    /// In degrees, as people write it.
    text: String,
}

/// `GET …/{asset}/details?variant=`: a part of the asset's page, or a page of its own for a browser without scripts.
pub async fn details(user: SignedInUser, path: OfAsset, request: HttpRequest) -> Result<HttpResponse> {
    let (organization, library, id) = path.into_inner();
    let browsing = Browsing::parse((organization, library), "");
    let caller = user.caller(&browsing.organization)?;
    let detail = user.core.get_asset(&caller, &browsing.path(), &id)?;
    let wanted = wanted_variant(request.query_string()).unwrap_or_else(|| id.clone());
    let is_its_own = wanted == id || detail.variants.iter().any(|variant| variant.id.as_str() == wanted);
    if !is_its_own {
        return Err(Error::asset_not_found());
    }
    let layout = (!user.context.is_partial()).then(|| {
        let layout = user.layout("Camera, place and colours")?.within(&caller, NavSection::Libraries);
        Ok::<_, Error>(layout.under(detail.asset.name.clone(), browsing.asset_address(&id).to_string()))
    });
    let metadata = user.core.photo_details(caller, &browsing.path(), &wanted).await?;
    let part = PhotoDetails { rows: rows(&metadata), place: metadata.position.map(location) };
    match layout.transpose()? {
        Some(layout) => page(&DetailsPage { layout, part }),
        None => page(&part),
    }
}

fn rows(metadata: &Metadata) -> Vec<(&'static str, String)> {
    let Exposure { lens, time, aperture, sensitivity, focal_length } = metadata.exposure.clone();
    let described = [
        ("Taken", metadata.captured.as_ref().map(|captured| captured.replacen('T', " ", 1))),
        ("Camera", metadata.camera.clone()),
        ("Lens", lens),
        ("Exposure", time),
        ("Aperture", aperture),
        ("ISO", sensitivity.map(|number| number.to_string())),
        ("Focal length", focal_length),
        ("Caption", metadata.caption.clone()),
        ("Keywords", Some(metadata.keywords.join(", ")).filter(|keywords| !keywords.is_empty())),
    ];
    described.into_iter().filter_map(|(label, value)| Some((label, value?))).collect()
}

fn location(coordinates: Coordinates) -> Location {
    let (latitude, longitude) = (coordinates.latitude(), coordinates.longitude());
    let side = |degrees: f64, plus, minus| if degrees < 0.0 { minus } else { plus };
    let units = |degrees: f64| format!("{:.1}", degrees * UNITS_PER_DEGREE);
    Location {
        x: units(longitude),
        y: units(-latitude),
        text: format!(
            "{:.4}° {}, {:.4}° {}",
            latitude.abs(),
            side(latitude, "N", "S"),
            longitude.abs(),
            side(longitude, "E", "W")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_with_their_sides_of_the_earth() {
        let text = |latitude, longitude| location(Coordinates::new(latitude, longitude).unwrap()).text;
        assert_eq!(text(48.85837, 2.29448), "48.8584° N, 2.2945° E");
        assert_eq!(text(-33.8568, -70.0), "33.8568° S, 70.0000° W");
        let sydney = location(Coordinates::new(-33.8568, 151.2153).unwrap());
        assert_eq!((sydney.x.as_str(), sydney.y.as_str()), ("756.1", "169.3"));
    }
}
