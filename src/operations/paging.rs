//! Which page of a list a client gets, with or without naming one; the same for all transports.

use crate::core::model::page::{
    AssetPageRequest, Cursor, MAX_TAGS, PAGE_SIZE, PHOTOS_PAGE_SIZE, PageRequest, PageStart,
    SEARCH_PAGE_SIZE, TAGS,
};
use crate::core::settings::Limits;
use crate::error::{Error, Result};

/// A page of libraries.
#[must_use]
pub fn library_page(number: Option<u64>, size: Option<u64>, limits: &Limits) -> PageRequest {
    PageRequest::new(number, size, PAGE_SIZE, limits.page_size)
}

/// A page of assets.
#[must_use]
pub fn asset_page(number: Option<u64>, size: Option<u64>, limits: &Limits) -> PageRequest {
    PageRequest::new(number, size, PAGE_SIZE, limits.page_size)
}

/// A page of photos, which the oldest clients of GraphQL count from 0.
#[must_use]
pub fn photo_page(number: Option<u64>, limits: &Limits) -> PageRequest {
    let number = number.unwrap_or_default().saturating_add(1);
    PageRequest::new(Some(number), Some(PHOTOS_PAGE_SIZE as u64), PAGE_SIZE, limits.page_size)
}

/// A page of hits of a search.
#[must_use]
pub fn hit_page(number: Option<u64>, size: Option<u64>, limits: &Limits) -> PageRequest {
    PageRequest::new(number, size, SEARCH_PAGE_SIZE, limits.search_page_size)
}

/// How many tags of a library.
#[must_use]
pub fn tag_limit(limit: Option<u64>) -> usize {
    PageRequest::new(None, limit, TAGS, MAX_TAGS).size
}

/// The page for a page number or a cursor.
///
/// # Errors
/// `BAD_USER_INPUT` for an invalid cursor, and for a cursor together with a page number.
pub fn slice(page: PageRequest, number: Option<u64>, cursor: Option<&str>) -> Result<AssetPageRequest> {
    let Some(cursor) = cursor else { return Ok(page.into()) };
    if number.is_some() {
        return Err(Error::bad_input("Give either `page` or `cursor`, not both."));
    }
    let cursor = Cursor::parse(cursor).ok_or_else(|| {
        Error::bad_input("The parameter `cursor` must be taken from the `Link` header of an earlier answer.")
    })?;
    Ok(AssetPageRequest { start: PageStart::After(cursor), size: page.size })
}

/// The number of a page in answers: the first is 1.
pub fn number_of(number: Option<u64>) -> u64 {
    number.unwrap_or(1).max(1)
}

/// The number of the page after this one.
pub fn after(number: Option<u64>) -> u64 {
    number_of(number).saturating_add(1)
}
