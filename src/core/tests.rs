//! Tests of the operations as a whole, from within, and what tests of their parts begin with.

use crate::core::Core;
use crate::core::access::{Administrator, LibraryPath};
use crate::core::model::Access;
use crate::core::model::api_key::PlainKey;
use crate::core::uploads::UploadSource;

mod power_cuts;

/// The library that most tests need.
pub const PHOTOS: LibraryPath<'static> = LibraryPath { organization: "acme", library: "photos" };

/// Makes the organization `acme` with these libraries, and returns a key that may write to them.
pub async fn writer_of(core: &Core, libraries: &[&str]) -> PlainKey {
    let by = Administrator::local();
    core.create_organization(by.clone(), "Acme", Some("acme")).await.unwrap();
    for slug in libraries {
        core.create_library_as_admin(by.clone(), "acme", slug, Some(slug)).await.unwrap();
    }
    let grants = libraries.iter().map(|slug| ((*slug).to_owned(), Some(Access::Write))).collect();
    core.create_key(by, "acme", "key", grants, None).await.unwrap().0
}

/// A GIF of one pixel, to upload under this name.
pub fn pixel(name: &str) -> UploadSource {
    let data = "R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=".into();
    UploadSource::Base64 { filename: name.into(), mime_type: String::new(), data }
}
