//! The documentation for those who use and run the server: pages in Markdown, all in the binary. One rendering for the web,
//! the terminal and an export. Knows no HTTP; `transport/docs.rs` serves the pages, `cli/docs.rs` prints them.

use crate::core::settings::Limits;

mod escaping;
mod generated;
mod html;
mod markdown;
mod pages;
mod search;
mod site;
mod terminal;
#[cfg(test)]
mod tests;

pub use markdown::Heading;
pub use pages::{DocGroup, DocPage, PAGES};
pub use search::{DocHit, MAX_QUERY};
pub use site::{FILES, Site};

use search::DocIndex;

/// The pages with the numbers of one server, and the search over them.
pub struct Documentation {
    pages: Vec<CompletePage>,
    index: DocIndex,
}

/// A page with its generated part, if it has one.
pub struct CompletePage {
    /// The page.
    pub page: &'static DocPage,
    /// Its whole text, with links to other pages in the form `name.md`.
    pub markdown: String,
}

impl Documentation {
    /// The documentation of a server with these limits.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let complete = |page: &'static DocPage| {
            let text = generated::filled(page.text, limits);
            CompletePage { page, markdown: markdown::with_flat_links(&text) }
        };
        let pages: Vec<_> = PAGES.iter().map(complete).collect();
        Self { index: DocIndex::of(&pages), pages }
    }

    /// All pages, in the order of the contents.
    #[must_use]
    pub fn pages(&self) -> &[CompletePage] {
        &self.pages
    }

    /// The page with this name.
    #[must_use]
    pub fn page(&self, name: &str) -> Option<&CompletePage> {
        self.pages.iter().find(|complete| complete.page.name() == name)
    }

    /// The places where all words of a query are found, the best first. Only the first [`MAX_QUERY`] characters of the
    /// query count.
    #[must_use]
    pub fn search(&self, query: &str) -> Vec<DocHit> {
        self.index.search(query)
    }

    /// All pages in one text.
    #[must_use]
    pub fn whole_text(&self) -> String {
        self.pages.iter().map(|complete| complete.markdown.trim_end()).collect::<Vec<_>>().join("\n\n") + "\n"
    }
}

impl CompletePage {
    /// The headings, with the ids by which links reach them.
    #[must_use]
    pub fn headings(&self) -> Vec<Heading> {
        markdown::headings(&self.markdown)
    }

    /// The text under the heading with this id, with the heading.
    #[must_use]
    pub fn section(&self, id: &str) -> Option<&str> {
        markdown::section(&self.markdown, id)
    }

    /// The text as HTML, with links as they are on this site.
    #[must_use]
    pub fn html(&self, site: Site) -> String {
        html::render(&self.markdown, site)
    }
}

/// The text of a page, or of a part of one, for a terminal; `styled` adds bold and coloured letters.
#[must_use]
pub fn terminal_text(markdown: &str, width: usize, styled: bool) -> String {
    terminal::render(markdown, width, styled)
}
