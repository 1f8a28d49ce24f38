//! The command line: what can be typed, and the way from there to a command. Exit codes: 0 done, 1 refused or
//! failed, 2 not understood.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Flag, Variables};

mod ask;
mod certificates;
mod configuration;
mod first_start;
mod key;
mod library;
mod member;
mod organization;
mod output;
mod schema;
mod serve;

/// A self-hosted digital-asset server: agents (MCP), programs and people share image libraries under scoped keys.
#[derive(Parser)]
#[command(name = "rasterd", version, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    layers: LayerArgs,
    #[command(subcommand)]
    command: Command,
}

/// The flags that every command takes, since every command reads the configuration.
#[derive(Args)]
#[command(next_help_heading = "Configuration")]
struct LayerArgs {
    /// The configuration file [default: /etc/rasterd/config.toml when it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder that holds everything the server keeps (`data.dir`)
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Sets any key of the configuration; repeatable. `rasterd config show` lists the keys
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = parse_set)]
    set: Vec<Flag>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server
    Serve(serve::ServeArgs),
    /// Makes, lists, changes and deletes API keys, also while the server runs
    Key(key::KeyArgs),
    /// Makes, lists and renames organizations, also while the server runs
    Org(organization::OrganizationArgs),
    /// Makes, lists, renames and deletes libraries, also while the server runs
    Library(library::LibraryArgs),
    /// Invites, lists and removes people who sign in, also while the server runs
    Member(member::MemberArgs),
    /// Makes or renews the development certificate
    Certs,
    /// Prints what an interface offers
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    /// Checks and shows the configuration
    #[command(subcommand)]
    Config(configuration::ConfigurationCommand),
}

/// Why a command did not do what it was asked to, for the person who typed it.
struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str("\n  because: ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self(text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs the program on the arguments of this process.
#[must_use]
pub fn run() -> ExitCode {
    match run_command(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::hint(&format!("rasterd: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run_command(cli: Cli) -> Result<(), Failure> {
    let Cli { layers, command } = cli;
    let load = |more: Vec<Flag>| layers.load(more);
    match command {
        Command::Serve(args) => serve::run(&load(args.flags())?),
        Command::Key(args) => key::run(&load(Vec::new())?, args),
        Command::Org(args) => organization::run(&load(Vec::new())?, args),
        Command::Library(args) => library::run(&load(Vec::new())?, args),
        Command::Member(args) => member::run(&load(Vec::new())?, args),
        Command::Certs => certificates::run(&load(Vec::new())?),
        Command::Schema(command) => schema::run(command),
        Command::Config(command) => configuration::run(&load(Vec::new())?, command),
    }
}

impl LayerArgs {
    fn load(&self, more: Vec<Flag>) -> Result<Config, Failure> {
        let mut flags = self.set.clone();
        flags.extend(flag("--data-dir", "data.dir", self.data_dir.as_ref()));
        flags.extend(more);
        Ok(Config::load(self.config.as_deref(), &Variables::of_this_process(), &flags)?)
    }
}

/// The configuration's value that a flag of its own gives, if it was used.
fn flag(name: &'static str, key: &str, value: Option<&String>) -> Option<Flag> {
    Some(Flag { name, key: key.to_owned(), value: value?.clone() })
}

fn parse_set(text: &str) -> Result<Flag, String> {
    match text.split_once('=') {
        Some((key, value)) => Ok(Flag { name: "--set", key: key.trim().to_owned(), value: value.to_owned() }),
        None => Err("expected a key and a value, such as server.workers=4".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_flags_of_the_configuration_go_anywhere() {
        let cli =
            Cli::try_parse_from(["rasterd", "key", "list", "--json", "--data-dir", "/d", "--set", "a.b=c=d"]);
        let layers = cli.ok().unwrap().layers;
        assert_eq!(layers.data_dir.as_deref(), Some("/d"));
        assert_eq!((layers.set[0].key.as_str(), layers.set[0].value.as_str()), ("a.b", "c=d"));
    }

    #[test]
    fn what_is_not_understood_ends_with_2() {
        for line in
            [&["rasterd"][..], &["rasterd", "key", "create", "x"], &["rasterd", "--set", "x", "serve"]]
        {
            assert_eq!(Cli::try_parse_from(line).err().unwrap().exit_code(), 2, "{line:?}");
        }
    }
}
