//! All pages: that nothing in them leads nowhere, and that what is generated is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Tag};

use super::markdown::{self, LinkTarget};
use super::*;
use crate::client_setup::{ClientRoute, ConnectionDetails, SetupKey, client_setups};
use crate::config::documented_keys;
use crate::error::Code;

/// The guides that are for developers alone.
const FOR_DEVELOPERS: [&str; 3] = ["adding-an-operation.md", "style.md", "decisions.md"];

fn guides() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide")
}

fn documentation() -> Documentation {
    Documentation::new(&Limits::default())
}

/// The addresses of all links in a Markdown text.
fn links(markdown: &str) -> Vec<String> {
    let link = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.into_string())
        }
        _ => None,
    };
    markdown::events(markdown).filter_map(link).collect()
}

/// The files in a folder, and in the folders in it, that end in `.md`; relative to it.
fn markdown_files(folder: &Path, below: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            files.extend(markdown_files(&path, &format!("{name}/")));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.insert(name);
        }
    }
    files
}

#[test]
fn every_guide_is_a_page_or_for_developers_alone() {
    let pages = PAGES.iter().map(|page| page.file).chain(FOR_DEVELOPERS).map(str::to_owned);
    let pages = pages.collect::<BTreeSet<_>>();
    assert_eq!(pages, markdown_files(&guides(), ""), "a guide needs a line in src/docs/pages.rs");
}

#[test]
fn every_page_has_a_name_a_title_and_a_summary_of_its_own() {
    let names: BTreeSet<_> = PAGES.iter().map(DocPage::name).collect();
    let titles: BTreeSet<_> = PAGES.iter().map(DocPage::title).collect();
    assert_eq!((names.len(), titles.len()), (PAGES.len(), PAGES.len()));
    for DocPage { file, summary, text, .. } in PAGES {
        assert!(text.starts_with("# ") && summary.ends_with('.') && !summary.contains('\n'), "{file}");
        assert!(!names.contains("rest"), "the REST reference is at /docs/rest");
    }
    for complete in documentation().pages() {
        let headings = complete.headings();
        assert_eq!(headings.iter().filter(|heading| heading.level == 1).count(), 1, "{}", complete.page.file);
    }
}

#[test]
fn every_link_of_a_page_leads_to_a_page_and_a_heading() {
    let documentation = documentation();
    let mut count = 0;
    for page in documentation.pages() {
        let file = page.page.file;
        for link in links(page.page.text).into_iter().chain(links(&page.markdown)) {
            let (name, id) = match markdown::target(&link) {
                LinkTarget::Elsewhere(_) => continue,
                LinkTarget::Nowhere => panic!("{file} links to {link}, which is not a page"),
                LinkTarget::Page(name, id) => (name, id),
            };
            let name = if name.is_empty() { page.page.name() } else { name };
            let headings = documentation.page(name).unwrap().headings();
            let exists = id.is_empty() || headings.iter().any(|heading| heading.id == id);
            assert!(exists, "{file} links to {link}, but {name} has no such heading: {headings:?}");
            count += 1;
        }
    }
    assert!(count > 40, "only {count} links were found");
}

/// For an editor and for code hosts.
#[test]
fn every_link_between_files_is_a_path_to_one() {
    let guides = guides();
    let readme = guides.join("../../README.md");
    let files = markdown_files(&guides, "").into_iter().map(|file| guides.join(file)).chain([readme]);
    for file in files {
        for link in links(&std::fs::read_to_string(&file).unwrap()) {
            let path = link.split('#').next().unwrap();
            let is_a_path = !path.is_empty() && !path.contains("://") && !path.contains("::");
            let target = file.parent().unwrap().join(path);
            assert!(!is_a_path || target.exists(), "{} links to {link}", file.display());
        }
    }
}

/// rustdoc takes a block without a language for Rust, and runs it.
#[test]
fn every_block_of_code_names_its_language() {
    for page in PAGES {
        for event in markdown::events(page.text) {
            if let Event::Start(Tag::CodeBlock(kind)) = event {
                let named = matches!(&kind, CodeBlockKind::Fenced(language) if !language.is_empty());
                assert!(named, "{}: {kind:?}", page.file);
            }
        }
    }
}

#[test]
fn every_code_every_key_and_every_limit_has_an_address() {
    let documentation = documentation();
    let ids = |name: &str| -> BTreeSet<String> {
        documentation.page(name).unwrap().headings().into_iter().map(|heading| heading.id).collect()
    };
    let (errors, configuration) = (ids("errors"), ids("configuration"));
    for code in Code::ALL {
        assert!(errors.contains(code.name()), "{}", code.name());
        assert_eq!(code.documentation(), format!("{}#{}", Site::Web.page("errors"), code.name()));
    }
    for key in documented_keys().iter().flat_map(|section| &section.keys).flat_map(|group| &group.keys) {
        assert!(configuration.contains(&key.name), "{}", key.name);
    }
    for page in documentation.pages() {
        assert!(!page.markdown.contains("<!--"), "{} has a comment that is not filled", page.page.file);
    }
}

#[test]
fn limits_are_those_of_the_server() {
    let limits = Limits { page_size: 4321, file_bytes: 3 << 20, url_bytes: 1_000_001, ..Limits::default() };
    let documentation = Documentation::new(&limits);
    let page = &documentation.page("limits").unwrap().markdown;
    for row in [
        "| Entries on a page of a list. | 4,321 | [`limits.page_size`](configuration.md#limits.page_size) |",
        "| An uploaded file. | 3 MiB |",
        "| A file fetched from a url. | 1,000,001 bytes |",
    ] {
        assert!(page.contains(row), "{row} in {page}");
    }
    let rows = page.lines().filter(|line| line.contains("](configuration.md#limits.")).count();
    assert_eq!(rows, serde_json::to_value(&limits).unwrap().as_object().unwrap().len());
}

#[test]
fn every_client_of_the_table_is_on_its_page() {
    let documentation = documentation();
    let page = &documentation.page("connect-a-client").unwrap().markdown;
    let connection = ConnectionDetails {
        public_url: "https://localhost:8443",
        key: SetupKey::FromClient,
        authority: None,
        through: ClientRoute::Network,
    };
    for setup in client_setups(connection) {
        let section = page.split(&format!("\n### {}\n", setup.client)).nth(1);
        let section = section.unwrap_or_else(|| panic!("{} in\n{page}", setup.client));
        let is_there = setup.ways.iter().any(|way| section.contains(&way.how.instruction()));
        assert!(is_there, "{} in\n{section}", setup.client);
    }
    assert!(
        !page.contains("pk_x") && page.contains("NODE_EXTRA_CA_CERTS=/home/you/rasterd/data/certs/ca.pem")
    );
}

#[test]
fn a_search_finds_words_by_their_beginnings_and_titles_first() {
    let documentation = documentation();
    let found = |query: &str| {
        let hits = documentation.search(query).into_iter();
        hits.map(|hit| (hit.page.name(), hit.id)).collect::<Vec<_>>()
    };
    for (query, page, id) in [
        ("upgrade", "upgrade", ""),
        ("BAD_USER_INPUT", "errors", "BAD_USER_INPUT"),
        ("server.public_url", "configuration", "server.public_url"),
        ("restor everyth", "back-up-and-restore", "restore-everything"),
        ("KEY LEAKS", "keys", "when-a-key-leaks"),
    ] {
        assert_eq!(found(query).first(), Some(&(page, id.to_owned())), "{query}");
    }
    for nothing in ["", " . ", "nosuchwordanywhere", "upgrade nosuchwordanywhere"] {
        assert_eq!(found(nothing), [], "{nothing}");
    }
}

#[test]
fn an_excerpt_marks_what_was_found_and_escapes_the_rest() {
    let hits = documentation().search("send header authorization bearer");
    let html: String = hits.iter().map(|hit| hit.excerpt.html()).collect();
    assert!(html.contains("<mark>Bearer</mark> &#60;key&#62;") && !html.contains("<key>"), "{html}");
    let hits = documentation().search("PublishPort");
    let excerpt = &hits.first().unwrap().excerpt;
    assert!(excerpt.marked("*", "*").contains("*PublishPort*=8443:8443"), "{excerpt:?}");
    assert!(excerpt.marked("", "").chars().count() < 240, "{excerpt:?}");
}

#[test]
fn only_the_beginning_of_a_long_query_counts() {
    let documentation = documentation();
    let long = format!("upgrade {}", "a ".repeat(1 << 20));
    let short: String = long.chars().take(MAX_QUERY).collect();
    assert_eq!(format!("{:?}", documentation.search(&long)), format!("{:?}", documentation.search(&short)));
    let padded = format!("upgrade {}nosuchword", " ".repeat(MAX_QUERY));
    assert!(!documentation.search(&padded).is_empty());
}

/// A copy in a folder has no server to ask.
#[test]
fn exported_pages_link_only_to_each_other() {
    let documentation = documentation();
    let mut files: BTreeSet<String> = FILES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    files.insert(Site::Folder.front().to_owned());
    files.extend(PAGES.iter().map(|page| Site::Folder.page(page.name())));
    let mut written = vec![documentation.front_html(Site::Folder).unwrap()];
    written.extend(
        documentation.pages().iter().map(|page| documentation.page_html(page, Site::Folder).unwrap()),
    );
    for html in &written {
        assert!(!html.contains("<script") && !html.contains("<form"), "{html}");
        let addresses = ["href=\"", "src=\""].into_iter().flat_map(|attribute| html.split(attribute).skip(1));
        for address in addresses.filter_map(|rest| rest.split('"').next()) {
            let file = address.split('#').next().unwrap();
            let is_fine = file.is_empty() || files.contains(file) || file.starts_with("https://");
            assert!(is_fine && !file.starts_with('/'), "{address}");
        }
    }
    assert_eq!(written.len(), PAGES.len() + 1);
}
