//! The queries. Each reads its arguments, calls one operation and returns the result.
#![expect(clippy::unused_async, reason = "the schema takes async fields only")]
#![expect(clippy::too_many_arguments, reason = "a field has the arguments that the schema says")]
#![expect(
    clippy::doc_markdown,
    reason = "clients read these descriptions, with the configured numbers in place of the placeholders"
)]

use async_graphql::{Context, ID, Object};

use super::types::{ApprovalFilter, Asset, Library, List, Photo, SearchResult, Tag, Viewer, list};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::page::PageRequest;
use crate::core::settings::Limits;
use crate::error::{Error, Result};
use crate::operations::{asset_page, hit_page, library_page, photo_page, tag_limit};

/// What the fields of one query share: who asks, in the one snapshot that all of them read.
pub struct QueryContext {
    /// The operations.
    pub core: Core,
    /// Who asks.
    pub caller: Caller,
}

impl QueryContext {
    fn origin(&self) -> &str {
        &self.core.settings().public_url
    }

    fn limits(&self) -> &Limits {
        &self.core.settings().limits
    }

    fn assets(&self, path: &LibraryPath<'_>, tags: &[String], page: PageRequest) -> Result<Vec<Asset>> {
        let details = self.core.list_assets(&self.caller, path, tags, page)?;
        Ok(details.into_iter().map(|detail| Asset::new(detail, self.origin())).collect())
    }
}

fn query_context<'a>(context: &Context<'a>) -> Result<&'a QueryContext> {
    context.data().map_err(|error| Error::internal(error.message))
}

/// A number that must not be negative.
fn number(name: &str, given: Option<i32>) -> Result<Option<u64>> {
    let below_zero = |_| Error::bad_input(format!("`{name}` must be a whole number, 0 or more."));
    given.map(|number| u64::try_from(number).map_err(below_zero)).transpose()
}

/// The root of queries.
pub struct Query;

/// The queries.
#[Object]
impl Query {
    /// The calling key: its organization, its libraries, and whether it may write to them.
    async fn viewer(&self, context: &Context<'_>) -> Result<Option<Viewer>> {
        let query_context = query_context(context)?;
        Ok(Some(query_context.core.whoami(&query_context.caller).into()))
    }

    /// The libraries that the key reaches, by name. Pages have {default.page_size} entries, or
    /// pageSize up to {limits.page_size}; 0 and 1 are both the first page.
    async fn libraries(
        &self,
        context: &Context<'_>,
        organization_id: String,
        #[graphql(name = "page")] number_of_page: Option<i32>,
        page_size: Option<i32>,
    ) -> Result<List<Library>> {
        let query_context = query_context(context)?;
        query_context.caller.expect_organization(&organization_id)?;
        let page = library_page(
            number("page", number_of_page)?,
            number("pageSize", page_size)?,
            query_context.limits(),
        );
        let libraries = query_context.core.list_libraries(&query_context.caller, &organization_id, page)?;
        Ok(list(libraries, Library::from))
    }

    /// One library.
    async fn library(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
    ) -> Result<Option<Library>> {
        let query_context = query_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        Ok(Some(query_context.core.get_library(&query_context.caller, &path)?.into()))
    }

    /// A library's assets, newest first; only those that carry any of the tags (at most {limits.tag_filter}), if there
    /// are any, and only those in the approval state, if there is one. Pages have {default.page_size} entries, or pageSize
    /// up to {limits.page_size}; 0 and 1 are both the first page.
    async fn assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        #[graphql(name = "page")] number_of_page: Option<i32>,
        page_size: Option<i32>,
        tags: Option<Vec<Option<String>>>,
        approval: Option<ApprovalFilter>,
    ) -> Result<List<Asset>> {
        let query_context = query_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        query_context.caller.read(&path)?;
        let page = asset_page(
            number("page", number_of_page)?,
            number("pageSize", page_size)?,
            query_context.limits(),
        );
        let mut tags: Vec<String> = tags.unwrap_or_default().into_iter().flatten().collect();
        tags.retain(|tag| !tag.trim().is_empty());
        if let Some(approval) = approval {
            let QueryContext { core, caller } = query_context;
            let found = core.page_of_approval(caller, &path, &tags, approval.into(), page.into()).await?;
            return Ok(list(found.items, |detail| Asset::new(detail, query_context.origin())));
        }
        Ok(list(query_context.assets(&path, &tags, page)?, |asset| asset))
    }

    /// One asset, or one variant.
    async fn asset(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        asset_id: ID,
    ) -> Result<Option<Asset>> {
        let query_context = query_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let detail = query_context.core.get_asset(&query_context.caller, &path, &asset_id)?;
        Ok(Some(Asset::new(detail, query_context.origin())))
    }

    /// A library's tags, most used first: {default.tags}, or limit up to {most.tags}.
    async fn tags(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        limit: Option<i32>,
    ) -> Result<List<Tag>> {
        let query_context = query_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        query_context.caller.read(&path)?;
        let limit = tag_limit(number("limit", limit)?);
        Ok(list(query_context.core.list_tags(&query_context.caller, &path, limit)?, Tag::from))
    }

    /// Searches names, descriptions and tags, in the libraries that are named or in all that the key reaches. Without
    /// q: everything, newest first. With approval: only assets in that state. Pages have {default.search_page_size} hits, or
    /// pageSize up to {limits.search_page_size}; 0 and 1 are both the first page.
    async fn search_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        q: Option<String>,
        libraries: Option<Vec<ID>>,
        #[graphql(name = "page")] number_of_page: Option<i32>,
        page_size: Option<i32>,
        approval: Option<ApprovalFilter>,
    ) -> Result<Option<SearchResult>> {
        let query_context = query_context(context)?;
        let libraries: Vec<String> =
            libraries.unwrap_or_default().into_iter().map(|library| library.0).collect();
        query_context.caller.expect_organization(&organization_id)?;
        for library in &libraries {
            query_context.caller.read(&LibraryPath { organization: &organization_id, library })?;
        }
        let page =
            hit_page(number("page", number_of_page)?, number("pageSize", page_size)?, query_context.limits());
        let found = query_context
            .core
            .search_assets_by_approval(
                &query_context.caller,
                &organization_id,
                &q.unwrap_or_default(),
                &libraries,
                approval.map(Into::into),
                page,
            )
            .await?;
        let number_of_page = number("page", number_of_page)?.unwrap_or_default().max(1);
        Ok(Some(SearchResult::new(found, number_of_page, query_context.origin())))
    }

    /// A library's assets, newest first, {default.photos} to a page; the first page is 0.
    #[graphql(deprecation = "Use assets")]
    async fn photos(
        &self,
        context: &Context<'_>,
        organization_id: String,
        library_id: String,
        #[graphql(name = "page")] number_of_page: Option<i32>,
    ) -> Result<List<Photo>> {
        let query_context = query_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        query_context.caller.read(&path)?;
        let page = photo_page(number("page", number_of_page)?, query_context.limits());
        Ok(list(query_context.assets(&path, &[], page)?, Photo))
    }
}
