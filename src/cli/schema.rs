//! `rasterd schema`: the schema of each interface, for generators and for people. It depends on the configuration, since
//! the limits are part of it.

use clap::Subcommand;

use super::CommandError;
use super::output::print;
use crate::config::Config;
use crate::transport::rest::Version;
use crate::transport::wire::configured::Configured;
use crate::transport::{graphql, mcp, rest};

#[derive(Clone, Copy, Subcommand)]
pub(super) enum SchemaCommand {
    /// The REST interface as an OpenAPI 3.1 document
    Openapi {
        /// Only this version of the API [default: all of them]
        #[arg(long, value_parser = parse_version)]
        version: Option<Version>,
    },
    /// The GraphQL schema in its definition language
    Graphql,
    /// The MCP tools with their input and output schemas
    Mcp,
}

pub(super) fn run(config: &Config, command: SchemaCommand) -> Result<(), CommandError> {
    let settings = config.settings(config.bind);
    let configured = Configured::new(&settings);
    let document = match command {
        SchemaCommand::Openapi { version } => {
            serde_json::to_string_pretty(&rest::openapi(&configured, version))?
        }
        SchemaCommand::Graphql => graphql::sdl(&configured).trim_end().to_owned(),
        SchemaCommand::Mcp => serde_json::to_string_pretty(&mcp::tools_document(&configured))?,
    };
    print(&document)
}

fn parse_version(name: &str) -> Result<Version, String> {
    Version::named(name).ok_or_else(|| format!("expected {}", Version::choice()))
}
