//! Compares the JSON of a client with the schema of what is expected, and says in plain words where it does not fit:
//! all that is wrong at once, without the words of a decoder, and with little of what the client sent.
//! Knows no transport. What the values mean is checked by the operations.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

mod schema;
#[cfg(test)]
mod tests;

use schema::{CHOICES, choices, described, is_required, kind, one_of, properties};

/// How many characters of what a client sent are repeated in one answer.
const ECHO: usize = 100;
/// How many of them in one place.
const ECHO_AT_ONCE: usize = 40;
/// How long the description of all problems may be, in characters.
const LENGTH: usize = 800;
/// How many problems are described at most.
const PROBLEMS: usize = 50;

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

fn within(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
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
