//! `rasterd completions` and `rasterd man`: what shells and manual pages know about the commands. Made from the commands
//! themselves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Arg, Args, Command, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::examples::with_examples;
use super::output::print;
use super::{Cli, CommandError, readable_by_everybody};

const PROGRAM: &str = "rasterd";

#[derive(Args)]
pub(super) struct CompletionArgs {
    /// The shell that reads them
    shell: CompletedShell,
}

#[derive(Clone, Copy, ValueEnum)]
enum CompletedShell {
    /// `source <(rasterd completions bash)` in ~/.bashrc
    Bash,
    /// `rasterd completions zsh > "${fpath[1]}/_rasterd"`
    Zsh,
    /// `rasterd completions fish > ~/.config/fish/completions/rasterd.fish`
    Fish,
}

#[derive(Args)]
pub(super) struct ManualArgs {
    /// The folder for the pages, such as /usr/local/share/man/man1; it is created when it does not exist
    dir: PathBuf,
}

pub(super) fn print_completions(args: &CompletionArgs) -> Result<(), CommandError> {
    let shell = match args.shell {
        CompletedShell::Bash => Shell::Bash,
        CompletedShell::Zsh => Shell::Zsh,
        CompletedShell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), PROGRAM, &mut script);
    let mut script = String::from_utf8(script)?;
    if shell == Shell::Fish {
        let mut command = Cli::command();
        command.build();
        fish_arguments(&command, "", &mut script);
    }
    print(script.trim_end())
}

/// Adds the words that fish completes where an argument takes one of a few; `clap_complete` has only those of options.
/// `condition` holds where `command` was typed.
fn fish_arguments(command: &Command, condition: &str, script: &mut String) {
    let words = command.get_positionals().flat_map(Arg::get_possible_values);
    for word in words.filter(|word| !word.is_hide_set()) {
        let help = word.get_help().map(|help| format!(" -d {}", fish_quoted(&help.to_string())));
        let name = fish_quoted(word.get_name());
        let help = help.unwrap_or_default();
        let line = format!("complete -c {PROGRAM} -n \"{condition}\" -f -a {name}{help}\n");
        script.push_str(&line);
    }
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let typed = below.get_name();
        let condition = if condition.is_empty() {
            format!("__fish_{PROGRAM}_using_subcommand {typed}")
        } else {
            format!("{condition}; and __fish_seen_subcommand_from {typed}")
        };
        fish_arguments(below, &condition, script);
    }
}

/// A text between quotes, as fish reads it.
fn fish_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Writes a page for the program and one for each command.
pub(super) fn write_manual(args: &ManualArgs) -> Result<(), CommandError> {
    readable_by_everybody();
    write_pages(&args.dir).map_err(|error| {
        CommandError(format!("the manual pages can't be written to {}: {error}", args.dir.display()))
    })
}

fn write_pages(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(with_examples(Cli::command()), dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_manual_page() {
        let dir = tempfile::tempdir().unwrap();
        write_pages(dir.path()).unwrap();
        let page = |name: &str| fs::read_to_string(dir.path().join(format!("{name}.1"))).unwrap();
        assert!(page("rasterd").contains("self\\-hosted digital\\-asset server"), "{}", page("rasterd"));
        for command in Cli::command().get_subcommands() {
            let name = format!("rasterd-{}", command.get_name());
            assert!(page(&name).contains(".SH SYNOPSIS"), "{name}");
        }
        assert!(page("rasterd-key-create").contains("grant"));
    }
}
