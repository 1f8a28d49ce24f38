//! JSON schemas of the arguments and results of tools, made from the Rust types, in a form that every client reads:
//! no references, no `$schema`, no formats that only Rust knows, and as short as possible, because agents pay for every
//! word.

use rmcp::model::JsonObject;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::operations::{Paging, ToolAnswer};
use crate::transport::wire::configured::Configured;

/// The schema of a tool's arguments: the ids of its target, and the operation's input. Other members are not allowed.
/// Only the arguments in `texts` have a description.
pub fn input<T: JsonSchema>(ids: &[&str], texts: &[(&str, &str)], configured: &Configured) -> JsonObject {
    let mut schema = plain().for_deserialize().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(without_null).transform(&mut schema);
    RecursiveTransform(closed).transform(&mut schema);
    RecursiveTransform(without_lengths).transform(&mut schema);
    let mut schema = object(schema);
    // Clients need this member even where there are no arguments.
    if let Value::Object(properties) = schema.entry("properties").or_insert_with(|| json!({})) {
        describe(properties, texts);
        properties.extend(ids.iter().map(|id| ((*id).to_owned(), json!({ "type": "string" }))));
    }
    if !ids.is_empty() {
        let required = ids.iter().map(|id| json!(id));
        let others =
            schema.remove("required").and_then(|others| others.as_array().cloned()).unwrap_or_default();
        schema.insert("required".into(), required.chain(others).collect());
    }
    schema.insert("additionalProperties".into(), json!(false));
    let mut schema = Value::Object(schema);
    configured.fill(&mut schema);
    schema.as_object().cloned().unwrap_or_default()
}

/// Replaces the descriptions of all arguments, which are meant for the OpenAPI document, by these texts.
fn describe(properties: &mut JsonObject, texts: &[(&str, &str)]) {
    for property in properties.values_mut() {
        let Value::Object(property) = property else { continue };
        property.remove("description");
        if let Some(Value::Object(items)) = property.get_mut("items") {
            items.remove("description");
        }
    }
    for (name, text) in texts {
        if let Some(Value::Object(property)) = properties.get_mut(*name) {
            property.insert("description".into(), json!(text));
        }
    }
}

/// The schema of a tool's structured answer.
pub fn output<T: JsonSchema>(form: ToolAnswer, depth: Option<usize>) -> JsonObject {
    let mut schema = match form {
        ToolAnswer::Object => answered::<T>(),
        ToolAnswer::List { name, pages } => list(name, answered::<T>(), pages),
    };
    if let Some(depth) = depth {
        shallow(&mut schema, depth);
    }
    split_types(&mut schema);
    schema
}

/// The schema of a list under a name.
fn list(name: &str, items: JsonObject, pages: Paging) -> JsonObject {
    let mut properties = JsonObject::new();
    properties.insert(name.to_owned(), Value::Object(items));
    let mut required = vec![json!(name)];
    match pages {
        Paging::Unstated => {}
        Paging::NextAndTotal => {
            for member in ["nextPage", "total"] {
                properties.insert(member.to_owned(), json!({ "type": ["integer", "null"] }));
                required.push(json!(member));
            }
        }
    }
    let mut schema = JsonObject::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), Value::Object(properties));
    schema.insert("required".into(), Value::Array(required));
    schema
}

/// Removes the members of objects that are nested deeper than this; that they are objects remains.
fn shallow(schema: &mut JsonObject, depth: usize) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for property in properties.values_mut() {
        let inner = if property.get("items").is_some() { property.get_mut("items") } else { Some(property) };
        let Some(Value::Object(inner)) = inner else { continue };
        if depth > 0 {
            shallow(inner, depth - 1);
        } else {
            inner.remove("properties");
            inner.remove("required");
        }
    }
}

/// Turns a list of types into `anyOf` with one type each: clients that know only one type for each schema would drop the
/// others.
fn split_types(schema: &mut JsonObject) {
    schema.values_mut().for_each(split_types_within);
    let Some(Value::Array(types)) = schema.get("type") else { return };
    let types = types.clone();
    schema.remove("type");
    let rest = std::mem::take(schema);
    let of_type = |kind: Value| {
        let mut choice = if kind == "null" { JsonObject::new() } else { rest.clone() };
        choice.insert("type".into(), kind);
        Value::Object(choice)
    };
    schema.insert("anyOf".into(), types.into_iter().map(of_type).collect());
}

fn split_types_within(value: &mut Value) {
    match value {
        Value::Object(schema) => split_types(schema),
        Value::Array(values) => values.iter_mut().for_each(split_types_within),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn answered<T: JsonSchema>() -> JsonObject {
    let mut schema = plain().for_serialize().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(bare).transform(&mut schema);
    object(schema)
}

fn plain() -> SchemaSettings {
    let mut settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(plainly));
    settings.meta_schema = None;
    settings.inline_subschemas = true;
    settings
}

fn object(schema: Schema) -> JsonObject {
    let mut schema = schema.to_value().as_object().cloned().unwrap_or_default();
    // The names of Rust types mean nothing to a client.
    schema.remove("title");
    schema.remove("description");
    schema
}

/// Removes formats such as `uint32`, which make clients warn, and the titles of inlined types. A constant for each word of
/// an enumeration becomes one list.
fn plainly(schema: &mut Schema) {
    schema.remove("format");
    if schema.get("title").is_some_and(Value::is_string) {
        schema.remove("title");
    }
    let words: Option<Vec<Value>> = schema
        .get("oneOf")
        .and_then(Value::as_array)
        .and_then(|choices| choices.iter().map(|choice| choice.get("const").cloned()).collect());
    if let Some(words) = words {
        schema.remove("oneOf");
        schema.insert("type".into(), json!("string"));
        schema.insert("enum".into(), Value::Array(words));
    }
}

/// Removes the lengths and patterns of texts: operations check them, with better messages.
fn without_lengths(schema: &mut Schema) {
    for keyword in ["minLength", "maxLength", "pattern"] {
        schema.remove(keyword);
    }
}

/// Disallows members that the schema of an object does not name, and gives a choice between objects the type of an object.
fn closed(schema: &mut Schema) {
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".into(), json!(false));
    }
    if schema.get("const").is_some() {
        schema.remove("type");
    }
    let objects = schema.get("oneOf").and_then(Value::as_array);
    if objects.is_some_and(|choices| choices.iter().all(|choice| choice["type"] == "object")) {
        schema.insert("type".into(), json!("object"));
    }
}

/// Removes what an answer shows by its names and values: the descriptions, that a number is not negative, and that words
/// are strings.
fn bare(schema: &mut Schema) {
    schema.remove("minimum");
    if schema.get("description").is_some_and(Value::is_string) {
        schema.remove("description");
    }
    if schema.get("enum").is_some() {
        schema.remove("type");
    }
}

/// Removes `null` from the types of optional arguments: it is accepted, but not advertised.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".into(), one);
        }
    }
    if let Some(Value::Array(kinds)) = schema.get_mut("anyOf") {
        kinds.retain(|kind| kind != &json!({ "type": "null" }));
        if let [Value::Object(only)] = kinds.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.ensure_object().entry(key).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}
