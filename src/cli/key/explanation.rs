//! `rasterd key explain`: what a key can do, for people and programs.

use std::time::SystemTime;

use serde::Serialize;

use crate::admin::keys::KeyRecord;
use crate::cli::CommandError;
use crate::cli::output::{aligned, date, json_text, or_never, print};
use crate::core::model::Access;
use crate::core::model::time::{Millis, millis};
use crate::operations::{OperationAccess, Reach, explain};

/// What a key can do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation<'a> {
    /// The key.
    key: &'a KeyRecord,
    /// Whether it has expired: then it can do nothing.
    expired: bool,
    /// What it can do with each tool, and with what does the same on the other interfaces.
    tools: Vec<OperationAccess>,
}

/// Prints what a key can do.
pub(super) fn print_explanation(key: &KeyRecord, json: bool) -> Result<(), CommandError> {
    let expired = key.expires.is_some_and(|end| end <= now());
    let grants: Vec<_> = key.grants.iter().map(|(library, access)| (library.as_str(), *access)).collect();
    let tools = explain(&grants);
    let explanation = Explanation { key, expired, tools };
    print(&if json { json_text(&explanation)? } else { in_words(&explanation) })
}

fn now() -> Millis {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, millis)
}

fn in_words(Explanation { key, expired, tools }: &Explanation<'_>) -> String {
    let mut parts = vec![
        format!("{} ({}) of {}", key.name, key.id, key.organization_id),
        match key.expires {
            Some(end) if *expired => format!("It expired on {} and no longer works.", date(end)),
            Some(end) => format!("It expires on {}.", date(end)),
            None => "It never expires.".to_owned(),
        },
        format!("Last used: {}.", or_never(key.last_used)),
        String::new(),
        libraries(key),
    ];
    let names = |wanted: &dyn Fn(&Reach) -> bool| {
        tools.iter().filter(|tool| wanted(&tool.reach)).map(|tool| tool.name).collect::<Vec<_>>().join(", ")
    };
    let mut add = |heading: &str, names: String| {
        if !names.is_empty() {
            parts.extend([String::new(), heading.to_owned(), format!("  {names}")]);
        }
    };
    let everywhere = "In the whole organization, of which it sees only the libraries above:";
    add(everywhere, names(&|reach| *reach == Reach::Everywhere));
    for group in groups(tools) {
        let heading = format!("Only in {}:", group.join(", "));
        add(&heading, names(&|reach| matches!(reach, Reach::In { libraries } if *libraries == group)));
    }
    let reasons: Vec<Vec<String>> = tools
        .iter()
        .filter_map(|tool| match tool.reach {
            Reach::Nowhere { because } => Some(vec![format!("  {}", tool.name), because.to_owned()]),
            Reach::Everywhere | Reach::In { .. } => None,
        })
        .collect();
    if !reasons.is_empty() {
        parts.extend([String::new(), "Not at all:".to_owned(), aligned(&reasons)]);
    }
    parts.join("\n")
}

/// The libraries as a table.
fn libraries(key: &KeyRecord) -> String {
    if key.grants.is_empty() {
        return "It reaches no library.".to_owned();
    }
    let cells = |library: &str, read: &str, write: &str| [library, read, write].map(str::to_owned).to_vec();
    let mut rows = vec![cells("LIBRARY", "READ", "WRITE")];
    rows.extend(
        key.grants.iter().map(|(library, access)| {
            cells(library, "yes", if *access == Access::Write { "yes" } else { "no" })
        }),
    );
    aligned(&rows)
}

/// The different sets of libraries in which something can be done, in the order of the tools.
fn groups(tools: &[OperationAccess]) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    for tool in tools {
        if let Reach::In { libraries } = &tool.reach
            && !groups.contains(libraries)
        {
            groups.push(libraries.clone());
        }
    }
    groups
}
