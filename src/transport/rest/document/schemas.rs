//! The schemas of bodies in the OpenAPI document, made from the Rust types that read and write them.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder};
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema};

use crate::transport::wire::configured::Configured;

/// Where the document keeps its schemas.
const DEFINITIONS_PATH: &str = "/components/schemas";

/// All shapes that were asked for, by name.
pub struct Schemas {
    configured: Configured,
    written: SchemaGenerator,
    read: SchemaGenerator,
}

impl Schemas {
    pub fn new(configured: &Configured) -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| {
                    settings.definitions_path = DEFINITIONS_PATH.into();
                    settings.meta_schema = None;
                })
                .with_transform(RecursiveTransform(simplify))
        };
        Self {
            configured: configured.clone(),
            written: settings().for_serialize().into_generator(),
            read: settings().for_deserialize().into_generator(),
        }
    }

    /// A shape that the server writes.
    pub fn written<T: JsonSchema>(&mut self) -> RefOr<Schema> {
        let mut schema = self.written.subschema_for::<T>();
        RecursiveTransform(simplify).transform(&mut schema);
        self.literal(schema.to_value())
    }

    /// A shape that the server reads.
    pub fn read<T: JsonSchema>(&mut self) -> RefOr<Schema> {
        let schema = self.read.subschema_for::<T>().to_value();
        self.literal(schema)
    }

    /// A shape that is written down as JSON, and may name what is configured.
    pub fn literal(&self, mut schema: Value) -> RefOr<Schema> {
        self.configured.fill(&mut schema);
        to_openapi(schema)
    }

    /// A name for every shape that was asked for, and every shape in them.
    pub fn into_components(self) -> BTreeMap<String, RefOr<Schema>> {
        self.definitions().into_iter().map(|(name, schema)| (name, to_openapi(schema))).collect()
    }

    fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.written.take_definitions(true);
        all.extend(self.read.take_definitions(true));
        all.values_mut().for_each(|schema| self.configured.fill(schema));
        all
    }
}

/// `{"data": …}` around what the versions of the API answer. The request's header selects the version, which a schema
/// can't express, and an empty list matches both; so this is `anyOf`.
pub fn envelope(mut versions: Vec<RefOr<Schema>>) -> RefOr<Schema> {
    versions.dedup();
    let data = match <[RefOr<Schema>; 1]>::try_from(versions) {
        Ok([only]) => only,
        Err(versions) => versions.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item).into(),
    };
    ObjectBuilder::new()
        .property("data", data)
        .required("data")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .into()
}

/// The shape of this name.
pub fn named(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

/// A shape that is written down as JSON, with nothing in it that is configured.
pub fn literal(schema: Value) -> RefOr<Schema> {
    to_openapi(schema)
}

/// Converts a schema to the document's own type. A schema that this type can't hold becomes one that matches everything;
/// a test makes sure that no schema does.
fn to_openapi(schema: Value) -> RefOr<Schema> {
    serde_json::from_value(schema).unwrap_or_else(|_| RefOr::T(Schema::default()))
}

/// Removes what OpenAPI tools don't know: Rust's number formats, and a separate `const` for each word of an enumeration.
fn simplify(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        object.remove("format");
    }
    let words: Option<Vec<Value>> = object
        .get("oneOf")
        .and_then(Value::as_array)
        .and_then(|choices| choices.iter().map(|choice| choice.get("const").cloned()).collect());
    if let Some(words) = words {
        object.remove("oneOf");
        object.insert("type".to_owned(), json!("string"));
        object.insert("enum".to_owned(), Value::Array(words));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::operations::EndpointInput;
    use crate::transport::rest::ROUTES;
    use crate::transport::wire::Version;

    #[test]
    fn schemas_are_converted_without_loss() {
        let settings = crate::testing::settings(Path::new("/data"), "https://localhost:8443");
        let configured = Configured::new(&settings);
        let mut schemas = Schemas::new(&configured);
        for route in ROUTES.iter() {
            for version in Version::ALL {
                (route.data)(&mut schemas, version);
            }
            if let EndpointInput::Json(_) = route.endpoint.input {
                (route.body)(&mut schemas);
            }
        }
        let definitions = schemas.definitions();
        assert!(definitions.len() > 20, "{definitions:?}");
        for (name, schema) in definitions {
            let kept = serde_json::to_value(to_openapi(schema.clone())).unwrap();
            assert_eq!(kept, schema, "{name}");
        }
    }
}
