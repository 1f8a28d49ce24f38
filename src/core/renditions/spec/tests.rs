//! The normal form of requests, and the keys of renditions.

use proptest::prelude::*;

use super::*;
use crate::core::model::id::LibraryId;
use crate::core::model::{ContentHash, ProcessingState};
use crate::core::renditions::request::listed_edges;
use crate::core::renditions::size_steps::{ASPECT_RATIOS, MAX_EDGE, TALLEST, WIDTH_STEPS};
use crate::pictures::MAX_ENCODED_EDGE;

fn photo(width: u32, height: u32) -> Content {
    Content {
        hash: ContentHash([7; 32]),
        size: 1000,
        media_type: MediaType::Jpeg,
        width: Some(width),
        height: Some(height),
        processing: ProcessingState::Nothing,
    }
}

fn file(content: &Content) -> LibraryFile {
    LibraryFile { library: LibraryId(1), hash: content.hash }
}

fn size(request: &RenditionRequest, content: &Content) -> ResizeSpec {
    match RenditionSpec::new(request, content, RenderableTypes::default()) {
        Some(RenditionSpec::Picture(rendition)) => rendition.size,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_width_is_snapped_up_and_the_height_keeps_the_ratio() {
    let content = photo(6000, 4000);
    let request =
        |width, height, density| RenditionRequest { width, height, density, ..RenditionRequest::default() };
    for (width, height, density, expected) in [
        (Some(400), None, 100, (Some(400), None)),
        (Some(401), None, 100, (Some(480), None)),
        (Some(100), None, 250, (Some(256), None)),
        (None, Some(500), 100, (None, Some(640))),
        (Some(500), Some(500), 100, (Some(640), Some(640))),
        (Some(500), Some(250), 200, (Some(1200), Some(600))),
    ] {
        let resize = size(&request(width, height, density), &content);
        assert_eq!((resize.width, resize.height), expected, "{width:?} {height:?} {density}");
    }
}

#[test]
fn equal_requests_share_a_key_and_others_do_not() {
    let (content, other) = (photo(300, 200), Content { hash: ContentHash([8; 32]), ..photo(300, 200) });
    let key = |request: RenditionRequest, content: &Content| {
        RenditionSpec::new(&request, content, RenderableTypes::default()).unwrap().key(file(content))
    };
    let whole = key(RenditionRequest::default(), &content);
    assert_eq!(key(RenditionRequest { width: Some(800), ..RenditionRequest::default() }, &content), whole);
    assert_eq!(
        key(RenditionRequest { fit: Fit::Cover, density: 300, ..RenditionRequest::default() }, &content),
        whole
    );
    let different = [
        whole,
        key(RenditionRequest::default(), &other),
        key(RenditionRequest { width: Some(200), ..RenditionRequest::default() }, &content),
        key(RenditionRequest { quality: Some(50), ..RenditionRequest::default() }, &content),
        key(
            RenditionRequest { format: RequestedFormat::Auto { webp: true }, ..RenditionRequest::default() },
            &content,
        ),
        key(RenditionRequest { blurred: true, ..RenditionRequest::default() }, &content),
    ];
    let spec =
        RenditionSpec::new(&RenditionRequest::default(), &content, RenderableTypes::default()).unwrap();
    let elsewhere = LibraryFile { library: LibraryId(2), ..file(&content) };
    assert_ne!(spec.key(file(&content)), spec.key(elsewhere));
    let distinct: std::collections::HashSet<_> = different.into_iter().collect();
    assert_eq!(distinct.len(), different.len());
}

#[test]
fn keys_outlast_renames_in_the_code() {
    let request = RenditionRequest { width: Some(400), ..RenditionRequest::default() };
    let spec = RenditionSpec::new(&request, &photo(6000, 4000), RenderableTypes::default()).unwrap();
    let expected = "Picture(Rendition { size: Wanted { width: Some(400), height: None, fit: Contain }, \
                    format: Jpeg, quality: None })";
    assert_eq!(spec.key_text(), expected);
    assert_eq!(RenditionSpec::Blurred.key_text(), "Blurred");
}

#[test]
fn the_pictures_made_after_an_upload_are_the_listed_ones() {
    for (width, edges) in [(300, vec![400, 800]), (1600, vec![400, 800]), (1601, vec![400, 800, 1600])] {
        assert_eq!(listed_edges(&photo(100, width)), edges, "{width}");
    }
    let content = photo(3000, 2000);
    let listed =
        RenditionSpec::new(&RenditionRequest::listed(400), &content, RenderableTypes::default()).unwrap();
    assert_ne!(listed.cascaded_key(file(&content)), Some(listed.key(file(&content))));
    let other = RenditionRequest { quality: Some(80), ..RenditionRequest::listed(400) };
    assert_eq!(
        RenditionSpec::new(&other, &content, RenderableTypes::default())
            .unwrap()
            .cascaded_key(file(&content)),
        None
    );
}

#[test]
fn only_thumbnails_count_as_small() {
    let is_small = |request: RenditionRequest| {
        RenditionSpec::new(&request, &photo(9000, 6000), RenderableTypes::default()).unwrap().is_small()
    };
    assert!(is_small(RenditionRequest::listed(800)));
    assert!(is_small(RenditionRequest { blurred: true, ..RenditionRequest::default() }));
    assert!(!is_small(RenditionRequest::listed(960)));
    assert!(
        !is_small(RenditionRequest { height: None, ..RenditionRequest::listed(400) }),
        "its height is unbounded"
    );
    assert!(!is_small(RenditionRequest::default()));
    assert!(!is_small(RenditionRequest {
        format: RequestedFormat::Fixed(Format::Avif),
        ..RenditionRequest::listed(800)
    }));
}

#[test]
fn thumbnails_and_listed_sizes_are_listed() {
    let is_listed = |request: RenditionRequest| {
        RenditionSpec::new(&request, &photo(9000, 6000), RenderableTypes::default()).unwrap().is_listed()
    };
    for edge in LISTED_EDGES {
        assert!(is_listed(RenditionRequest::listed(edge)));
    }
    assert!(is_listed(RenditionRequest { blurred: true, ..RenditionRequest::default() }));
    assert!(!is_listed(RenditionRequest::listed(640)));
    assert!(!is_listed(RenditionRequest { height: Some(300), ..RenditionRequest::listed(400) }));
    assert!(!is_listed(RenditionRequest { quality: Some(90), ..RenditionRequest::listed(400) }));
}

#[test]
fn usual_boxes_are_exact_and_the_number_of_boxes_is_bounded() {
    let content = photo(60_000, 60_000);
    let of = |width, height, quality| {
        let request = RenditionRequest {
            width: Some(width),
            height: Some(height),
            fit: Fit::Cover,
            format: RequestedFormat::Fixed(Format::Jpeg),
            quality: Some(quality),
            ..RenditionRequest::default()
        };
        match RenditionSpec::new(&request, &content, RenderableTypes::default()) {
            Some(RenditionSpec::Picture(rendition)) => rendition,
            other => panic!("{other:?}"),
        }
    };
    for (width, height) in [(400, 400), (400, 300), (1600, 900), (1200, 800), (400, 600), (960, 540)] {
        let size = of(width, height, 80).size;
        let found = (size.width.unwrap(), size.height.unwrap());
        assert!(found.0 == width && found.1.abs_diff(height) <= 1, "{width}x{height}: {found:?}");
    }
    let mut distinct = std::collections::HashSet::new();
    for width in (1..=MAX_EDGE).step_by(13) {
        for height in (1..=MAX_EDGE).step_by(17) {
            distinct.insert(of(width, height, 80).size);
        }
    }
    assert!(
        distinct.len() <= WIDTH_STEPS.len() * (ASPECT_RATIOS.len() + TALLEST.len() + 1),
        "{}",
        distinct.len()
    );
    let qualities: std::collections::HashSet<_> =
        (1..=100).map(|quality| of(400, 400, quality).quality).collect();
    assert_eq!(qualities.len(), 20);
    assert_eq!(of(400, 400, 80).quality, Some(80));
}

#[test]
fn an_automatic_format_can_hold_the_picture() {
    let format = |longest: u32, webp: bool, width: Option<u32>| {
        let request =
            RenditionRequest { width, format: RequestedFormat::Auto { webp }, ..RenditionRequest::default() };
        RenditionSpec::new(&request, &photo(longest, 10), RenderableTypes::default()).unwrap().format()
    };
    for (longest, webp, expected) in [
        (16_383, true, Format::WebP),
        (16_384, true, Format::Jpeg),
        (16_384, false, Format::Jpeg),
        (65_500, true, Format::Jpeg),
        (65_501, true, Format::Png),
        (65_501, false, Format::Png),
    ] {
        assert_eq!(format(longest, webp, None), expected, "{longest} {webp}");
        // The limit is about the result, not the original.
        let small = if webp { Format::WebP } else { Format::Jpeg };
        assert_eq!(format(longest, webp, Some(400)), small, "{longest} {webp}");
    }
}

#[test]
fn a_type_that_is_not_renderable_has_no_renditions() {
    let video = Content { media_type: MediaType::Mp4, ..photo(300, 200) };
    assert_eq!(RenditionSpec::new(&RenditionRequest::default(), &video, RenderableTypes::default()), None);
}

proptest! {
    #[test]
    fn every_box_is_a_size_step_and_holds_the_requested_box(
        width in 1..=MAX_EDGE,
        height in 1..=MAX_EDGE,
        density in 100..=300u32,
    ) {
        let request = RenditionRequest { width: Some(width), height: Some(height), density, fit: Fit::Cover, ..RenditionRequest::default() };
        let resize = size(&request, &photo(60_000, 60_000));
        prop_assert!(WIDTH_STEPS.contains(&resize.width.unwrap()));
        let device_width = width * density / 100;
        if device_width <= MAX_EDGE {
            prop_assert!(resize.width.unwrap() >= device_width);
            prop_assert!(resize.height.unwrap() >= (height * density / 100).min(MAX_ENCODED_EDGE));
        }
    }
}
