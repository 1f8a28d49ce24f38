//! What an asset url's query asks for, and what its sender takes. Reads texts; what they come to is not known here.

use std::ops::RangeInclusive;

use actix_web::http::header::{ACCEPT, HeaderMap};
use url::form_urlencoded;

use crate::app::pictures::{Fit, Format};
use crate::app::renditions::{Asked, AskedFormat, LARGEST};
use crate::error::{Error, Result};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The file as it came.
    Original,
    /// A rendition.
    Rendition {
        /// Which.
        asked: Asked,
        /// Whether another `Accept` may get another one.
        varies: bool,
    },
}

/// Reads a query. Parameters that mean nothing here are passed over; of one that is repeated, the first counts.
///
/// # Errors
/// `BAD_USER_INPUT` for a value that is not one of those a parameter takes.
pub fn read(query: &str, headers: &HeaderMap) -> Result<Wish> {
    let query = Query(form_urlencoded::parse(query.as_bytes()).into_owned().collect());
    if !["w", "h", "fit", "fm", "q", "dpr", "blur"].into_iter().any(|name| query.text(name).is_some()) {
        return Ok(Wish::Original);
    }
    let format = query.text("fm").map_or(Ok(AskedFormat::Own), |text| format(text, headers))?;
    let quality = query.number("q", 1..=100)?;
    let asked = Asked {
        width: query.number("w", 1..=LARGEST)?,
        height: query.number("h", 1..=LARGEST)?,
        fit: query.text("fit").map_or(Ok(Fit::Contain), fit)?,
        format,
        quality: quality.and_then(|quality| u8::try_from(quality).ok()),
        density: query.text("dpr").map_or(Ok(100), density)?,
        blurred: query.text("blur").map_or(Ok(false), blurred)?,
    };
    let varies = matches!(format, AskedFormat::Auto { .. }) && !asked.blurred;
    Ok(Wish::Rendition { asked, varies })
}

struct Query(Vec<(String, String)>);

impl Query {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = digits(text).filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        let refused = || {
            Error::bad_input(format!("The parameter `{name}` must be a whole number from {least} to {most}."))
        };
        number.map(Some).ok_or_else(refused)
    }
}

/// A whole number in nothing but digits.
fn digits(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn fit(text: &str) -> Result<Fit> {
    match text {
        "contain" => Ok(Fit::Contain),
        "cover" => Ok(Fit::Cover),
        _ => Err(Error::bad_input("The parameter `fit` must be contain or cover.")),
    }
}

fn format(text: &str, headers: &HeaderMap) -> Result<AskedFormat> {
    match text {
        "jpeg" => Ok(AskedFormat::This(Format::Jpeg)),
        "png" => Ok(AskedFormat::This(Format::Png)),
        "webp" => Ok(AskedFormat::This(Format::WebP)),
        "avif" => Ok(AskedFormat::This(Format::Avif)),
        "auto" => Ok(AskedFormat::Auto { webp: takes_webp(headers) }),
        _ => Err(Error::bad_input("The parameter `fm` must be jpeg, png, webp, avif or auto.")),
    }
}

/// `1` to `3`, with decimals, in hundredths.
fn density(text: &str) -> Result<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let hundredths = format!("{fraction:0<2}").get(..2).and_then(digits).filter(|_| is_number);
    let density =
        digits(whole).zip(hundredths).map(|(whole, rest)| whole.saturating_mul(100).saturating_add(rest));
    density.filter(|density| (100..=300).contains(density)).ok_or_else(|| {
        Error::bad_input("The parameter `dpr` must be a number from 1 to 3, such as 2 or 1.5.")
    })
}

fn blurred(text: &str) -> Result<bool> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Error::bad_input("The parameter `blur` must be 0 or 1.")),
    }
}

/// Whether `Accept` names WebP. One that takes anything does not say that it can show it.
fn takes_webp(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_webp = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("image/webp"));
        is_webp && !parts.any(is_refusal)
    })
}

/// Whether a parameter of `Accept` is a weight of nothing.
fn is_refusal(parameter: &str) -> bool {
    let Some((name, weight)) = parameter.split_once('=') else { return false };
    name.trim().eq_ignore_ascii_case("q") && weight.trim().parse::<f32>().is_ok_and(|weight| weight == 0.0)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn asked(query: &str) -> Asked {
        match read(query, &HeaderMap::new()).unwrap() {
            Wish::Rendition { asked, .. } => asked,
            Wish::Original => panic!("{query}"),
        }
    }

    #[test]
    fn what_means_nothing_is_passed_over() {
        for query in ["", "v=3", "W=400", "width=400&x"] {
            assert_eq!(read(query, &HeaderMap::new()).unwrap(), Wish::Original, "{query}");
        }
        assert_eq!(asked("v=3&w=400&w=x").width, Some(400));
    }

    #[test]
    fn every_parameter_is_read() {
        let expected = Asked {
            width: Some(400),
            height: Some(300),
            fit: Fit::Cover,
            format: AskedFormat::This(Format::Avif),
            quality: Some(70),
            density: 150,
            blurred: true,
        };
        assert_eq!(asked("w=400&h=300&fit=cover&fm=avif&q=70&dpr=1.5&blur=1"), expected);
        assert_eq!((asked("dpr=2.625").density, asked("dpr=3.0").density), (262, 300));
    }

    #[test]
    fn what_is_no_value_is_refused_by_its_name() {
        for query in [
            "w=0",
            "w=8001",
            "w=",
            "w=-1",
            "w=4e2",
            "h=99999999999",
            "fit=fill",
            "fm=gif",
            "fm=",
            "q=0",
            "q=101",
            "dpr=0.5",
            "dpr=3.01",
            "dpr=1.",
            "dpr=nan",
            "dpr=.5",
            "dpr=99999999999",
            "blur=2",
        ] {
            let error = read(query, &HeaderMap::new()).unwrap_err();
            let name = query.split('=').next().unwrap();
            assert!(error.message().contains(&format!("`{name}`")), "{query}: {error}");
        }
    }

    #[test]
    fn webp_goes_to_those_who_name_it() {
        for (accept, webp) in [
            ("image/avif,image/webp,*/*;q=0.8", true),
            ("IMAGE/WEBP; q=0.5", true),
            ("image/webp;q=0, image/png", false),
            ("image/*", false),
            ("*/*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
            let wish = read("fm=auto", &headers).unwrap();
            let format = AskedFormat::Auto { webp };
            assert_eq!(
                wish,
                Wish::Rendition { asked: Asked { format, ..Asked::default() }, varies: true },
                "{accept}"
            );
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(query in "(w|h|q|dpr|fm|fit|blur)=.{0,12}|.*") {
            let _ = read(&query, &HeaderMap::new());
        }
    }
}
