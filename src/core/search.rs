//! Search in the libraries that a caller has access to. The index finds the assets; the store has their records.

use super::Core;
use super::assets::AssetDetail;
use super::index::{Facet, IndexFilter, IndexHits, SearchQuery, Terms};
use super::store::{AssetLists, AssetQueries, LibraryQueries};
use crate::core::access::{Caller, LibraryPath, ReadGrant};
use crate::core::model::ApprovalFilter;
use crate::core::model::page::PageRequest;
use crate::error::Result;

/// The number of libraries above which a search may take long.
const MANY_LIBRARIES: usize = 64;
/// The number of assets above which a search may take long.
const MANY_ASSETS: u64 = 20_000;

/// A page of search results.
#[derive(Debug, Clone)]
pub struct FoundAssets {
    /// The hits of the page, best first.
    pub hits: Vec<FoundAsset>,
    /// The number of matching assets in all searched libraries.
    pub total: usize,
}

/// One hit.
#[derive(Debug, Clone)]
pub struct FoundAsset {
    /// The asset.
    pub detail: AssetDetail,
    /// How well it matches, up to 1; comparable within one result. 0 for a blank query.
    pub score: f32,
    /// The name as HTML, each match wrapped in `<mark>`.
    pub marked_name: String,
    /// The tags that match.
    pub matched_tags: Vec<String>,
}

impl Core {
    /// Searches some libraries, or all that the caller has access to. A blank query finds everything, newest first.
    ///
    /// # Errors
    /// Those of [`Caller::read`] for any library named; `SERVICE_UNAVAILABLE` while the index is far behind.
    pub async fn search_assets(
        &self,
        caller: &Caller,
        organization: &str,
        query: &str,
        libraries: &[String],
        page: PageRequest,
    ) -> Result<FoundAssets> {
        self.search_assets_by_approval(caller, organization, query, libraries, None, page).await
    }

    /// [`Core::search_assets`], if wanted only for assets with this approval.
    ///
    /// # Errors
    /// The same.
    pub async fn search_assets_by_approval(
        &self,
        caller: &Caller,
        organization: &str,
        query: &str,
        libraries: &[String],
        approval: Option<ApprovalFilter>,
        page: PageRequest,
    ) -> Result<FoundAssets> {
        caller.expect_organization(organization)?;
        let grants = if libraries.is_empty() {
            caller.read_all()
        } else {
            let granted = libraries.iter().map(|library| caller.read(&LibraryPath { organization, library }));
            distinct(granted.collect::<Result<_>>()?)
        };
        let terms = Terms::parse(query);
        if terms.is_empty() {
            match approval {
                _ if !query.trim().is_empty() => return Ok(FoundAssets { hits: Vec::new(), total: 0 }),
                None => return self.newest(caller, &grants, &terms, page),
                Some(_) => {}
            }
        }
        let filter = approval.map_or_else(IndexFilter::default, with_approval);
        let numbers: Vec<u64> = grants.iter().map(|grant| grant.library().0).collect();
        self.indexer().reach(caller.snapshot(), &numbers).await?;
        let (offset, limit) = (page.offset, page.size);
        let query = SearchQuery { terms: &terms, filter: &filter, libraries: &numbers, offset, limit };
        let found = if takes_long(caller, &grants)? {
            let (core, terms, numbers, filter) =
                (self.clone(), terms.clone(), numbers.clone(), filter.clone());
            let work = move || {
                let query =
                    SearchQuery { terms: &terms, filter: &filter, libraries: &numbers, offset, limit };
                core.indexer().index().search(&query)
            };
            self.scans().run(caller.client_id(), work).await?
        } else {
            self.indexer().index().search(&query)?
        };
        self.ranked(caller, &grants, &query, found)
    }

    fn ranked(
        &self,
        caller: &Caller,
        grants: &[ReadGrant],
        query: &SearchQuery<'_>,
        found: IndexHits,
    ) -> Result<FoundAssets> {
        let mut total = found.found;
        let mut assets = Vec::with_capacity(found.hits.len());
        let mut scores = Vec::with_capacity(found.hits.len());
        for hit in found.hits {
            let grant = grants.iter().find(|grant| grant.library().0 == hit.library);
            match grant.map(|grant| caller.snapshot().asset(grant, &hit.id)) {
                Some(Ok(asset)) => {
                    assets.push(asset);
                    scores.push(hit.score);
                }
                // The index already has a change that was made after this request's snapshot.
                Some(Err(_)) | None => total -= 1,
            }
        }
        let details = self.details(caller, assets)?;
        let hits =
            details.into_iter().zip(scores).map(|(detail, score)| hit(detail, query.terms, score)).collect();
        Ok(FoundAssets { hits, total })
    }

    fn newest(
        &self,
        caller: &Caller,
        grants: &[ReadGrant],
        terms: &Terms,
        page: PageRequest,
    ) -> Result<FoundAssets> {
        let libraries = caller.snapshot().libraries(grants)?;
        let total = libraries.iter().map(|library| library.assets).sum::<u64>();
        let found = caller.snapshot().listed(grants, page.into())?;
        let details = self.details(caller, found.items)?.into_iter();
        let hits = details.map(|detail| hit(detail, terms, 0.0)).collect();
        Ok(FoundAssets { hits, total: usize::try_from(total).unwrap_or(usize::MAX) })
    }
}

/// Takes only assets with this approval.
fn with_approval(approval: ApprovalFilter) -> IndexFilter {
    IndexFilter::default().any_of(vec![Facet::approval(approval)])
}

/// Whether a search in these libraries may take more than a few milliseconds. Then it runs as one of the caller's
/// scans, away from the threads that answer requests.
fn takes_long(caller: &Caller, grants: &[ReadGrant]) -> Result<bool> {
    if grants.len() > MANY_LIBRARIES {
        return Ok(true);
    }
    let libraries = caller.snapshot().libraries(grants)?;
    Ok(libraries.iter().map(|library| library.assets).sum::<u64>() > MANY_ASSETS)
}

fn hit(detail: AssetDetail, terms: &Terms, score: f32) -> FoundAsset {
    let marked_name = terms.highlight(&detail.asset.name);
    let matched_tags = detail.asset.tags.iter().filter(|tag| terms.matches(tag)).cloned().collect();
    FoundAsset { detail, score, marked_name, matched_tags }
}

fn distinct(mut grants: Vec<ReadGrant>) -> Vec<ReadGrant> {
    grants.sort_by_key(ReadGrant::library);
    grants.dedup_by_key(|grant| grant.library());
    grants
}
