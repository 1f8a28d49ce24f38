//! Finds the programs that the configuration names, as a shell would. Does not start them.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Variables;
use super::layers::Layers;
use super::values::MediaSection;
use crate::pictures::MediaTools;

/// The search path when the environment has none.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The paths of the programs.
///
/// # Errors
/// A line for each that does not exist.
pub(super) fn find(
    media: &MediaSection,
    layers: &Layers,
    variables: &Variables,
) -> Result<MediaTools, Vec<String>> {
    let mut problems = Vec::new();
    let mut tool = |key: &str, named: &Path, example: &str| {
        if named.as_os_str().is_empty() {
            return None;
        }
        let found = find_program(named, variables);
        if found.is_none() {
            problems.push(format!(
                "{}: {key} must be a program on this machine, such as {example}, or empty; {:?} is not an \
                 executable program",
                layers.origin(key),
                named.display()
            ));
        }
        found
    };
    let tools = MediaTools {
        heic: tool("media.heic_tool", &media.heic, "heif-dec or heif-convert"),
        video: tool("media.video_tool", &media.video, "ffmpeg"),
        pdf: tool("media.pdf_tool", &media.pdf, "pdftoppm"),
    };
    if problems.is_empty() { Ok(tools) } else { Err(problems) }
}

/// Checks that the folder of fonts exists, if one is configured.
///
/// # Errors
/// A line if it does not.
pub(super) fn expect_fonts(media: &MediaSection, layers: &Layers) -> Result<(), String> {
    if media.fonts.as_os_str().is_empty() || media.fonts.read_dir().is_ok() {
        return Ok(());
    }
    let (origin, folder) = (layers.origin("media.fonts_dir"), media.fonts.display());
    Err(format!("{origin}: media.fonts_dir must be a folder that can be read, or empty; {folder:?} is not"))
}

/// Searches the folders of `PATH` for a name; anything with a slash is a path.
fn find_program(named: &Path, variables: &Variables) -> Option<PathBuf> {
    if named.components().count() > 1 {
        return std::path::absolute(named).ok().filter(|path| is_executable(path));
    }
    let folders = variables.0.get("PATH").map_or(DEFAULT_PATH, String::as_str);
    std::env::split_paths(folders).map(|folder| folder.join(named)).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}
