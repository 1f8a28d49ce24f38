//! The search over the pages: a scan over the words of every section. There are some hundred sections, so no index is
//! needed; what a query costs is bounded by its length.

use super::CompletePage;
use super::escaping::escaped;
use super::markdown;
use super::pages::DocPage;
use pulldown_cmark::{Event, Tag, TagEnd};

/// How many characters of a query count.
pub const MAX_QUERY: usize = 100;
/// How many of its words.
const MAX_WORDS: usize = 8;
/// How many places are found at most.
const MAX_HITS: usize = 25;
/// The characters of an excerpt, before the first match and in all.
const EXCERPT: (usize, usize) = (60, 220);
/// What a word is worth in the title of a page, in a heading and in the text.
const WEIGHTS: [u32; 3] = [16, 12, 1];

/// A place that a query found.
#[derive(Debug)]
pub struct DocHit {
    /// The page.
    pub page: &'static DocPage,
    /// The heading of the section; empty for what is above the first one.
    pub heading: String,
    /// The heading's id; empty for the top of the page.
    pub id: String,
    /// A part of the text around the first match.
    pub excerpt: DocExcerpt,
}

/// A part of a text, with the matches in it.
#[derive(Debug)]
pub struct DocExcerpt(Vec<(bool, String)>);

impl DocExcerpt {
    /// As HTML, with the matches in `<mark>`.
    #[must_use]
    pub fn html(&self) -> String {
        let piece = |(is_match, text): &(bool, String)| {
            let text = escaped(text);
            if *is_match { format!("<mark>{text}</mark>") } else { text }
        };
        self.0.iter().map(piece).collect()
    }

    /// As plain text, with something before and after each match.
    #[must_use]
    pub fn marked(&self, before: &str, after: &str) -> String {
        let piece = |(is_match, text): &(bool, String)| {
            if *is_match { format!("{before}{text}{after}") } else { text.clone() }
        };
        self.0.iter().map(piece).collect()
    }
}

/// All sections of all pages.
pub struct DocIndex(Vec<DocSection>);

/// What is between two headings.
struct DocSection {
    page: &'static DocPage,
    title: Words,
    heading: Words,
    id: String,
    text: Words,
}

/// A text and where its words are.
#[derive(Default)]
struct Words {
    text: String,
    /// Each word in small letters, and its position in the text.
    words: Vec<(String, usize, usize)>,
}

impl Words {
    fn of(text: &str) -> Self {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { words: words(&text), text }
    }

    fn count(&self, wanted: &str) -> usize {
        self.words.iter().filter(|(word, ..)| word.starts_with(wanted)).count()
    }
}

/// The words of a text: letters and digits. `BAD_USER_INPUT` and `server.bind` have several.
fn words(text: &str) -> Vec<(String, usize, usize)> {
    let mut words: Vec<(String, usize, usize)> = Vec::new();
    for (at, letter) in text.char_indices().filter(|(_, letter)| letter.is_alphanumeric()) {
        match words.last_mut() {
            Some((word, _, end)) if *end == at => {
                word.extend(letter.to_lowercase());
                *end = at + letter.len_utf8();
            }
            _ => words.push((letter.to_lowercase().collect(), at, at + letter.len_utf8())),
        }
    }
    words
}

impl DocIndex {
    pub fn of(pages: &[CompletePage]) -> Self {
        Self(pages.iter().flat_map(sections).collect())
    }

    /// The places where each word of the query begins a word, the best first.
    pub fn search(&self, query: &str) -> Vec<DocHit> {
        let query: String = query.chars().take(MAX_QUERY).collect();
        let wanted: Vec<String> = words(&query).into_iter().map(|(word, ..)| word).take(MAX_WORDS).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(u32, &DocSection)> =
            self.0.iter().filter_map(|section| Some((section.score(&wanted)?, section))).collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.truncate(MAX_HITS);
        found.into_iter().map(|(_, section)| section.hit(&wanted)).collect()
    }
}

impl DocSection {
    /// How well the section fits; `None` when it lacks a word. The title counts for the top of the page.
    fn score(&self, wanted: &[String]) -> Option<u32> {
        wanted.iter().try_fold(0, |score, word| {
            let places = [self.title.count(word), self.heading.count(word), self.text.count(word).min(4)];
            let sum: u32 = places
                .iter()
                .zip(WEIGHTS)
                .map(|(count, weight)| u32::try_from(*count).unwrap_or(0) * weight)
                .sum();
            (sum > 0).then_some(score + sum)
        })
    }

    fn hit(&self, wanted: &[String]) -> DocHit {
        DocHit {
            page: self.page,
            heading: self.heading.text.clone(),
            id: self.id.clone(),
            excerpt: self.excerpt(wanted),
        }
    }

    fn excerpt(&self, wanted: &[String]) -> DocExcerpt {
        let Words { text, words } = &self.text;
        let is_match = |word: &str| wanted.iter().any(|wanted| word.starts_with(wanted.as_str()));
        let first = words.iter().find(|(word, ..)| is_match(word)).map_or(0, |(_, start, _)| *start);
        let start = text[..first].char_indices().rev().nth(EXCERPT.0 - 1).map_or(0, |(at, _)| at);
        // At the beginning of a word.
        let start = if start == 0 {
            0
        } else {
            text[start..first].find(' ').map_or(first, |space| start + space + 1)
        };
        let end = text[start..].char_indices().nth(EXCERPT.1).map_or(text.len(), |(at, _)| start + at);
        let end = if end < text.len() {
            text[..end].rfind(' ').filter(|space| *space > start).unwrap_or(end)
        } else {
            end
        };
        let mut pieces = vec![(false, if start > 0 { "… ".to_owned() } else { String::new() })];
        let mut at = start;
        for (word, from, to) in words.iter().filter(|(_, from, to)| *from >= start && *to <= end) {
            if is_match(word) {
                pieces.push((false, text[at..*from].to_owned()));
                pieces.push((true, text[*from..*to].to_owned()));
                at = *to;
            }
        }
        pieces.push((false, text[at..end].to_owned() + if end < text.len() { " …" } else { "" }));
        pieces.retain(|(_, text)| !text.is_empty());
        DocExcerpt(pieces)
    }
}

/// The sections of a page. The first is what is above all headings but the title.
fn sections(complete: &CompletePage) -> Vec<DocSection> {
    let mut headings = markdown::headings(&complete.markdown).into_iter();
    let title = headings.next().map(|heading| heading.text).unwrap_or_default();
    let mut sections = vec![(String::new(), String::new(), String::new())];
    let mut in_heading = false;
    for event in markdown::events(&complete.markdown) {
        let Some((_, _, text)) = sections.last_mut() else { continue };
        match event {
            Event::Start(Tag::Heading { .. }) => in_heading = true,
            Event::End(TagEnd::Heading(level)) => {
                in_heading = false;
                if level as u8 > 1
                    && let Some(heading) = headings.next()
                {
                    sections.push((heading.text, heading.id, String::new()));
                }
            }
            Event::Text(words) | Event::Code(words) if !in_heading => text.push_str(&words),
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableCell | TagEnd::CodeBlock) => {
                text.push(' ');
            }
            _ => {}
        }
    }
    let summary = complete.page.summary;
    let section = |(number, (heading, id, text)): (usize, (String, String, String))| DocSection {
        page: complete.page,
        title: Words::of(if number == 0 { &title } else { "" }),
        heading: Words::of(&heading),
        id,
        text: Words::of(&if number == 0 { format!("{summary} {text}") } else { text }),
    };
    sections.into_iter().enumerate().map(section).collect()
}
