//! Compares the JSON of a client with the schema of what is expected, and says in plain words where it does not fit:
//! all that is wrong at once, without the words of a decoder, and with little of what the client sent.
//! Knows no transport. What the values mean is checked by the operations.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

/// How many characters of what a client sent are repeated in one answer.
const ECHO: usize = 100;
/// How many of them in one place.
const ECHO_AT_ONCE: usize = 40;
/// How long the description of all problems may be, in characters.
const LENGTH: usize = 800;
/// How many problems are described at most.
const PROBLEMS: usize = 50;
/// How many words a list of choices may have that is named in full.
const CHOICES: usize = 6;

/// Makes a value fit a schema. A string that holds the JSON that is expected is taken as that JSON, and `1.0` as `1`.
/// Members that the schema does not have are refused, and the nearest one that it has is named.
///
/// # Errors
/// One line, of a bounded length, that names everything that does not fit.
pub fn fit(schema: &Value, value: Value) -> Result<Value, String> {
    let mut check = Check { echo: ECHO, problems: Vec::new(), more: 0 };
    let value = check.value(schema, value, "");
    if check.problems.is_empty() { Ok(value) } else { Err(check.described()) }
}

struct Check {
    /// How many characters of the client's may still be repeated.
    echo: usize,
    problems: Vec<String>,
    /// How many problems there are beyond those that are described.
    more: usize,
}

impl Check {
    /// All problems in one line: as many as fit, and how many more there are.
    fn described(self) -> String {
        let mut line = String::new();
        let mut length = 0;
        let mut more = self.more;
        for problem in self.problems {
            length += problem.chars().count() + 2;
            if !line.is_empty() && length > LENGTH {
                more += 1;
                continue;
            }
            if !line.is_empty() {
                line.push_str("; ");
            }
            line.push_str(&problem);
        }
        if more == 0 { line } else { format!("{line}; and {more} more") }
    }

    fn value(&mut self, schema: &Value, value: Value, place: &str) -> Value {
        if let Some(choices) = choices(schema) {
            return self.choice(&choices, value, place);
        }
        match kind(schema) {
            "object" => self.object(schema, value, place),
            "array" => self.array(schema, value, place),
            "integer" => self.integer(schema, value, place),
            "boolean" => match unpacked(value, Value::is_boolean) {
                value @ Value::Bool(_) => value,
                other => self.unexpected("true or false", &other, place),
            },
            "string" if !value.is_string() => self.unexpected("a string", &value, place),
            _ => value,
        }
    }

    fn choice(&mut self, choices: &[&str], value: Value, place: &str) -> Value {
        if value.as_str().is_some_and(|text| choices.contains(&text)) {
            return value;
        }
        if choices.len() <= CHOICES {
            return self.unexpected(&one_of(choices), &value, place);
        }
        let got = self.shown(&value);
        let nearest = value.as_str().and_then(|text| nearest(text, choices.iter().copied()));
        let nearest = nearest.map(|word| format!("; the nearest is {word}")).unwrap_or_default();
        self.problem(place, &format!("there is no {got}{nearest}"));
        Value::Null
    }

    fn object(&mut self, schema: &Value, value: Value, place: &str) -> Value {
        match (unpacked(value, Value::is_object), schema.get("oneOf").and_then(Value::as_array)) {
            (Value::Object(members), None) => self.members(schema, members, place),
            (Value::Object(members), Some(variants)) => match self.variant(variants, &members, place) {
                Some(schema) => self.members(schema, members, place),
                None => Value::Null,
            },
            (other, _) => self.unexpected("an object", &other, place),
        }
    }

    /// Which of several objects one is, by the member that has another constant in each.
    fn variant<'s>(
        &mut self,
        variants: &'s [Value],
        members: &Map<String, Value>,
        place: &str,
    ) -> Option<&'s Value> {
        let mut constants = Vec::new();
        let mut tag = "";
        for variant in variants {
            for (name, property) in properties(variant) {
                if let Some(constant) = property.get("const").and_then(Value::as_str) {
                    if members.get(name).and_then(Value::as_str) == Some(constant) {
                        return Some(variant);
                    }
                    constants.push(constant);
                    tag = name;
                }
            }
        }
        let place = within(place, tag);
        match members.get(tag) {
            None | Some(Value::Null) => {
                self.problem(&place, &format!("missing; expected {}", one_of(&constants)));
            }
            Some(other) => {
                self.unexpected(&one_of(&constants), other, &place);
            }
        }
        None
    }

    fn members(&mut self, schema: &Value, mut members: Map<String, Value>, place: &str) -> Value {
        let mut fitting = Map::new();
        for (name, property) in properties(schema) {
            let inside = within(place, name);
            match members.remove(name) {
                Some(value) if !value.is_null() => {
                    let value = self.value(property, value, &inside);
                    fitting.insert(name.clone(), value);
                }
                Some(_) | None => {
                    if is_required(schema, name) {
                        self.problem(&inside, &format!("missing; expected {}", described(property)));
                    }
                }
            }
        }
        members.keys().for_each(|name| self.unknown(schema, name, place));
        Value::Object(fitting)
    }

    fn unknown(&mut self, schema: &Value, name: &str, place: &str) {
        let shown = self.quoted(name);
        let known = properties(schema).map(|(name, _)| name.as_str());
        let problem = match nearest(name, known) {
            Some(nearest) => format!("there is no argument {shown}; the nearest is {nearest}"),
            None => format!("there is no argument {shown}; it takes none"),
        };
        self.problem(place, &problem);
    }

    fn array(&mut self, schema: &Value, value: Value, place: &str) -> Value {
        let items = match unpacked(value, Value::is_array) {
            Value::Array(items) => items,
            other => return self.unexpected(&described(schema), &other, place),
        };
        let bound = |name| schema.get(name).and_then(Value::as_u64).map(usize::try_from);
        let least = bound("minItems").and_then(Result::ok).unwrap_or(0);
        let most = bound("maxItems").and_then(Result::ok).unwrap_or(usize::MAX);
        let count = items.len();
        if !(least..=most).contains(&count) {
            self.problem(place, &format!("expected {least} to {most} items, but there are {count}"));
            return Value::Null;
        }
        let Some(item) = schema.get("items") else { return Value::Array(items) };
        let fitting = items.into_iter().enumerate();
        Value::Array(fitting.map(|(n, value)| self.value(item, value, &format!("{place}[{n}]"))).collect())
    }

    fn integer(&mut self, schema: &Value, value: Value, place: &str) -> Value {
        let value = unpacked(value, Value::is_number);
        let whole = value.as_number().and_then(whole);
        let least = schema.get("minimum").and_then(Value::as_u64);
        match whole {
            Some(Whole::Natural(number)) if least.is_none_or(|least| number >= least) => number.into(),
            Some(Whole::Negative(number)) if least.is_none() => number.into(),
            Some(_) | None => self.unexpected(&described(schema), &value, place),
        }
    }

    fn unexpected(&mut self, expected: &str, got: &Value, place: &str) -> Value {
        let got = self.shown(got);
        self.problem(place, &format!("expected {expected}, but got {got}"));
        Value::Null
    }

    fn problem(&mut self, place: &str, problem: &str) {
        if self.problems.len() == PROBLEMS {
            self.more += 1;
            return;
        }
        let problem = if place.is_empty() { problem.to_owned() } else { format!("{place}: {problem}") };
        self.problems.push(problem);
    }

    fn shown(&mut self, value: &Value) -> String {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::String(text) => self.quoted(text),
            Value::Array(_) => "an array".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        }
    }

    /// A text of the client's, as much of it as may be repeated.
    fn quoted(&mut self, text: &str) -> String {
        let most = ECHO_AT_ONCE.min(self.echo);
        let shown: String = text.chars().take(most).collect();
        self.echo -= shown.chars().count();
        let cut = if shown.len() < text.len() { "…" } else { "" };
        format!("\"{shown}{cut}\"")
    }
}

/// The JSON in a string, where that is what is expected; else the value as it is.
fn unpacked(value: Value, is_expected: fn(&Value) -> bool) -> Value {
    let found = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    found.filter(is_expected).unwrap_or(value)
}

/// A whole number.
enum Whole {
    Natural(u64),
    Negative(i64),
}

fn whole(number: &Number) -> Option<Whole> {
    if let Some(natural) = number.as_u64() {
        return Some(Whole::Natural(natural));
    }
    if let Some(negative) = number.as_i64() {
        return Some(Whole::Negative(negative));
    }
    let number = number.as_f64().filter(|number| number.fract() == 0.0)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole numbers; one beyond 64 bits counts as the largest"
    )]
    match number.total_cmp(&-0.0) {
        Ordering::Less => Some(Whole::Negative(number as i64)),
        Ordering::Equal | Ordering::Greater => Some(Whole::Natural(number as u64)),
    }
}

/// What a schema expects, in words.
fn described(schema: &Value) -> String {
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
fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(constant) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![constant]);
    }
    Some(schema.get("enum")?.as_array()?.iter().filter_map(Value::as_str).collect())
}

/// The type of a schema; of several, the first that is not null.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
        }
        Some(_) | None => "",
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|required| required.iter().any(|one| one == name))
}

fn within(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The known word that looks most like this one.
fn nearest<'w>(text: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |text: &str| -> String {
        let letters = text.chars().take(ECHO).filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let text = plain(text);
    let likeness = |word: &str| strsim::jaro_winkler(&text, &plain(word));
    known
        .map(|word| (word, likeness(word)))
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(word, _)| word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "organizationId": { "type": "string" },
                "page": { "type": "integer", "minimum": 0 },
                "preview": { "type": "boolean" },
                "tags": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 3 },
                "state": { "type": "string", "enum": ["on", "off"] },
                "fields": { "type": "array", "items": { "enum": ["id", "name", "url", "size", "tags", "width", "height"] } },
                "source": {
                    "type": "object",
                    "oneOf": [
                        { "properties": { "kind": { "const": "url" }, "url": { "type": "string" } }, "required": ["kind", "url"] },
                        { "properties": { "kind": { "const": "base64" }, "data": { "type": "string" } }, "required": ["kind", "data"] },
                    ],
                },
            },
            "required": ["organizationId", "page"],
        })
    }

    fn fitted(value: Value) -> Result<Value, String> {
        fit(&schema(), value)
    }

    #[test]
    fn what_is_meant_without_doubt_is_taken() {
        for (page, number) in [
            (json!(1), json!(1)),
            (json!(1.0), json!(1)),
            (json!(2e3), json!(2000)),
            (json!("5"), json!(5)),
            (json!("5.0"), json!(5)),
            (json!(-0.0), json!(0)),
            (json!(1e300), json!(u64::MAX)),
        ] {
            let fitting = fitted(json!({ "organizationId": "a", "page": page })).unwrap();
            assert_eq!(fitting["page"], number, "{page}");
        }
        let packed = json!({
            "organizationId": "[\"a\"]", "page": 1, "tags": "[\"a\"]", "preview": "true", "state": null,
            "source": "{\"kind\": \"url\", \"url\": \"x\"}",
        });
        let unpacked = json!({
            "organizationId": "[\"a\"]", "page": 1, "tags": ["a"], "preview": true,
            "source": { "kind": "url", "url": "x" },
        });
        assert_eq!(fitted(packed), Ok(unpacked));
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        for (value, said) in [
            (
                json!({}),
                "organizationId: missing; expected a string; page: missing; expected a whole number, 0 or more",
            ),
            (json!([]), "expected an object, but got an array"),
            (
                json!({ "organizationId": 7, "page": -1 }),
                "organizationId: expected a string, but got 7; page: expected a whole number, 0 or more, but got -1",
            ),
            (
                json!({ "organizationId": "a", "page": 1.5 }),
                "page: expected a whole number, 0 or more, but got 1.5",
            ),
            (
                json!({ "organizationId": "a", "page": "two" }),
                "page: expected a whole number, 0 or more, but got \"two\"",
            ),
            (
                json!({ "organizationId": "a", "page": 1, "tags": "a" }),
                "tags: expected an array of strings, but got \"a\"",
            ),
            (
                json!({ "organizationId": "a", "page": 1, "tags": [] }),
                "tags: expected 1 to 3 items, but there are 0",
            ),
            (
                json!({ "organizationId": "a", "page": 1, "tags": ["a", 7] }),
                "tags[1]: expected a string, but got 7",
            ),
            (
                json!({ "organizationId": "a", "page": 1, "state": "" }),
                "state: expected on or off, but got \"\"",
            ),
            (
                json!({ "organizationId": "a", "page": 1, "fields": ["nam"] }),
                "fields[0]: there is no \"nam\"; the nearest is name",
            ),
            (
                json!({ "organizationId": "a", "page": 1, "source": {} }),
                "source.kind: missing; expected url or base64",
            ),
            (
                json!({ "organizationId": "a", "page": 1, "source": { "kind": "ftp" } }),
                "source.kind: expected url or base64, but got \"ftp\"",
            ),
            (
                json!({ "organizationId": "a", "page": 1, "source": { "kind": "url" } }),
                "source.url: missing; expected a string",
            ),
            (
                json!({ "organizationId": "a", "page": 1, "source": { "kind": "url", "url": "x", "data": "" } }),
                "source: there is no argument \"data\"; the nearest is url",
            ),
            (
                json!({ "organization_id": "a", "page": 1 }),
                "organizationId: missing; expected a string; there is no argument \"organization_id\"; the nearest is organizationId",
            ),
        ] {
            assert_eq!(fitted(value.clone()), Err(said.to_owned()), "{value}");
        }
    }

    #[test]
    fn little_is_repeated_of_what_the_client_sent() {
        let long = "x".repeat(1_000_000);
        let many: Map<String, Value> = (0..10_000).map(|n| (format!("{n}{long:.60}"), json!(1))).collect();
        for value in [
            json!(long),
            json!({ "organizationId": "a", "page": long, "state": long, "tags": long, "source": long }),
            json!({ "organizationId": "a", "page": 1, "fields": vec![long.clone(); 20] }),
            json!(many),
        ] {
            let said = fitted(value).unwrap_err();
            assert!(said.chars().count() <= 850, "{said}");
            assert!(said.matches('x').count() <= ECHO + 10, "{said}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,200}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            let names = prop_oneof![
                prop::sample::select(vec![
                    "organizationId",
                    "page",
                    "tags",
                    "fields",
                    "source",
                    "kind",
                    "url"
                ])
                .prop_map(str::to_owned),
                ".{0,200}",
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(names, inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_description_is_bounded(value in any_json()) {
            if let Err(said) = fit(&schema(), value) {
                prop_assert!(said.chars().count() <= 1000, "{}", said);
            }
        }
    }
}
