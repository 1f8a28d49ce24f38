//! A page as HTML. What a page has as HTML itself is left out.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Tag, TagEnd, html};

use super::escaping::escaped;
use super::markdown::{self, LinkTarget};
use super::site::Site;

/// The language of a code block with what a person types and what a program answers.
const CONSOLE: &str = "console";

/// The text as HTML, with links as they are on this site.
pub fn render(markdown: &str, site: Site) -> String {
    let mut writer = Writer {
        site,
        ids: markdown::headings(markdown).into_iter().map(|heading| heading.id).collect(),
        next: 0,
    };
    let mut written = Vec::new();
    let mut events = markdown::events(markdown);
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let code: String =
                    events.by_ref().map_while(text_in_block).map(CowStr::into_string).collect();
                written.push(Event::Html(code_block(&kind, &code).into()));
            }
            other => writer.add(other, &mut written),
        }
    }
    let mut page = String::new();
    html::push_html(&mut page, written.into_iter());
    page
}

/// The text of an event within a code block; `None` at the block's end.
fn text_in_block(event: Event<'_>) -> Option<CowStr<'_>> {
    match event {
        Event::Text(text) => Some(text),
        _ => None,
    }
}

struct Writer {
    site: Site,
    ids: Vec<String>,
    /// The position of the next heading's id.
    next: usize,
}

impl Writer {
    fn add<'a>(&mut self, event: Event<'a>, to: &mut Vec<Event<'a>>) {
        match event {
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                let id = self.ids.get(self.next).cloned().unwrap_or_default();
                self.next += 1;
                let link = format!("<a class=\"heading\" href=\"#{}\">", escaped(&id));
                to.push(Event::Start(Tag::Heading { level, id: Some(id.into()), classes, attrs }));
                to.push(Event::InlineHtml(link.into()));
            }
            Event::End(TagEnd::Heading(level)) => {
                to.push(Event::InlineHtml("</a>".into()));
                to.push(Event::End(TagEnd::Heading(level)));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = address(&dest_url, self.site).into();
                to.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            // A wide table scrolls by itself, also with the keyboard.
            Event::Start(Tag::Table(alignments)) => {
                to.push(Event::Html("<div class=\"table-box\" tabindex=\"0\">".into()));
                to.push(Event::Start(Tag::Table(alignments)));
            }
            Event::End(TagEnd::Table) => {
                to.push(Event::End(TagEnd::Table));
                to.push(Event::Html("</div>\n".into()));
            }
            Event::Html(_) | Event::InlineHtml(_) => {}
            other => to.push(other),
        }
    }
}

/// Where a link of a page leads on a site.
fn address(link: &str, site: Site) -> String {
    match markdown::target(link) {
        LinkTarget::Page("", id) => format!("#{id}"),
        LinkTarget::Page(name, "") => site.page(name),
        LinkTarget::Page(name, id) => format!("{}#{id}", site.page(name)),
        LinkTarget::Elsewhere(_) | LinkTarget::Nowhere => link.to_owned(),
    }
}

/// A block of code; a wide one scrolls by itself. In a console, what a person types stands out.
fn code_block(kind: &CodeBlockKind<'_>, code: &str) -> String {
    let is_console = matches!(kind, CodeBlockKind::Fenced(language) if &**language == CONSOLE);
    let line = |line: &str| match line.strip_prefix("$ ") {
        Some(command) if is_console => format!("<span class=\"prompt\">$ </span>{}", escaped(command)),
        _ => escaped(line),
    };
    let lines: String = code.split_inclusive('\n').map(line).collect();
    format!("<pre tabindex=\"0\"><code>{lines}</code></pre>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_headings_and_consoles_are_written_for_the_site() {
        let page = "# T\n\n## A b\n\n[s](../storage.md#files) [e](https://e.example) <b>\n\n```console\n$ a <b>\n$ c\nd\n```\n";
        let web = render(page, Site::Web);
        assert!(web.contains("<h2 id=\"a-b\"><a class=\"heading\" href=\"#a-b\">A b</a></h2>"), "{web}");
        assert!(
            web.contains("<a href=\"/docs/storage#files\">s</a> <a href=\"https://e.example\">e</a> </p>"),
            "{web}"
        );
        let prompt = "<span class=\"prompt\">$ </span>";
        assert!(web.contains(&format!("<code>{prompt}a &#60;b&#62;\n{prompt}c\nd\n</code>")), "{web}");
        assert!(render(page, Site::Folder).contains("<a href=\"storage.html#files\">s</a>"));
    }
}
