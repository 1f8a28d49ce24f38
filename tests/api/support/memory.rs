//! The memory of a running process.

use std::path::PathBuf;

/// The memory of a running process, in KiB.
pub struct Memory(PathBuf);

impl Memory {
    pub fn of(process: u32) -> Self {
        Self(PathBuf::from(format!("/proc/{process}")))
    }

    /// The memory that it uses now.
    pub fn now(&self) -> u64 {
        self.value("VmRSS:")
    }

    /// The peak since [`Memory::reset_peak`].
    pub fn peak(&self) -> u64 {
        self.value("VmHWM:")
    }

    /// Resets the peak, and returns the memory that it uses now.
    pub fn reset_peak(&self) -> u64 {
        std::fs::write(self.0.join("clear_refs"), "5").unwrap();
        self.now()
    }

    fn value(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(self.0.join("status")).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux reports it");
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}
