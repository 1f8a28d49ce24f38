//! How large a document may be. It is measured before any field runs, and each fragment is measured only once, however
//! often it is spread, so that a document that is cheap to write is not expensive to refuse.

use std::collections::HashMap;

use async_graphql::parser::types::{FragmentDefinition, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned};

use super::response::RequestError;
use crate::error::excerpt;

/// Names, numbers, strings, variables and punctuation of a whole document.
const TOKENS: usize = 10_000;
/// Brackets within brackets. More than any allowed depth needs; the parser, and all code after it, recurse this deep.
const NESTING: usize = 48;
/// Fragments within fragments.
const FRAGMENTS: usize = 16;
/// Fields within fields.
const DEPTH: usize = 12;
/// The same for introspection: the query that tools send for the whole schema is this deep.
const SCHEMA_DEPTH: usize = 20;
/// Lists of the schema within lists of the schema; each multiplies the answer.
const SCHEMA_LISTS: usize = 1;
/// Fields in all, each place that a fragment is spread into counted.
const FIELDS: usize = 1000;
/// Fields of the root. Each reads the store.
const ROOTS: usize = 50;
/// Fields with an alias.
const ALIASES: usize = 50;
/// Directives.
const DIRECTIVES: usize = 50;

/// Fields of the schema that list the members of a type.
const LISTS_OF_THE_SCHEMA: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// Checks a text before it is parsed: how many tokens it has, and how deep its brackets go.
///
/// # Errors
/// When it is above a limit.
pub fn check_text(text: &str) -> Result<(), RequestError> {
    let (mut tokens, mut nesting) = (0_usize, 0_usize);
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = match first {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                rest = after;
                continue;
            }
            b'#' => {
                rest = after
                    .get(length_while(after, |byte| byte != b'\n' && byte != b'\r')..)
                    .unwrap_or_default();
                continue;
            }
            b'"' => after_string(after),
            b'{' | b'[' | b'(' => {
                nesting += 1;
                after
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                after
            }
            _ if is_word(first) => after.get(length_while(after, is_word)..).unwrap_or_default(),
            _ => after,
        };
        tokens += 1;
        if tokens > TOKENS {
            return Err(too_large(TOKENS, "tokens"));
        }
        if nesting > NESTING {
            return Err(RequestError::invalid(format!(
                "The document nests brackets more than {NESTING} deep."
            )));
        }
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn length_while(bytes: &[u8], holds: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|&byte| !holds(byte)).unwrap_or(bytes.len())
}

/// What is left after the string whose opening quote was just read.
fn after_string(rest: &[u8]) -> &[u8] {
    let Some(block) = rest.strip_prefix(b"\"\"") else {
        let mut escaped = false;
        let end = rest.iter().position(|&byte| {
            let ends = !escaped && (byte == b'"' || byte == b'\n');
            escaped = !escaped && byte == b'\\';
            ends
        });
        return end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
    };
    let mut from = 0;
    while let Some(at) = find(block, b"\"\"\"", from) {
        let end = at + 3;
        if at == 0 || block.get(at - 1) != Some(&b'\\') {
            return block.get(end..).unwrap_or_default();
        }
        from = end;
    }
    &[]
}

fn find(text: &[u8], what: &[u8], from: usize) -> Option<usize> {
    text.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| from + at)
}

/// Checks the operation that is to be run.
///
/// # Errors
/// When it is above a limit, when a fragment spreads itself, or when introspection is turned off.
pub fn check(
    operation: &OperationDefinition,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    introspection: bool,
) -> Result<(), RequestError> {
    let mut meter = SizeMeter { fragments, introspection, known: HashMap::new(), open: Vec::new() };
    let size = meter.measure(&operation.selection_set.node)?;
    let directives = size.directives + operation.directives.len();
    for (number, most, what) in [
        (size.fields, FIELDS, "fields"),
        (size.roots, ROOTS, "fields at its root"),
        (size.aliases, ALIASES, "aliases"),
        (directives, DIRECTIVES, "directives"),
    ] {
        if number > most {
            return Err(too_large(most, what));
        }
    }
    if size.depth > DEPTH {
        return Err(RequestError::invalid(format!("The document nests fields more than {DEPTH} deep.")));
    }
    Ok(())
}

fn too_large(most: usize, what: &str) -> RequestError {
    RequestError::invalid(format!("The document has more than {most} {what}. Ask for less in one request."))
}

/// How large a selection is, with everything that it spreads.
#[derive(Debug, Clone, Copy, Default)]
struct SelectionSize {
    fields: usize,
    roots: usize,
    aliases: usize,
    directives: usize,
    depth: usize,
    schema_lists: usize,
}

impl SelectionSize {
    fn add(&mut self, other: Self) {
        // Saturating: thirty fragments that spread each other twice are more fields than a number holds.
        self.fields = self.fields.saturating_add(other.fields);
        self.roots = self.roots.saturating_add(other.roots);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
        self.schema_lists = self.schema_lists.max(other.schema_lists);
    }
}

struct SizeMeter<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    introspection: bool,
    known: HashMap<&'a str, SelectionSize>,
    open: Vec<&'a str>,
}

impl<'a> SizeMeter<'a> {
    fn measure(&mut self, selection: &'a SelectionSet) -> Result<SelectionSize, RequestError> {
        let mut size = SelectionSize::default();
        for item in &selection.items {
            size.directives = size.directives.saturating_add(item.node.directives().len());
            size.add(match &item.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let mut inner = self.measure(&field.node.selection_set.node)?;
                    inner.fields = inner.fields.saturating_add(1);
                    inner.roots = 1;
                    inner.aliases = inner.aliases.saturating_add(usize::from(field.node.alias.is_some()));
                    inner.depth += 1;
                    inner.schema_lists += usize::from(LISTS_OF_THE_SCHEMA.contains(&name));
                    if matches!(name, "__schema" | "__type") { self.schema(inner)? } else { inner }
                }
                Selection::InlineFragment(inline) => self.measure(&inline.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name)?,
            });
        }
        Ok(size)
    }

    /// A fragment that is not there has no size; validation says that it is missing.
    fn fragment(&mut self, name: &'a Positioned<Name>) -> Result<SelectionSize, RequestError> {
        let place = name.pos;
        let name = name.node.as_str();
        if let Some(size) = self.known.get(name) {
            return Ok(*size);
        }
        let Some(fragment) = self.fragments.get(name) else { return Ok(SelectionSize::default()) };
        if self.open.contains(&name) {
            let message = format!("The fragment `{}` spreads itself.", excerpt(name));
            return Err(RequestError::invalid(message).at(place));
        }
        if self.open.len() == FRAGMENTS {
            return Err(RequestError::invalid(format!(
                "The document nests fragments more than {FRAGMENTS} deep."
            )));
        }
        self.open.push(name);
        let mut size = self.measure(&fragment.node.selection_set.node)?;
        size.directives = size.directives.saturating_add(fragment.node.directives.len());
        self.open.pop();
        self.known.insert(name, size);
        Ok(size)
    }

    /// Introspection has limits of its own; the other fields of the document have the usual ones.
    fn schema(&self, size: SelectionSize) -> Result<SelectionSize, RequestError> {
        if !self.introspection {
            return Err(RequestError::invalid("Introspection is turned off on this server."));
        }
        if size.depth > SCHEMA_DEPTH || size.schema_lists > SCHEMA_LISTS {
            return Err(RequestError::invalid(
                "The introspection query is nested too deeply. Ask for one type at a time.",
            ));
        }
        Ok(SelectionSize { depth: 1, schema_lists: 0, ..size })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::DocumentOperations;
    use proptest::prelude::*;

    use super::*;

    fn fits(document: &str) -> bool {
        if check_text(document).is_err() {
            return false;
        }
        let document = parse_query(document).unwrap();
        let DocumentOperations::Single(operation) = document.operations else { panic!("one operation") };
        check(&operation.node, &document.fragments, true).is_ok()
    }

    fn nested(depth: usize) -> String {
        format!("{}{{a}}{}", "{a".repeat(depth - 1), "}".repeat(depth - 1))
    }

    #[test]
    fn each_limit_is_exact() {
        let list = |what: &str, count: usize| format!("{{r {{ {} }} }}", what.repeat(count));
        for (fitting, above) in [
            (nested(DEPTH), nested(DEPTH + 1)),
            (list("a ", FIELDS - 1), list("a ", FIELDS)),
            (list("x: a ", ALIASES), list("x: a ", ALIASES + 1)),
            (list("a @d ", DIRECTIVES), list("a @d ", DIRECTIVES + 1)),
            (format!("{{ {} }}", "a ".repeat(ROOTS)), format!("{{ {} }}", "a ".repeat(ROOTS + 1))),
        ] {
            assert!(fits(&fitting), "{fitting}");
            assert!(!fits(&above), "{above}");
        }
    }

    #[test]
    fn tokens_and_brackets_are_counted_outside_of_strings_and_comments() {
        assert!(check_text(&"a,".repeat(TOKENS)).is_ok());
        assert!(check_text(&"a ".repeat(TOKENS + 1)).is_err());
        assert!(check_text(&"[".repeat(NESTING + 1)).is_err());
        let brackets = "[".repeat(NESTING + 1);
        for harmless in [
            format!("\"{brackets}\""),
            format!("\"\\\"{brackets}\""),
            format!("\"\"\"\\\"\"\" {brackets} \"\"\""),
            format!("#{brackets}\n"),
        ] {
            assert!(check_text(&harmless).is_ok(), "{harmless}");
        }
        for hidden in
            [format!("\"\"{brackets}"), format!("\"\\\\\"{brackets}"), format!("\"\"\"\"\"\"{brackets}")]
        {
            assert!(check_text(&hidden).is_err(), "{hidden}");
        }
    }

    #[test]
    fn fragments_that_multiply_or_spread_themselves_are_refused() {
        let doubling: String = (0..15)
            .map(|n| format!("fragment f{n} on Q {{ ...f{next} ...f{next} }}", next = n + 1))
            .collect::<Vec<_>>()
            .concat();
        assert!(!fits(&format!("{{...f0}} {doubling} fragment f15 on Q {{ a }}")));
        assert!(!fits("{...a} fragment a on Q {...b} fragment b on Q {...a}"));
        let chain: String = (0..FRAGMENTS)
            .map(|n| format!("fragment f{n} on Q {{ ...f{} }}", n + 1))
            .collect::<Vec<_>>()
            .concat();
        assert!(!fits(&format!("{{...f0}} {chain} fragment f{FRAGMENTS} on Q {{ a }}")));
        assert!(fits("{...a ...a} fragment a on Q {...b} fragment b on Q {a}"));
    }

    #[test]
    fn the_usual_introspection_query_is_allowed_and_one_that_multiplies_is_not() {
        let types = "ofType{kind name ".repeat(9);
        let usual = format!(
            "{{__schema{{types{{fields{{args{{type{{{types} {}}}}} }} inputFields{{name}} possibleTypes{{name}}}}}}}}",
            "}".repeat(9)
        );
        assert!(fits(&usual), "{usual}");
        assert!(!fits("{__schema{types{fields{type{fields{name}}}}}}"));
        let document = parse_query("{__type(name:\"Asset\"){name}}").unwrap();
        let DocumentOperations::Single(operation) = document.operations else { panic!("one operation") };
        assert!(check(&operation.node, &document.fragments, false).is_err());
    }

    proptest! {
        #[test]
        fn measuring_a_text_never_panics(text in "[\"\\\\#{\\[(\n a]{0,200}|.*") {
            let _ = check_text(&text);
        }
    }
}
