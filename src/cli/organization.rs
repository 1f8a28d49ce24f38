//! `rasterd org`: organizations.

use clap::{Args, Subcommand};

use super::CommandError;
use super::ask::ask;
use super::output::print_reply;
use crate::admin::Request;
use crate::admin::organizations::OrganizationRequest;
use crate::config::Config;

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
}

pub(super) fn run(config: &Config, args: OrganizationArgs) -> Result<(), CommandError> {
    let request = match args.command {
        OrganizationCommand::Create { name, slug } => OrganizationRequest::Create { name, slug },
        OrganizationCommand::List => OrganizationRequest::List,
        OrganizationCommand::Rename { organization, name } => {
            OrganizationRequest::Rename { organization, name }
        }
    };
    print_reply(&ask(config, Request::Organization(request))?, args.json)
}
