//! Lists the tags of a library, most used first.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::parameters::LIMIT;
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Paging, Scope, Tool,
    ToolAnswer, examples, tag_limit,
};
use crate::error::Result;
use crate::transport::wire::{Tag, Version};

pub struct ListTags;

#[derive(Deserialize, JsonSchema)]
pub struct Input {
    limit: Option<u64>,
}

impl Operation for ListTags {
    type Input = Input;
    type Output = Vec<Tag>;

    const DECLARATION: Declaration = Declaration {
        name: "list_tags",
        scope: Scope::Library,
        needs: Needs::Read,
        also_needs: &[],
        tool: Tool {
            arguments: &[("limit", "Default {default.tags}, at most {most.tags}.")],
            answer: ToolAnswer::List { name: "tags", pages: Paging::Unstated },
            ..Tool::new(
                "List tags",
                Effect::Reads,
                "Lists the tags of a library, most used first, with the number of assets that have each. Call it before you \
                 tag, so that you use the words that are already in use.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Get,
            path: "/organizations/{organizationId}/libraries/{libraryId}/tags",
            since: Version::V20260520,
            summary: "List tags",
            description: "The tags of a library, most used first.",
            input: EndpointInput::Query(&[LIMIT]),
            status: 200,
            examples: || vec![json!([examples::tag()])],
            codes: &[],
        }),
        graphql: &["tags"],
    };

    async fn run(context: Context, input: Input) -> Result<Vec<Tag>> {
        let tags = context.core.list_tags(&context.caller, &context.library(), tag_limit(input.limit))?;
        Ok(tags.into_iter().map(Tag::from).collect())
    }
}
