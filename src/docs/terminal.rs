//! A page as text for a terminal: wrapped, with bold headings and coloured code where the terminal shows them.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::markdown::{self, LinkTarget};

const BOLD: &str = "\u{1B}[1m";
const CODE: &str = "\u{1B}[36m";
const PLAIN: &str = "\u{1B}[0m";
/// The least width of a line, however far it is indented.
const LEAST_WIDTH: usize = 20;

/// The text, in lines of at most `width` characters where words allow that.
pub fn render(markdown: &str, width: usize, styled: bool) -> String {
    let mut writer = Writer { width, styled, ..Writer::default() };
    for event in markdown::events(markdown) {
        writer.add(event);
    }
    writer.text.trim_end().to_owned()
}

#[derive(Default)]
struct Writer {
    width: usize,
    styled: bool,
    text: String,
    /// The paragraph, heading or table cell that is being read.
    inline: String,
    /// The open lists: the number of the next item, or bullets.
    lists: Vec<Option<u64>>,
    /// What the first line of the next paragraph begins with.
    bullet: Option<String>,
    /// The address of the open link.
    link: Option<String>,
    rows: Vec<Vec<String>>,
}

impl Writer {
    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.inline.push_str(&text),
            Event::Code(code) => {
                let code = self.dressed_words(CODE, &code);
                self.inline.push_str(&code);
            }
            Event::SoftBreak | Event::HardBreak => self.inline.push(' '),
            Event::Rule => self.text.push('\n'),
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::List(first) => {
                self.paragraph();
                self.lists.push(first);
            }
            Tag::Item => self.bullet = Some(self.next_bullet()),
            Tag::Strong if self.styled => self.inline.push_str(BOLD),
            Tag::Link { dest_url, .. } => self.link = Some(dest_url.to_string()),
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                let heading = std::mem::take(&mut self.inline);
                let heading = self.dressed(BOLD, &heading);
                self.text.extend(["\n", &heading, "\n\n"]);
            }
            TagEnd::Paragraph => {
                self.paragraph();
                if self.lists.is_empty() {
                    self.text.push('\n');
                }
            }
            TagEnd::Item => self.paragraph(),
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.text.push('\n');
                }
            }
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::Strong if self.styled => self.inline.push_str(PLAIN),
            TagEnd::Link => self.end_link(),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.inline);
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::Table => self.table(),
            _ => {}
        }
    }

    fn next_bullet(&mut self) -> String {
        match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            Some(None) | None => "- ".to_owned(),
        }
    }

    /// Adds where a link leads, if that is not what its text says.
    fn end_link(&mut self) {
        let link = self.link.take().unwrap_or_default();
        match markdown::target(&link) {
            LinkTarget::Elsewhere(url) if !self.inline.ends_with(url) => self.inline.extend([" <", url, ">"]),
            LinkTarget::Page(name, _) if !name.is_empty() => self.inline.extend([" [", name, "]"]),
            LinkTarget::Elsewhere(_) | LinkTarget::Page(..) | LinkTarget::Nowhere => {}
        }
    }

    /// Writes the paragraph that was read; in a list, indented below its bullet.
    fn paragraph(&mut self) {
        let words = std::mem::take(&mut self.inline);
        if words.trim().is_empty() {
            return;
        }
        let bullet = self.bullet.take();
        let depth = self.lists.len();
        let outer = " ".repeat(2 * depth.saturating_sub(1));
        let first = if depth == 0 { String::new() } else { outer + bullet.as_deref().unwrap_or("  ") };
        let next = " ".repeat(first.chars().count());
        self.wrap(&words, &first, &next);
    }

    /// Writes words in lines that begin with `first`, and with `next` from the second one on.
    fn wrap(&mut self, words: &str, first: &str, next: &str) {
        let width = self.width.saturating_sub(next.len()).max(LEAST_WIDTH);
        self.text.push_str(first);
        let mut column = 0;
        for word in words.split_whitespace() {
            let length = visible_length(word);
            if column > 0 && column + 1 + length > width {
                self.text.push('\n');
                self.text.push_str(next);
                column = 0;
            } else if column > 0 {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += length;
        }
        self.text.push('\n');
    }

    fn code_block(&mut self) {
        let code = std::mem::take(&mut self.inline);
        let indent = " ".repeat(2 * self.lists.len() + 4);
        for line in code.lines() {
            let line = self.dressed(CODE, line);
            self.text.extend([&indent, &line, "\n"]);
        }
        self.text.push('\n');
    }

    /// Writes a table: in columns where they fit, else each row as a paragraph.
    fn table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        let longest = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| visible_length(cell)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..count).map(longest).collect();
        let fits = widths.iter().sum::<usize>() + 2 * count <= self.width;
        for row in rows {
            if fits {
                let cells = row.iter().zip(&widths);
                let line: String = cells.map(|(cell, width)| padded(cell, width + 2)).collect();
                self.text.push_str(line.trim_end());
                self.text.push('\n');
            } else {
                let cells = row.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
                self.wrap(&cells.join(" – "), "- ", "  ");
            }
        }
        self.text.push('\n');
    }

    /// A text in a style, word by word, so that no style is open where a line is wrapped.
    fn dressed_words(&self, style: &str, text: &str) -> String {
        text.split(' ').map(|word| self.dressed(style, word)).collect::<Vec<_>>().join(" ")
    }

    /// A text in a style.
    fn dressed(&self, style: &str, text: &str) -> String {
        if self.styled && !text.is_empty() { format!("{style}{text}{PLAIN}") } else { text.to_owned() }
    }
}

/// The characters that a terminal shows of a text.
fn visible_length(text: &str) -> usize {
    let mut is_style = false;
    let shown = text.chars().filter(|letter| match letter {
        '\u{1B}' => {
            is_style = true;
            false
        }
        'm' if is_style => {
            is_style = false;
            false
        }
        _ => !is_style,
    });
    shown.count()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(visible_length(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Title\n\nSome **bold** words and `code` that go on for more than one line.\n\n- one item that is \
        long enough for two\n- [two](storage.md)\n  1. inner\n\n```console\n$ rasterd serve\n```\n\n| a | b |\n|---|---|\n| 1 | 22 |\n";

    #[test]
    fn a_page_is_wrapped_and_indented() {
        let expected = "\nTitle\n\nSome bold words and code that\ngo on for more than one line.\n\n- one item that is long enough\n  \
            for two\n- two [storage]\n  1. inner\n\n    $ rasterd serve\n\na  b\n1  22";
        assert_eq!(render(PAGE, 30, false), expected);
    }

    #[test]
    fn styles_change_nothing_but_the_looks() {
        let styled = render(PAGE, 30, true);
        assert!(styled.contains("\u{1B}[1mTitle\u{1B}[0m"), "{styled:?}");
        let plain = [BOLD, CODE, PLAIN].iter().fold(styled, |text, style| text.replace(style, ""));
        assert_eq!(plain, render(PAGE, 30, false));
    }
}
