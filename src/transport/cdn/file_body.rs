//! A range of a file as the body of an answer. Reads on the calling thread: for pieces of this size, reading from the page
//! cache, and even from a disk, is faster than switching to another thread.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use super::conditions::ByteRange;
use crate::core::stored_file::{ReadRange, StoredFile};
use crate::error::Result;

/// How many bytes are read at a time. A range that fits is read at once.
const PIECE: u64 = 64 * 1024;

/// The body for a range of a file.
///
/// # Errors
/// When a range that is read at once can't be read.
pub fn of(file: StoredFile, range: ByteRange) -> Result<BoxBody> {
    if range.length <= PIECE {
        return Ok(BoxBody::new(piece(file.as_ref(), range)?));
    }
    Ok(BoxBody::new(FileBody { file, left: range }))
}

/// A file that is read as it is sent.
struct FileBody {
    file: StoredFile,
    left: ByteRange,
}

impl MessageBody for FileBody {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left.length)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let ByteRange { first, length } = self.left;
        if length == 0 {
            return Poll::Ready(None);
        }
        let now = ByteRange { first, length: length.min(PIECE) };
        self.left = ByteRange { first: first + now.length, length: length - now.length };
        Poll::Ready(Some(piece(self.file.as_ref(), now)))
    }
}

fn piece(file: &dyn ReadRange, range: ByteRange) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(range.length).unwrap_or(usize::MAX)];
    file.read_range(range.first, &mut bytes)?;
    Ok(bytes.into())
}
