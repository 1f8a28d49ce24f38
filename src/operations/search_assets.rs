//! Searches assets by words, in some libraries or in all that the caller has access to.

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::Hits;
use super::approval::ApprovalFilter;
use super::fields::AssetField;
use super::paging::number_of;
use super::parameters::{APPROVAL, LIBRARIES, PAGE, QUERY, SEARCH_PAGE_SIZE};
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
    hit_page,
};
use crate::error::{Code, Result};
use crate::transport::wire::Version;

pub struct SearchAssets;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    q: Option<String>,
    libraries: Option<Vec<String>>,
    page: Option<u64>,
    page_size: Option<u64>,
    approval: Option<ApprovalFilter>,
    fields: Option<Vec<AssetField>>,
}

impl Operation for SearchAssets {
    type Input = Input;
    type Output = Hits;

    const DECLARATION: Declaration = Declaration {
        name: "search_assets",
        scope: Scope::Organization,
        needs: Needs::Organization,
        also_needs: &[("libraries", Needs::Read)],
        tool: Tool {
            arguments: &[
                (
                    "q",
                    "Words to search for; the last one may be incomplete. Without words you get the newest assets.",
                ),
                ("libraries", "The libraries to search; all by default."),
                ("page", "The first is 1."),
                ("pageSize", "Default {default.search_page_size}, at most {limits.search_page_size}."),
                ("fields", "Only these fields, and the id."),
            ],
            depth: Some(1),
            ..Tool::new(
                "Search assets",
                Effect::Reads,
                "Finds assets by words in their name, description or tags, best first, in one library, several, or \
                 all that this key has access to; small typos are tolerated. A hit takes about 800 characters, with four \
                 fields 250: name fields to pay less. For the next page, call again with page = nextPage, until that \
                 is null; found says how many match.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Get,
            path: "/organizations/{organizationId}/search/assets",
            since: Version::V20260520,
            summary: "Search assets",
            description: "Ranked; the last word may be incomplete, and small typos are tolerated. A library that the key has no access to fails the whole call.",
            input: EndpointInput::Query(&[QUERY, LIBRARIES, PAGE, SEARCH_PAGE_SIZE, APPROVAL]),
            status: 200,
            examples: examples::found,
            codes: &[Code::LibraryNotAuthorized],
        }),
        graphql: &["searchAssets"],
    };

    async fn run(context: Context, input: Input) -> Result<Hits> {
        let page = hit_page(input.page, input.page_size, context.limits());
        let (words, libraries) = (input.q.unwrap_or_default(), input.libraries.unwrap_or_default());
        let organization = &context.target.organization;
        let approval = input.approval.map(Into::into);
        let found = context
            .core
            .search_assets_by_approval(&context.caller, organization, &words, &libraries, approval, page)
            .await?;
        let has_more = found.total > page.end();
        let fields = input.fields.unwrap_or_default();
        Ok(Hits { found, number: number_of(input.page), has_more, fields })
    }
}
