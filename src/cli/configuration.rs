//! `rasterd config`: is it right, and what is it.

use clap::Subcommand;

use super::Failure;
use super::output::{print, print_table};
use crate::config::Config;

#[derive(Clone, Copy, Subcommand)]
pub(super) enum ConfigurationCommand {
    /// Says whether the configuration can be used, and if not, everything that is wrong with it
    Check,
    /// Lists every key with its value and where that came from
    Show,
}

pub(super) fn run(config: &Config, command: ConfigurationCommand) -> Result<(), Failure> {
    match command {
        // It was checked when it was read.
        ConfigurationCommand::Check => print("The configuration can be used."),
        ConfigurationCommand::Show => {
            let rows = config.shown().iter();
            print_table(
                &["KEY", "VALUE", "FROM"],
                rows.map(|shown| vec![shown.key.clone(), shown.value.clone(), shown.origin.to_string()]),
            )
        }
    }
}
