//! The command line: parses the arguments and runs the command. Exit codes: 0 success, 1 refused or failed, 2 invalid
//! arguments, 78 a configuration with mistakes, with which a server would never start; those of `doctor` are its own.

use std::any::TypeId;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::client_setup::shell_quoted;
use crate::config::{Config, Flag, Invalid, Origin, SYSTEM_FILE, Variables};
use crate::telemetry;

mod acme;
mod ask;
mod audit;
mod backup;
mod bundle;
mod ca;
mod certificates;
mod client_connection;
mod configuration;
mod data_owner;
mod docs;
mod doctor;
mod ephemeral;
mod examples;
mod first_start;
mod folder;
mod guide_pointers;
mod health;
mod init;
mod key;
mod library;
mod mcp_bridge;
mod member;
mod offline;
mod organization;
mod output;
mod preflight;
mod progress;
mod reference;
mod reload;
mod restore;
mod schema;
mod secrets;
mod serve;
mod server_options;
mod service_manager;
mod snippet;
mod start_screen;
mod suggested;
mod version;

/// `EX_CONFIG` of `sysexits.h`. The unit does not start the server again after it.
const MISTAKEN_CONFIGURATION: u8 = 78;

/// A self-hosted digital-asset server: agents (MCP), programs and people share image libraries under scoped keys.
#[derive(Parser)]
#[command(name = "rasterd", version = version::SHORT.as_str(), long_version = version::LONG.as_str())]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    layers: LayerArgs,
    #[command(subcommand)]
    command: Command,
}

/// The flags of every command, since every command reads the configuration.
#[derive(Args, Clone)]
#[command(next_help_heading = "Configuration")]
struct LayerArgs {
    /// The configuration file [default: /etc/rasterd/config.toml if it exists]
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
    /// Creates an empty data directory; `rasterd serve` also does so where there is none
    Init,
    /// Creates, lists, changes and deletes API keys, also while the server runs
    Key(key::KeyArgs),
    /// Creates, lists and renames organizations, also while the server runs
    Org(organization::OrganizationArgs),
    /// Creates, lists, renames and deletes libraries, also while the server runs
    Library(library::LibraryArgs),
    /// Invites, lists and removes people who sign in, also while the server runs
    Member(member::MemberArgs),
    /// Backs up everything, also while the server runs
    Backup(backup::BackupArgs),
    /// Examines the data directory, the files and the certificates, also while the server runs: exits with 0, 1 for
    /// warnings or 2 for errors
    Doctor(doctor::DoctorArgs),
    /// Restores a backup into an empty data directory
    Restore(restore::RestoreArgs),
    /// Imports the pictures, videos and PDFs of a folder into a library, also while the server runs
    Import(folder::ImportArgs),
    /// Exports a library into a folder, also while the server runs
    Export(folder::ExportArgs),
    /// Checks and exports the audit log, also while the server runs
    Audit(audit::AuditArgs),
    /// Creates or renews the development certificate
    Certs,
    /// Exports the built-in authority, and says how clients are told to trust it
    #[command(subcommand)]
    Ca(ca::CaCommand),
    /// Prints how a client is set up for this server, such as Claude Code, Cursor or VS Code
    Snippet(snippet::SnippetArgs),
    /// Writes the bundle with which a desktop client such as Claude Desktop connects to this server
    Bundle(bundle::BundleArgs),
    /// Carries MCP between a client that starts programs and a server, on standard input and output
    Mcp(mcp_bridge::BridgeArgs),
    /// Checks whether the running server is ready, for containers and monitors: exits with 0 or 1
    Health,
    /// Shows the documentation: lists the pages, prints one, or searches them
    Docs(docs::DocsArgs),
    /// Prints the schema of an interface
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    /// Checks and shows the configuration
    #[command(subcommand)]
    Config(configuration::ConfigurationCommand),
    /// Prints what a shell needs to complete commands and options
    Completions(reference::CompletionArgs),
    /// Writes manual pages for `man`
    Man(reference::ManualArgs),
}

/// Why a command failed, for the person who typed it.
struct CommandError(String);

impl<E: std::error::Error> From<E> for CommandError {
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

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The command that starts a server with the data directory of this command.
fn serve_command(config: &Config) -> String {
    let shown = config.shown().iter().find(|shown| shown.key == "data.dir");
    let quoted = |path: &Path| shell_quoted(&path.display().to_string());
    match shown.map(|shown| &shown.origin) {
        Some(Origin::Flag(_)) => format!("rasterd --data-dir {} serve", quoted(&config.data_dir)),
        Some(Origin::File(file)) if file != Path::new(SYSTEM_FILE) => {
            format!("rasterd --config {} serve", quoted(file))
        }
        Some(_) | None => "rasterd serve".to_owned(),
    }
}

/// The path of an argument, for a server that runs in another folder.
fn absolute_path(path: &Path) -> Result<PathBuf, CommandError> {
    std::path::absolute(path).map_err(|error| {
        CommandError(format!(
            "{} must be an absolute path here, since the current folder can't be used: {error}",
            path.display()
        ))
    })
}

/// Runs the program on the arguments of this process.
#[must_use]
pub fn run() -> ExitCode {
    telemetry::log_panics();
    // Only this user may access what is created, also by libraries, whatever the umask was.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    forbid_core_dumps();
    match run_command(arguments()) {
        Ok(code) => code,
        Err(failure) => {
            output::failure(&failure);
            ExitCode::FAILURE
        }
    }
}

/// What was typed. Prints the help or the mistake and ends the process where there is nothing to run.
fn arguments() -> Cli {
    let matches = command().get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// The commands with what their declarations don't say.
fn command() -> clap::Command {
    refuse_empty(examples::with_examples(Cli::command()))
}

/// Refuses empty texts as values, which variables of a script leave when they are not set.
fn refuse_empty(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let is_text = arg.get_action().takes_values()
            && arg.get_possible_values().is_empty()
            && arg.get_value_parser().type_id() == TypeId::of::<String>();
        if is_text { arg.value_parser(NonEmptyStringValueParser::new()) } else { arg }
    });
    command.mut_subcommands(refuse_empty)
}

/// What this process creates from here on has no secrets, and everybody may read it.
fn readable_by_everybody() {
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
}

/// The memory has what clients send, keys and passwords among it. No crash writes it to a disk, and no other process of
/// this user reads it.
fn forbid_core_dumps() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        output::hint(&format!("rasterd: a crash may write a core dump with secrets in it: {error}"));
    }
}

fn run_command(cli: Cli) -> Result<ExitCode, CommandError> {
    let Cli { layers, command } = cli;
    let load = |flags: Vec<Flag>| layers.load(flags);
    let outcome = match command {
        Command::Doctor(args) => return doctor::run(&load(Vec::new())?, &args),
        Command::Serve(args) if args.ephemeral.ephemeral => {
            ephemeral::run(&args.ephemeral, &args.flags(), &layers)
        }
        Command::Serve(args) => {
            let read = layers.read(args.flags());
            if let Ok(config) = &read {
                data_owner::continue_as_owner(&config.data_dir)?;
            }
            let config = match preflight::require(read) {
                Ok(config) => with_warnings_printed(config),
                Err(refusal) if refusal.mistakes.is_empty() => return Err(refusal.into()),
                Err(refusal) => {
                    output::failure(&refusal.into());
                    return Ok(ExitCode::from(MISTAKEN_CONFIGURATION));
                }
            };
            let (layers, accept_files) = (layers.clone(), args.accept_files);
            serve::run(config, accept_files, Box::new(move || layers.read(args.flags())))
        }
        Command::Init => init::run(&load(Vec::new())?),
        Command::Key(args) => key::run(&load(Vec::new())?, args),
        Command::Org(args) => organization::run(&load(Vec::new())?, args),
        Command::Library(args) => library::run(&load(Vec::new())?, args),
        Command::Member(args) => member::run(&load(Vec::new())?, args),
        Command::Backup(args) => backup::run(&load(Vec::new())?, args),
        Command::Restore(args) => restore::run(&load(Vec::new())?, args),
        Command::Import(args) => folder::import(&load(Vec::new())?, args),
        Command::Export(args) => folder::export(&load(Vec::new())?, args),
        Command::Audit(args) => audit::run(&load(Vec::new())?, args),
        Command::Snippet(args) => snippet::run(&load(Vec::new())?, &args),
        Command::Bundle(args) => bundle::run(&load(Vec::new())?, &args),
        Command::Mcp(args) => mcp_bridge::run(&args),
        Command::Health => health::run(&load(Vec::new())?),
        Command::Ca(command) => ca::run(&load(Vec::new())?, command),
        Command::Certs => certificates::run(&load(Vec::new())?),
        Command::Docs(args) => docs::run(layers.read(Vec::new()), args),
        Command::Schema(command) => schema::run(&load(Vec::new())?, command),
        Command::Completions(args) => reference::print_completions(&args),
        Command::Man(args) => reference::write_manual(&args),
        Command::Config(command) => configuration::run(layers.read(Vec::new()), command),
    };
    outcome.map(|()| ExitCode::SUCCESS)
}

impl LayerArgs {
    fn load(&self, flags: Vec<Flag>) -> Result<Config, CommandError> {
        Ok(with_warnings_printed(self.read(flags)?))
    }

    fn read(&self, named: Vec<Flag>) -> Result<Config, Invalid> {
        let mut flags = self.set.clone();
        flags.extend(flag("--data-dir", "data.dir", self.data_dir.as_ref()));
        flags.extend(named);
        Config::load(self.config.as_deref(), &Variables::of_this_process(), &flags)
    }
}

/// Prints the configuration's warnings and returns it.
fn with_warnings_printed(config: Config) -> Config {
    for warning in config.warnings() {
        output::hint(&format!("rasterd: warning: {warning}"));
    }
    config
}

/// The configuration value that a named flag sets, if it was used.
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

    #[test]
    fn the_command_line_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn configuration_flags_may_stand_anywhere() {
        let cli =
            Cli::try_parse_from(["rasterd", "key", "list", "--json", "--data-dir", "/d", "--set", "a.b=c=d"]);
        let layers = cli.ok().unwrap().layers;
        assert_eq!(layers.data_dir.as_deref(), Some("/d"));
        assert_eq!((layers.set[0].key.as_str(), layers.set[0].value.as_str()), ("a.b", "c=d"));
    }

    #[test]
    fn invalid_arguments_exit_with_2() {
        for line in
            [&["rasterd"][..], &["rasterd", "key", "create", "x"], &["rasterd", "--set", "x", "serve"]]
        {
            assert_eq!(Cli::try_parse_from(line).err().unwrap().exit_code(), 2, "{line:?}");
        }
    }
}
