//! Whether the clock of this machine can be right: time does not stand before what is known to have happened.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{PreflightFinding, Topic};
use crate::core::data_dir::DATABASE;

/// The difference that is ignored.
const TOLERANCE: Duration = Duration::from_mins(10);

/// Compares the clock with the dates of this program's file and of the database.
pub(super) fn check(data_dir: &Path, now: SystemTime) -> Option<PreflightFinding> {
    let program = changed(Path::new("/proc/self/exe"));
    let database = changed(&data_dir.join(DATABASE));
    compare(
        now,
        [(program, "the file of this program is from"), (database, "the database was last changed on")],
    )
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

/// The latest of what happened after `now`.
fn compare(now: SystemTime, happened: [(Option<SystemTime>, &str); 2]) -> Option<PreflightFinding> {
    let known = happened.into_iter().filter_map(|(time, what)| Some((time?, what)));
    let (time, what) = known.max_by_key(|(time, _)| *time)?;
    (time > now + TOLERANCE).then(|| {
        Topic::Clock.finding(format!(
            "the clock of this machine shows {}, but {what} {}. Correct the clock: certificates are checked by it, and \
             new events get its time",
            shown(now),
            shown(time)
        ))
    })
}

fn shown(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_what_has_happened_is_wrong() {
        let at = |minutes: u64| SystemTime::UNIX_EPOCH + Duration::from_mins(30_000_000 + minutes);
        let found = |now, program, database| compare(now, [(program, "program"), (database, "database")]);
        for (now, program, database, expected) in [
            (at(0), None, None, None),
            (at(100), Some(at(99)), Some(at(98)), None),
            (at(100), Some(at(109)), Some(at(110)), None),
            (at(100), Some(at(111)), None, Some("program")),
            (at(100), Some(at(111)), Some(at(112)), Some("database")),
            (at(100), Some(at(50)), Some(at(112)), Some("database")),
        ] {
            let text = found(now, program, database).map(|finding| finding.text);
            assert_eq!(text.is_some(), expected.is_some(), "{text:?}");
            assert!(text.unwrap_or_default().contains(expected.unwrap_or_default()));
        }
    }
}
