//! The program: everything is in the library, so that tests and embedders start the same code.

use std::process::ExitCode;

use rasterd::app::pictures::{confined, worker};

fn main() -> ExitCode {
    let command = std::env::args_os().nth(1);
    match command.as_ref().and_then(|command| command.to_str()) {
        Some(worker::COMMAND) => worker::run(),
        Some(confined::COMMAND) => confined::become_another(),
        Some(_) | None => rasterd::cli::run(),
    }
}
