//! Search over REST.

use actix_web::HttpResponse;

use super::call::Call;
use super::query::ApprovalFilter;
use crate::app::access::LibraryPath;
use crate::app::search::Found;
use crate::error::Result;

/// How many hits a page has when nobody says.
const PAGE: usize = 20;

pub async fn search(Call { caller, asked, .. }: Call) -> Result<HttpResponse> {
    let query = asked.query();
    let organization = asked.library().organization;
    let libraries = query.list("libraries");
    // The libraries are part of what the request names, so they come before every other parameter.
    for library in &libraries {
        caller.read(&LibraryPath { organization, library })?;
    }
    let page = query.page(PAGE, asked.limits().search_page_size)?;
    let number = query.number("page")?.unwrap_or(1).max(1);
    let approval = if asked.version.has_approval() { query.approval()? } else { None };
    let found = match approval {
        Some(ApprovalFilter::Decided) => Found { hits: Vec::new(), total: 0 },
        Some(ApprovalFilter::Missing) | None => {
            let words = query.text("q").unwrap_or_default();
            asked.app().search_assets(&caller, organization, words, &libraries, page).await?
        }
    };
    Ok(asked.version.found(found, number, asked.origin()))
}
