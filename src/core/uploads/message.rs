//! What an upload says about its files: how many it stored, and which it left out and why.

use crate::error::{Error, MAX_EXCERPT, MAX_MESSAGE, excerpt};

/// How many characters of a message are reserved for what precedes the list of rejected files.
const PREFIX_LENGTH: usize = 100;

/// A file that is left out.
pub(super) struct RejectedFile {
    pub(super) file_name: String,
    pub(super) reason: String,
}

/// The outcome for a person: "Uploaded 2 assets. Left out: …"
pub(super) fn summary(uploaded: usize, rejected: &[RejectedFile]) -> String {
    let done = match uploaded {
        1 => "Uploaded 1 asset.".to_owned(),
        more => format!("Uploaded {more} assets."),
    };
    if rejected.is_empty() { done } else { format!("{done} {}", left_out(rejected)) }
}

/// The error when no file was accepted.
pub(super) fn none_accepted(rejected: &[RejectedFile]) -> Error {
    Error::bad_input(format!("No file was accepted. {}", left_out(rejected)))
}

/// The rejected files, each with its reason. When that is too long, files with the same reason are listed together.
fn left_out(rejected: &[RejectedFile]) -> String {
    // All names share one budget, so that the message stays short however many files there are.
    let max_name = (4 * MAX_EXCERPT / rejected.len().max(1)).max(16);
    let name = |file: &RejectedFile| format!("\"{}\"", excerpt(&file.file_name).at_most(max_name));
    let each: Vec<String> = rejected.iter().map(|file| format!("{}: {}", name(file), file.reason)).collect();
    let each = each.join("; ");
    if each.chars().count() < MAX_MESSAGE - PREFIX_LENGTH {
        return format!("Left out: {each}.");
    }
    let mut reasons: Vec<&str> = Vec::new();
    for file in rejected {
        if !reasons.contains(&file.reason.as_str()) {
            reasons.push(&file.reason);
        }
    }
    let with_reason = |reason: &&str| {
        let names: Vec<String> = rejected.iter().filter(|file| file.reason == *reason).map(name).collect();
        format!("{}: {reason}", names.join(", "))
    };
    format!("Left out: {}.", reasons.iter().map(with_reason).collect::<Vec<_>>().join("; "))
}
