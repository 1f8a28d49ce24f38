//! A few bytes at a time from any place in a file, so that nothing is ever held as a whole. Knows no format.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Enough for the headers of most files in one read, in bytes.
const BUFFER: usize = 8 << 10;

/// Why a file can't be opened as what it is, as a clause for a person: "it ends too early".
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

/// The order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The least significant byte first.
    Little,
    /// The most significant byte first.
    Big,
}

/// A file to look at. Places are byte offsets from its start.
pub struct Source<R> {
    reader: BufReader<R>,
    position: u64,
    length: u64,
}

impl<R: Read + Seek> Source<R> {
    /// Looks at a file.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn new(mut file: R) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Self { reader: BufReader::with_capacity(BUFFER, file), position: 0, length })
    }

    /// The length of the file in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Up to `most` bytes from the start.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn head(&mut self, most: u64) -> Result<Vec<u8>, Damage> {
        let mut head = Vec::new();
        self.rewound()?.take(most).read_to_end(&mut head).map_err(unreadable)?;
        self.go_to(0)?;
        Ok(head)
    }

    /// The file as a stream from its start. Reading by places goes on afterwards.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn rewound(&mut self) -> Result<&mut BufReader<R>, Damage> {
        self.go_to(0)?;
        // Whoever has the stream moves it unseen; no file is this long, so the next read seeks from the start.
        self.position = u64::MAX;
        Ok(&mut self.reader)
    }

    /// The `N` bytes at a place.
    ///
    /// # Errors
    /// When they are not there.
    pub fn bytes<const N: usize>(&mut self, at: u64) -> Result<[u8; N], Damage> {
        let end = at.checked_add(N as u64).filter(|&end| end <= self.length).ok_or_else(too_short)?;
        self.go_to(at)?;
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(unreadable)?;
        self.position = end;
        Ok(bytes)
    }

    /// The byte at a place.
    ///
    /// # Errors
    /// When it is not there.
    pub fn u8(&mut self, at: u64) -> Result<u8, Damage> {
        self.bytes(at).map(u8::from_be_bytes)
    }

    /// The two-byte number at a place.
    ///
    /// # Errors
    /// When it is not there.
    pub fn u16(&mut self, at: u64, order: Order) -> Result<u16, Damage> {
        let bytes = self.bytes(at)?;
        Ok(match order {
            Order::Little => u16::from_le_bytes(bytes),
            Order::Big => u16::from_be_bytes(bytes),
        })
    }

    /// The four-byte number at a place.
    ///
    /// # Errors
    /// When it is not there.
    pub fn u32(&mut self, at: u64, order: Order) -> Result<u32, Damage> {
        let bytes = self.bytes(at)?;
        Ok(match order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        })
    }

    /// The eight-byte number at a place.
    ///
    /// # Errors
    /// When it is not there.
    pub fn u64(&mut self, at: u64, order: Order) -> Result<u64, Damage> {
        let bytes = self.bytes(at)?;
        Ok(match order {
            Order::Little => u64::from_le_bytes(bytes),
            Order::Big => u64::from_be_bytes(bytes),
        })
    }

    fn go_to(&mut self, place: u64) -> Result<(), Damage> {
        // A relative move keeps what is in the buffer, an absolute one throws it away.
        let near = i64::try_from(place).ok().zip(i64::try_from(self.position).ok());
        let moved = match near {
            Some((place, position)) => self.reader.seek_relative(place - position),
            None => self.reader.seek(SeekFrom::Start(place)).map(|_| ()),
        };
        moved.map_err(unreadable)?;
        self.position = place;
        Ok(())
    }
}

fn too_short() -> Damage {
    Damage::from("it ends too early")
}

fn unreadable(_: io::Error) -> Damage {
    Damage::from("it could not be read")
}
