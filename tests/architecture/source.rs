//! The lines of `src`, and the paths in them.

use std::fs;
use std::path::Path;

/// A line of code, or a whole `use` declaration, in one of our modules.
pub struct Line {
    pub module: String,
    file: String,
    number: usize,
    pub text: String,
    /// The head of the `impl` that it is in, up to its brace.
    pub implements: Option<String>,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.number, self.text.trim())
    }
}

/// All lines of `src` but comments and unit tests.
pub fn lines() -> Vec<Line> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lines = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "tests") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().with_extension("");
                let module = name.to_str().unwrap().replace('/', "::");
                if !module.ends_with("::tests") {
                    lines.extend(lines_of(&path, &module));
                }
            }
        }
    }
    lines
}

fn lines_of(path: &Path, module: &str) -> Vec<Line> {
    let file = format!("src{}", path.to_str().unwrap().rsplit_once("/src").unwrap().1);
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<Line> = Vec::new();
    let (mut continues, mut after_cfg_test) = (false, false);
    let mut implements = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if after_cfg_test && trimmed.starts_with("mod ") {
            // Unit tests come last in a file.
            break;
        }
        after_cfg_test = trimmed.starts_with("#[cfg(test)]");
        if trimmed.starts_with("//") {
            continue;
        }
        match line {
            "}" => implements = None,
            line if line.starts_with("impl") => implements = line.strip_suffix(" {").map(str::to_owned),
            _ => {}
        }
        if continues && let Some(last) = lines.last_mut() {
            last.text.push_str(trimmed);
        } else {
            let (module, file) = (module.to_owned(), file.clone());
            let (number, text, implements) = (index + 1, line.to_owned(), implements.clone());
            lines.push(Line { module, file, number, text, implements });
            let starts = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
            continues = starts.iter().any(|start| trimmed.starts_with(start));
        }
        continues &= !trimmed.ends_with(';');
    }
    lines
}

/// The paths in a piece of code that begin at a crate or a module above, with their groups taken apart.
pub fn paths(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "redb::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            // Not the path of a visibility, `pub(in …)`.
            let is_visibility = text[..at].ends_with("(in ");
            if !is_visibility
                && before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_' && letter != ':')
            {
                take_path(&text[at..], "", &mut found);
            }
        }
    }
    found
}

/// Reads one path, or the paths of a group, at the start of `text`; returns what comes after.
fn take_path<'a>(text: &'a str, prefix: &str, found: &mut Vec<String>) -> &'a str {
    let mut path = prefix.to_owned();
    let mut rest = text;
    loop {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name != "self" && !name.is_empty() {
            if !path.is_empty() {
                path.push_str("::");
            }
            path.push_str(name);
        }
        rest = after;
        let Some(next) = rest.strip_prefix("::") else { break };
        rest = next;
        if let Some(group) = rest.strip_prefix('{') {
            rest = group;
            loop {
                rest = take_path(rest.trim_start(), &path, found).trim_start();
                match rest.chars().next() {
                    Some(',') => rest = rest[1..].trim_start(),
                    Some('}') => return &rest[1..],
                    Some(_) => rest = rest.split_once([',', '}']).map_or("", |(_, after)| after),
                    None => return rest,
                }
                if let Some(after) = rest.strip_prefix('}') {
                    return after;
                }
            }
        }
    }
    if path != prefix || !prefix.is_empty() {
        found.push(path);
    }
    rest
}

/// A path from the crate's root on; `None` for one of another crate.
pub fn absolute(module: &str, path: &str) -> Option<String> {
    if let Some(path) = path.strip_prefix("crate::") {
        return Some(path.to_owned());
    }
    let (mut module, mut path) = (module, path);
    let mut above = false;
    while let Some(rest) = path.strip_prefix("super::") {
        module = module.rsplit_once("::").map_or("", |(parent, _)| parent);
        (path, above) = (rest, true);
    }
    above.then(|| if module.is_empty() { path.to_owned() } else { format!("{module}::{path}") })
}

#[test]
fn a_path_is_found_in_every_form_in_which_it_is_written() {
    let found = paths(
        "use crate::core::{self, store::{Tx, files::Blobs}}; let a = crate::error::Error::new(super::x());",
    );
    assert_eq!(
        found,
        [
            "crate::core",
            "crate::core::store::Tx",
            "crate::core::store::files::Blobs",
            "crate::error::Error::new",
            "super::x"
        ]
    );
    assert_eq!(absolute("core::store::assets", "super::Tx").as_deref(), Some("core::store::Tx"));
    assert_eq!(absolute("core::store::assets", "super::super::model").as_deref(), Some("core::model"));
    assert_eq!(absolute("core", "serde::Serialize"), None);
}
