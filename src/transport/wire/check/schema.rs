//! Reads the parts of a JSON schema that a check needs, and describes in words what it expects.

use serde_json::Value;

/// How many words a list of choices may have that is named in full.
pub const CHOICES: usize = 6;

/// What a schema expects, in words.
pub fn described(schema: &Value) -> String {
    if let Some(choices) = choices(schema) {
        return if choices.len() <= CHOICES { one_of(&choices) } else { "one of a list of words".to_owned() };
    }
    match kind(schema) {
        "object" => "an object".to_owned(),
        "array" => match schema.get("items").map(kind) {
            Some("object") => "an array of objects".to_owned(),
            Some("string") => "an array of strings".to_owned(),
            Some(_) | None => "an array".to_owned(),
        },
        "integer" => match schema.get("minimum").and_then(Value::as_u64) {
            Some(least) => format!("a whole number, {least} or more"),
            None => "a whole number".to_owned(),
        },
        "boolean" => "true or false".to_owned(),
        _ => "a string".to_owned(),
    }
}

/// The words that a schema lets choose from.
pub fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(constant) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![constant]);
    }
    Some(schema.get("enum")?.as_array()?.iter().filter_map(Value::as_str).collect())
}

/// The type of a schema; of several, the first that is not null.
pub fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
        }
        Some(_) | None => "",
    }
}

pub fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

pub fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|required| required.iter().any(|one| one == name))
}

/// Words as a choice, for a sentence.
pub fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
