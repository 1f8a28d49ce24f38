//! `rasterd snippet`: prints how a client is set up for the configured server. The text alone goes to standard output, so
//! that it can go into a file; what to do with it goes to standard error.

use clap::Args;

use super::CommandError;
use super::client_connection::ClientConnection;
use super::output::{hint, print, print_table};
use super::suggested::Suggested;
use crate::client_setup::{
    AuthorityFiles, ClientRoute, ClientSetup, ConnectionDetails, SetupKey, SetupMethod, client_setups,
};
use crate::config::Config;

#[derive(Args)]
pub(super) struct SnippetArgs {
    /// The client, such as claude-code; without one, all are listed
    #[arg(hide_possible_values = true, value_parser = Suggested(client_names))]
    client: Option<String>,
    /// How to set it up: command, file, link or bundle, as listed [default: the first]
    #[arg(long, value_name = "WAY", requires = "client")]
    how: Option<String>,
    /// Prints the setup through `rasterd mcp`, for a client that can't reach the server or trust it by itself
    #[arg(long)]
    stdio: bool,
}

pub(super) fn run(config: &Config, args: &SnippetArgs) -> Result<(), CommandError> {
    let connection = ClientConnection::of(config)?;
    let setups = client_setups(ConnectionDetails {
        public_url: &connection.public_url,
        key: SetupKey::FromClient,
        authority: connection.files(),
        through: if args.stdio { ClientRoute::Bridge } else { ClientRoute::Network },
    });
    let Some(client) = &args.client else { return print_list(&setups) };
    let setup = setups.iter().find(|setup| setup.name == client).ok_or_else(|| unknown(client, &setups))?;
    let way = match &args.how {
        None => setup.ways.first(),
        Some(how) => setup.ways.iter().find(|way| way.how.name() == how),
    };
    let way = way.ok_or_else(|| {
        CommandError(format!("{} is set up by {}, and not by another way", setup.client, ways(setup)))
    })?;
    if let Some(commands) = connection.commands() {
        hint(&format!("First, as the user of the client, who can't read the server's files:\n{commands}\n"));
    }
    print_way(setup, way)
}

fn print_way(setup: &ClientSetup, way: &SetupMethod) -> Result<(), CommandError> {
    hint(&format!("{}:\n", way.how.instruction()));
    print(&way.text)?;
    let mut notes = Vec::new();
    notes.extend(way.start.as_ref().map(|start| format!("Then start it with: {start}")));
    notes.extend(Some(way.remark.clone()).filter(|remark| !remark.is_empty()));
    let others: Vec<String> = setup
        .ways
        .iter()
        .filter(|other| other.how != way.how)
        .map(|other| format!("rasterd snippet {} --how {}", setup.name, other.how.name()))
        .collect();
    if !others.is_empty() {
        notes.push(format!("Another way: {}", others.join(", ")));
    }
    if !notes.is_empty() {
        hint(&format!("\n{}", notes.join("\n")));
    }
    Ok(())
}

fn print_list(setups: &[ClientSetup]) -> Result<(), CommandError> {
    let row = |setup: &ClientSetup| vec![setup.name.to_owned(), setup.client.to_owned(), ways(setup)];
    print_table(&["CLIENT", "NAME", "WAYS"], setups.iter().map(row))
}

/// The ways of a client, as a list of their names.
fn ways(setup: &ClientSetup) -> String {
    setup.ways.iter().map(|way| way.how.name()).collect::<Vec<_>>().join(", ")
}

/// The clients, as shells complete them.
fn client_names() -> Vec<&'static str> {
    let connection = ConnectionDetails {
        public_url: "",
        key: SetupKey::FromClient,
        authority: Some(AuthorityFiles::DOWNLOADED),
        through: ClientRoute::Network,
    };
    client_setups(connection).into_iter().map(|setup| setup.name).collect()
}

fn unknown(client: &str, setups: &[ClientSetup]) -> CommandError {
    let names: Vec<&str> = setups.iter().map(|setup| setup.name).collect();
    CommandError(format!("there is no setup for {client:?}; there are: {}", names.join(", ")))
}
