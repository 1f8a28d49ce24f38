//! The program: everything is in the library, so that tests and embedders start the same code.

use std::process::ExitCode;

fn main() -> ExitCode {
    rasterd::cli::run()
}
