//! Where the body of a request ends on a connection: by its length, or chunk by chunk. Stricter than the HTTP framework,
//! so that both find the same end. Pure: no sockets, no time.

/// The longest chunk extension or trailer, in bytes. Clients send none.
const MAX_EXTENSION: u16 = 1024;

/// What is still to come of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// This many bytes.
    Length(u64),
    /// Chunks; this is expected next.
    Chunks(ChunkState),
}

/// A chunked body that breaks the rules, so that its end can't be found.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// What is expected next in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkState {
    /// The first digit of a size.
    Size,
    /// More digits, or what ends them.
    SizeRest(u64),
    /// The rest of an extension of a chunk of this size, and how many bytes of it were read.
    Extension(u64, u16),
    /// The line feed after the size.
    SizeEnd(u64),
    /// This many bytes of data.
    Data(u64),
    /// The carriage return after the data.
    DataReturn,
    /// The line feed after that.
    DataEnd,
    /// A trailer, or the carriage return of the end, and how many bytes of trailers were read.
    Trailer(u16),
    /// The rest of a trailer.
    TrailerRest(u16),
    /// The line feed of a trailer.
    TrailerEnd(u16),
    /// The line feed of the end.
    End,
    /// Nothing: the body is over.
    Over,
}

impl BodyFraming {
    /// Whether all of it was read.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunks(ChunkState::Over))
    }

    /// Reads what belongs to the body from the front of `bytes`, and returns how many bytes that is.
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        match self {
            Self::Length(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                Ok(taken)
            }
            Self::Chunks(chunk) => chunk.take(bytes),
        }
    }
}

impl ChunkState {
    fn take(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            if let Self::Data(left) = self {
                let now = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= now as u64;
                taken += now;
                if *left == 0 {
                    *self = Self::DataReturn;
                }
            } else if let (Some(&byte), false) = (rest.first(), *self == Self::Over) {
                *self = self.after(byte).ok_or(Malformed)?;
                taken += 1;
            } else {
                break;
            }
        }
        Ok(taken)
    }

    /// What is expected after this byte; `None` when the byte is not allowed here.
    fn after(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Size, _) => digit(byte).map(Self::SizeRest),
            (Self::SizeRest(size) | Self::Extension(size, _), b'\r') => Some(Self::SizeEnd(size)),
            (Self::SizeRest(size), b';') => Some(Self::Extension(size, 0)),
            (Self::SizeRest(size), _) => size.checked_mul(16)?.checked_add(digit(byte)?).map(Self::SizeRest),
            (Self::Extension(size, read), _) => {
                (is_text(byte) && read < MAX_EXTENSION).then_some(Self::Extension(size, read + 1))
            }
            (Self::SizeEnd(0), b'\n') => Some(Self::Trailer(0)),
            (Self::SizeEnd(size), b'\n') => Some(Self::Data(size)),
            (Self::DataReturn, b'\r') => Some(Self::DataEnd),
            (Self::DataEnd, b'\n') => Some(Self::Size),
            (Self::Trailer(_), b'\r') => Some(Self::End),
            (Self::TrailerRest(read), b'\r') => Some(Self::TrailerEnd(read)),
            (Self::Trailer(read) | Self::TrailerRest(read), _) => {
                (is_text(byte) && read < MAX_EXTENSION).then_some(Self::TrailerRest(read + 1))
            }
            (Self::TrailerEnd(read), b'\n') => Some(Self::Trailer(read)),
            (Self::End, b'\n') => Some(Self::Over),
            (
                Self::SizeEnd(_)
                | Self::DataReturn
                | Self::DataEnd
                | Self::TrailerEnd(_)
                | Self::End
                | Self::Data(_)
                | Self::Over,
                _,
            ) => None,
        }
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

/// Whether a byte is allowed in an extension or a trailer: no control character except the tab.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7F)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(text: &[u8]) -> Result<(usize, bool), Malformed> {
        let mut body = BodyFraming::Chunks(ChunkState::Size);
        body.take(text).map(|taken| (taken, body.is_over()))
    }

    #[test]
    fn chunks_end_where_their_sizes_say() {
        for text in ["0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "A;x=y\r\n0123456789\r\n00\r\nT: u\r\n\r\n"] {
            assert_eq!(taken(text.as_bytes()), Ok((text.len(), true)), "{text}");
            let more = format!("{text}GET / HTTP/1.1");
            assert_eq!(taken(more.as_bytes()), Ok((text.len(), true)), "{text}");
        }
        for text in [
            "\r\n",
            "g\r\n",
            "1\nx",
            "1\r\nxy",
            "1\r\nx\n",
            " 1\r\n",
            "-1\r\n",
            "0\r\n\n",
            "0\r\nT: u\n\r\n",
            "10000000000000000\r\n",
            "1;\n\r\n",
        ] {
            assert_eq!(taken(text.as_bytes()), Err(Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn chunks_read_the_same_in_pieces(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5),
            piece in 1usize..20,
        ) {
            let mut text = Vec::new();
            for chunk in &chunks {
                text.extend(format!("{:x}\r\n", chunk.len()).bytes());
                text.extend(chunk);
                text.extend(b"\r\n");
            }
            text.extend(b"0\r\n\r\n");
            let mut body = BodyFraming::Chunks(ChunkState::Size);
            for piece in text.chunks(piece) {
                prop_assert!(!body.is_over());
                prop_assert_eq!(body.take(piece), Ok(piece.len()));
            }
            prop_assert!(body.is_over());
            prop_assert_eq!(body.take(b"more"), Ok(0));
        }

        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = taken(&bytes);
        }
    }
}
