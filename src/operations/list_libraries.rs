//! Lists the libraries that the caller has access to, by name.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::declaration::LIBRARIES;
use super::parameters::{PAGE, PAGE_SIZE};
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Paging, Scope, Tool,
    ToolAnswer, examples, library_page,
};
use crate::error::Result;
use crate::transport::wire::{Library, Version};

pub struct ListLibraries;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    page: Option<u64>,
    page_size: Option<u64>,
}

impl Operation for ListLibraries {
    type Input = Input;
    type Output = Vec<Library>;

    const DECLARATION: Declaration = Declaration {
        name: "list_libraries",
        scope: Scope::Organization,
        needs: Needs::Organization,
        also_needs: &[],
        tool: Tool {
            arguments: &[
                ("page", "The first is 1."),
                ("pageSize", "Default {default.page_size}, at most {limits.page_size}."),
            ],
            answer: ToolAnswer::List { name: "libraries", pages: Paging::Unstated },
            depth: Some(1),
            ..Tool::new(
                "List libraries",
                Effect::Reads,
                "Lists the libraries that this key has access to, by name, with the number of assets and the most used \
                 tags of each. Use it to decide where to look or where to put something.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Get,
            path: LIBRARIES,
            since: Version::V20260520,
            summary: "List libraries",
            description: "The libraries that the key has access to, by name.",
            input: EndpointInput::Query(&[PAGE, PAGE_SIZE]),
            status: 200,
            examples: || vec![json!([examples::library()])],
            codes: &[],
        }),
        graphql: &["libraries"],
    };

    async fn run(context: Context, input: Input) -> Result<Vec<Library>> {
        let page = library_page(input.page, input.page_size, context.limits());
        let libraries = context.core.list_libraries(&context.caller, &context.target.organization, page)?;
        Ok(libraries.into_iter().map(Library::from).collect())
    }
}
