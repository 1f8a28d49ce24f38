//! Lists the assets of a library, newest first.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::answer::AssetList;
use super::approval::ApprovalFilter;
use super::declaration::ASSETS;
use super::fields::AssetField;
use super::paging::slice;
use super::parameters::{APPROVAL, CURSOR, PAGE, PAGE_SIZE, TAGS};
use super::{
    Audience, Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Paging, Scope,
    Tool, ToolAnswer, asset_page, examples,
};
use crate::core::assets::expect_tag_filter;
use crate::core::model::page::Page;
use crate::error::Result;
use crate::transport::wire::Version;

pub struct ListAssets;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    page: Option<u64>,
    page_size: Option<u64>,
    /// From the `Link` header, which a model does not see.
    #[schemars(skip)]
    cursor: Option<String>,
    #[schemars(extend("maxItems" = "{limits.tag_filter}"))]
    tags: Option<Vec<String>>,
    approval: Option<ApprovalFilter>,
    fields: Option<Vec<AssetField>>,
}

impl Operation for ListAssets {
    type Input = Input;
    type Output = AssetList;

    const DECLARATION: Declaration = Declaration {
        name: "list_assets",
        scope: Scope::Library,
        needs: Needs::Read,
        also_needs: &[],
        tool: Tool {
            arguments: &[
                ("page", "The first is 1."),
                ("pageSize", "Default {default.page_size}, at most {limits.page_size}."),
                ("tags", "Only assets with any of these tags."),
                ("approval", "Only assets in this approval state; none: nobody has decided."),
                ("fields", "Only these fields, and the id."),
            ],
            answer: ToolAnswer::List { name: "assets", pages: Paging::NextAndTotal },
            depth: Some(1),
            ..Tool::new(
                "List assets",
                Effect::Reads,
                "Lists the assets of one library, newest first; with tags, only those that have any of them. To \
                 find something by words, use search_assets. An asset takes about 700 characters, with four fields \
                 150: name fields to pay less. For the next page, call again with page = nextPage, until that is \
                 null; total says how many there are, unless you filter.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Get,
            path: ASSETS,
            since: Version::V20260520,
            summary: "List assets",
            description: "Newest first. Follow `Link: <…>; rel=\"next\"` to see each asset exactly once, even while others come and go.",
            input: EndpointInput::Query(&[PAGE, PAGE_SIZE, CURSOR, TAGS, APPROVAL]),
            status: 200,
            examples: || examples::asset().into_iter().map(|asset| json!([asset])).collect(),
            codes: &[],
        }),
        graphql: &["assets", "photos"],
    };

    async fn run(context: Context, input: Input) -> Result<AssetList> {
        let Context { core, caller, .. } = &context;
        let library = context.library();
        let page = asset_page(input.page, input.page_size, context.limits());
        let slice = slice(page, input.page, input.cursor.as_deref())?;
        let tags = input.tags.unwrap_or_default();
        expect_tag_filter(&tags, context.audience.version().tag_filter(context.limits().tag_filter))?;
        let Page { items: assets, next } = if let Some(approval) = input.approval {
            core.page_of_approval(caller, &library, &tags, approval.into(), slice).await?
        } else {
            let slice = core.seek_page(caller, &library, &tags, slice).await?;
            core.page_of_assets(caller, &library, &tags, slice)?
        };
        let total = match context.audience {
            Audience::Agent if tags.is_empty() && input.approval.is_none() => {
                Some(core.count_assets(caller, &library)?)
            }
            Audience::Agent | Audience::Program(_) => None,
        };
        Ok(AssetList { assets, next, number: input.page, total, fields: input.fields.unwrap_or_default() })
    }
}
