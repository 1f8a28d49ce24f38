//! Whole pages of the documentation: what surrounds the text, on the server and in a folder of files.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use askama::Template;

use super::markdown::Heading;
use super::pages::{DocGroup, DocPage};
use super::search::{DocHit, MAX_QUERY};
use super::{CompletePage, Documentation};
use crate::core::model::text::shown_in_line;
use crate::error::{Error, Result};

/// What all pages load: a name, a media type and a text. The styles are those of the web app, and a few more.
pub const FILES: [(&str, &str, &str); 2] = [
    (
        "docs.css",
        "text/css; charset=utf-8",
        concat!(include_str!("../webapp/layout/shared.css"), include_str!("docs.css")),
    ),
    ("favicon.svg", "image/svg+xml", include_str!("../webapp/layout/favicon.svg")),
];
/// A short hash of those files.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for (_, _, text) in FILES {
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
});
/// A page with so many headings begins with a list of them. One with more has a table of its own.
const LISTED_HEADINGS: RangeInclusive<usize> = 4..=16;

/// Where pages are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// On the server, which also has the references of its interfaces and the search.
    Web,
    /// In a folder of files, without a server.
    Folder,
}

impl Site {
    /// The address of a page.
    #[must_use]
    pub fn page(self, name: &str) -> String {
        match self {
            Self::Web => format!("/docs/{name}"),
            Self::Folder => format!("{name}.html"),
        }
    }

    /// The address of the front page.
    #[must_use]
    pub const fn front(self) -> &'static str {
        match self {
            Self::Web => "/docs",
            Self::Folder => "index.html",
        }
    }

    /// The address of one of the [`FILES`]. On the server it changes with them, so that a browser may keep them.
    #[must_use]
    pub fn file(self, name: &str) -> String {
        match self {
            Self::Web => format!("/docs/{name}?v={}", *VERSION),
            Self::Folder => name.to_owned(),
        }
    }

    const fn is_web(self) -> bool {
        matches!(self, Self::Web)
    }
}

/// What every page has around its text.
struct Frame {
    site: Site,
    title: String,
    /// The name of the page that is shown; empty on the front page.
    here: &'static str,
    groups: Vec<(DocGroup, Vec<&'static DocPage>)>,
    /// What was searched for.
    query: String,
}

#[derive(Template)]
#[template(config = "src/docs/askama.toml", path = "page.html")]
struct PageTemplate<'a> {
    frame: Frame,
    page: &'static DocPage,
    contents: &'a [Heading],
    html: &'a str,
}

#[derive(Template)]
#[template(config = "src/docs/askama.toml", path = "front.html")]
struct FrontTemplate {
    frame: Frame,
}

#[derive(Template)]
#[template(config = "src/docs/askama.toml", path = "results.html")]
struct ResultsTemplate {
    frame: Frame,
    hits: Vec<DocHit>,
}

impl Documentation {
    /// The page that leads to all others.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR` when the template fails.
    pub fn front_html(&self, site: Site) -> Result<String> {
        rendered(&FrontTemplate { frame: self.frame(site, "Documentation", "") })
    }

    /// A page.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR` when the template fails.
    pub fn page_html(&self, complete: &CompletePage, site: Site) -> Result<String> {
        let mut contents = complete.headings();
        contents.retain(|heading| heading.level == 2);
        if !LISTED_HEADINGS.contains(&contents.len()) {
            contents.clear();
        }
        let frame = self.frame(site, complete.page.title(), complete.page.name());
        let html = complete.html(site);
        // The template has the title, above the list of headings.
        let html = html.split_once("</h1>").map_or(html.as_str(), |(_, text)| text);
        rendered(&PageTemplate { frame, page: complete.page, contents: &contents, html })
    }

    /// What a search found, with links to it.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR` when the template fails.
    pub fn results_html(&self, query: &str) -> Result<String> {
        let query: String = query.chars().take(MAX_QUERY).collect();
        let hits = self.search(&query);
        let mut frame = self.frame(Site::Web, "Search", "");
        frame.query = shown_in_line(query.trim()).into_owned();
        rendered(&ResultsTemplate { frame, hits })
    }

    fn frame(&self, site: Site, title: &str, here: &'static str) -> Frame {
        let of_group = |group: DocGroup| {
            let pages = self.pages().iter().map(|complete| complete.page);
            (group, pages.filter(|page| page.group == group).collect())
        };
        let groups = DocGroup::ALL.map(of_group).to_vec();
        Frame { site, title: title.to_owned(), here, groups, query: String::new() }
    }
}

fn rendered(template: &impl Template) -> Result<String> {
    template.render().map_err(Error::internal)
}
