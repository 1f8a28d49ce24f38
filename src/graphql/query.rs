//! The fields that read. Each reads its arguments, calls one operation and shows what came back.
#![expect(clippy::unused_async, reason = "the schema takes async fields only")]

use async_graphql::{Context, ID, Object};

use super::types::{Asset, Library, List, Photo, SearchResult, Tag, Viewer, list};
use crate::app::App;
use crate::app::access::{Caller, LibraryPath};
use crate::app::page::Page;
use crate::error::{Error, Result};

/// Entries on a page of a list when the client does not say.
const PAGE: usize = 50;
/// Hits on a page of a search when the client does not say.
const SEARCH_PAGE: usize = 20;
/// Tags when the client does not say, and the most.
const TAGS: (usize, usize) = (100, 1000);
/// Photos on a page; the oldest clients ask for the next page only after this many.
const PHOTOS_PAGE: u64 = 500;

/// What the fields of one query share: who asks, in the one snapshot that all of them read.
pub struct Reading {
    /// The operations.
    pub app: App,
    /// Who asks.
    pub caller: Caller,
}

impl Reading {
    fn origin(&self) -> &str {
        &self.app.settings().public_url
    }

    fn page_size(&self) -> usize {
        self.app.settings().limits.page_size
    }

    fn assets(&self, path: &LibraryPath<'_>, tags: &[String], page: Page) -> Result<Vec<Asset>> {
        let details = self.app.list_assets(&self.caller, path, tags, page)?;
        Ok(details.into_iter().map(|detail| Asset::new(detail, self.origin())).collect())
    }
}

fn reading<'a>(context: &Context<'a>) -> Result<&'a Reading> {
    context.data().map_err(|error| Error::internal(error.message))
}

/// A number that counts: not below 0.
fn number(name: &str, given: Option<i32>) -> Result<Option<u64>> {
    let below_zero = |_| Error::bad_input(format!("`{name}` must be a whole number, 0 or more."));
    given.map(|number| u64::try_from(number).map_err(below_zero)).transpose()
}

fn page(number_of_page: Option<i32>, size: Option<i32>, default: usize, largest: usize) -> Result<Page> {
    Ok(Page::new(number("page", number_of_page)?, number("pageSize", size)?, default, largest))
}

/// The reads.
pub struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// What the key is and reaches.
    async fn viewer(&self, context: &Context<'_>) -> Result<Option<Viewer>> {
        let reading = reading(context)?;
        Ok(Some(reading.app.whoami(&reading.caller).into()))
    }

    /// The libraries that the key reaches, by name. Pages have 50 entries, or pageSize up to 500; 0 and 1 are both
    /// the first page.
    async fn libraries(
        &self,
        context: &Context<'_>,
        organization_id: String,
        #[graphql(name = "page")] number_of_page: Option<i32>,
        page_size: Option<i32>,
    ) -> Result<List<Library>> {
        let reading = reading(context)?;
        reading.caller.expect_organization(&organization_id)?;
        let page = page(number_of_page, page_size, PAGE, reading.page_size())?;
        let libraries = reading.app.list_libraries(&reading.caller, &organization_id, page)?;
        Ok(list(libraries, Library::from))
    }

    /// A library's assets, newest first; only those that carry any of the tags, if there are any. Pages have 50
    /// entries, or pageSize up to 500; 0 and 1 are both the first page.
    async fn assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        #[graphql(name = "page")] number_of_page: Option<i32>,
        page_size: Option<i32>,
        tags: Option<Vec<Option<String>>>,
    ) -> Result<List<Asset>> {
        let reading = reading(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        reading.caller.read(&path)?;
        let page = page(number_of_page, page_size, PAGE, reading.page_size())?;
        let mut tags: Vec<String> = tags.unwrap_or_default().into_iter().flatten().collect();
        tags.retain(|tag| !tag.trim().is_empty());
        Ok(list(reading.assets(&path, &tags, page)?, |asset| asset))
    }

    /// One asset, or one variant.
    async fn asset(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        asset_id: ID,
    ) -> Result<Option<Asset>> {
        let reading = reading(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let detail = reading.app.get_asset(&reading.caller, &path, &asset_id)?;
        Ok(Some(Asset::new(detail, reading.origin())))
    }

    /// A library's tags, most used first: 100, or limit up to 1000.
    async fn tags(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        limit: Option<i32>,
    ) -> Result<List<Tag>> {
        let reading = reading(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        reading.caller.read(&path)?;
        let limit = Page::new(None, number("limit", limit)?, TAGS.0, TAGS.1).size;
        Ok(list(reading.app.list_tags(&reading.caller, &path, limit)?, Tag::from))
    }

    /// Searches names, descriptions and tags, in the libraries that are named or in all that the key reaches. Without
    /// q: everything, newest first. Pages have 20 hits, or pageSize up to 100; 0 and 1 are both the first page.
    async fn search_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        q: Option<String>,
        libraries: Option<Vec<ID>>,
        #[graphql(name = "page")] number_of_page: Option<i32>,
        page_size: Option<i32>,
    ) -> Result<Option<SearchResult>> {
        let reading = reading(context)?;
        let libraries: Vec<String> =
            libraries.unwrap_or_default().into_iter().map(|library| library.0).collect();
        reading.caller.expect_organization(&organization_id)?;
        for library in &libraries {
            reading.caller.read(&LibraryPath { organization: &organization_id, library })?;
        }
        let largest = reading.app.settings().limits.search_page_size;
        let page = page(number_of_page, page_size, SEARCH_PAGE, largest)?;
        let found = reading
            .app
            .search_assets(&reading.caller, &organization_id, &q.unwrap_or_default(), &libraries, page)
            .await?;
        let number_of_page = number("page", number_of_page)?.unwrap_or_default().max(1);
        Ok(Some(SearchResult::new(found, number_of_page, reading.origin())))
    }

    /// A library's assets, newest first, 500 to a page; the first page is 0.
    #[graphql(deprecation = "Use assets")]
    async fn photos(
        &self,
        context: &Context<'_>,
        organization_id: String,
        library_id: String,
        #[graphql(name = "page")] number_of_page: Option<i32>,
    ) -> Result<List<Photo>> {
        let reading = reading(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        reading.caller.read(&path)?;
        let number_of_page = number("page", number_of_page)?.unwrap_or_default() + 1;
        let page = Page::new(Some(number_of_page), Some(PHOTOS_PAGE), PAGE, reading.page_size());
        Ok(list(reading.assets(&path, &[], page)?, Photo))
    }
}
