//! Copies the guides for rustdoc, with the links between them as rustdoc follows them. In the guides, a link is a path from
//! file to file, which works in an editor, on code hosts, and in the documentation of the server.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const GUIDES: &str = "src/guide";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={GUIDES}");
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("guide");
    copy(Path::new(GUIDES), &folder)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            fs::write(to.join(name), with_module_links(&fs::read_to_string(&path)?))?;
        }
    }
    Ok(())
}

/// The text with `](user/first-steps.md#top)` as `](crate::guide::user::first_steps#top)`. Guides are modules of
/// `crate::guide`, and what is in the folder `user` of `crate::guide::user`.
fn with_module_links(text: &str) -> String {
    let mut pieces = text.split("](");
    let mut linked = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        linked.push_str("](");
        let (address, rest) = piece.split_at(piece.find(')').unwrap_or(0));
        let (path, id) = address.split_at(address.find('#').unwrap_or(address.len()));
        match path.strip_suffix(".md").filter(|path| !path.contains("://")) {
            Some(path) => linked.extend([&module(path), id, rest]),
            None => linked.push_str(piece),
        }
    }
    linked
}

/// The module of a guide. Files have unique names, so a link needs only the last part of its path.
fn module(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = if Path::new(GUIDES).join(format!("{name}.md")).exists() { "" } else { "user::" };
    format!("crate::guide::{folder}{}", name.replace('-', "_"))
}
