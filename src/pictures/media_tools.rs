//! Installed programs for types that are not decoded here: HEIC, frames of videos, first pages of PDFs. Builds their
//! command lines and finds the picture that they wrote, which is then decoded like any hostile file.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::properties::Properties;
use super::sandbox::{ResourceLimits, RunOutcome, SandboxedRun};
use super::worker::OWN_MEMORY;
use super::{DecodeLimits, Failure, Fit, ResizeSpec, is_decoded};
use crate::pictures::media::MediaType;

/// The longer edge of a PDF page, in pixels. A page has no size in pixels of its own; this is the largest listed edge.
pub(super) const PAGE_EDGE: u32 = 2400;
/// How much larger than requested a page is rendered, so that it is always downscaled.
const PAGE_SCALE: u32 = 2;
/// How many bytes of a HEIC are read for its properties, which come first.
pub(super) const HEIC_HEAD: u64 = 4 << 20;
/// How many bytes of a failing program's standard error are logged.
const MAX_LOGGED_STDERR: u64 = 500;
/// The names of the output file. A HEIC with several pictures gives numbered files.
const OUTPUT_NAMES: [&str; 4] = ["picture.png", "picture.jpg", "picture-1.png", "picture-1.jpg"];

/// A filter that picks a typical one of four frames half a second apart that are not black. In square pixels.
const FRAME: &str = "select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,0.5),\
    blackframe=amount=0:threshold=24,metadata=select:key=lavfi.blackframe.pblack:value=95:function=less,\
    thumbnail=4,scale=max(1\\,trunc(iw*sar)):ih,setsar=1";
/// A filter that takes any frame, in square pixels.
const ANY_FRAME: &str = "scale=max(1\\,trunc(iw*sar)):ih,setsar=1";
/// Tried in this order until there is a frame: among the key frames of the first 20 seconds, which is cheap; among all
/// frames of the first 5 seconds, for videos with a single key frame; the very first frame.
const FRAMES: [(&[&str], &str); 3] =
    [(&["-skip_frame", "nokey", "-t", "20"], FRAME), (&["-t", "5"], FRAME), (&[], ANY_FRAME)];

/// The paths of the programs that an administrator turned on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaTools {
    /// libheif's `heif-dec`, formerly `heif-convert`.
    pub heic: Option<PathBuf>,
    /// `ffmpeg`.
    pub video: Option<PathBuf>,
    /// Poppler's `pdftoppm`.
    pub pdf: Option<PathBuf>,
}

/// The types that can be rendered: those that are decoded here, and those with a configured tool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RenderableTypes {
    heic: bool,
    video: bool,
    pdf: bool,
}

impl RenderableTypes {
    /// Whether this type can be rendered.
    #[must_use]
    pub const fn includes(self, media_type: MediaType) -> bool {
        match media_type {
            MediaType::Jpeg
            | MediaType::Png
            | MediaType::Gif
            | MediaType::WebP
            | MediaType::Avif
            | MediaType::Tiff
            | MediaType::Bmp
            | MediaType::Svg => is_decoded(media_type),
            MediaType::Heic => self.heic,
            MediaType::Mp4 | MediaType::Mov | MediaType::WebM => self.video,
            MediaType::Pdf => self.pdf,
        }
    }
}

/// The file that a tool is run on, and its environment.
pub(super) struct ToolTask<'a> {
    /// This binary, which sandboxes the tool.
    pub(super) launcher: &'a Path,
    /// The folder in which the tool gets an empty folder of its own.
    pub(super) scratch: &'a Path,
    /// The file, by its absolute path.
    pub(super) original: &'a Path,
    pub(super) media_type: MediaType,
    pub(super) resize: ResizeSpec,
    pub(super) limits: DecodeLimits,
    pub(super) time_limit: Duration,
}

/// The picture that a tool wrote. Deleted on drop.
pub(super) struct ToolOutput {
    folder: TempDir,
    name: &'static str,
}

impl ToolOutput {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }
}

impl MediaTools {
    /// The types that can be rendered with these tools.
    #[must_use]
    pub const fn renderable_types(&self) -> RenderableTypes {
        RenderableTypes { heic: self.heic.is_some(), video: self.video.is_some(), pdf: self.pdf.is_some() }
    }

    /// Runs the tool for a file. `None` when its type is decoded here, or when no tool is configured for it.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn open(&self, task: &ToolTask<'_>) -> Result<Option<ToolOutput>, Failure> {
        let deadline = Instant::now() + task.time_limit;
        match task.media_type {
            MediaType::Jpeg
            | MediaType::Png
            | MediaType::Gif
            | MediaType::WebP
            | MediaType::Avif
            | MediaType::Tiff
            | MediaType::Bmp
            | MediaType::Svg => Ok(None),
            MediaType::Heic => {
                let Some(program) = &self.heic else { return Ok(None) };
                task.first_of(program, &[for_heic(task.original)?], deadline)
            }
            MediaType::Mp4 | MediaType::Mov => {
                let Some(program) = &self.video else { return Ok(None) };
                task.first_of(program, &for_video(task.original, "mov", &task.limits), deadline)
            }
            MediaType::WebM => {
                let Some(program) = &self.video else { return Ok(None) };
                task.first_of(program, &for_video(task.original, "matroska", &task.limits), deadline)
            }
            MediaType::Pdf => {
                let Some(program) = &self.pdf else { return Ok(None) };
                task.first_of(program, &[for_pdf(task.original, &task.resize)], deadline)
            }
        }
    }
}

/// Writes a JPEG, which is ten times as fast as PNG, or a PNG when there is transparency.
fn for_heic(original: &Path) -> Result<Vec<OsString>, Failure> {
    let mut head = Vec::new();
    File::open(original)?.take(HEIC_HEAD).read_to_end(&mut head)?;
    let name = if Properties::read(&head).has_alpha() { "picture.png" } else { "picture.jpg" };
    Ok(vec!["-q".into(), "95".into(), original.into(), name.into()])
}

/// Fixes the demuxer to the detected type and allows local files only, so that a disguised playlist can't read other files
/// or fetch urls.
fn for_video(original: &Path, demuxer: &str, limits: &DecodeLimits) -> Vec<Vec<OsString>> {
    let address = [OsString::from("file:"), original.into()].into_iter().collect::<OsString>();
    let pixels = limits.pixels.to_string();
    FRAMES
        .into_iter()
        .map(|(part, filter)| {
            let before = ["-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file"];
            let reading = ["-threads", "1", "-max_pixels", &pixels, "-f", demuxer];
            let mut line: Vec<OsString> =
                before.into_iter().chain(reading).chain(part.iter().copied()).map(OsString::from).collect();
            line.extend(["-i".into(), address.clone()]);
            let writing = ["-map", "0:v:0", "-filter_threads", "1", "-vf", filter, "-frames:v", "1"];
            line.extend(writing.into_iter().map(OsString::from));
            line.extend(["-compression_level", "1", "picture.png"].map(OsString::from));
            line
        })
        .collect()
}

/// Renders the visible area of the first page. When only one edge of the box is given, the page is rendered in full size.
fn for_pdf(original: &Path, resize: &ResizeSpec) -> Vec<OsString> {
    let edge = match (resize.width, resize.height, resize.fit) {
        (Some(width), Some(height), Fit::Contain) => width.max(height).saturating_mul(PAGE_SCALE),
        (_, _, Fit::Contain | Fit::Cover) => PAGE_EDGE,
    };
    let edge = edge.min(PAGE_EDGE).to_string();
    let options = ["-q", "-f", "1", "-l", "1", "-singlefile", "-cropbox", "-png", "-scale-to", &edge];
    let mut line: Vec<OsString> = options.into_iter().map(OsString::from).collect();
    line.extend([original.into(), "picture".into()]);
    line
}

impl ToolTask<'_> {
    /// The picture that the first successful one of these command lines writes.
    fn first_of(
        &self,
        program: &Path,
        lines: &[Vec<OsString>],
        deadline: Instant,
    ) -> Result<Option<ToolOutput>, Failure> {
        crate::file_mode::create_folder(self.scratch)?;
        let folder = tempfile::tempdir_in(self.scratch)?;
        for arguments in lines {
            self.run(program, arguments, folder.path(), deadline)?;
            if let Some(name) = OUTPUT_NAMES.into_iter().find(|name| is_picture(&folder.path().join(name))) {
                return Ok(Some(ToolOutput { folder, name }));
            }
        }
        Err(super::unsupported("the program for it produced no picture"))
    }

    fn run(
        &self,
        program: &Path,
        arguments: &[OsString],
        folder: &Path,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let stderr = folder.join("stderr.txt");
        let limits = ResourceLimits {
            seconds: self.time_limit.as_secs().max(1),
            memory: self.limits.memory.saturating_add(OWN_MEMORY),
            // Enough for a PNG of noise with as many pixels as fit into memory.
            file: self.limits.memory.saturating_mul(2),
        };
        let run = SandboxedRun {
            launcher: self.launcher,
            program,
            arguments,
            file: self.original,
            folder,
            stderr: crate::file_mode::create_file(&stderr)?,
            limits,
            deadline,
        };
        let outcome = run.run()?;
        if !matches!(outcome, RunOutcome::Succeeded) {
            tracing::warn!(program = %program.display(), ?outcome, stderr = ?beginning(&stderr), "a media tool failed");
        }
        match outcome {
            RunOutcome::Succeeded | RunOutcome::Failed => Ok(()),
            RunOutcome::NotStarted => Err(Failure::Unavailable("its program does not start".into())),
            RunOutcome::Killed => Err(Failure::Crashed),
            RunOutcome::TimedOut => Err(Failure::TooSlow(self.time_limit.as_secs())),
        }
    }
}

/// Whether a regular file exists. A symbolic link is refused, because it could expose any file of the machine.
fn is_picture(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

fn beginning(path: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_LOGGED_STDERR).read_to_end(&mut text));
    read.map(|_| String::from_utf8_lossy(&text).trim().to_owned()).unwrap_or_default()
}
