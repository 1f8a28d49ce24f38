//! Finds the programs that the configuration names, as a shell would. Starts none of them.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::layers::Layers;
use super::values::Media;
use super::{Invalid, Variables};
use crate::app::pictures::Tools;

/// Where programs are looked for when the environment doesn't say.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The programs, by their paths.
///
/// # Errors
/// A line for each that is not there.
pub(super) fn find(media: &Media, layers: &Layers, variables: &Variables) -> Result<Tools, Invalid> {
    let mut problems = Vec::new();
    let mut tool = |key: &str, named: &Path, example: &str| {
        if named.as_os_str().is_empty() {
            return None;
        }
        let found = located(named, variables);
        if found.is_none() {
            problems.push(format!(
                "{}: {key} must be a program on this machine, such as {example}, or empty; there is none that can be \
                 run at {:?}",
                layers.origin(key),
                named.display()
            ));
        }
        found
    };
    let tools = Tools {
        heic: tool("media.heic_tool", &media.heic, "heif-dec or heif-convert"),
        video: tool("media.video_tool", &media.video, "ffmpeg"),
        pdf: tool("media.pdf_tool", &media.pdf, "pdftoppm"),
    };
    if problems.is_empty() { Ok(tools) } else { Err(Invalid(problems)) }
}

/// A name is looked for in the folders of `PATH`; anything with a slash is a path.
fn located(named: &Path, variables: &Variables) -> Option<PathBuf> {
    if named.components().count() > 1 {
        return std::path::absolute(named).ok().filter(|path| can_be_run(path));
    }
    let folders = variables.0.get("PATH").map_or(USUAL_PATH, String::as_str);
    std::env::split_paths(folders).map(|folder| folder.join(named)).find(|path| can_be_run(path))
}

fn can_be_run(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}
