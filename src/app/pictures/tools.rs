//! Programs on the box that open what is not decoded here: HEIC, frames of films, first pages of PDFs. Which types they
//! are for, how each is asked, and where its picture is found. What comes out is decoded here like any hostile file.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::confined::{Bounds, Ending, Run};
use super::properties::Properties;
use super::worker::OWN_MEMORY;
use super::{Failure, Fit, Limits, Wanted, is_decoded};
use crate::app::media::MediaType;

/// The longer edge of a page of a PDF, in pixels. It has none of its own; this is the largest that assets list.
pub(super) const PAGE_EDGE: u32 = 2400;
/// How much larger than wanted a page is drawn, so that it is always reduced.
const PAGE_SCALE: u32 = 2;
/// How much of a HEIC is looked at for what it says of itself; that comes first.
pub(super) const HEIC_HEAD: u64 = 4 << 20;
/// How much of what a failing program said goes to the log, in bytes.
const SAID: u64 = 500;
/// What a program calls its picture. HEICs of several pictures come out with numbers.
const NAMES: [&str; 4] = ["picture.png", "picture.jpg", "picture-1.png", "picture-1.jpg"];

/// Out of frames half a second apart that are not black, the one that is most like four of them. In square pixels.
const FRAME: &str = "select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,0.5),\
    blackframe=amount=0:threshold=24,metadata=select:key=lavfi.blackframe.pblack:value=95:function=less,\
    thumbnail=4,scale=max(1\\,trunc(iw*sar)):ih,setsar=1";
/// Any frame, in square pixels.
const ANY_FRAME: &str = "scale=max(1\\,trunc(iw*sar)):ih,setsar=1";
/// What is tried until there is a frame: among the key frames of the beginning, which takes little work; among all
/// frames of less of it, for films that have one key frame; the very first.
const FRAMES: [(&[&str], &str); 3] =
    [(&["-skip_frame", "nokey", "-t", "20"], FRAME), (&["-t", "5"], FRAME), (&[], ANY_FRAME)];

/// The programs that an administrator turned on, by their paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tools {
    /// libheif's `heif-dec`, or `heif-convert` as it was called.
    pub heic: Option<PathBuf>,
    /// `ffmpeg`.
    pub video: Option<PathBuf>,
    /// Poppler's `pdftoppm`.
    pub pdf: Option<PathBuf>,
}

/// The types that pictures are made of: those that are decoded here, and those that there is a tool for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pictured {
    heic: bool,
    video: bool,
    pdf: bool,
}

impl Pictured {
    /// Whether pictures are made of this type.
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

/// What a tool is run for, and with.
pub(super) struct Task<'a> {
    /// This binary, which confines the tool.
    pub(super) launcher: &'a Path,
    /// Where the tool gets an empty folder.
    pub(super) scratch: &'a Path,
    /// The file, by its absolute path.
    pub(super) original: &'a Path,
    pub(super) media_type: MediaType,
    pub(super) wanted: Wanted,
    pub(super) limits: Limits,
    pub(super) patience: Duration,
}

/// A picture that a tool made. Gone with its value.
pub(super) struct Made {
    folder: TempDir,
    name: &'static str,
}

impl Made {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }
}

impl Tools {
    /// The types that pictures are made of.
    #[must_use]
    pub const fn pictured(&self) -> Pictured {
        Pictured { heic: self.heic.is_some(), video: self.video.is_some(), pdf: self.pdf.is_some() }
    }

    /// Has a tool make a picture of a file. Nothing when files of its type are decoded here, or not at all.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn open(&self, task: &Task<'_>) -> Result<Option<Made>, Failure> {
        let until = Instant::now() + task.patience;
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
                task.first_of(program, &[for_heic(task.original)?], until)
            }
            MediaType::Mp4 | MediaType::Mov => {
                let Some(program) = &self.video else { return Ok(None) };
                task.first_of(program, &for_video(task.original, "mov", &task.limits), until)
            }
            MediaType::WebM => {
                let Some(program) = &self.video else { return Ok(None) };
                task.first_of(program, &for_video(task.original, "matroska", &task.limits), until)
            }
            MediaType::Pdf => {
                let Some(program) = &self.pdf else { return Ok(None) };
                task.first_of(program, &[for_pdf(task.original, &task.wanted)], until)
            }
        }
    }
}

/// As JPEG, which is written ten times as fast as PNG; what is transparent needs PNG.
fn for_heic(original: &Path) -> Result<Vec<OsString>, Failure> {
    let mut head = Vec::new();
    File::open(original)?.take(HEIC_HEAD).read_to_end(&mut head)?;
    let name = if Properties::read(&head).has_alpha() { "picture.png" } else { "picture.jpg" };
    Ok(vec!["-q".into(), "95".into(), original.into(), name.into()])
}

/// The demuxer is the one of the type that the bytes told, and it may read files only: a playlist in disguise reads
/// nothing, and nothing is fetched.
fn for_video(original: &Path, demuxer: &str, limits: &Limits) -> Vec<Vec<OsString>> {
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

/// The part of the first page that readers show. A box with only one edge may need all of the page that there is.
fn for_pdf(original: &Path, wanted: &Wanted) -> Vec<OsString> {
    let edge = match (wanted.width, wanted.height, wanted.fit) {
        (Some(width), Some(height), Fit::Contain) => width.max(height).saturating_mul(PAGE_SCALE),
        (_, _, Fit::Contain | Fit::Cover) => PAGE_EDGE,
    };
    let edge = edge.min(PAGE_EDGE).to_string();
    let options = ["-q", "-f", "1", "-l", "1", "-singlefile", "-cropbox", "-png", "-scale-to", &edge];
    let mut line: Vec<OsString> = options.into_iter().map(OsString::from).collect();
    line.extend([original.into(), "picture".into()]);
    line
}

impl Task<'_> {
    /// The picture that the first of these command lines makes.
    fn first_of(
        &self,
        program: &Path,
        lines: &[Vec<OsString>],
        until: Instant,
    ) -> Result<Option<Made>, Failure> {
        std::fs::create_dir_all(self.scratch)?;
        let folder = tempfile::tempdir_in(self.scratch)?;
        for arguments in lines {
            self.run(program, arguments, folder.path(), until)?;
            if let Some(name) = NAMES.into_iter().find(|name| is_picture(&folder.path().join(name))) {
                return Ok(Some(Made { folder, name }));
            }
        }
        Err(Failure::Unsupported("no picture could be made of it".into()))
    }

    fn run(
        &self,
        program: &Path,
        arguments: &[OsString],
        folder: &Path,
        until: Instant,
    ) -> Result<(), Failure> {
        let said = folder.join("said.txt");
        let bounds = Bounds {
            seconds: self.patience.as_secs().max(1),
            memory: self.limits.memory.saturating_add(OWN_MEMORY),
            // A PNG of as many pixels as there is memory for, were they noise.
            file: self.limits.memory.saturating_mul(2),
        };
        let run = Run {
            launcher: self.launcher,
            program,
            arguments,
            file: self.original,
            folder,
            said: File::create(&said)?,
            bounds,
            until,
        };
        let ending = run.ended()?;
        if !matches!(ending, Ending::Done) {
            tracing::warn!(program = %program.display(), ?ending, said = ?beginning(&said), "a media tool failed");
        }
        match ending {
            Ending::Done | Ending::Failed => Ok(()),
            Ending::NotStarted => Err(Failure::Unavailable("its program does not start".into())),
            Ending::Killed => Err(Failure::Crashed),
            Ending::Late => Err(Failure::TooSlow(self.patience.as_secs())),
        }
    }
}

/// Whether a file is there, and not a link to one that a tool would like to see published.
fn is_picture(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|told| told.is_file() && told.len() > 0)
}

fn beginning(path: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SAID).read_to_end(&mut text));
    read.map(|_| String::from_utf8_lossy(&text).trim().to_owned()).unwrap_or_default()
}
