//! A disk that records what is asked of it, and what a power cut leaves of it: all that was synced, and any part of the
//! rest. A write that was not synced may be lost, be there, or be there in part; a name that was not synced may be the old
//! one or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use crate::core::disk::{Disk, LocalDisk, Room};

/// What a disk writes at once: of a write that was not synced, any of its sectors may be lost.
const SECTOR: usize = 512;

/// An operation that changes what is on a disk.
#[derive(Debug, Clone)]
pub enum Step {
    Write { path: PathBuf, offset: usize, bytes: Vec<u8> },
    SetLen { path: PathBuf, len: usize },
    Sync { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    SyncFolder { folder: PathBuf },
}

/// The local disk, with a record of what was done.
#[derive(Debug, Default)]
pub struct RecordedDisk(Mutex<Vec<Step>>);

impl RecordedDisk {
    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// All steps.
    pub fn take(&self) -> Vec<Step> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn record(&self, step: Step) {
        self.0.lock().unwrap().push(step);
    }
}

impl Disk for RecordedDisk {
    fn write(&self, file: &File, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        LocalDisk.write(file, path, offset, bytes)?;
        let offset = usize::try_from(offset).unwrap();
        self.record(Step::Write { path: path.to_owned(), offset, bytes: bytes.to_owned() });
        Ok(())
    }

    fn set_len(&self, file: &File, path: &Path, len: u64) -> io::Result<()> {
        LocalDisk.set_len(file, path, len)?;
        self.record(Step::SetLen { path: path.to_owned(), len: usize::try_from(len).unwrap() });
        Ok(())
    }

    fn sync(&self, _file: &File, path: &Path) -> io::Result<()> {
        self.record(Step::Sync { path: path.to_owned() });
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.rename(from, to)?;
        self.record(Step::Rename { from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove(path)?;
        self.record(Step::Remove { path: path.to_owned() });
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.record(Step::SyncFolder { folder: folder.to_owned() });
        Ok(())
    }

    fn room(&self, _folder: &Path) -> io::Result<Room> {
        Ok(Room { total: 1 << 40, available: 1 << 39, files: None })
    }
}

/// A file: what of it is safe, and what was done to it since.
#[derive(Debug, Clone, Default)]
struct Content {
    synced: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, written) => {
                let end = offset + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(written);
            }
            Self::SetLen(len) => bytes.resize(*len, 0),
        }
    }

    /// What a power cut leaves of it.
    fn torn(&self, random: &mut impl Rng) -> Vec<Self> {
        match (self, random.random_range(0..4)) {
            (_, 0) => Vec::new(),
            (_, 1 | 2) | (Self::SetLen(_), _) => vec![self.clone()],
            (Self::Write(offset, bytes), _) => {
                let sectors = bytes.chunks(SECTOR).enumerate();
                sectors
                    .filter(|_| random.random())
                    .map(|(index, sector)| Self::Write(offset + index * SECTOR, sector.to_owned()))
                    .collect()
            }
        }
    }
}

/// A change of names in a folder.
#[derive(Debug, Clone)]
enum Naming {
    Give { from: PathBuf, to: PathBuf, file: usize },
    Take { path: PathBuf },
}

impl Naming {
    fn folder(&self) -> &Path {
        let (Self::Give { to: path, .. } | Self::Take { path }) = self;
        path.parent().unwrap()
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Give { from, to, file } => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
            Self::Take { path } => {
                names.remove(path);
            }
        }
    }
}

/// What is on a disk while steps are done on it, one after the other.
#[derive(Debug, Default)]
pub struct DiskModel {
    files: Vec<Content>,
    /// The names as programs see them.
    names: BTreeMap<PathBuf, usize>,
    /// The names that are safe.
    synced: BTreeMap<PathBuf, usize>,
    pending: Vec<Naming>,
}

impl DiskModel {
    /// Does one step.
    pub fn apply(&mut self, step: &Step) {
        match step {
            Step::Write { path, offset, bytes } => {
                self.file(path).pending.push(Change::Write(*offset, bytes.clone()));
            }
            Step::SetLen { path, len } => self.file(path).pending.push(Change::SetLen(*len)),
            Step::Sync { path } => {
                let file = self.file(path);
                for change in std::mem::take(&mut file.pending) {
                    change.apply(&mut file.synced);
                }
            }
            Step::Rename { from, to } => {
                self.file(from);
                let file = self.names[from];
                self.name(Naming::Give { from: from.clone(), to: to.clone(), file });
            }
            Step::Remove { path } => self.name(Naming::Take { path: path.clone() }),
            Step::SyncFolder { folder } => {
                let (done, rest) = std::mem::take(&mut self.pending)
                    .into_iter()
                    .partition(|naming| naming.folder() == folder);
                self.pending = rest;
                let done: Vec<Naming> = done;
                for naming in &done {
                    naming.apply(&mut self.synced);
                }
            }
        }
    }

    /// The file of this name, which is new when there is none. Its name is safe: the files that are made without being
    /// renamed are only hints, or parts of a folder that is synced by the start.
    fn file(&mut self, path: &Path) -> &mut Content {
        let next = self.files.len();
        let number = *self.names.entry(path.to_owned()).or_insert(next);
        if number == next {
            self.files.push(Content::default());
            self.synced.insert(path.to_owned(), number);
        }
        &mut self.files[number]
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.pending.push(naming);
    }

    /// The files after a power cut: their names and their bytes.
    pub fn after_a_cut(&self, random: &mut impl Rng) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut names = self.synced.clone();
        // A journal keeps the order of names, so that any number of the first ones is there; some file systems have none.
        if random.random() {
            let kept = random.random_range(0..=self.pending.len());
            for naming in &self.pending[..kept] {
                naming.apply(&mut names);
            }
        } else {
            let kept: BTreeSet<usize> = (0..self.pending.len()).filter(|_| random.random()).collect();
            for index in kept {
                self.pending[index].apply(&mut names);
            }
        }
        let most_lost = *[0, 1, 2].choose(random).unwrap();
        names
            .into_iter()
            .map(|(path, number)| {
                let file = &self.files[number];
                let mut bytes = file.synced.clone();
                for change in &file.pending {
                    match most_lost {
                        0 => change.apply(&mut bytes),
                        _ => change.torn(random).iter().for_each(|part| part.apply(&mut bytes)),
                    }
                }
                (path, bytes)
            })
            .collect()
    }
}
