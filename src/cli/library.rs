//! `rasterd library`: libraries.

use clap::{Args, Subcommand};

use super::Failure;
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
    /// Makes a library; `rasterd key grant` lets keys into it
    Create {
        /// What people call it
        name: String,
        /// The id of its organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
        /// Its id in urls and on the wire, for life [default: made of the name]
        #[arg(long)]
        slug: Option<String>,
    },
    /// Lists the libraries of an organization
    List {
        /// The organization's id
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
    /// Gives a library another name; its id stays
    Rename {
        /// Its id
        library: String,
        /// The new name
        name: String,
        /// The id of its organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
    /// Deletes a library for good and takes it out of every key
    Delete {
        /// Its id
        library: String,
        /// The id of its organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
        /// Deletes it also when it is not empty, with every asset and its trash
        #[arg(long)]
        with_assets: bool,
    },
}

pub(super) fn run(config: &Config, args: LibraryArgs) -> Result<(), Failure> {
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
