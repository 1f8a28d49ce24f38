//! The part of a library that somebody browses, as in an address: `/app/{organization}/{library}?q=&tag=&sort=&after=`, and the
//! filters: `type`, `by`, `from`, `to`, `orientation`, `approval`, `untagged`, and `tags=all`.

use crate::core::access::LibraryPath;
use crate::core::browse::{AssetFilter, AssetQuery, BrowseCursor, Day, Order, TypeFilter};
use crate::core::model::{ApprovalFilter, Orientation};
use crate::webapp::path::LocalPath;

/// A library, and the search, filters and order applied to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browsing {
    /// The organization's slug, as the address has it.
    pub organization: String,
    /// The library's slug, as the address has it.
    pub library: String,
    /// The search words and tags, and the order.
    pub query: AssetQuery,
    /// The cursor after which the page begins.
    pub after: Option<BrowseCursor>,
    /// The assets that were just moved to the trash from here, so that the page can offer to restore them.
    pub trashed: Vec<String>,
}

impl Browsing {
    /// Reads an address's segments and query. What is invalid is ignored.
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
                name => read_filter(&mut browsing.query.filter, name, &value),
            }
        }
        browsing
    }

    /// The library.
    pub fn path(&self) -> LibraryPath<'_> {
        LibraryPath { organization: &self.organization, library: &self.library }
    }

    /// Whether a search or filter narrows the list.
    pub fn is_narrowed(&self) -> bool {
        !self.query.words.is_empty() || !self.query.tags.is_empty() || !self.query.filter.is_empty()
    }

    /// Whether an asset that was just uploaded comes first.
    pub fn begins_with_newest(&self) -> bool {
        let order = self.query.order;
        !self.is_narrowed() && self.after.is_none() && order.is_none_or(|order| order == Order::Newest)
    }

    /// The library's address.
    pub fn library_address(&self) -> LocalPath {
        LocalPath::to(&[&self.organization, &self.library])
    }

    /// The address of this list, from its start.
    pub fn list_address(&self) -> LocalPath {
        self.remembered(self.library_address())
    }

    /// The address of the page of this list after a cursor.
    pub fn after(&self, cursor: &BrowseCursor) -> LocalPath {
        self.list_address().with("after", &cursor.to_string())
    }

    /// The address of this list, with the offer to restore these assets from the trash.
    pub fn offering_restore(&self, trashed: &[String]) -> LocalPath {
        trashed.iter().fold(self.list_address(), |path, id| path.with("trashed", id))
    }

    /// The address of an asset's page, which links to the next and the previous one in this list and back to it.
    pub fn asset_address(&self, id: &str) -> LocalPath {
        self.remembered(LocalPath::to(&[&self.organization, &self.library, id]))
    }

    /// This list with a filter by this tag, or without it if there is one already.
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

    /// This list from its start, with this filter in place of its own.
    pub fn filtered(&self, filter: AssetFilter) -> Self {
        let query = AssetQuery { filter, ..self.query.clone() };
        Self { query, after: None, trashed: Vec::new(), ..self.clone() }
    }

    /// Whether it is filtered by this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.query.tags.iter().any(|known| known == tag)
    }

    fn remembered(&self, path: LocalPath) -> LocalPath {
        let AssetQuery { words, tags, order, filter } = &self.query;
        let mut path = if words.is_empty() { path } else { path.with("q", words) };
        for tag in tags {
            path = path.with("tag", tag);
        }
        path = with_filter(path, filter);
        order.map_or(path.clone(), |order| path.with("sort", order.as_str()))
    }
}

/// Reads a parameter of the filters. What is invalid is ignored.
fn read_filter(filter: &mut AssetFilter, name: &str, value: &str) {
    match name {
        "type" => {
            let wanted = TypeFilter::parse(value).filter(|wanted| !filter.types.contains(wanted));
            filter.types.extend(wanted);
        }
        "by" => filter.uploader = Some(value.to_owned()).filter(|name| !name.is_empty()),
        "from" => filter.from = Day::parse(value),
        "to" => filter.to = Day::parse(value),
        "orientation" => {
            filter.orientation = Orientation::ALL.into_iter().find(|shape| shape.as_str() == value);
        }
        "approval" => filter.approval = ApprovalFilter::parse(value),
        "untagged" => filter.untagged = value == "1",
        "tags" => filter.all_tags = value == "all",
        _ => {}
    }
}

fn with_filter(path: LocalPath, filter: &AssetFilter) -> LocalPath {
    let AssetFilter { all_tags, untagged, types, uploader, from, to, orientation, approval } = filter;
    let types = types.iter().map(|wanted| ("type", Some(wanted.name())));
    let others = [
        ("tags", all_tags.then(|| "all".to_owned())),
        ("untagged", untagged.then(|| "1".to_owned())),
        ("by", uploader.clone()),
        ("from", from.map(|day| day.to_string())),
        ("to", to.map(|day| day.to_string())),
        ("orientation", orientation.map(|shape| shape.as_str().to_owned())),
        ("approval", approval.map(|approval| approval.as_str().to_owned())),
    ];
    let given = types.chain(others).filter_map(|(name, value)| Some((name, value?)));
    given.fold(path, |path, (name, value)| path.with(name, &value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browsing(query: &str) -> Browsing {
        Browsing::parse(("acme".to_owned(), "photos".to_owned()), query)
    }

    #[test]
    fn an_address_is_read_and_written_the_same() {
        let filters = "?tag=c&type=image&type=pdf&tags=all&untagged=1&by=Ada%20L&from=2026-01-31&to=2026-02-28\
                       &orientation=portrait&approval=in_review&sort=name";
        for query in ["", "?q=golden%20gate&tag=a%26b&tag=c&sort=name", "?sort=size", filters] {
            let path = format!("/app/acme/photos{query}");
            assert_eq!(browsing(query.trim_start_matches('?')).list_address().as_str(), path);
        }
    }

    #[test]
    fn invalid_parameters_are_ignored() {
        let read = browsing(
            "sort=colour&after=%FF&tag=&q=+&x=1&type=film&by=&from=2026-02-30&to=x&orientation=&approval=yes&untagged=2&tags=any",
        );
        assert_eq!(read, browsing(""));
        assert!(read.begins_with_newest() && !read.is_narrowed());
    }

    #[test]
    fn a_tag_filter_is_toggled() {
        let with = browsing("q=x").toggled("sea");
        assert!(with.has_tag("sea") && !with.begins_with_newest());
        assert_eq!(with.toggled("sea"), browsing("q=x"));
    }
}
