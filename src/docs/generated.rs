//! The parts of pages that are made from the code: the error codes, the keys of the configuration, the set-ups of clients, and
//! the limits of the server that shows the page. A comment in a page says where its part goes.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::client_setup::{
    AuthorityFiles, ClientRoute, ConnectionDetails, SetupFormat, SetupKey, SetupMethod, client_setups,
};
use crate::config::{DocumentedKey, DocumentedKeys, documented_keys};
use crate::core::settings::Limits;
use crate::error::Code;

const ERRORS: &str = "<!-- every error code -->";
const CONFIGURATION: &str = "<!-- every key of the configuration -->";
const LIMITS: &str = "<!-- every limit -->";
const CLIENTS: &str = "<!-- every client -->";
/// The section of the configuration with the limits.
const LIMITS_SECTION: &str = "limits";

/// The text of a page with its generated part in place of the comment.
pub fn filled(text: &str, limits: &Limits) -> String {
    if text.contains(ERRORS) {
        text.replace(ERRORS, &errors())
    } else if text.contains(CONFIGURATION) {
        text.replace(CONFIGURATION, &configuration())
    } else if text.contains(CLIENTS) {
        text.replace(CLIENTS, &clients())
    } else if text.contains(LIMITS) {
        text.replace(LIMITS, &limits_table(limits))
    } else {
        text.to_owned()
    }
}

/// The set-ups for a server on the reader's machine, as the page introduces it.
fn clients() -> String {
    let folder = Path::new("/home/you/rasterd/data/certs");
    let files = [folder.join("ca.pem"), folder.join("ca-bundle.pem")];
    let connection = ConnectionDetails {
        public_url: "https://localhost:8443",
        key: SetupKey::FromClient,
        authority: Some(AuthorityFiles::in_files(&files[0], &files[1])),
        through: ClientRoute::Network,
    };
    let mut text = String::new();
    for setup in client_setups(connection) {
        let _ = writeln!(text, "\n### {}\n", setup.client);
        for SetupMethod { how, text: pasted, start, remark } in setup.ways {
            let language = language(how);
            let _ = writeln!(text, "{}:\n\n```{language}\n{pasted}\n```\n", how.instruction());
            if let Some(start) = start {
                let _ = writeln!(text, "Then start it with `{start}`.\n");
            }
            if !remark.is_empty() {
                let _ = writeln!(text, "{remark}\n");
            }
        }
    }
    text
}

/// The language of what is pasted, for those who show it in colours.
fn language(how: SetupFormat) -> &'static str {
    let SetupFormat::File(path) = how else { return if how == SetupFormat::Link { "text" } else { "sh" } };
    match Path::new(path).extension().and_then(|extension| extension.to_str()) {
        Some("toml") => "toml",
        Some("yaml") => "yaml",
        _ => "json",
    }
}

fn errors() -> String {
    let mut text = "| code | status | meaning |\n|---|---|---|\n".to_owned();
    for code in Code::ALL {
        let (name, status, meaning) = (code.name(), code.status(), code.meaning());
        // Writing to a string can't fail, here and below.
        let _ = writeln!(text, "| [`{name}`](#{name}) | {status} | {} |", in_cell(meaning));
    }
    for code in Code::ALL {
        let fixable = if code.is_user_fixable() {
            "Other input can help: the person who made the request can fix it where they are."
        } else {
            "The same request with other input does not help; something else has to change first."
        };
        let (name, status, meaning) = (code.name(), code.status(), code.meaning());
        let advice = code.advice();
        let _ = write!(
            text,
            "\n## `{name}`\n\nStatus {status}. {meaning}\n\n{fixable}\n\n**What to do:** {advice}\n"
        );
    }
    text
}

fn configuration() -> String {
    let mut text = String::new();
    for section in documented_keys() {
        let _ = write!(text, "\n## {}\n", section.name);
        for DocumentedKeys { meaning, keys } in section.keys {
            for DocumentedKey { name, default, variable } in keys {
                let meaning = prose(&meaning);
                let _ = write!(
                    text,
                    "\n### `{name}`\n\n{meaning}\n\nDefault `{default}`, variable `{variable}`\n"
                );
            }
        }
    }
    text
}

fn limits_table(limits: &Limits) -> String {
    let values = serde_json::to_value(limits).unwrap_or_default();
    let mut text = "| limit | value | key |\n|---|---|---|\n".to_owned();
    let sections = documented_keys();
    let groups =
        sections.iter().filter(|section| section.name == LIMITS_SECTION).flat_map(|section| &section.keys);
    for DocumentedKeys { meaning, keys } in groups {
        for DocumentedKey { name, .. } in keys {
            let key = name.rsplit('.').next().unwrap_or(name);
            let value = values.get(key).and_then(Value::as_u64).unwrap_or_default();
            let value = match key {
                key if key.ends_with("_bytes") => size(value),
                key if key.ends_with("_seconds") => format!("{} s", with_separators(value)),
                _ => with_separators(value),
            };
            let meaning = in_cell(&prose(meaning));
            let _ = writeln!(text, "| {meaning} | {value} | [`{name}`](configuration.md#{name}) |");
        }
    }
    text
}

/// A comment of the configuration as Markdown: outside of code, nothing in it is markup.
fn prose(comment: &str) -> String {
    let mut is_code = false;
    let mut text = String::with_capacity(comment.len());
    for letter in comment.chars() {
        is_code ^= letter == '`';
        if !is_code && matches!(letter, '*' | '[' | ']' | '<' | '_') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A number of bytes in the largest unit in which it is whole.
fn size(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let whole = units.into_iter().find(|(_, shift)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    match whole {
        Some((unit, shift)) => format!("{} {unit}", with_separators(bytes >> shift)),
        None => format!("{} bytes", with_separators(bytes)),
    }
}

fn with_separators(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = {
        let head = digits.len() % 3;
        let (first, rest) = digits.split_at(head);
        let rest = (0..rest.len()).step_by(3).map(|at| &rest[at..at + 3]);
        (!first.is_empty()).then_some(first).into_iter().chain(rest).collect()
    };
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (200_000_000, "200,000,000")] {
            assert_eq!(with_separators(number), expected);
        }
        for (number, expected) in
            [(1 << 30, "1 GiB"), (32 << 20, "32 MiB"), (1_000_000, "1,000,000 bytes"), (0, "0 bytes")]
        {
            assert_eq!(size(number), expected);
        }
    }

    #[test]
    fn comments_of_the_configuration_are_not_markup() {
        assert_eq!(prose("[::] and `a_b[0]` \"*\" a_b"), "\\[::\\] and `a_b[0]` \"\\*\" a\\_b");
    }
}
