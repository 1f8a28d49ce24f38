//! The table of all pages.

/// A page of the documentation, as it is in the sources.
#[derive(Debug)]
pub struct DocPage {
    /// The part of the contents that it is in.
    pub group: DocGroup,
    /// Its file in `src/guide`.
    pub file: &'static str,
    /// What a reader finds there, in one line.
    pub summary: &'static str,
    /// The file's text. It begins with the title.
    pub(super) text: &'static str,
}

/// A part of the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocGroup {
    /// For a newcomer.
    Start,
    /// For people and programs that use a server.
    Use,
    /// For the one who runs it.
    Run,
    /// To look something up.
    Reference,
    /// How it works inside.
    Background,
}

impl DocGroup {
    /// All of them, in the order of the contents.
    pub const ALL: [Self; 5] = [Self::Start, Self::Use, Self::Run, Self::Reference, Self::Background];

    /// Its name.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Start => "Start here",
            Self::Use => "Use it",
            Self::Run => "Run it",
            Self::Reference => "Look it up",
            Self::Background => "How it works",
        }
    }
}

impl DocPage {
    /// The name in its address and on the command line: that of its file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let file = self.file.rsplit('/').next().unwrap_or(self.file);
        file.strip_suffix(".md").unwrap_or(file)
    }

    /// The title: the first line of its text.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches('#').trim()
    }
}

macro_rules! pages {
    ($($group:ident $file:literal $summary:literal;)+) => {
        &[$(DocPage {
            group: DocGroup::$group,
            file: $file,
            summary: $summary,
            text: include_str!(concat!("../guide/", $file)),
        },)+]
    };
}

/// All pages, in the order of the contents.
///
/// To add a page, write `src/guide/NAME.md`, beginning with `# Title`, and add a line here: the group, the file, and what
/// a reader finds there. The page then is at `/docs/NAME`, in `rasterd docs` and in the search. A line in `src/guide.rs`
/// shows it to developers, too. Pages link to each other with paths from file to file, such as `[x](storage.md#files)`.
pub const PAGES: &[DocPage] = pages! {
    Start "user/install.md" "What it needs, how to build it, and how to run it as a service.";
    Start "user/first-steps.md" "From the first start to the first upload, search and url.";
    Start "user/connect-a-client.md" "Claude, Cursor, VS Code, Gemini, Codex, Goose, LM Studio, curl, Python and other programs.";
    Use "user/web-app.md" "Libraries, people and their roles, links to join, the audit log.";
    Use "user/upload.md" "With a key, with an address for one file, in parts, from a folder; and a library as a folder.";
    Use "user/keys.md" "Least access, expiry, rotation, and what to do when a key leaks.";
    Use "user/pictures.md" "The parameters of an asset's url: width, height, format, quality.";
    Use "testing-with-rasterd.md" "A server for the tests of your program, in a temporary directory.";
    Use "testing-in-each-language.md" "pytest, Vitest, node:test, JUnit, a shell, continuous integration.";
    Run "user/back-up-and-restore.md" "Making a backup, restoring it, and practising that.";
    Run "user/upgrade.md" "Replacing the program by a newer one, and going back.";
    Run "monitoring.md" "Health checks, metrics for Prometheus, alerts and a dashboard for Grafana.";
    Run "certificates.md" "Your own files, Let's Encrypt, the built-in authority, a company's own.";
    Run "behind-a-proxy.md" "nginx, Caddy or Traefik before it: the clients' addresses, uploads, streams.";
    Run "user/air-gap.md" "A machine without a way to the internet.";
    Run "when-something-is-wrong.md" "Lost keys and passwords, another host name, a moved folder, an expired certificate.";
    Reference "user/errors.md" "Every error code: what it means and what to do.";
    Reference "user/configuration.md" "Every key of the configuration, its default and its variable.";
    Reference "user/limits.md" "What this server accepts, in numbers.";
    Background "user/architecture.md" "The way of a request, where data is, and what survives.";
    Background "user/security.md" "What is protected, against whom, and what is not.";
    Background "storage.md" "The data directory: database, files, and what happens when a disk fails.";
    Background "backup.md" "What is in a backup, how it is read, and what the doctor examines.";
    Background "audit.md" "The hash chain of the audit log, and how another program checks it.";
};
