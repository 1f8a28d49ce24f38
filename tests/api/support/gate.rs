//! A program for pictures that waits: tests decide when the work on pictures begins.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rasterd::core::settings::Settings;
use rasterd::testing::TestServer;

use crate::support::program::poll;

/// The binary, whose child processes open pictures.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_rasterd");

/// A program that opens pictures as soon as a gate is opened, one at a time.
pub struct Gate {
    folder: tempfile::TempDir,
}

impl Gate {
    pub fn closed() -> Self {
        let gate = Self { folder: tempfile::tempdir().unwrap() };
        let script = format!(
            "#!/bin/sh\n: > {begun}\nwhile [ ! -e {open} ]; do /bin/sleep 0.01; done\nexec {PROGRAM} \"$@\"\n",
            begun = gate.begun().display(),
            open = gate.path().display()
        );
        fs::write(gate.program(), script).unwrap();
        fs::set_permissions(gate.program(), fs::Permissions::from_mode(0o755)).unwrap();
        gate
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("open")
    }

    fn begun(&self) -> PathBuf {
        self.folder.path().join("begun")
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("program")
    }

    pub fn open(&self) {
        fs::write(self.path(), "").unwrap();
    }

    /// Waits until a picture waits at the gate. It is the next to be worked on, whatever comes later.
    pub fn wait_for_a_picture(&self) {
        poll("a picture waits at the gate", || self.begun().exists().then_some(()));
    }

    /// A server whose pictures wait for the gate.
    pub fn server(&self, change: impl Fn(&mut Settings) + Send + Sync + 'static) -> TestServer {
        let program = self.program();
        TestServer::start_with(move |settings, _| {
            settings.renditions.program = Some(program.clone());
            settings.renditions.workers = 1;
            change(settings);
        })
    }
}
