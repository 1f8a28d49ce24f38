//! Pages of lists: which part of a list a page number, a page size or a cursor selects. For all transports.

use crate::core::model::page::{
    AssetPageRequest, Cursor, MOST_TAGS, PAGE_SIZE, PHOTOS_PAGE_SIZE, PageRequest, PageStart,
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
    PageRequest::new(None, limit, TAGS, MOST_TAGS).size
}

/// The part of a list that a page or a cursor asks for.
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

/// The number of a page as answers name it: the first is 1.
pub fn number_of(number: Option<u64>) -> u64 {
    number.unwrap_or(1).max(1)
}

/// The page after the one of this number.
pub fn after(number: Option<u64>) -> u64 {
    number_of(number).saturating_add(1)
}
