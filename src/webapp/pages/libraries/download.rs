//! A selection as one zip archive. It is written while it is sent, without compression, since pictures are compressed
//! already; what waits to be sent is bounded, and a browser that goes away ends it.

use std::collections::HashSet;
use std::io::{self, Write};

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderValue};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::browsing::Browsing;
use super::bulk_changes::parts::SelectionParts;
use crate::core::Core;
use crate::core::assets::AssetFile;
use crate::core::members::SignedIn;
use crate::core::model::Asset;
use crate::core::model::text::replaced;
use crate::error::{Code, Error, Result};
use crate::webapp::form::Form;
use crate::webapp::format::times::Time;
use crate::webapp::signed_in_user::SignedInUser;

/// How many archives are written at a time; each takes a thread as long as it is sent.
static AT_ONCE: Semaphore = Semaphore::const_new(16);
/// How many bytes are read and sent at a time.
const PIECE: usize = 64 * 1024;
/// How many pieces wait for a slow browser.
const WAITING: usize = 8;
/// The largest file and archive whose sizes fit the original format.
const LARGEST_32: u64 = 0xF000_0000;
/// The entry that lists what is missing.
const MISSING: &str = "Not in this archive.txt";

/// Answers with the archive of a selection.
pub async fn download(user: SignedInUser, browsing: Browsing, form: &Form) -> Result<HttpResponse> {
    let caller = user.caller(&browsing.organization)?;
    caller.read(&browsing.path())?;
    drop(caller);
    let mut parts = SelectionParts::of(&user, &browsing, form)?;
    let mut ids: Vec<String> = Vec::new();
    while let Some(some) = parts.next().await? {
        ids.extend(some);
    }
    let permit = AT_ONCE.try_acquire().map_err(|_| {
        let message = "Too many downloads are running. Wait until one has ended, and try again.";
        Error::new(Code::ServiceUnavailable, message)
    })?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let name = format!("attachment; filename=\"{}.zip\"", browsing.library);
    let archive = Archive { core: user.core, person: user.person, browsing, ids, sender, _permit: permit };
    tokio::task::spawn_blocking(move || archive.write());
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece: io::Result<Bytes>| (piece, receiver))
    });
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((CONTENT_DISPOSITION, name))
        .streaming(pieces))
}

/// An archive that is being written, on a thread of its own.
struct Archive {
    core: Core,
    person: SignedIn,
    browsing: Browsing,
    ids: Vec<String>,
    sender: mpsc::Sender<io::Result<Bytes>>,
    _permit: SemaphorePermit<'static>,
}

impl Archive {
    fn write(self) {
        let pieces = Pieces { sender: self.sender.clone(), piece: Vec::with_capacity(PIECE) };
        if let Err(error) = self.write_into(ZipWriter::new_stream(pieces)) {
            // A browser that went away hears nothing of it; any other sees that the archive breaks off.
            let _gone = self.sender.blocking_send(Err(error));
        }
    }

    fn write_into(&self, mut zip: ZipWriter<StreamWriter<Pieces>>) -> io::Result<()> {
        let (mut names, mut missing) = (Names::default(), Vec::new());
        for id in &self.ids {
            // Looked up for each file, because access may end while the archive is sent.
            match self.open(id) {
                Ok(file) => {
                    let extension = file.asset.content.media_type.extension();
                    add(&mut zip, &names.free(&file.asset.name, extension), &file)?;
                }
                Err(error) if error.is_user_fixable() => missing.push(id.as_str()),
                Err(error) => {
                    tracing::error!(%error, asset = %id, "a file is missing in an archive");
                    missing.push(id);
                }
            }
        }
        if !missing.is_empty() {
            zip.start_file(
                MISSING,
                SimpleFileOptions::default().compression_method(CompressionMethod::Stored),
            )?;
            writeln!(
                zip,
                "These assets were removed since they were selected, or their files can’t be read:"
            )?;
            missing.iter().try_for_each(|id| writeln!(zip, "{id}"))?;
        }
        zip.finish()?.into_inner().flush()
    }

    fn open(&self, id: &str) -> Result<AssetFile> {
        let caller = self.core.member_caller(&self.person, &self.browsing.organization)?;
        self.core.asset_file(&caller, &self.browsing.path(), id)
    }
}

fn add(zip: &mut ZipWriter<StreamWriter<Pieces>>, name: &str, file: &AssetFile) -> io::Result<()> {
    let size = file.asset.content.size;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(size >= LARGEST_32)
        .last_modified_time(modified(&file.asset));
    zip.start_file(name, options)?;
    let (mut first, mut bytes) = (0, vec![0; PIECE]);
    while first < size {
        let length = usize::try_from(size - first).unwrap_or(PIECE).min(PIECE);
        let piece = bytes.get_mut(..length).unwrap_or_default();
        file.file.read_range(first, piece)?;
        zip.write_all(piece)?;
        first += length as u64;
    }
    Ok(())
}

/// When the asset was uploaded, as archives have it.
fn modified(asset: &Asset) -> DateTime {
    let text = Time(asset.created).iso();
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u16>().ok());
    let byte = |from: usize, to: usize| u8::try_from(number(from, to)?).ok();
    let time = || {
        let (year, month, day) = (number(0, 4)?, byte(5, 7)?, byte(8, 10)?);
        let (hour, minute, second) = (byte(11, 13)?, byte(14, 16)?, byte(17, 19)?);
        DateTime::from_date_and_time(year, month, day, hour, minute, second).ok()
    };
    time().unwrap_or_default()
}

/// The names of an archive's files, each once, whatever the system that unpacks it thinks of upper and lower case.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn free(&mut self, name: &str, extension: &str) -> String {
        let name = safe(name);
        let numbered = (1..).map(|number: usize| match number {
            1 => format!("{name}.{extension}"),
            number => format!("{name} ({number}).{extension}"),
        });
        let mut free = numbered.skip_while(|name| self.0.contains(&name.to_lowercase()));
        let found = free.next().unwrap_or_default();
        self.0.insert(found.to_lowercase());
        found
    }
}

/// A name that is a file's name on every system.
fn safe(name: &str) -> String {
    let plain = replaced(name);
    let safe = plain.trim_matches(['.', ' ']).replace(['/', '\\', ':', '*', '?', '"', '<', '>', '|'], "_");
    if safe.is_empty() { "file".to_owned() } else { safe }
}

/// Sends what is written, in pieces.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE)));
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_apart_and_are_names_on_every_system() {
        let mut names = Names::default();
        let mut free = |name: &str| names.free(name, "jpg");
        assert_eq!(free("wine"), "wine.jpg");
        assert_eq!(free("Wine"), "Wine (2).jpg");
        assert_eq!(free("wine (2)"), "wine (2) (2).jpg");
        assert_eq!(free("../etc/passwd"), "_etc_passwd.jpg");
        assert_eq!(free("..."), "file.jpg");
    }
}
