//! `rasterd org`: organizations.

use clap::{ArgGroup, Args, Subcommand};

use super::CommandError;
use super::ask::ask;
use super::output::print_reply;
use crate::admin::Request;
use crate::admin::organizations::{NewLimit, OrganizationRequest};
use crate::config::{Config, parse_size};

#[derive(Args)]
pub(super) struct OrganizationArgs {
    /// Prints JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: OrganizationCommand,
}

#[derive(Subcommand)]
enum OrganizationCommand {
    /// Creates an organization
    Create {
        /// The name for people
        name: String,
        /// The permanent id in urls and on the wire [default: derived from the name]
        #[arg(long)]
        slug: Option<String>,
    },
    /// Lists the organizations
    List,
    /// Renames an organization; its id stays
    Rename {
        /// The organization's id
        organization: String,
        /// The new name
        name: String,
    },
    /// Limits what an organization may have; what is there already stays
    #[command(group = ArgGroup::new("limits").required(true).multiple(true))]
    Limit {
        /// The organization's id
        organization: String,
        /// The size of all its files, with variants and trash, such as "50 GB", or `none`
        #[arg(long, value_name = "SIZE", value_parser = parse_storage, group = "limits")]
        storage: Option<NewLimit>,
        /// How many libraries, or `none`
        #[arg(long, value_name = "NUMBER", value_parser = parse_count, group = "limits")]
        libraries: Option<NewLimit>,
        /// How many files, with variants and trash, or `none`
        #[arg(long, value_name = "NUMBER", value_parser = parse_count, group = "limits")]
        assets: Option<NewLimit>,
    },
}

pub(super) fn run(config: &Config, args: OrganizationArgs) -> Result<(), CommandError> {
    let request = match args.command {
        OrganizationCommand::Create { name, slug } => OrganizationRequest::Create { name, slug },
        OrganizationCommand::List => OrganizationRequest::List,
        OrganizationCommand::Rename { organization, name } => {
            OrganizationRequest::Rename { organization, name }
        }
        OrganizationCommand::Limit { organization, storage, libraries, assets } => {
            OrganizationRequest::Limit { organization, storage, libraries, assets }
        }
    };
    print_reply(&ask(config, Request::Organization(request))?, args.json)
}

/// A size, or `none`.
fn parse_storage(text: &str) -> Result<NewLimit, String> {
    parse_limit(text, parse_size, "a size such as \"50 GB\" or \"1 TiB\"")
}

/// A number, or `none`.
fn parse_count(text: &str) -> Result<NewLimit, String> {
    parse_limit(text, |text| text.replace('_', "").parse().ok(), "a whole number such as 1000")
}

fn parse_limit(text: &str, parse: fn(&str) -> Option<u64>, expected: &str) -> Result<NewLimit, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(NewLimit::None);
    }
    parse(text).map(NewLimit::AtMost).ok_or_else(|| format!("expected {expected}, or none"))
}
