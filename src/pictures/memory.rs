//! The default memory limit for pictures: a part of the memory of this machine, or of the control group that the server
//! runs in.

use std::fs::read_to_string;
use std::path::Path;

/// The minimum for one picture, in bytes: enough for a photograph of 24 megapixels.
const MIN: u64 = 256 << 20;
/// The maximum for one picture, in bytes: enough for 50 megapixels, however they are stored.
const MAX: u64 = 1 << 30;
/// All pictures together get this fraction of the memory, as long as each has the minimum.
const DIVISOR: u64 = 4;

/// The memory for each picture when this many are worked on at a time, in bytes.
#[must_use]
pub fn default_per_picture(concurrency: usize) -> u64 {
    let (machine, group) = (machine_memory(), control_group_limit());
    share(machine.into_iter().chain(group).min(), concurrency)
}

fn share(memory: Option<u64>, concurrency: usize) -> u64 {
    let pictures = u64::try_from(concurrency.max(1)).unwrap_or(u64::MAX);
    memory.map_or(MIN, |memory| (memory / DIVISOR / pictures).clamp(MIN, MAX))
}

/// The memory of the machine.
fn machine_memory() -> Option<u64> {
    let meminfo = read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok()?.checked_mul(1024)
}

/// The lowest limit of the control groups of this process.
fn control_group_limit() -> Option<u64> {
    let cgroups = read_to_string("/proc/self/cgroup").ok()?;
    cgroups.lines().filter_map(|line| line.split(':').nth(2)).flat_map(limits).min()
}

/// The limits of a group and its parents, in either version of the kernel's interface.
fn limits(group: &str) -> Vec<u64> {
    let files = [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")];
    let read = |(root, file): (&str, &str)| {
        let groups = Path::new(group.trim_start_matches('/')).ancestors();
        let texts = groups.filter_map(|group| read_to_string(Path::new(root).join(group).join(file)).ok());
        texts.filter_map(|text| text.trim().parse().ok()).collect::<Vec<u64>>()
    };
    files.into_iter().flat_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_share_part_of_the_memory_and_each_has_enough_for_a_photograph() {
        for (memory, concurrency, expected) in [
            (Some(16 << 30), 1, MAX),
            (Some(8 << 30), 4, 512 << 20),
            (Some(2 << 30), 1, 512 << 20),
            (Some(1 << 30), 2, MIN),
            (Some(64 << 30), 0, MAX),
            (None, 2, MIN),
        ] {
            assert_eq!(share(memory, concurrency), expected, "{memory:?} {concurrency}");
        }
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(machine_memory().is_some_and(|memory| memory > MIN));
    }
}
