//! Parses the query of an asset url and the client's `Accept` header. Knows nothing of the file.

use std::ops::RangeInclusive;

use actix_web::http::header::HeaderMap;
use url::form_urlencoded;

use crate::core::renditions::{MAX_EDGE, RenditionRequest, RequestedFormat};
use crate::error::{Error, Result};
use crate::pictures::{Fit, Format};
use crate::transport::media_type::is_named;

/// The file that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedFile {
    /// The original file.
    Original,
    /// A rendition.
    Rendition {
        /// Which rendition.
        request: RenditionRequest,
        /// Whether the answer depends on `Accept`.
        varies: bool,
    },
}

/// Parses a query. Unknown parameters are ignored; of a repeated one, the first counts.
///
/// # Errors
/// `BAD_USER_INPUT` for an invalid value of a parameter.
pub fn parse(query: &str, headers: &HeaderMap) -> Result<RequestedFile> {
    let query = UrlQuery(form_urlencoded::parse(query.as_bytes()).into_owned().collect());
    if !["w", "h", "fit", "fm", "q", "dpr", "blur"].into_iter().any(|name| query.text(name).is_some()) {
        return Ok(RequestedFile::Original);
    }
    let format = query.text("fm").map_or(Ok(RequestedFormat::Original), |text| format(text, headers))?;
    let quality = query.number("q", 1..=100)?;
    let request = RenditionRequest {
        width: query.number("w", 1..=MAX_EDGE)?,
        height: query.number("h", 1..=MAX_EDGE)?,
        fit: query.text("fit").map_or(Ok(Fit::Contain), fit)?,
        format,
        quality: quality.and_then(|quality| u8::try_from(quality).ok()),
        density: query.text("dpr").map_or(Ok(100), density)?,
        blurred: query.text("blur").map_or(Ok(false), blurred)?,
    };
    let varies = matches!(format, RequestedFormat::Auto { .. }) && !request.blurred;
    Ok(RequestedFile::Rendition { request, varies })
}

struct UrlQuery(Vec<(String, String)>);

impl UrlQuery {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = digits(text).filter(|number| range.contains(number));
        let (min, max) = (range.start(), range.end());
        let refused = || {
            Error::bad_input(format!("The parameter `{name}` must be a whole number from {min} to {max}."))
        };
        number.map(Some).ok_or_else(refused)
    }
}

/// A whole number written only with digits.
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

fn format(text: &str, headers: &HeaderMap) -> Result<RequestedFormat> {
    match text {
        "jpeg" => Ok(RequestedFormat::Fixed(Format::Jpeg)),
        "png" => Ok(RequestedFormat::Fixed(Format::Png)),
        "webp" => Ok(RequestedFormat::Fixed(Format::WebP)),
        "avif" => Ok(RequestedFormat::Fixed(Format::Avif)),
        "auto" => Ok(RequestedFormat::Auto { webp: is_named(headers, "image/webp") }),
        _ => Err(Error::bad_input("The parameter `fm` must be jpeg, png, webp, avif or auto.")),
    }
}

/// Parses `1` to `3`, with decimals, to hundredths.
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

#[cfg(test)]
mod tests {
    use actix_web::http::header::{ACCEPT, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn rendition(query: &str) -> RenditionRequest {
        match parse(query, &HeaderMap::new()).unwrap() {
            RequestedFile::Rendition { request, .. } => request,
            RequestedFile::Original => panic!("{query}"),
        }
    }

    #[test]
    fn unknown_parameters_are_ignored() {
        for query in ["", "v=3", "W=400", "width=400&x"] {
            assert_eq!(parse(query, &HeaderMap::new()).unwrap(), RequestedFile::Original, "{query}");
        }
        assert_eq!(rendition("v=3&w=400&w=x").width, Some(400));
    }

    #[test]
    fn every_parameter_is_read() {
        let expected = RenditionRequest {
            width: Some(400),
            height: Some(300),
            fit: Fit::Cover,
            format: RequestedFormat::Fixed(Format::Avif),
            quality: Some(70),
            density: 150,
            blurred: true,
        };
        assert_eq!(rendition("w=400&h=300&fit=cover&fm=avif&q=70&dpr=1.5&blur=1"), expected);
        assert_eq!((rendition("dpr=2.625").density, rendition("dpr=3.0").density), (262, 300));
    }

    #[test]
    fn an_error_for_an_invalid_value_names_the_parameter() {
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
            let error = parse(query, &HeaderMap::new()).unwrap_err();
            let name = query.split('=').next().unwrap();
            assert!(error.message().contains(&format!("`{name}`")), "{query}: {error}");
        }
    }

    #[test]
    fn webp_is_sent_to_clients_that_name_it() {
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
            let requested = parse("fm=auto", &headers).unwrap();
            let format = RequestedFormat::Auto { webp };
            assert_eq!(
                requested,
                RequestedFile::Rendition {
                    request: RenditionRequest { format, ..RenditionRequest::default() },
                    varies: true
                },
                "{accept}"
            );
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(query in "(w|h|q|dpr|fm|fit|blur)=.{0,12}|.*") {
            let _ = parse(&query, &HeaderMap::new());
        }
    }
}
