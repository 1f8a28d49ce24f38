//! The query parameters that endpoints share.

use serde_json::{Value, json};

use crate::transport::wire::Version;

/// A query parameter. In the operation's input, it is the member of the same name.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// How its text is parsed.
    pub kind: ParameterKind,
    /// The first version of the API that has it; earlier ones ignore it.
    pub since: Version,
    /// Its description in the document of one version, or of all.
    pub description: fn(Option<Version>) -> &'static str,
    /// Its schema in the document.
    pub schema: fn() -> Value,
}

/// How the text of a parameter is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A whole number, 0 or more.
    Number,
    /// A text.
    Text,
    /// A list of texts: repeated, separated by commas, or both.
    List,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The approval states, and the word for none.
const APPROVALS: &[&str] = &["in_review", "approved", "needs_changes", "none"];

pub const PAGE: Parameter = Parameter {
    name: "page",
    kind: ParameterKind::Number,
    since: Version::V20260520,
    description: |_| "The page; 0 and 1 are the first.",
    schema: || json!({"type": "integer", "minimum": 0, "default": 1}),
};
pub const PAGE_SIZE: Parameter = Parameter {
    name: "pageSize",
    kind: ParameterKind::Number,
    since: Version::V20260520,
    description: |_| "Entries on a page: at most {limits.page_size}; a larger number is reduced to that.",
    schema: || json!({"type": "integer", "minimum": 0, "default": "{default.page_size}"}),
};
pub const SEARCH_PAGE_SIZE: Parameter = Parameter {
    name: "pageSize",
    kind: ParameterKind::Number,
    since: Version::V20260520,
    description: |_| "Hits on a page: at most {limits.search_page_size}; a larger number is reduced to that.",
    schema: || json!({"type": "integer", "minimum": 0, "default": "{default.search_page_size}"}),
};
pub const LIMIT: Parameter = Parameter {
    name: "limit",
    kind: ParameterKind::Number,
    since: Version::V20260520,
    description: |_| "Tags in the answer: at most {most.tags}; a larger number is reduced to that.",
    schema: || json!({"type": "integer", "minimum": 0, "default": "{default.tags}"}),
};
/// Where a list continues.
pub const CURSOR: Parameter = Parameter {
    name: "cursor",
    kind: ParameterKind::Text,
    since: Version::V20260520,
    description: |_| "Where to continue, from the `Link` header of an earlier answer; exact even while assets come and go. Not together with `page`.",
    schema: || json!({"type": "string"}),
};
pub const TAGS: Parameter = Parameter {
    name: "tags",
    kind: ParameterKind::List,
    since: Version::V20260520,
    description: |version| match version {
        Some(Version::V20260520) => {
            "Only assets with any of these tags, at most {limits.tag_filter in 2026-05-20}: repeated, or separated by commas."
        }
        Some(Version::V20260708) => {
            "Only assets with any of these tags, at most {limits.tag_filter}: repeated, or separated by commas."
        }
        None => {
            "Only assets with any of these tags: repeated, or separated by commas. At most {limits.tag_filter}; {limits.tag_filter in 2026-05-20} in 2026-05-20."
        }
    },
    schema: || json!({"type": "array", "items": {"type": "string"}}),
};
pub const QUERY: Parameter = Parameter {
    name: "q",
    kind: ParameterKind::Text,
    since: Version::V20260520,
    description: |_| "The words to search for in names, descriptions and tags. Blank: everything, newest first.",
    schema: || json!({"type": "string"}),
};
pub const LIBRARIES: Parameter = Parameter {
    name: "libraries",
    kind: ParameterKind::List,
    since: Version::V20260520,
    description: |_| "The libraries to search: repeated, or separated by commas. Default: all that the key has access to.",
    schema: || json!({"type": "array", "items": {"type": "string"}}),
};
pub const APPROVAL: Parameter = Parameter {
    name: "approval",
    kind: ParameterKind::Word(APPROVALS),
    since: Version::V20260708,
    description: |version| match version {
        Some(_) => "Only assets in this approval state.",
        None => "Only assets in this approval state. Ignored in 2026-05-20.",
    },
    schema: || json!({"type": "string", "enum": APPROVALS}),
};
