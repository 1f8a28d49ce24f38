//! The secrets of the first start. On a terminal they are printed. Elsewhere they are written to files that only this
//! user can read, since others may read a journal, and the paths are printed.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;

use super::CommandError;
use crate::core::Core;
use crate::core::data_dir::{FIRST_KEY, OWNER_LINK};

/// Where secrets go.
pub(super) struct Secrets {
    link_file: PathBuf,
    key_file: PathBuf,
    is_terminal: bool,
}

impl Secrets {
    /// The secrets of the server with these operations.
    pub fn of(core: &Core) -> Self {
        Self::within(&core.settings().data_dir, io::stdout().is_terminal())
    }

    fn within(data_dir: &Path, is_terminal: bool) -> Self {
        Self { link_file: data_dir.join(OWNER_LINK), key_file: data_dir.join(FIRST_KEY), is_terminal }
    }

    /// The lines to print about the link for the web app's first owner. Writes its file if there is no terminal.
    pub fn link_lines(&self, link: &str) -> Result<Vec<String>, CommandError> {
        if self.is_terminal {
            // An older link, which was withdrawn when this one was created.
            remove(&self.link_file);
            return Ok(lines(&[
                "Nobody can sign in to the web app yet. Open this link to become its owner; it works once:",
                "",
                &format!("  {link}"),
                "",
            ]));
        }
        write(&self.link_file, &format!("{link}\n"))?;
        Ok(lines(&[
            "Nobody can sign in to the web app yet. The link to become its owner is in a file that only the server's user",
            "and root can read, since this is not a terminal; it works once, and then the file is removed. To see it:",
            "",
            &format!("  {}", how_to_see(&self.link_file)),
            "",
        ]))
    }

    /// The lines to print about the first key and the clients, beginning with `created`. Writes their file if there is no
    /// terminal.
    pub fn key_lines(&self, created: &str, first_steps: Vec<String>) -> Result<Vec<String>, CommandError> {
        if self.is_terminal {
            let mut printed =
                lines(&[created, "that may read and write there. The key is shown only this once:", ""]);
            printed.extend(first_steps);
            return Ok(printed);
        }
        write(&self.key_file, &(first_steps.join("\n") + "\n"))?;
        Ok(lines(&[
            created,
            "that may read and write there. The key, with what to paste into each client, is in a file that only the",
            "server's user and root can read. Remove it when you have the key; once the web app has an owner, it is",
            "removed. To see it:",
            "",
            &format!("  {}", how_to_see(&self.key_file)),
            "",
        ]))
    }

    /// Whether there are files with secrets.
    pub fn are_written(&self) -> bool {
        self.link_file.exists() || self.key_file.exists()
    }

    /// Removes the files.
    pub fn remove(&self) {
        remove(&self.link_file);
        remove(&self.key_file);
    }
}

/// A command that shows a file. The first process of a container has nothing beside it that could.
fn how_to_see(file: &Path) -> String {
    if process::id() == 1 {
        return format!("docker cp CONTAINER:{} - | tar -xO", file.display());
    }
    format!("cat {}", file.display())
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Writes a new file that only this user can read, also when an older one was readable by others.
fn write(file: &Path, text: &str) -> Result<(), CommandError> {
    remove(file);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut open| open.write_all(text.as_bytes()).and_then(|()| open.sync_all()));
    written.map_err(|error| CommandError(format!("{}: can't be written: {error}", file.display())))
}

fn remove(file: &Path) {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(file = %file.display(), "this file holds a secret and can't be removed: {error}");
        }
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const CREATED: &str = "It created a key";

    fn printed(result: Result<Vec<String>, CommandError>) -> String {
        result.unwrap_or_else(|failure| panic!("{failure}")).join("\n")
    }

    #[test]
    fn on_a_terminal_the_secrets_are_printed_and_not_written() {
        let temp = tempfile::tempdir().unwrap();
        let secrets = Secrets::within(temp.path(), true);
        assert!(
            printed(secrets.link_lines("https://x/app/welcome/1"))
                .contains("\n\n  https://x/app/welcome/1\n")
        );
        assert!(
            printed(secrets.key_lines(CREATED, vec!["  pk_1".to_owned()]))
                .contains("only this once:\n\n  pk_1")
        );
        assert!(!secrets.are_written());
    }

    #[test]
    fn without_a_terminal_the_paths_are_printed_and_only_this_user_can_read_the_files() {
        let temp = tempfile::tempdir().unwrap();
        let secrets = Secrets::within(temp.path(), false);
        fs::write(temp.path().join(OWNER_LINK), "an older link").unwrap();
        let text = printed(secrets.link_lines("https://x/app/welcome/1"))
            + &printed(secrets.key_lines(CREATED, vec!["  pk_1".to_owned()]));
        assert!(!text.contains("welcome") && !text.contains("pk_"), "{text}");
        for (name, content) in [(OWNER_LINK, "https://x/app/welcome/1\n"), (FIRST_KEY, "  pk_1\n")] {
            let file = temp.path().join(name);
            assert!(text.contains(&format!("\n\n  cat {}\n", file.display())), "{text}");
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        secrets.remove();
        assert!(!secrets.are_written());
        secrets.remove();
    }
}
