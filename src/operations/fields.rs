//! Lists of assets with only the requested fields.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The fields of an asset that can be requested, by their names on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AssetField {
    Id,
    ParentId,
    LibraryId,
    Type,
    Name,
    Description,
    Tags,
    Url,
    AppUrl,
    ContentType,
    Size,
    Width,
    Height,
    Blurhash,
    Sizes,
    Variants,
    Created,
    Updated,
    UploadedBy,
    Approval,
}

/// Something with the fields of an asset: all, or only the requested ones.
#[derive(Serialize)]
#[serde(untagged)]
pub enum SelectedFields<T> {
    /// With all fields.
    Whole(T),
    /// The id, the requested fields, and fields that don't belong to the asset.
    Part(Map<String, Value>),
}

impl<T: Serialize> SelectedFields<T> {
    /// A list, each with these fields; with all if none are named.
    ///
    /// # Errors
    /// When a value can't be converted to JSON, which does not happen.
    pub fn list(all: Vec<T>, fields: &[AssetField]) -> Result<Vec<Self>> {
        if fields.is_empty() {
            return Ok(all.into_iter().map(Self::Whole).collect());
        }
        let left_out: Vec<String> = EVERY
            .iter()
            .filter(|field| **field != AssetField::Id && !fields.contains(field))
            .map(|field| name(*field))
            .collect();
        let part = |one: T| match serde_json::to_value(one).map_err(Error::internal)? {
            Value::Object(mut members) => {
                members.retain(|name, _| !left_out.contains(name));
                Ok(Self::Part(members))
            }
            _ => Err(Error::internal("an asset is not an object")),
        };
        all.into_iter().map(part).collect()
    }
}

/// The schema with all fields, of which only the asset's id is required.
impl<T: JsonSchema> JsonSchema for SelectedFields<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        let optional: Vec<String> =
            EVERY.iter().filter(|field| **field != AssetField::Id).map(|field| name(*field)).collect();
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| !optional.iter().any(|optional| name == optional));
        }
        schema
    }
}

/// The field's name on the wire.
fn name(field: AssetField) -> String {
    match serde_json::to_value(field) {
        Ok(Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}

const EVERY: [AssetField; 20] = [
    AssetField::Id,
    AssetField::ParentId,
    AssetField::LibraryId,
    AssetField::Type,
    AssetField::Name,
    AssetField::Description,
    AssetField::Tags,
    AssetField::Url,
    AssetField::AppUrl,
    AssetField::ContentType,
    AssetField::Size,
    AssetField::Width,
    AssetField::Height,
    AssetField::Blurhash,
    AssetField::Sizes,
    AssetField::Variants,
    AssetField::Created,
    AssetField::Updated,
    AssetField::UploadedBy,
    AssetField::Approval,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::transport::wire::v2026_07_08::Asset;

    #[test]
    fn the_fields_match_those_of_an_asset() {
        let asset = schemars::schema_for!(Asset).to_value();
        let properties: BTreeSet<String> = asset["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(EVERY.iter().map(|field| name(*field)).collect::<BTreeSet<_>>(), properties);
    }
}
