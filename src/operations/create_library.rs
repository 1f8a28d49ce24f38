//! Creates a library.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::declaration::LIBRARIES;
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::{Code, Result};
use crate::transport::wire::{Library, Version};

pub struct CreateLibrary;

/// A library to create.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CreateLibrary")]
pub struct Input {
    /// Its name for people.
    #[schemars(length(min = 1), extend("maxLength" = "{limits.name_length}"))]
    name: String,
    /// Its id: lower-case letters a to z, digits and inner hyphens. Derived from the name if missing or empty.
    #[schemars(length(max = 64), regex(pattern = "^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$"))]
    slug: Option<String>,
}

impl Operation for CreateLibrary {
    type Input = Input;
    type Output = Library;

    const DECLARATION: Declaration = Declaration {
        name: "create_library",
        scope: Scope::Organization,
        needs: Needs::WriteSomewhere,
        also_needs: &[],
        tool: Tool {
            arguments: &[
                ("name", "Its name for people, 1 to {limits.name_length} characters."),
                ("slug", "Its libraryId: a-z, 0-9 and inner hyphens; derived from the name if missing."),
            ],
            depth: Some(0),
            ..Tool::new(
                "Create library",
                Effect::Adds { idempotent: false },
                "Creates an empty library that this key may write to. The key needs write access to some library.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Post,
            path: LIBRARIES,
            since: Version::V20260520,
            summary: "Create a library",
            description: "The key that creates the library gets Write access to it.",
            input: EndpointInput::Json(|| json!({"name": "Summer 2026"})),
            status: 201,
            examples: || vec![examples::library()],
            codes: &[
                Code::LibraryUrlTaken,
                Code::LibraryLimitExceeded,
                Code::EphemeralLibraryLimitExceeded,
                Code::StorageFull,
            ],
        }),
        graphql: &["createLibrary"],
    };

    async fn run(context: Context, Input { name, slug }: Input) -> Result<Library> {
        let Context { core, caller, target, .. } = &context;
        Ok(core.create_library(caller, &target.organization, &name, slug.as_deref()).await?.into())
    }
}
