//! Describes JSON that could not be read, for the client that sent it: in terms of JSON, without the decoder's line and
//! column.

use crate::error::excerpt;

/// The decoder's terms, and those of JSON.
const WORDS: [(&str, &str); 5] = [
    ("a sequence", "an array"),
    ("invalid type: sequence", "invalid type: array"),
    ("a map", "an object"),
    ("invalid type: map", "invalid type: object"),
    ("a borrowed string", "a string"),
];
/// The types that the decoder names where it expects a whole number.
const NUMBERS: [&str; 10] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize"];

/// Why JSON could not be read, for the middle of a sentence.
#[must_use]
pub fn describe_json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let mut said = text.strip_suffix(&place).unwrap_or(&text).to_owned();
    if let Some((before, expected)) = said.rsplit_once(", expected ") {
        let is_number = NUMBERS.contains(&expected);
        let is_shape = ["struct ", "internally tagged ", "tuple ", "enum "]
            .iter()
            .any(|word| expected.starts_with(word));
        let expected = if is_number {
            "a whole number"
        } else if is_shape {
            "an object"
        } else {
            expected
        };
        said = format!("{before}, expected {expected}");
    }
    for (word, json) in WORDS {
        said = said.replace(word, json);
    }
    excerpt(&said).to_string()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Shape {
        #[serde(rename = "n")]
        _n: Option<u32>,
        #[serde(rename = "list")]
        _list: Option<Vec<String>>,
    }

    fn said(json: &str) -> String {
        describe_json_error(&serde_json::from_str::<Shape>(json).unwrap_err())
    }

    #[test]
    fn errors_are_described_in_terms_of_json() {
        assert_eq!(said(r#"{"n":"x"}"#), "invalid type: string \"x\", expected a whole number");
        assert_eq!(said(r#"{"list":{}}"#), "invalid type: object, expected an array");
        assert_eq!(said("\"x\""), "invalid type: string \"x\", expected an object");
        assert!(!said("{").contains("line"), "{}", said("{"));
        let long = said(&format!("\"{}\"", "x".repeat(300_000)));
        assert!(long.chars().count() <= 100, "{long}");
    }
}
