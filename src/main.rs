//! The program. Everything is in the library, so that tests and embedders run the same code.

use std::process::ExitCode;

use rasterd::pictures::{sandbox, worker};
use tikv_jemallocator::Jemalloc;

/// Lists and tool calls take less time with it than with the system's allocator, as the guide to decisions shows.
/// `.cargo/config.toml` has the settings.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let command = std::env::args_os().nth(1);
    match command.as_ref().and_then(|command| command.to_str()) {
        Some(worker::COMMAND) => worker::run(),
        Some(sandbox::COMMAND) => sandbox::exec_sandboxed(),
        Some(_) | None => rasterd::cli::run(),
    }
}
