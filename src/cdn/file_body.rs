//! A part of a file as the body of an answer. Reads in line: what the page cache holds is faster than a hop to
//! another thread, and a disk is fast enough for pieces of this size.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use super::conditions::Part;
use crate::error::Result;

/// How much is read at a time; a file that fits is read at once.
const PIECE: u64 = 64 * 1024;

/// The body for a part of a file.
///
/// # Errors
/// When a small file can't be read.
pub fn of(file: File, part: Part) -> Result<BoxBody> {
    if part.length <= PIECE {
        return Ok(BoxBody::new(piece(&file, part)?));
    }
    Ok(BoxBody::new(FileBody { file, left: part }))
}

/// A file that is read as it is sent.
struct FileBody {
    file: File,
    left: Part,
}

impl MessageBody for FileBody {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left.length)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Part { first, length } = self.left;
        if length == 0 {
            return Poll::Ready(None);
        }
        let now = Part { first, length: length.min(PIECE) };
        self.left = Part { first: first + now.length, length: length - now.length };
        Poll::Ready(Some(piece(&self.file, now)))
    }
}

fn piece(file: &File, part: Part) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(part.length).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, part.first)?;
    Ok(bytes.into())
}
