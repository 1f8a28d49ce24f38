//! Examples in the help of commands, in one table.

use std::fmt::Write;

use clap::Command;

/// Each command, as the words after `rasterd`, with its examples.
const EXAMPLES: &[(&[&str], &[&str])] = &[
    (&[], &["rasterd serve", "rasterd docs first-steps"]),
    (
        &["serve"],
        &[
            "rasterd serve --bind 0.0.0.0:8443 --public-url https://assets.example.org:8443",
            "rasterd serve --set backup.dir=/mnt/backup/rasterd --set limits.page_size=200",
            "rasterd serve --ephemeral --seed ./pictures",
        ],
    ),
    (
        &["key", "create"],
        &[
            "rasterd key create \"Newsletter agent\" --org default --grant library=read --expires 90d",
            "rasterd key create uploader --org default --grant library=write --grant archive=read",
        ],
    ),
    (&["key", "grant"], &["rasterd key grant key_3xYkQ0vLmA2b library=write"]),
    (&["key", "explain"], &["rasterd key explain key_3xYkQ0vLmA2b"]),
    (&["key", "regenerate"], &["rasterd key regenerate key_3xYkQ0vLmA2b"]),
    (&["org", "limit"], &["rasterd org limit default --storage \"50 GB\" --libraries 20 --assets none"]),
    (
        &["member", "invite"],
        &[
            "rasterd member invite ada@example.org --org default --role editor",
            "rasterd member invite --org default --role owner",
        ],
    ),
    (&["member", "reset-password"], &["rasterd member reset-password ada@example.org"]),
    (
        &["backup"],
        &["rasterd backup /mnt/backup/rasterd --keep 7", "rasterd backup /mnt/backup/rasterd-today.tar.zst"],
    ),
    (
        &["restore"],
        &[
            "rasterd --data-dir ./data restore /mnt/backup/rasterd --verify",
            "rasterd restore /mnt/backup/rasterd --snapshot 2026-11-27 --library default/library",
        ],
    ),
    (
        &["import"],
        &[
            "rasterd import ./pictures --org default --library library --tags-from-folders",
            "rasterd import /mnt/photos --org default --library library --dry-run",
        ],
    ),
    (&["export"], &["rasterd export ./library --org default --library library"]),
    (&["doctor"], &["rasterd doctor --quick", "rasterd doctor --repair"]),
    (&["audit", "export"], &["rasterd audit export --org default --format csv"]),
    (&["snippet"], &["rasterd snippet", "rasterd snippet claude-code", "rasterd snippet vscode --how link"]),
    (&["bundle"], &["rasterd bundle --output rasterd.mcpb"]),
    (
        &["mcp"],
        &[
            "rasterd mcp --url https://assets.example.org",
            "rasterd mcp --url https://localhost:8443 --ca data/certs/ca.pem --key-file key.txt",
        ],
    ),
    (&["ca", "export"], &["rasterd ca export --out rasterd-authority.crt"]),
    (
        &["docs"],
        &[
            "rasterd docs keys",
            "rasterd docs keys#when-a-key-leaks",
            "rasterd docs --search expired key",
            "rasterd docs --export ./docs",
        ],
    ),
    (&["schema", "openapi"], &["rasterd schema openapi --version 2026-07-08"]),
    (&["config", "show"], &["rasterd config show --set server.workers=4"]),
    (&["man"], &["rasterd man /usr/local/share/man/man1"]),
];

/// The command line with the examples at the end of each command's help.
pub(super) fn with_examples(command: Command) -> Command {
    EXAMPLES.iter().fold(command, |command, (words, examples)| add(command, words, examples))
}

fn add(command: Command, words: &[&str], examples: &[&str]) -> Command {
    match words.split_first() {
        Some((word, rest)) => command.mut_subcommand(word, |command| add(command, rest, examples)),
        None => command.after_help(text(examples)),
    }
}

fn text(examples: &[&str]) -> String {
    let mut text = if examples.len() == 1 { "Example:".to_owned() } else { "Examples:".to_owned() };
    for example in examples {
        // Writing to a text can't fail.
        let _written = write!(text, "\n  {example}");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    /// The words of a line, as a shell splits it.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('"').enumerate();
        parts
            .flat_map(|(index, part)| match index % 2 {
                0 => part.split_whitespace().map(str::to_owned).collect(),
                _ => vec![part.to_owned()],
            })
            .collect()
    }

    #[test]
    fn every_example_is_a_command_that_works_and_is_in_its_help() {
        for (path, examples) in EXAMPLES {
            let mut command = with_examples(Cli::command());
            let found =
                path.iter().fold(&mut command, |command, word| command.find_subcommand_mut(word).unwrap());
            let help = found.render_help().to_string();
            for example in *examples {
                if let Err(error) = crate::cli::command().try_get_matches_from(words(example)) {
                    panic!("{example}: {error}");
                }
                assert!(path.iter().all(|word| example.contains(word)), "{example} is not about {path:?}");
                assert!(help.contains(example), "{example} in {help}");
            }
        }
    }
}
