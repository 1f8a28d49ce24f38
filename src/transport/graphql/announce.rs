//! Announces the operations of a request: for the metrics, and for the faults and the records of a server that was started
//! for tests.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::Value;
use async_graphql::parser::types::{DocumentOperations, Field, Selection};

use super::document::PreparedOperation;
use crate::core::Core;
use crate::core::access::Caller;
use crate::error::Result;
use crate::operations::{Declaration, declarations};
use crate::transport;

/// The arguments that name a library.
const LIBRARIES: [&str; 2] = ["libraryId", "sourceLibraryId"];
/// The argument that names the organization.
const ORGANIZATION: &str = "organizationId";

/// The operation of each field.
static OPERATIONS: LazyLock<HashMap<&str, Declaration>> = LazyLock::new(|| {
    let of_operation =
        |declaration: Declaration| declaration.graphql.iter().map(move |field| (*field, declaration));
    declarations().into_iter().flat_map(of_operation).collect()
});

/// Announces what a request is about to run.
///
/// # Errors
/// That of a fault.
pub async fn announce(core: &Core, caller: &Caller, prepared: &PreparedOperation) -> Result<()> {
    let DocumentOperations::Single(operation) = &prepared.document.operations else { return Ok(()) };
    for item in &operation.node.selection_set.node.items {
        if let Selection::Field(field) = &item.node
            && let Some(declaration) = OPERATIONS.get(field.node.name.node.as_str())
        {
            if core.test_control().is_none() {
                transport::record_operation(declaration.name);
                continue;
            }
            let text = |names: &[&str]| argument(&field.node, names, prepared);
            let (organization, library) = (text(&[ORGANIZATION]), text(&LIBRARIES));
            let place = [organization.as_str(), &library];
            transport::begin_operation(
                core,
                transport::request_id(),
                Some(caller),
                declaration.into(),
                place,
            )
            .await?;
        }
    }
    Ok(())
}

/// The text of the first of these arguments that a field has; empty when it has none.
fn argument(field: &Field, names: &[&str], prepared: &PreparedOperation) -> String {
    let given = field.arguments.iter().find(|(name, _)| names.contains(&name.node.as_str()));
    let value = given.and_then(|(_, value)| {
        value.node.clone().into_const_with(|name| prepared.variables.get(&name).cloned().ok_or(())).ok()
    });
    match value {
        Some(Value::String(text)) => text,
        Some(_) | None => String::new(),
    }
}
