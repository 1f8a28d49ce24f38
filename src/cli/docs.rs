//! `rasterd docs`: the documentation in a terminal, as Markdown for programs, and as a folder of files for an archive.

use std::fs;
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

use clap::Args;

use super::output::print;
use super::suggested::Suggested;
use super::{CommandError, readable_by_everybody};
use crate::config::{Config, Invalid};
use crate::core::settings::Limits;
use crate::docs::{
    CompletePage, DocGroup, DocHit, DocPage, Documentation, FILES, PAGES, Site, terminal_text,
};

/// How wide lines are at most, and where the terminal does not say how wide it is.
const WIDTH: usize = 80;
/// How many characters of a misspelt name may differ.
const MISSPELT: usize = 3;

#[derive(Args)]
pub(super) struct DocsArgs {
    /// The page, or a section of it, such as keys#when-a-key-leaks [default: lists all pages]
    #[arg(value_name = "PAGE[#SECTION]", hide_possible_values = true)]
    #[arg(value_parser = Suggested(|| PAGES.iter().map(DocPage::name).collect()))]
    page: Option<String>,
    /// Finds the places that have all these words
    #[arg(long, value_name = "WORDS", num_args = 1.., conflicts_with = "page")]
    search: Vec<String>,
    /// Prints Markdown also to a terminal
    #[arg(long)]
    markdown: bool,
    /// Writes all pages into this folder as HTML, to be read without a server
    #[arg(long, value_name = "DIR", conflicts_with_all = ["page", "search", "markdown"])]
    export: Option<PathBuf>,
}

/// How text is written: for people who look at a terminal, or as it is.
#[derive(Clone, Copy)]
struct Style {
    is_markdown: bool,
    has_colours: bool,
}

/// Takes the result of reading the configuration: with an invalid one, the documentation is needed most.
pub(super) fn run(config: Result<Config, Invalid>, args: DocsArgs) -> Result<(), CommandError> {
    let config = config.or_else(|Invalid { rest, .. }| rest.map(|rest| *rest).ok_or(())).ok();
    let limits = config.map_or_else(Limits::default, |config| config.settings(config.bind).limits);
    let documentation = Documentation::new(&limits);
    let style = Style {
        is_markdown: args.markdown || !stdout().is_terminal(),
        has_colours: stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    if let Some(folder) = args.export {
        return export(&documentation, &folder);
    }
    let words = args.search.join(" ");
    match args.page {
        Some(name) => print_page(&documentation, &name, style),
        None if words.is_empty() => print(&contents()),
        None => print_hits(&documentation.search(&words), &words, style),
    }
}

/// All pages, by group.
fn contents() -> String {
    let longest = PAGES.iter().map(|page| page.name().len()).max().unwrap_or(0);
    let line = |page: &DocPage| format!("  {:longest$}  {}\n", page.name(), page.summary);
    let of_group = |group: DocGroup| {
        let pages: String = PAGES.iter().filter(|page| page.group == group).map(line).collect();
        format!("{}\n{pages}\n", group.title())
    };
    let text: String = DocGroup::ALL.into_iter().map(of_group).collect();
    text + "`rasterd docs PAGE` prints a page, `rasterd docs PAGE#SECTION` a part of it, `rasterd docs --search WORDS` finds \
            words. A server shows all of it at /docs."
}

/// Prints a page, or the section of it that follows `#` in its name.
fn print_page(documentation: &Documentation, name: &str, style: Style) -> Result<(), CommandError> {
    let (name, id) = name.split_once('#').unwrap_or((name, ""));
    let complete = documentation.page(name).ok_or_else(|| unknown_page(name))?;
    let markdown = match complete.section(id) {
        _ if id.is_empty() => complete.markdown.as_str(),
        Some(section) => section,
        None => return Err(unknown_section(complete, id)),
    };
    if style.is_markdown {
        return print(markdown.trim_end());
    }
    print(terminal_text(markdown, width(), style.has_colours).trim_start())
}

fn unknown_page(name: &str) -> CommandError {
    let nearest =
        PAGES.iter().map(|page| (strsim::damerau_levenshtein(page.name(), name), page.name())).min();
    let hint = match nearest {
        Some((distance, nearest)) if distance <= MISSPELT => format!("did you mean {nearest}?"),
        _ => "`rasterd docs` lists all pages, `rasterd docs --search WORDS` finds words".to_owned(),
    };
    CommandError(format!("the documentation has no page {name:?}; {hint}"))
}

fn unknown_section(complete: &CompletePage, id: &str) -> CommandError {
    let page = complete.page.name();
    let distance = |known: &str| {
        // What was typed may be the beginning of a heading.
        let beginning: String = known.chars().take(id.chars().count()).collect();
        strsim::damerau_levenshtein(&beginning.to_lowercase(), &id.to_lowercase())
    };
    let headings = complete.headings().into_iter().map(|heading| (distance(&heading.id), heading.id));
    let hint = match headings.min() {
        Some((distance, nearest)) if distance <= MISSPELT => format!("did you mean {page}#{nearest}?"),
        _ => format!("`rasterd docs {page}` prints all of it"),
    };
    CommandError(format!("the page {page} has no section {id:?}; {hint}"))
}

/// The width that the shell says the terminal has, but not more than reads well.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.unwrap_or(WIDTH).min(WIDTH)
}

fn print_hits(hits: &[DocHit], query: &str, style: Style) -> Result<(), CommandError> {
    if hits.is_empty() {
        return Err(CommandError(format!(
            "no place has all words of {query:?}; try fewer words, or the beginning of one"
        )));
    }
    let (before, after) = if style.has_colours { ("\u{1B}[1m", "\u{1B}[0m") } else { ("", "") };
    let line = |hit: &DocHit| {
        let heading = if hit.id.is_empty() { String::new() } else { format!("#{}  {}", hit.id, hit.heading) };
        format!("{}{heading}\n    {}", hit.page.name(), hit.excerpt.marked(before, after))
    };
    print(&hits.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// Writes the same pages as the server shows, without what needs a server.
fn export(documentation: &Documentation, folder: &Path) -> Result<(), CommandError> {
    let written = |error: std::io::Error, path: &Path| {
        CommandError(format!("{} can't be written: {error}", path.display()))
    };
    readable_by_everybody();
    fs::create_dir_all(folder).map_err(|error| written(error, folder))?;
    let mut files = vec![(Site::Folder.front().to_owned(), documentation.front_html(Site::Folder)?)];
    for complete in documentation.pages() {
        let html = documentation.page_html(complete, Site::Folder)?;
        files.push((Site::Folder.page(complete.page.name()), html));
    }
    files.extend(FILES.map(|(name, _, text)| (name.to_owned(), text.to_owned())));
    for (name, text) in &files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| written(error, &path))?;
    }
    print(&format!("{}", folder.join(Site::Folder.front()).display()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The commands of rasterd in the consoles of a Markdown text, each as the arguments that a shell would give.
    fn commands(markdown: &str) -> Vec<Vec<String>> {
        let mut commands = Vec::new();
        for console in markdown.split("```console\n").skip(1) {
            let console = console.split("```").next().unwrap().replace("\\\n", " ");
            for line in console.lines().filter_map(|line| line.strip_prefix("$ ")) {
                let words = shlex::split(line).unwrap_or_else(|| panic!("a shell can't read {line}"));
                let words = words.into_iter().skip_while(|word| word == "sudo");
                let ends = ["|", ">", "&", "&&"];
                let words: Vec<String> = words.take_while(|word| !ends.contains(&word.as_str())).collect();
                if words.first().is_some_and(|program| program == "rasterd" || program == "./rasterd") {
                    commands.push(words);
                }
            }
        }
        commands
    }

    #[test]
    fn every_command_in_the_documentation_is_one() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<_> =
            crate::docs::PAGES.iter().map(|page| root.join("src/guide").join(page.file)).collect();
        files.push(root.join("README.md"));
        let mut count = 0;
        for file in files {
            for command in commands(&std::fs::read_to_string(&file).unwrap()) {
                let parsed = super::super::command().try_get_matches_from(&command);
                let is_fine = parsed.as_ref().err().is_none_or(|error| error.exit_code() == 0);
                assert!(is_fine, "{}: {command:?}: {}", file.display(), parsed.err().unwrap());
                count += 1;
            }
        }
        assert!(count > 40, "only {count} commands were found");
    }

    #[test]
    fn commands_are_found_as_a_shell_reads_them() {
        let text = "```console\n$ rasterd a \"b c\" > d   # e\n$ sudo rasterd f \\\n    g\noutput\n$ curl rasterd\n```\n$ rasterd h";
        assert_eq!(commands(text), [vec!["rasterd", "a", "b c"], vec!["rasterd", "f", "g"]]);
    }
}
