//! Reads a few bytes at a time from any offset of a file, so that a file is never held in memory. Knows no format.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

/// Enough for the headers of most files in one read, in bytes.
const BUFFER: usize = 8 << 10;

/// Why a file is damaged, as a clause for a person: "it ends too early".
#[derive(Debug)]
pub struct Damage(pub Cow<'static, str>);

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&'static str> for Damage {
    fn from(reason: &'static str) -> Self {
        Self(reason.into())
    }
}

/// The byte order of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// The least significant byte first.
    Little,
    /// The most significant byte first.
    Big,
}

/// A reader at byte offsets from the start of a file.
pub struct ByteReader<R> {
    reader: BufReader<R>,
    position: u64,
    length: u64,
    has_failed: bool,
}

impl<R: Read + Seek> ByteReader<R> {
    /// A reader of this file.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn new(mut file: R) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Self { reader: BufReader::with_capacity(BUFFER, file), position: 0, length, has_failed: false })
    }

    /// Whether reading failed because of the disk, not because of the content.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// The length of the file in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Up to `max` bytes from the start.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn head(&mut self, max: u64) -> Result<Vec<u8>, Damage> {
        let mut head = Vec::new();
        let read = self.rewound()?.take(max).read_to_end(&mut head);
        self.recorded(read)?;
        self.go_to(0)?;
        Ok(head)
    }

    /// The file as a stream from its start. Reading at offsets works again afterwards.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn rewound(&mut self) -> Result<&mut BufReader<R>, Damage> {
        self.go_to(0)?;
        // The caller moves the stream unnoticed. No file is this long, so the next read seeks to an absolute offset.
        self.position = u64::MAX;
        Ok(&mut self.reader)
    }

    /// The `N` bytes at an offset.
    ///
    /// # Errors
    /// When the file ends first.
    pub fn bytes<const N: usize>(&mut self, at: u64) -> Result<[u8; N], Damage> {
        let end = at.checked_add(N as u64).filter(|&end| end <= self.length).ok_or_else(too_short)?;
        self.go_to(at)?;
        let mut bytes = [0; N];
        let read = self.reader.read_exact(&mut bytes);
        self.recorded(read)?;
        self.position = end;
        Ok(bytes)
    }

    /// The bytes in a range, at most `max` of them.
    ///
    /// # Errors
    /// When the file ends first, or the range is longer.
    pub fn range(&mut self, range: Range<u64>, max: u64) -> Result<Vec<u8>, Damage> {
        let length = range.end.saturating_sub(range.start);
        if range.end > self.length {
            return Err(too_short());
        }
        let length = usize::try_from(length.min(max.saturating_add(1))).map_err(|_| "a part is too large")?;
        if length as u64 > max {
            return Err("a part is too large".into());
        }
        self.go_to(range.start)?;
        let mut bytes = vec![0; length];
        let read = self.reader.read_exact(&mut bytes);
        self.recorded(read)?;
        self.position = range.end.max(range.start);
        Ok(bytes)
    }

    /// The byte at an offset.
    ///
    /// # Errors
    /// When the file ends first.
    pub fn u8(&mut self, at: u64) -> Result<u8, Damage> {
        self.bytes(at).map(u8::from_be_bytes)
    }

    /// The two-byte number at an offset.
    ///
    /// # Errors
    /// When the file ends first.
    pub fn u16(&mut self, at: u64, order: ByteOrder) -> Result<u16, Damage> {
        let bytes = self.bytes(at)?;
        Ok(match order {
            ByteOrder::Little => u16::from_le_bytes(bytes),
            ByteOrder::Big => u16::from_be_bytes(bytes),
        })
    }

    /// The four-byte number at an offset.
    ///
    /// # Errors
    /// When the file ends first.
    pub fn u32(&mut self, at: u64, order: ByteOrder) -> Result<u32, Damage> {
        let bytes = self.bytes(at)?;
        Ok(match order {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        })
    }

    /// The eight-byte number at an offset.
    ///
    /// # Errors
    /// When the file ends first.
    pub fn u64(&mut self, at: u64, order: ByteOrder) -> Result<u64, Damage> {
        let bytes = self.bytes(at)?;
        Ok(match order {
            ByteOrder::Little => u64::from_le_bytes(bytes),
            ByteOrder::Big => u64::from_be_bytes(bytes),
        })
    }

    fn go_to(&mut self, offset: u64) -> Result<(), Damage> {
        // A relative seek keeps the buffer, an absolute one discards it.
        let near = i64::try_from(offset).ok().zip(i64::try_from(self.position).ok());
        let moved = match near {
            Some((offset, position)) => self.reader.seek_relative(offset - position),
            None => self.reader.seek(SeekFrom::Start(offset)).map(|_| ()),
        };
        self.recorded(moved)?;
        self.position = offset;
        Ok(())
    }

    fn recorded<T>(&mut self, done: io::Result<T>) -> Result<T, Damage> {
        done.map_err(|_| {
            self.has_failed = true;
            Damage::from("it could not be read")
        })
    }
}

fn too_short() -> Damage {
    Damage::from("it ends too early")
}
