//! Whether the disk can hold what the server keeps: its room, and the kind of its file system.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use rustix::fs::statfs;

use super::{PreflightFinding, PreflightReport, Topic};
use crate::cli::progress::bytes;
use crate::core::data_dir::FILES;
use crate::core::disk::{Disk, LocalDisk, Room};
use crate::core::doctor::scarcity;

/// File systems on which data is not safe, by the number that the kernel gives them, with what to know and to do.
/// The numbers are those of `linux/magic.h` and of the file systems' own headers.
const DOUBTFUL: &[(u64, &str, &str)] = &[
    (0x0102_1994, "tmpfs", IN_MEMORY),
    (0x8584_58f6, "ramfs", IN_MEMORY),
    (
        0x794c_7630,
        "overlay",
        "in a container, everything in it is lost with the container. Mount a volume, and set data.dir to a folder in it",
    ),
    (0x6969, "nfs", OVER_A_NETWORK),
    (0x517b, "smb", OVER_A_NETWORK),
    (0xff53_4d42, "cifs", OVER_A_NETWORK),
    (0xfe53_4d42, "smb2", OVER_A_NETWORK),
    (0x0102_1997, "9p", OVER_A_NETWORK),
    (0x6573_5546, "fuse", OVER_A_NETWORK),
    (0x00c3_6400, "ceph", OVER_A_NETWORK),
];
const IN_MEMORY: &str =
    "which is in memory: everything is lost when the machine restarts. Set data.dir to a folder on a disk";
const OVER_A_NETWORK: &str = "where locks may not keep two servers apart, and what was saved may not survive a power cut. \
     Set data.dir to a folder on a disk of this machine; `files` may be elsewhere";

/// Checks the file systems of the data directory and of its files, and whether the reserve has room. Neither folder has to
/// exist.
pub(super) fn check(data_dir: &Path, reserve: u64, report: &mut PreflightReport) {
    let dir = existing(data_dir);
    if let Some((name, why)) = statfs(&dir).ok().and_then(|found| doubtful(found.f_type.cast_unsigned())) {
        let text = format!("{} is on the file system {name}, {why}", data_dir.display());
        report.warnings.push(Topic::FileSystem.finding(text));
    }
    report.warnings.extend(reserve_without_room(&dir, reserve));
    let files = existing(&data_dir.join(FILES));
    let is_other = device(&files) != device(&dir);
    for path in [Some(dir), is_other.then_some(files)].into_iter().flatten() {
        let scarce = room(&path).ok().and_then(scarcity);
        report.warnings.extend(scarce.map(|(_, what)| {
            Topic::Disk.finding(format!(
                "on the disk of {} {what}. Make room before uploads are refused",
                path.display()
            ))
        }));
    }
}

/// A warning when less than the configured reserve is free.
fn reserve_without_room(dir: &Path, reserve: u64) -> Option<PreflightFinding> {
    let free = room(dir).ok()?.available;
    (free < reserve).then(|| {
        Topic::Disk.finding(format!(
            "data.reserve_bytes keeps {} of the disk of {} free, where {} are left, so uploads are refused. Make room, or \
             set a smaller reserve",
            bytes(reserve),
            dir.display(),
            bytes(free)
        ))
    })
}

/// How much room the file system of a folder has, which need not exist.
pub(in crate::cli) fn room(path: &Path) -> io::Result<Room> {
    LocalDisk.room(&existing(path))
}

fn doubtful(kind: u64) -> Option<(&'static str, &'static str)> {
    // Some platforms have a signed type, which extends the sign.
    let kind = kind & 0xffff_ffff;
    DOUBTFUL.iter().find(|(number, ..)| *number == kind).map(|(_, name, why)| (*name, *why))
}

/// The folder, or the nearest one above it that exists.
fn existing(path: &Path) -> PathBuf {
    path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn device(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|found| found.dev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_memory_is_a_warning() {
        // Where a machine has no such folder, the number is all there is.
        let memory = Path::new("/dev/shm");
        let is_memory = statfs(memory).is_ok_and(|found| found.f_type.cast_unsigned() == 0x0102_1994);
        let mut report = PreflightReport::default();
        check(&memory.join("no/such/folder"), 0, &mut report);
        let is_warned = report.warnings.iter().any(|finding| finding.about == Topic::FileSystem);
        assert_eq!(is_warned, is_memory);
        assert_eq!(doubtful(0x0102_1994), Some(("tmpfs", IN_MEMORY)));
    }

    #[test]
    fn a_reserve_that_the_disk_has_no_room_for_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        for (reserve, is_warned_of) in [(0, false), (1 << 20, false), (1 << 52, true)] {
            let mut report = PreflightReport::default();
            check(folder.path(), reserve, &mut report);
            let warned = report.warnings.iter().any(|finding| finding.text.contains("data.reserve_bytes"));
            assert_eq!(warned, is_warned_of, "{reserve}: {:?}", report.warnings);
        }
    }

    #[test]
    fn disks_of_the_machine_are_not_doubted() {
        // ext4, xfs, btrfs, zfs, f2fs.
        for kind in [0xef53, 0x5846_5342, 0x9123_683e, 0x2fc1_2fc1, 0xf2f5_2010] {
            assert_eq!(doubtful(kind), None, "{kind:x}");
        }
        // As an architecture with a signed type gives it.
        assert!(doubtful(0xffff_ffff_ff53_4d42).is_some());
    }
}
