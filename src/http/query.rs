//! The parameters of a request's query: read by name, told apart from nonsense. What they mean is not known here.

use url::form_urlencoded;

use crate::app::page::{Cursor, Page, Slice, Start};
use crate::error::{Error, Result};

/// A query, in the order it was sent.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query; every text is one.
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A whole number; one beyond 64 bits counts as the largest.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for what is no number.
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

    /// The page that `page` and `pageSize` ask for.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for what is no number.
    pub fn page(&self, default: usize, largest: usize) -> Result<Page> {
        Ok(Page::new(self.number("page")?, self.number("pageSize")?, default, largest))
    }

    /// The part of a list that `cursor` or `page`, and `pageSize`, ask for.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for what is no number, a cursor that was never given out, and both at once.
    pub fn slice(&self, default: usize, largest: usize) -> Result<Slice> {
        let page = self.page(default, largest)?;
        let Some(cursor) = self.text("cursor") else { return Ok(page.into()) };
        if self.text("page").is_some() {
            return Err(Error::bad_input("Give either `page` or `cursor`, not both."));
        }
        let cursor = Cursor::parse(cursor).ok_or_else(|| {
            Error::bad_input(
                "The parameter `cursor` must be taken from the `Link` header of an earlier answer.",
            )
        })?;
        Ok(Slice { start: Start::After(cursor), size: page.size })
    }

    /// The state that `approval` asks for.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for one that does not exist.
    pub fn approval(&self) -> Result<Option<ApprovalFilter>> {
        let Some(state) = self.text("approval") else { return Ok(None) };
        match state {
            "none" => Ok(Some(ApprovalFilter::Missing)),
            "in_review" | "approved" | "needs_changes" => Ok(Some(ApprovalFilter::Decided)),
            _ => Err(Error::bad_input(
                "The parameter `approval` must be in_review, approved, needs_changes or none.",
            )),
        }
    }
}

/// Which assets are asked for by their approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalFilter {
    /// Those without one: all, as long as nothing sets approvals.
    Missing,
    /// Those in one of its states: none, as long as nothing sets approvals.
    Decided,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_repeated_or_separated_by_commas() {
        let query = Query::parse("tags=a,b%20c&tags=&tags=,d&other=e&tags=%C3%A4");
        assert_eq!(query.list("tags"), ["a", "b c", "d", "ä"]);
    }

    #[test]
    fn what_is_no_number_is_refused_by_its_name() {
        for text in ["page=", "page=-1", "page=1.5", "page=one", "page=%2B1", "page=1+"] {
            let error = Query::parse(text).number("page").unwrap_err();
            assert!(error.message().contains("`page`"), "{text}");
        }
        assert_eq!(Query::parse("page=99999999999999999999").number("page").unwrap(), Some(u64::MAX));
        assert_eq!(Query::parse("page=007&page=x").number("page").unwrap(), Some(7));
    }

    #[test]
    fn a_cursor_and_a_page_exclude_each_other() {
        let cursor = "AAAAAAAAAABBQUFBQUFBQUFBQUFBQUFB";
        assert!(Query::parse(&format!("cursor={cursor}")).slice(50, 500).is_ok());
        assert!(Query::parse(&format!("cursor={cursor}&page=1")).slice(50, 500).is_err());
        assert!(Query::parse("cursor=").slice(50, 500).is_err());
    }

    proptest! {
        #[test]
        fn reading_a_query_never_panics(text in ".*") {
            let query = Query::parse(&text);
            let _ = (query.number("page"), query.list("tags"), query.slice(50, 500), query.approval());
        }
    }
}
