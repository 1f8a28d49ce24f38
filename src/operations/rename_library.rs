//! Renames a library.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::declaration::LIBRARY;
use super::{
    Context, Declaration, Effect, Endpoint, EndpointInput, Method, Needs, Operation, Scope, Tool, examples,
};
use crate::error::{Code, Result};
use crate::transport::wire::{Library, Version};

pub struct RenameLibrary;

/// A library's new name; its id stays.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "RenameLibrary")]
pub struct Input {
    /// Its new name for people.
    #[schemars(length(min = 1), extend("maxLength" = "{limits.name_length}"))]
    name: String,
}

impl Operation for RenameLibrary {
    type Input = Input;
    type Output = Library;

    const DECLARATION: Declaration = Declaration {
        name: "rename_library",
        scope: Scope::Library,
        needs: Needs::Write,
        also_needs: &[],
        tool: Tool {
            arguments: &[("name", "Its new name for people, 1 to {limits.name_length} characters.")],
            depth: Some(0),
            ..Tool::new(
                "Rename library",
                Effect::Changes,
                "Changes the name of a library. Its libraryId and all urls stay as they are.",
            )
        },
        rest: Some(Endpoint {
            method: Method::Patch,
            path: LIBRARY,
            since: Version::V20260520,
            summary: "Rename a library",
            description: "The library's id stays the same.",
            input: EndpointInput::Json(|| json!({"name": "Summer 2026"})),
            status: 200,
            examples: || vec![examples::library()],
            codes: &[Code::StorageFull],
        }),
        graphql: &["renameLibrary"],
    };

    async fn run(context: Context, Input { name }: Input) -> Result<Library> {
        Ok(context.core.rename_library(&context.caller, &context.library(), &name).await?.into())
    }
}
