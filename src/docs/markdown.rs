//! What all renderings share: how a page is read, the ids of its headings, and where its links lead.

use std::collections::HashMap;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::pages::PAGES;

/// A heading of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 for the title, 2 for what is below it.
    pub level: u8,
    /// What a link to it has after `#`.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// Reads a page.
pub fn events(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES)
}

/// The headings of a page, in their order.
pub fn headings(markdown: &str) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    let mut ids = HashMap::new();
    let (mut open, mut is_code) = (None, false);
    for event in events(markdown) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                (open, is_code) = (Some(String::new()), level > HeadingLevel::H1);
            }
            Event::Code(code) => {
                if let Some(text) = &mut open {
                    text.push_str(&code);
                }
            }
            Event::Text(words) => {
                is_code = false;
                if let Some(text) = &mut open {
                    text.push_str(&words);
                }
            }
            Event::End(TagEnd::Heading(level)) => {
                let text = open.take().unwrap_or_default();
                let id = if is_code { text.clone() } else { slug(&text) };
                found.push(Heading { level: level as u8, id: unique(id, &mut ids), text });
            }
            _ => {}
        }
    }
    found
}

/// The part of a page under the heading with this id, with the heading.
pub fn section<'a>(markdown: &'a str, id: &str) -> Option<&'a str> {
    let starts = events(markdown).into_offset_iter().filter_map(|(event, place)| {
        matches!(event, Event::Start(Tag::Heading { .. })).then_some(place.start)
    });
    let found: Vec<(Heading, usize)> = headings(markdown).into_iter().zip(starts).collect();
    let at = found.iter().position(|(heading, _)| heading.id == id)?;
    let (first, rest) = found.get(at..)?.split_first()?;
    let next = rest.iter().find(|(heading, _)| heading.level <= first.0.level);
    markdown.get(first.1..next.map_or(markdown.len(), |(_, start)| *start))
}

/// The id of a heading, as rustdoc and code hosts make it. One that is only code, such as an error's, keeps its letters.
fn slug(text: &str) -> String {
    let kept = text.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter.to_ascii_lowercase() }).collect()
}

/// The id, with a number when an earlier heading has it.
fn unique(id: String, taken: &mut HashMap<String, usize>) -> String {
    let count = taken.entry(id.clone()).or_default();
    *count += 1;
    if *count == 1 { id } else { format!("{id}-{}", *count - 1) }
}

/// Where a link of a page leads.
#[derive(Debug, PartialEq, Eq)]
pub enum LinkTarget<'a> {
    /// Another page, by name, or this one for an empty name; and the id of a heading, which may be empty.
    Page(&'a str, &'a str),
    /// Another site.
    Elsewhere(&'a str),
    /// Nothing that the documentation has.
    Nowhere,
}

/// Where an address in the Markdown of a page leads.
pub fn target(address: &str) -> LinkTarget<'_> {
    if address.contains("://") {
        return LinkTarget::Elsewhere(address);
    }
    let (path, id) = address.split_once('#').unwrap_or((address, ""));
    let file = path.rsplit('/').next().unwrap_or(path);
    let name = file.strip_suffix(".md").unwrap_or(file);
    let exists = path.is_empty() || (name != file && PAGES.iter().any(|page| page.name() == name));
    if exists { LinkTarget::Page(name, id) } else { LinkTarget::Nowhere }
}

/// The text with links to other pages as they are where all pages are in one folder.
pub fn with_flat_links(markdown: &str) -> String {
    markdown.replace("](../", "](").replace("](user/", "](")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_the_ids_that_links_use() {
        let found = headings("# The Title\n\n## What's `in` it\n\n### `BAD_INPUT`\n\n## What's in it\n");
        let ids: Vec<_> = found.iter().map(|heading| (heading.level, heading.id.as_str())).collect();
        assert_eq!(ids, [(1, "the-title"), (2, "whats-in-it"), (3, "BAD_INPUT"), (2, "whats-in-it-1")]);
        assert_eq!(found[1].text, "What's in it");
    }

    #[test]
    fn a_section_ends_before_the_next_heading_of_its_level() {
        let page = "# T\n\na\n\n## B\n\nb\n\n```sh\n# no heading\n```\n\n### C\n\nc\n\n## D\n\nd\n";
        assert_eq!(section(page, "b"), Some("## B\n\nb\n\n```sh\n# no heading\n```\n\n### C\n\nc\n\n"));
        assert_eq!(section(page, "c"), Some("### C\n\nc\n\n"));
        assert_eq!(section(page, "d"), Some("## D\n\nd\n"));
        assert_eq!((section(page, "t"), section(page, "no-heading")), (Some(page), None));
    }

    #[test]
    fn a_link_leads_to_a_page_to_elsewhere_or_nowhere() {
        for (address, expected) in [
            ("storage.md", LinkTarget::Page("storage", "")),
            ("../storage.md#files", LinkTarget::Page("storage", "files")),
            ("#files", LinkTarget::Page("", "files")),
            ("https://example.org/storage.md", LinkTarget::Elsewhere("https://example.org/storage.md")),
            ("nothing.md", LinkTarget::Nowhere),
            ("storage", LinkTarget::Nowhere),
            ("super::storage", LinkTarget::Nowhere),
            ("/docs/storage", LinkTarget::Nowhere),
        ] {
            assert_eq!(target(address), expected, "{address}");
        }
    }
}
