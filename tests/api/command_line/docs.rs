//! `rasterd docs`: lists, prints, searches and exports the documentation, without a server and with any configuration.

use std::fs;
use std::process::Command;

use rasterd::docs::PAGES;

use crate::support::program::{Exit, RASTERD, TestDir};

/// The output of a command in a terminal of its own.
fn in_a_terminal(test_dir: &TestDir, arguments: &str) -> String {
    let mut command: Command = test_dir.command_of("script");
    let program = format!("{RASTERD} {arguments}");
    let exit = Exit::of(command.args(["--quiet", "--return", "--command", &program, "/dev/null"]));
    assert_eq!(exit.code, Some(0), "{exit:?}");
    exit.stdout.replace("\r\n", "\n")
}

#[test]
fn every_page_is_listed_and_printed() {
    let test_dir = TestDir::new();
    let list = test_dir.done(&["docs"]);
    for page in PAGES {
        let line = list.lines().find(|line| line.trim_start().starts_with(&format!("{} ", page.name())));
        assert!(line.is_some_and(|line| line.ends_with(page.summary)), "{}: {list}", page.file);
        let text = test_dir.done(&["docs", page.name()]);
        assert!(text.starts_with(&format!("# {}\n", page.title())), "{}", page.file);
    }
    assert!(!test_dir.data_dir().exists(), "reading creates nothing");
}

#[test]
fn a_terminal_gets_text_and_a_program_markdown() {
    let test_dir = TestDir::new();
    let markdown = test_dir.done(&["docs", "keys"]);
    assert!(markdown.contains("\n## When a key leaks\n\n1. **End it first**"), "{markdown}");
    let text = in_a_terminal(&test_dir, "docs keys");
    assert!(text.contains("\u{1B}[1mWhen a key leaks\u{1B}[0m"), "{text:?}");
    assert!(!text.contains("## ") && !text.contains("```") && !text.contains("**"), "{text}");
    assert_eq!(in_a_terminal(&test_dir, "docs keys --markdown"), markdown);
    let plain = in_a_terminal(&test_dir.with("NO_COLOR", "1"), "docs keys");
    assert!(!plain.contains('\u{1B}') && plain.contains("\nWhen a key leaks\n"), "{plain:?}");
    assert!(plain.lines().all(|line| line.starts_with("    ") || line.chars().count() <= 80), "{plain}");
}

#[test]
fn words_are_found_and_unknown_pages_are_not() {
    let test_dir = TestDir::new();
    let found = test_dir.done(&["docs", "--search", "key", "leaks"]);
    assert!(found.starts_with("keys#when-a-key-leaks  When a key leaks\n    "), "{found}");
    for (arguments, reason) in [
        (&["docs", "--search", "nosuchwordanywhere"][..], "no place has all words of \"nosuchwordanywhere\""),
        (&["docs", "kyes"], "has no page \"kyes\"; did you mean keys?"),
        (&["docs", "../keys"], "has no page \"../keys\"; did you mean keys?"),
        (&["docs", "kyes#when-a-key-leaks"], "has no page \"kyes\"; did you mean keys?"),
        (&["docs", "keys#when-a-key"], "has no section \"when-a-key\"; did you mean keys#when-a-key-leaks?"),
        (&["docs", "keys#elephants"], "has no section \"elephants\"; `rasterd docs keys` prints all of it"),
        (&["docs", "something-else"], "`rasterd docs` lists all pages"),
    ] {
        let exit = test_dir.run(arguments);
        assert_eq!((exit.code, exit.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(exit.stderr.contains(reason), "{arguments:?}: {}", exit.stderr);
    }
    assert_eq!(test_dir.run(&["docs", "keys", "--search", "x"]).code, Some(2));
}

/// As messages name it.
#[test]
fn a_section_is_printed_alone() {
    let test_dir = TestDir::new();
    let section = test_dir.done(&["docs", "keys#when-a-key-leaks"]);
    assert!(section.starts_with("## When a key leaks\n\n1. **End it first**"), "{section}");
    assert!(!section.trim_start_matches("## ").contains("\n## "), "{section}");
    let text = in_a_terminal(&test_dir, "docs keys#when-a-key-leaks");
    assert!(text.starts_with("\u{1B}[1mWhen a key leaks\u{1B}[0m"), "{text:?}");
    let code = test_dir.done(&["docs", "errors#STORAGE_FULL"]);
    assert!(code.starts_with("## `STORAGE_FULL`") && !code.contains("RATE_LIMITED`"), "{code}");
}

#[test]
fn limits_are_those_of_the_configuration_also_of_a_broken_one() {
    let test_dir = TestDir::new().with("RASTERD__LIMITS__PAGE_SIZE", "321");
    let limits = test_dir.done(&["docs", "limits"]);
    assert!(limits.contains("| Entries on a page of a list. | 321 |"), "{limits}");
    let test_dir = test_dir.with("RASTERD__SERVER__BIND", "nowhere").with("RASTERD__NO__SUCH", "1");
    let limits = test_dir.done(&["docs", "limits"]);
    assert!(limits.contains("| Entries on a page of a list. | 321 |"), "{limits}");
}

#[test]
fn an_export_is_a_folder_of_files_that_can_be_written_again() {
    let test_dir = TestDir::new();
    let folder = test_dir.path().join("archive/docs");
    let export = ["docs", "--export", folder.to_str().unwrap()];
    for _ in 0..2 {
        assert_eq!(test_dir.done(&export), format!("{}\n", folder.join("index.html").display()));
    }
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let pages = PAGES.iter().map(|page| format!("{}.html", page.name()));
    let mut expected: Vec<String> =
        pages.chain(["index.html", "docs.css", "favicon.svg"].map(str::to_owned)).collect();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
    let keys = fs::read_to_string(folder.join("keys.html")).unwrap();
    assert!(keys.contains("<h2 id=\"when-a-key-leaks\">") && keys.contains("href=\"docs.css\""), "{keys}");
    let exit = test_dir.run(&["docs", "--export", "/proc/nowhere"]);
    assert_eq!(exit.code, Some(1));
    assert!(exit.stderr.contains("/proc/nowhere can't be written"), "{}", exit.stderr);
}
