//! Prepares the one operation of a client's document that is run: parses it, checks its limits, and substitutes its
//! variables. A document that is refused here costs no more than parsing it.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::parser::{self, parse_query};
use async_graphql::{Name, Positioned, Variables};

use super::request::GraphQlRequest;
use super::response::RequestError;
use super::{cost, limits, variables};
use crate::error::{Error, excerpt};

/// An operation that is ready to be validated and run.
pub struct PreparedOperation {
    /// What kind of operation it is.
    pub kind: OperationType,
    /// The operation alone, with the fragments that it reaches.
    pub document: ExecutableDocument,
    /// The values of its variables.
    pub variables: Variables,
    /// The fields of its root in the order of the document: what they are called in the answer and in the schema.
    pub roots: Vec<(Name, Name)>,
    /// The most that the answer can cost, as far as the document shows.
    pub cost: usize,
}

impl PreparedOperation {
    /// Gets a request ready.
    ///
    /// # Errors
    /// For a document that is not GraphQL or above a limit, for an operation that is not in it, and for a variable
    /// that is missing or has a value of another type.
    pub fn new(
        request: GraphQlRequest,
        introspection: bool,
        costs: cost::CostLimit<'_>,
    ) -> Result<Self, RequestError> {
        limits::check_text(&request.query)?;
        let document = parse_query(&request.query).map_err(|error| not_graphql(&error))?;
        let ExecutableDocument { operations, fragments } = document;
        let mut operation = chosen(operations, request.operation_name.as_deref())?;
        limits::check(&operation.node, &fragments, introspection)?;
        let mut fragments = reached(&operation.node.selection_set.node, fragments);
        let variables = variables::substitute(&mut operation.node, &mut fragments, request.variables)?;
        let cost = cost::check(&operation.node, &fragments, &variables, costs)?;
        let kind = operation.node.ty;
        let mut roots = Vec::new();
        collect_roots(&operation.node.selection_set.node, &fragments, &mut roots);
        let document = ExecutableDocument { operations: DocumentOperations::Single(operation), fragments };
        Ok(Self { kind, document, variables, roots, cost })
    }
}

fn not_graphql(error: &parser::Error) -> RequestError {
    let places: Vec<_> = error.positions().collect();
    let message = match (error, places.first()) {
        (parser::Error::Syntax { .. }, Some(place)) => {
            format!("The document is not GraphQL: see line {}, column {}.", place.line, place.column)
        }
        (other, _) => {
            format!("The document is not GraphQL: {}.", excerpt(other.to_string().trim_end_matches('.')))
        }
    };
    RequestError::syntax(message, places)
}

/// The operation that is to be run: the one of this name, or the only one.
fn chosen(
    operations: DocumentOperations,
    name: Option<&str>,
) -> Result<Positioned<OperationDefinition>, Error> {
    match (operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Single(_), Some(name)) => Err(no_such_operation(name)),
        (DocumentOperations::Multiple(mut named), Some(name)) => {
            named.remove(name).ok_or_else(|| no_such_operation(name))
        }
        (DocumentOperations::Multiple(named), None) => {
            let mut operations = named.into_values();
            match (operations.next(), operations.next()) {
                (Some(only), None) => Ok(only),
                _ => Err(Error::bad_input(
                    "The document has several operations. Name the one to run in `operationName`.",
                )),
            }
        }
    }
}

fn no_such_operation(name: &str) -> Error {
    Error::bad_input(format!("The document has no operation named `{}`.", excerpt(name)))
}

fn collect_roots(
    selection: &SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    roots: &mut Vec<(Name, Name)>,
) {
    for item in &selection.items {
        match &item.node {
            Selection::Field(field) => {
                let (shown, name) = (&field.node.response_key().node, &field.node.name.node);
                if roots.iter().all(|(known, _)| known != shown) {
                    roots.push((shown.clone(), name.clone()));
                }
            }
            Selection::InlineFragment(inline) => {
                collect_roots(&inline.node.selection_set.node, fragments, roots);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    collect_roots(&fragment.node.selection_set.node, fragments, roots);
                }
            }
        }
    }
}

/// The fragments that a selection reaches. The others belong to operations that are not run.
fn reached(
    selection: &SelectionSet,
    mut fragments: HashMap<Name, Positioned<FragmentDefinition>>,
) -> HashMap<Name, Positioned<FragmentDefinition>> {
    let mut names = HashSet::new();
    let mut open = vec![selection];
    while let Some(selection) = open.pop() {
        for item in &selection.items {
            match &item.node {
                Selection::Field(field) => open.push(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => open.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if names.insert(name.clone())
                        && let Some(fragment) = fragments.get(name)
                    {
                        open.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    fragments.retain(|name, _| names.contains(name));
    fragments
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::settings::Limits;

    fn prepare(query: &str, operation: Option<&str>) -> Result<PreparedOperation, RequestError> {
        let operation_name = operation.map(ToOwned::to_owned);
        PreparedOperation::new(
            GraphQlRequest { query: query.to_owned(), operation_name, variables: Variables::default() },
            true,
            cost::CostLimit { most: 30_000, limits: &Limits::default() },
        )
    }

    #[test]
    fn only_the_chosen_operation_is_left() {
        let document = "query A { ...a } mutation B { ...b } fragment a on Query { viewer { ...v } }
            fragment b on Mutation { x } fragment v on Viewer { plan }";
        let prepared = prepare(document, Some("A")).unwrap();
        assert_eq!(prepared.kind, OperationType::Query);
        let mut names: Vec<&str> = prepared.document.fragments.keys().map(Name::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "v"]);
        assert_eq!(prepare(document, Some("B")).unwrap().kind, OperationType::Mutation);
        for (document, name) in [(document, None), (document, Some("C")), ("{viewer{plan}}", Some("C"))] {
            assert!(prepare(document, name).is_err());
        }
    }

    proptest! {
        #[test]
        fn preparing_never_panics(text in ".*", tokens in proptest::collection::vec("[{}()\\[\\]:$!@.a\"#,]|\\.\\.\\.| on |query|fragment|a:", 0..60)) {
            let _ = prepare(&text, None);
            let _ = prepare(&tokens.concat(), None);
        }
    }
}
