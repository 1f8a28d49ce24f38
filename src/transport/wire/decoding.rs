//! What a client is told of JSON that does not fit: in words of JSON, without the place where a decoder gave up.

use crate::error::excerpt;

/// What the decoder calls things, and what they are in JSON.
const WORDS: [(&str, &str); 5] = [
    ("a sequence", "an array"),
    ("invalid type: sequence", "invalid type: array"),
    ("a map", "an object"),
    ("invalid type: map", "invalid type: object"),
    ("a borrowed string", "a string"),
];
/// The names of number types that the decoder tells, each of a whole number.
const NUMBERS: [&str; 10] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize"];

/// Why JSON does not fit what was expected of it, for the middle of a sentence.
#[must_use]
pub fn misfit(error: &serde_json::Error) -> String {
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
        misfit(&serde_json::from_str::<Shape>(json).unwrap_err())
    }

    #[test]
    fn what_does_not_fit_is_said_in_words_of_json() {
        assert_eq!(said(r#"{"n":"x"}"#), "invalid type: string \"x\", expected a whole number");
        assert_eq!(said(r#"{"list":{}}"#), "invalid type: object, expected an array");
        assert_eq!(said("\"x\""), "invalid type: string \"x\", expected an object");
        assert!(!said("{").contains("line"), "{}", said("{"));
        let long = said(&format!("\"{}\"", "x".repeat(300_000)));
        assert!(long.chars().count() <= 100, "{long}");
    }
}
