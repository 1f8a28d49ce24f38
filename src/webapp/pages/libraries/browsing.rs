//! What somebody looks through, as an address has it: `/app/{organization}/{library}?q=&tag=&sort=&after=`.

use crate::core::access::LibraryPath;
use crate::core::browse::{AssetQuery, BrowseCursor, Order};
use crate::webapp::path::LocalPath;

/// A library and what of it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browsing {
    /// The organization's slug, as the address has it.
    pub organization: String,
    /// The library's slug, as the address has it.
    pub library: String,
    /// What is looked for, and in which order.
    pub query: AssetQuery,
    /// The cursor after which the page begins.
    pub after: Option<BrowseCursor>,
    /// What was just put into the trash from here, so that the page can offer to take it back.
    pub trashed: Vec<String>,
}

impl Browsing {
    /// Reads an address's segments and query. What can't be understood is as if it were not there.
    pub fn parse((organization, library): (String, String), query: &str) -> Self {
        let mut browsing =
            Self { organization, library, query: AssetQuery::default(), after: None, trashed: Vec::new() };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "q" => value.trim().clone_into(&mut browsing.query.words),
                "tag" if !value.trim().is_empty() => browsing.query.tags.push(value.into_owned()),
                "sort" => browsing.query.order = Order::parse(&value),
                "after" => browsing.after = BrowseCursor::parse(&value),
                "trashed" => browsing.trashed.push(value.into_owned()),
                _ => {}
            }
        }
        browsing
    }

    /// The library.
    pub fn path(&self) -> LibraryPath<'_> {
        LibraryPath { organization: &self.organization, library: &self.library }
    }

    /// Whether only some of the library is looked at.
    pub fn is_narrowed(&self) -> bool {
        !self.query.words.is_empty() || !self.query.tags.is_empty()
    }

    /// Whether a picture that was just uploaded comes first.
    pub fn begins_with_newest(&self) -> bool {
        let order = self.query.order;
        !self.is_narrowed() && self.after.is_none() && order.is_none_or(|order| order == Order::Newest)
    }

    /// The library's address.
    pub fn whole(&self) -> LocalPath {
        LocalPath::to(&[&self.organization, &self.library])
    }

    /// The address of this list, from its start.
    pub fn list(&self) -> LocalPath {
        self.remembered(self.whole())
    }

    /// The address of the page of this list after a cursor.
    pub fn after(&self, place: &BrowseCursor) -> LocalPath {
        self.list().with("after", &place.to_string())
    }

    /// The address of this list that offers to take these assets out of the trash again.
    pub fn without(&self, trashed: &[String]) -> LocalPath {
        trashed.iter().fold(self.list(), |path, id| path.with("trashed", id))
    }

    /// The address of an asset's page, which leads on through this list and back to it.
    pub fn asset(&self, id: &str) -> LocalPath {
        self.remembered(LocalPath::to(&[&self.organization, &self.library, id]))
    }

    /// This list with a tag more, or, if it is filtered by that, without it.
    pub fn toggled(&self, tag: &str) -> Self {
        let mut toggled = Self { after: None, trashed: Vec::new(), ..self.clone() };
        let tags = &mut toggled.query.tags;
        let before = tags.len();
        tags.retain(|known| known != tag);
        if tags.len() == before {
            tags.push(tag.to_owned());
        }
        toggled
    }

    /// Whether it is filtered by this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.query.tags.iter().any(|known| known == tag)
    }

    fn remembered(&self, path: LocalPath) -> LocalPath {
        let AssetQuery { words, tags, order } = &self.query;
        let mut path = if words.is_empty() { path } else { path.with("q", words) };
        for tag in tags {
            path = path.with("tag", tag);
        }
        order.map_or(path.clone(), |order| path.with("sort", order.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browsing(query: &str) -> Browsing {
        Browsing::parse(("acme".to_owned(), "photos".to_owned()), query)
    }

    #[test]
    fn an_address_is_read_and_written_the_same() {
        for query in ["", "?q=golden%20gate&tag=a%26b&tag=c&sort=name", "?sort=size"] {
            let path = format!("/app/acme/photos{query}");
            assert_eq!(browsing(query.trim_start_matches('?')).list().as_str(), path);
        }
    }

    #[test]
    fn what_can_not_be_understood_is_passed_over() {
        let read = browsing("sort=colour&after=%FF&tag=&q=+&x=1");
        assert_eq!(read, browsing(""));
        assert!(read.begins_with_newest() && !read.is_narrowed());
    }

    #[test]
    fn a_tag_is_put_on_and_taken_off() {
        let with = browsing("q=x").toggled("sea");
        assert!(with.has_tag("sea") && !with.begins_with_newest());
        assert_eq!(with.toggled("sea"), browsing("q=x"));
    }
}
