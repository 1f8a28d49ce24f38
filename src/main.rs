//! The program: everything is in the library, so that tests and embedders start the same code.

use std::process::ExitCode;

use rasterd::app::pictures::worker;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(worker::COMMAND) {
        return worker::run();
    }
    rasterd::cli::run()
}
