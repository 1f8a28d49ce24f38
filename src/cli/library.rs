//! `rasterd library`: libraries.

use clap::{Args, Subcommand};

use super::CommandError;
use super::ask::ask;
use super::output::{hint, print_reply};
use crate::admin::Request;
use crate::admin::libraries::LibraryRequest;
use crate::config::Config;

#[derive(Args)]
pub(super) struct LibraryArgs {
    /// Prints JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: LibraryCommand,
}

#[derive(Subcommand)]
enum LibraryCommand {
    /// Creates a library; `rasterd key grant` gives keys access to it
    Create {
        /// The name for people
        name: String,
        /// The id of its organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
        /// The permanent id in urls and on the wire [default: derived from the name]
        #[arg(long)]
        slug: Option<String>,
    },
    /// Lists the libraries of an organization
    List {
        /// The organization's id
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
    /// Renames a library; its id stays
    Rename {
        /// The library's id
        library: String,
        /// The new name
        name: String,
        /// The id of its organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
    /// Deletes a library permanently and removes it from every key
    Delete {
        /// The library's id
        library: String,
        /// The id of its organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
        /// Also deletes a library that is not empty, with every asset and its trash
        #[arg(long)]
        with_assets: bool,
    },
}

pub(super) fn run(config: &Config, args: LibraryArgs) -> Result<(), CommandError> {
    let request = match args.command {
        LibraryCommand::Create { name, org, slug } => {
            LibraryRequest::Create { organization: org, name, slug }
        }
        LibraryCommand::List { org } => LibraryRequest::List { organization: org },
        LibraryCommand::Rename { library, name, org } => {
            LibraryRequest::Rename { organization: org, library, name }
        }
        LibraryCommand::Delete { library, org, with_assets } => {
            LibraryRequest::Delete { organization: org, library, with_assets }
        }
    };
    let deletes = matches!(request, LibraryRequest::Delete { .. });
    let reply = ask(config, Request::Library(request))?;
    if deletes {
        hint("Deleted:");
    }
    print_reply(&reply, args.json)
}
