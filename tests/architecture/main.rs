//! Who may depend on whom: reads the paths in `src` and compares them with the rules below. Also how long the lines of
//! templates may be. Needs no server.
//!
//! A layer is a module with everything in it that is not a layer of its own. Unit tests may use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

mod source;

use source::{absolute, lines, paths};

/// Each layer with the layers that it may use. A layer may always use itself.
const RULES: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("file_mode", &[]),
    // Counters, without anything that is counted.
    ("telemetry::metrics", &[]),
    // Sends what it is given.
    ("telemetry::traces", &[]),
    ("pictures", &["error", "file_mode"]),
    ("fetch", &["error"]),
    // Records hold types of pictures, such as what a file is.
    ("core::model", &["error", "pictures"]),
    ("core::cancellation", &["error"]),
    ("core::scans", &["error"]),
    ("core::stored_file", &[]),
    ("core::access::grant", &["error", "core::model", "core::cancellation", "core::scans"]),
    ("core::disk", &[]),
    ("core::data_dir", &["error", "file_mode", "core::model"]),
    // Grants, and never the callers that they are made for.
    (
        "core::store",
        &[
            "error",
            "file_mode",
            "pictures",
            "core::model",
            "core::access::grant",
            "core::data_dir",
            "core::disk",
            "core::stored_file",
            "telemetry::metrics",
        ],
    ),
    ("core::index", &["error", "file_mode", "core::model", "core::store"]),
    (
        "core",
        &[
            "error",
            "file_mode",
            "pictures",
            "fetch",
            "core::model",
            "core::cancellation",
            "core::scans",
            "core::access::grant",
            "core::data_dir",
            "core::disk",
            "core::stored_file",
            "core::store",
            "core::index",
            "telemetry::metrics",
        ],
    ),
    ("transport::wire", &["error", "core", "core::model", "pictures"]),
    ("operations", &["error", "core", "core::model", "core::access::grant", "pictures", "transport::wire"]),
    (
        "transport",
        &[
            "error",
            "core",
            "core::model",
            "core::cancellation",
            "transport::wire",
            "telemetry::metrics",
            "telemetry::traces",
        ],
    ),
    // The transports and the web app: never each other, never the store.
    ("transport::rest", TRANSPORT),
    ("transport::graphql", TRANSPORT),
    ("transport::mcp", TRANSPORT),
    ("transport::cdn", TRANSPORT),
    ("transport::test_control", TRANSPORT),
    (
        "webapp",
        &[
            "error",
            "core",
            "core::model",
            "core::access::grant",
            "core::cancellation",
            "core::scans",
            "core::stored_file",
            "pictures",
            "operations",
            "transport",
            "transport::wire",
            "transport::tls",
            "client_setup",
            "config",
        ],
    ),
    ("transport::tls", &["error", "file_mode"]),
    // Puts the transports and the web app together.
    (
        "transport::server",
        &[
            "error",
            "core",
            "core::model",
            "core::cancellation",
            "transport",
            "transport::wire",
            "transport::rest",
            "transport::graphql",
            "transport::mcp",
            "transport::cdn",
            "transport::docs",
            "transport::test_control",
            "transport::tls",
            "webapp",
            "file_mode",
            "telemetry::metrics",
            "telemetry::traces",
        ],
    ),
    // Documents the code: its error codes, its configuration.
    ("docs", &["error", "core", "core::model", "config", "client_setup"]),
    ("transport::docs", &["error", "core", "transport", "docs"]),
    ("acme", &["error", "core", "core::model", "file_mode", "transport::tls"]),
    ("client_setup", &["config", "transport::tls"]),
    ("telemetry", &["error", "core", "core::model"]),
    // Among others, the names in the data directory.
    ("config", &["error", "acme", "core", "core::data_dir", "core::model", "fetch", "pictures", "telemetry"]),
    ("admin", &["error", "file_mode", "core", "core::model", "core::access::grant"]),
    (
        "cli",
        &[
            "error",
            "acme",
            "file_mode",
            "pictures",
            "core",
            "core::model",
            "core::access::grant",
            "core::data_dir",
            "core::disk",
            "fetch",
            "operations",
            "transport",
            "transport::wire",
            "transport::rest",
            "transport::graphql",
            "transport::mcp",
            "transport::test_control",
            "transport::tls",
            "transport::server",
            "client_setup",
            "docs",
            "telemetry",
            "telemetry::traces",
            "config",
            "admin",
            // Its disk, for servers that are started for tests.
            "testing",
        ],
    ),
    (
        "testing",
        &[
            "error",
            "core",
            "core::model",
            "core::data_dir",
            "core::disk",
            "core::access::grant",
            "fetch",
            "transport::server",
            "transport::tls",
        ],
    ),
];

/// What a transport may use.
const TRANSPORT: &[&str] = &[
    "error",
    "core",
    "core::model",
    "core::cancellation",
    "core::scans",
    "core::stored_file",
    "pictures",
    "operations",
    "transport",
    "transport::wire",
];

/// A use of one layer in another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Dependency {
    from: &'static str,
    to: &'static str,
    /// File, line number and the line itself.
    line: String,
}

#[test]
fn rooms_use_only_what_their_rules_allow() {
    let broken: Vec<String> = dependencies()
        .into_iter()
        .filter(|dependency| !allowed(dependency.from).contains(&dependency.to))
        .map(|Dependency { from, to, line }| {
            format!("{line}\n    `{from}` may not use `{to}`. It may use: {}.", allowed(from).join(", "))
        })
        .collect();
    assert!(broken.is_empty(), "{} uses break the rules:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn rooms_do_not_use_each_other_in_circles() {
    let graph = RULES.iter().map(|(layer, allowed)| (*layer, allowed.iter().copied().collect())).collect();
    let circles = circles(graph);
    assert!(circles.is_empty(), "the rules allow a circle among {circles:#?}");
}

/// A file and those in the folder of its name are one thing; any others are read one after the other.
#[test]
fn files_do_not_use_each_other_in_circles() {
    let lines = lines();
    let files: BTreeSet<&str> = lines.iter().map(|line| line.module.as_str()).collect();
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in &lines {
        let from = line.module.as_str();
        let targets = paths(&line.text).into_iter().filter_map(|path| absolute(from, &path));
        let targets = targets.filter_map(|path| files.iter().copied().rfind(|file| is_in(&path, file)));
        graph.entry(from).or_default().extend(targets.filter(|to| !is_one_thing(from, to)));
    }
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 1000, "hardly any uses were found");
    let circles = circles(graph);
    assert!(circles.is_empty(), "these files use each other in circles:\n{circles:#?}");
}

/// Whether one of two files is in the folder of the other's name.
fn is_one_thing(one: &str, other: &str) -> bool {
    is_in(one, other) || is_in(other, one)
}

/// What is left when everything is taken away that uses nothing of what is left, or is used by nothing of it.
fn circles<'a>(mut graph: BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    loop {
        let targets: BTreeSet<&str> = graph.values().flatten().copied().collect();
        let before = graph.len();
        graph.retain(|name, uses| !uses.is_empty() && targets.contains(name));
        let left: BTreeSet<&str> = graph.keys().copied().collect();
        for uses in graph.values_mut() {
            uses.retain(|name| left.contains(name));
        }
        if graph.len() == before {
            return graph;
        }
    }
}

#[test]
fn only_the_store_names_redb() {
    let named: Vec<String> = lines()
        .into_iter()
        // In `core::store`, `redb` is the module.
        .filter(|line| line.module.starts_with("core::") && line.module != "core::store")
        .filter(|line| !line.module.starts_with("core::store::redb"))
        .filter(|line| paths(&line.text).iter().any(|path| path.starts_with("redb::")))
        .map(|line| line.to_string())
        .collect();
    assert!(named.is_empty(), "only `core::store::redb` may name redb:\n{}", named.join("\n"));
}

#[test]
fn what_the_store_offers_of_the_records_is_in_traits() {
    let offered: Vec<String> = lines()
        .into_iter()
        .filter(|line| line.module.starts_with("core::store::redb::"))
        .filter(|line| matches!(line.implements.as_deref(), Some("impl Snapshot" | "impl Tx<'_>")))
        .filter(|line| line.text.starts_with("    pub fn"))
        .map(|line| line.to_string())
        .collect();
    assert!(offered.is_empty(), "these belong to a trait in `core::store::records`:\n{}", offered.join("\n"));
}

/// One place decides whose a request is, or a limit would be that of a proxy, or of whoever a client claims to be.
#[test]
fn only_one_file_reads_the_addresses_of_clients() {
    let words =
        ["peer_addr", "realip_remote_addr", "connection_info", "X_FORWARDED", "x-forwarded", "FORWARDED"];
    let may = ["transport::client_address", "transport::server::acceptor", "config::parsing"];
    let named: Vec<String> = lines()
        .into_iter()
        .filter(|line| !may.contains(&line.module.as_str()))
        .filter(|line| words.iter().any(|word| line.text.contains(word)))
        .map(|line| line.to_string())
        .collect();
    assert!(
        named.is_empty(),
        "`transport::client_address()` has the client's address:\n{}",
        named.join("\n")
    );
}

/// Members belong to no library, so no grant guards their records.
#[test]
fn only_the_check_of_callers_and_members_read_and_write_members() {
    let users: Vec<String> = lines()
        .into_iter()
        .filter(|line| !["core::store", "core::members"].iter().any(|room| line.module.starts_with(room)))
        .filter(|line| line.module != "core::access::caller")
        .filter(|line| line.text.contains("MemberQueries") || line.text.contains("MemberCommands"))
        .map(|line| line.to_string())
        .collect();
    assert!(users.is_empty(), "only `core::members` may read and write members:\n{}", users.join("\n"));
}

#[test]
fn lines_of_templates_are_shorter_than_140_characters() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let (mut templates, mut long) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                templates += 1;
                for (index, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
                    if line.chars().count() >= 140 {
                        long.push(format!("{}:{}", path.display(), index + 1));
                    }
                }
            }
        }
    }
    assert!(templates > 30, "only {templates} templates were found");
    assert!(long.is_empty(), "these lines are too long:\n{}", long.join("\n"));
}

fn allowed(layer: &str) -> Vec<&'static str> {
    RULES.iter().find(|(name, _)| *name == layer).map(|(_, allowed)| allowed.to_vec()).unwrap_or_default()
}

/// The innermost layer that a path is in.
fn layer_of(path: &str) -> Option<&'static str> {
    RULES.iter().map(|(layer, _)| *layer).filter(|layer| is_in(path, layer)).max_by_key(|layer| layer.len())
}

/// Whether a path is that of a module, or of something in it.
fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn dependencies() -> BTreeSet<Dependency> {
    let mut found = BTreeSet::new();
    for line in lines() {
        let Some(from) = layer_of(&line.module) else { continue };
        for path in paths(&line.text) {
            let Some(to) = absolute(&line.module, &path).and_then(|path| layer_of(&path)) else { continue };
            if from != to {
                found.insert(Dependency { from, to, line: line.to_string() });
            }
        }
    }
    found
}
