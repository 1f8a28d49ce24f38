//! Answers to introspection: replaces the placeholders in the schema's descriptions by the server's configured numbers.

use async_graphql::{Name, Value};

use crate::transport::wire::configured::Configured;

/// The fields of the root that show the schema.
const FIELDS: [&str; 2] = ["__schema", "__type"];

/// Replaces the placeholders in the descriptions of an answer. `roots` are the fields of its root: what they are called
/// in the answer and in the schema.
pub fn complete(data: &mut Value, roots: &[(Name, Name)], configured: &Configured) {
    let Value::Object(fields) = data else { return };
    for (shown, name) in roots {
        if FIELDS.contains(&name.as_str())
            && let Some(value) = fields.get_mut(shown)
        {
            fill(value, configured);
        }
    }
}

fn fill(value: &mut Value, configured: &Configured) {
    match value {
        Value::String(text) => *text = configured.text(text),
        Value::List(values) => values.iter_mut().for_each(|value| fill(value, configured)),
        Value::Object(fields) => fields.values_mut().for_each(|value| fill(value, configured)),
        Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => {}
    }
}
