//! Examples of answers: sample records, converted by the same code as real ones.

use serde::Serialize;
use serde_json::Value;

use crate::core::assets::AssetDetail;
use crate::core::libraries::{CallerDetail, LibraryDetail};
use crate::core::model::id::{AssetId, LibraryId, OrganizationId};
use crate::core::model::name::Slug;
use crate::core::model::{
    Access, Asset, Content, ContentHash, Grant, Library, Organization, ProcessingResult, ProcessingState,
    TagCount,
};
use crate::core::search::{FoundAsset, FoundAssets};
use crate::core::uploads::Uploaded;
use crate::pictures::RenderableTypes;
use crate::pictures::media::MediaType;
use crate::transport::wire::{self, v2026_05_20, v2026_07_08};

/// The id of the example asset.
pub const ID: &str = "8fK2mQ7xTz4BvN1c";
/// The id of a variant of it.
pub const VARIANT_ID: &str = "c3Rw9LkYp0HsD6uJ";
/// Where the example server is.
pub const ORIGIN: &str = "https://localhost:8443";
/// 1 July 2026.
pub const TIME: u64 = 1_782_864_000_000;

pub fn viewer() -> Vec<Value> {
    vec![shown(v2026_05_20::Viewer::from(viewing())), shown(v2026_07_08::Viewer::from(viewing()))]
}

pub fn library() -> Value {
    let library = Library {
        id: LibraryId(1),
        organization: OrganizationId(1),
        slug: Slug::derive("Summer 2026"),
        name: "Summer 2026".to_owned(),
        created: TIME,
        assets: 12,
        trashed: 1,
    };
    shown(wire::Library::from(LibraryDetail { library, tags: vec![counted()] }))
}

pub fn tag() -> Value {
    shown(wire::Tag::from(counted()))
}

pub fn asset() -> Vec<Value> {
    vec![shown(v2026_05_20::Asset::new(detail(), ORIGIN)), shown(v2026_07_08::Asset::new(detail(), ORIGIN))]
}

pub fn uploaded() -> Vec<Value> {
    let uploaded = || Uploaded {
        assets: vec![detail()],
        file_names: vec!["sunset.jpg".to_owned()],
        text: "Uploaded 1 asset. Left out: \"notes.txt\": its type is not accepted.".to_owned(),
    };
    vec![
        shown(v2026_05_20::Uploaded::new(uploaded(), ORIGIN)),
        shown(v2026_07_08::Uploaded::new(uploaded(), ORIGIN)),
    ]
}

pub fn found() -> Vec<Value> {
    let found = || FoundAssets {
        hits: vec![FoundAsset {
            detail: detail(),
            score: 3.5,
            marked_name: "<mark>beach</mark>".to_owned(),
            matched_tags: Vec::new(),
        }],
        total: 1,
    };
    vec![
        shown(v2026_05_20::SearchResult::new(found(), 1, ORIGIN)),
        shown(v2026_07_08::SearchResult::new(found(), 1, ORIGIN)),
    ]
}

fn viewing() -> CallerDetail {
    let organization = Organization {
        id: OrganizationId(1),
        slug: Slug::derive("acme"),
        name: "Acme".to_owned(),
        created: TIME,
    };
    let grant = Grant { library: LibraryId(1), slug: Slug::derive("photos"), access: Access::Write };
    CallerDetail { organization, grants: vec![grant] }
}

fn counted() -> TagCount {
    TagCount { text: "seaside".to_owned(), count: 3 }
}

fn detail() -> AssetDetail {
    AssetDetail {
        asset: Asset {
            id: AssetId::parse(ID).unwrap_or_else(AssetId::random),
            library: LibraryId(1),
            parent: None,
            name: "beach".to_owned(),
            content: Content {
                hash: ContentHash([0; 32]),
                size: 482_113,
                media_type: MediaType::Jpeg,
                width: Some(2400),
                height: Some(1600),
                processing: ProcessingState::Done(ProcessingResult {
                    blurhash: Some("LKO2?V%2Tw=w]~RBVZRi};RPxuwH".to_owned()),
                    ..ProcessingResult::default()
                }),
            },
            description: "A beach at dusk.".to_owned(),
            tags: vec!["seaside".to_owned()],
            created: TIME,
            updated: TIME,
            uploaded_by: "Website".to_owned(),
            trashed: None,
            approval: None,
            perceptual_hash: None,
        },
        variants: Vec::new(),
        organization: Slug::derive("acme"),
        library: Slug::derive("photos"),
        renderable_types: RenderableTypes::default(),
    }
}

/// An answer as clients get it.
pub fn shown(example: impl Serialize) -> Value {
    serde_json::to_value(example).unwrap_or_default()
}
