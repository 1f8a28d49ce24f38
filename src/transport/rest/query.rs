//! The parameters of a request's query: read by name, and refused when malformed. What they mean is not known here.

use serde_json::Value;
use url::form_urlencoded;

use crate::error::{Error, Result};
use crate::operations::{Parameter, ParameterKind};

/// A query, in the order it was sent.
pub struct QueryString(Vec<(String, String)>);

impl QueryString {
    /// Reads a query. Any text is a valid query.
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The names of all parameters, each as often as it occurs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first value of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A whole number; one of more than 64 bits counts as the largest.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for what is not a number.
    pub fn number(&self, name: &str) -> Result<Option<u64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::bad_input(format!("`{name}` must be a whole number, 0 or more.")));
        }
        Ok(Some(text.parse().unwrap_or(u64::MAX)))
    }

    /// Texts that are repeated, separated by commas, or both; blank ones don't count.
    pub fn list(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(given, _)| given == name);
        let items = values.flat_map(|(_, value)| value.split(',')).map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// The value of a parameter, read as it is declared; none if it is not given.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for what is not a number or not one of the words.
    pub fn value(&self, parameter: &Parameter) -> Result<Option<Value>> {
        let name = parameter.name;
        Ok(match parameter.kind {
            ParameterKind::Number => self.number(name)?.map(Value::from),
            ParameterKind::Text => self.text(name).map(Value::from),
            ParameterKind::List => Some(self.list(name)).filter(|list| !list.is_empty()).map(Value::from),
            ParameterKind::Word(words) => self.word(name, words)?.map(Value::from),
        })
    }

    fn word(&self, name: &str, words: &[&str]) -> Result<Option<&str>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if words.contains(&text) {
            return Ok(Some(text));
        }
        let (last, others) = words.split_last().unwrap_or((&"", &[]));
        Err(Error::bad_input(format!("The parameter `{name}` must be {} or {last}.", others.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_repeated_or_separated_by_commas() {
        let query = QueryString::parse("tags=a,b%20c&tags=&tags=,d&other=e&tags=%C3%A4");
        assert_eq!(query.list("tags"), ["a", "b c", "d", "ä"]);
    }

    #[test]
    fn an_error_for_an_invalid_number_names_the_parameter() {
        for text in ["page=", "page=-1", "page=1.5", "page=one", "page=%2B1", "page=1+"] {
            let error = QueryString::parse(text).number("page").unwrap_err();
            assert!(error.message().contains("`page`"), "{text}");
        }
        assert_eq!(QueryString::parse("page=99999999999999999999").number("page").unwrap(), Some(u64::MAX));
        assert_eq!(QueryString::parse("page=007&page=x").number("page").unwrap(), Some(7));
    }

    #[test]
    fn a_word_is_one_of_those_that_are_declared() {
        let words = ["in_review", "approved", "none"];
        assert_eq!(QueryString::parse("a=approved").word("a", &words).unwrap(), Some("approved"));
        assert_eq!(QueryString::parse("").word("a", &words).unwrap(), None);
        let error = QueryString::parse("a=x").word("a", &words).unwrap_err();
        assert_eq!(error.message(), "The parameter `a` must be in_review, approved or none.");
    }

    proptest! {
        #[test]
        fn reading_a_query_never_panics(text in ".*") {
            let query = QueryString::parse(&text);
            let _ = (query.number("page"), query.list("tags"), query.word("approval", &["none"]));
        }
    }
}
