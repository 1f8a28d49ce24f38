//! `rasterd schema`: what each interface offers, for generators and for people.

use clap::Subcommand;

use super::Failure;
use super::output::print;
use crate::{graphql, http, mcp};

#[derive(Clone, Copy, Subcommand)]
pub(super) enum SchemaCommand {
    /// The REST interface as an OpenAPI 3.1 document
    Openapi,
    /// The GraphQL schema in its definition language
    Graphql,
    /// The MCP tools with the schemas of their input and output
    Mcp,
}

pub(super) fn run(command: SchemaCommand) -> Result<(), Failure> {
    let document = match command {
        SchemaCommand::Openapi => serde_json::to_string_pretty(&http::openapi())?,
        SchemaCommand::Graphql => graphql::sdl().trim_end().to_owned(),
        SchemaCommand::Mcp => serde_json::to_string_pretty(&mcp::tools_document())?,
    };
    print(&document)
}
