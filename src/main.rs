//! The binary.

use std::process::ExitCode;

use rasterd::app::pictures::worker;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(worker::COMMAND) {
        return worker::run();
    }
    ExitCode::SUCCESS
}
