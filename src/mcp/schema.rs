//! JSON schemas of what tools take and answer, made from the Rust types, in a form that every client reads:
//! no references, no `$schema`, no formats that only Rust knows.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// The schema of a tool's arguments.
pub fn input<T: JsonSchema>() -> JsonObject {
    let mut schema = plain().for_deserialize().into_generator().into_root_schema_for::<T>();
    WithoutNull.transform(&mut schema);
    let mut schema = object(schema);
    // Clients insist on it, also where there are no arguments.
    schema.entry("properties").or_insert_with(|| json!({}));
    schema
}

/// The schema of a tool's structured answer.
pub fn output<T: JsonSchema>() -> Arc<JsonObject> {
    Arc::new(object(plain().for_serialize().into_generator().into_root_schema_for::<T>()))
}

/// The schema of a structured answer that is a list under a name.
pub fn output_list<T: JsonSchema>(name: &str) -> Arc<JsonObject> {
    let items = object(plain().for_serialize().into_generator().into_root_schema_for::<Vec<T>>());
    let mut schema = JsonObject::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), json!({ name: items }));
    schema.insert("required".into(), json!([name]));
    Arc::new(schema)
}

fn plain() -> SchemaSettings {
    let mut settings = SchemaSettings::draft2020_12().with_transform(WithoutFormat);
    settings.meta_schema = None;
    settings.inline_subschemas = true;
    settings
}

fn object(schema: Schema) -> JsonObject {
    let mut schema = schema.to_value().as_object().cloned().unwrap_or_default();
    // The names of Rust types say nothing to a client.
    schema.remove("title");
    schema.remove("description");
    schema
}

/// Takes away formats such as `uint32`, which make clients warn, and the titles of inlined types.
#[derive(Clone)]
struct WithoutFormat;

impl Transform for WithoutFormat {
    fn transform(&mut self, schema: &mut Schema) {
        schema.remove("format");
        if schema.get("title").is_some_and(Value::is_string) {
            schema.remove("title");
        }
        transform_subschemas(self, schema);
    }
}

/// Says of an optional argument only what it is when it is there: a `null` in its place is tolerated, not offered.
#[derive(Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
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
        transform_subschemas(self, schema);
    }
}
