//! Reads bodies as a whole: up to a limit, counted while they arrive, the large ones on the disk until they are complete.
//! What is counted is released when the request is answered.

use std::io::{Read, Seek, Write};
use std::rc::Rc;

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::task::spawn_blocking;

use super::incomplete_body;
use super::request_state::{CURRENT_REQUEST, RequestState};
use crate::core::budget::Reservation;
use crate::error::{Error, Result};

/// How many bytes of a body are in memory while it arrives.
const IN_MEMORY: usize = 1 << 20;

/// Bytes that arrive and are read as a whole. They count against the budget of the sender.
struct BodyBuffer {
    bytes: Vec<u8>,
    max: usize,
    too_large: fn(usize) -> Error,
    request: Option<Rc<RequestState>>,
    reservation: Option<Reservation>,
    spool: Option<SpooledBody>,
}

/// The start of a large body, in a temporary file.
struct SpooledBody {
    file: std::fs::File,
    size: usize,
    reservation: Reservation,
}

impl BodyBuffer {
    /// A buffer for at most `max` bytes, fewer for a key without grants; `too_large` makes the error above that.
    fn new(max: usize, too_large: fn(usize) -> Error) -> Self {
        let request = CURRENT_REQUEST.try_with(Rc::clone).ok();
        let max = match &request {
            Some(request) if request.has_no_grants() => max.min(request.budget.ungranted_body),
            Some(_) | None => max,
        };
        Self { bytes: Vec::new(), max, too_large, request, reservation: None, spool: None }
    }

    /// Adds bytes.
    async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let before = self.spool.as_ref().map_or(0, |spool| spool.size) + self.bytes.len();
        if bytes.len() > self.max.saturating_sub(before) {
            return Err((self.too_large)(self.max));
        }
        if self.request.is_some() && self.bytes.len() + bytes.len() > IN_MEMORY {
            self.spill().await?;
        }
        self.count(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Counts bytes that are kept in memory. What was written to the disk stays counted: its memory is used again.
    fn count(&mut self, more: usize) -> Result<()> {
        let Some(request) = &self.request else { return Ok(()) };
        let needed = (self.bytes.len() + more) as u64;
        match &mut self.reservation {
            Some(reservation) if reservation.amount() >= needed => Ok(()),
            Some(reservation) => reservation.grow(needed - reservation.amount()),
            None => {
                self.reservation = Some(request.budget.memory.reserve(&request.requester(), needed)?);
                Ok(())
            }
        }
    }

    /// Writes what is in memory to the disk.
    async fn spill(&mut self) -> Result<()> {
        let Some(request) = &self.request else { return Ok(()) };
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut spool = match self.spool.take() {
            Some(spool) => spool,
            None => SpooledBody {
                file: tempfile::tempfile_in(&request.budget.folder)?,
                size: 0,
                reservation: request.budget.temporary.reserve(&request.requester(), 0)?,
            },
        };
        spool.reservation.grow(bytes.len() as u64)?;
        let (spool, bytes) = spawn_blocking(move || -> Result<(SpooledBody, Vec<u8>)> {
            spool.file.write_all(&bytes)?;
            spool.size += bytes.len();
            bytes.clear();
            Ok((spool, bytes))
        })
        .await
        .map_err(Error::internal)??;
        (self.spool, self.bytes) = (Some(spool), bytes);
        Ok(())
    }

    /// All of it. A large body waits until there is memory to parse it. Its reservation is held until the request is
    /// answered.
    async fn finish(self) -> Result<Bytes> {
        let Self { bytes, request, reservation, spool, .. } = self;
        let Some(request) = request else { return Ok(bytes.into()) };
        let Some(SpooledBody { mut file, size, reservation: temporary }) = spool else {
            request.hold(reservation);
            return Ok(bytes.into());
        };
        let permit = request.budget.large_body_permit((size + bytes.len()) as u64).await?;
        let whole = spawn_blocking(move || -> Result<Vec<u8>> {
            let mut whole = Vec::with_capacity(size + bytes.len());
            file.rewind()?;
            file.read_to_end(&mut whole)?;
            whole.extend_from_slice(&bytes);
            Ok(whole)
        })
        .await
        .map_err(Error::internal)??;
        drop((reservation, temporary));
        request.hold(permit);
        Ok(whole.into())
    }
}

/// Reads a body of at most `max` bytes; `too_large` makes the error above that. A body that announces more is refused
/// unread.
///
/// # Errors
/// That of `too_large`; `BAD_USER_INPUT` when the body is incomplete; `RATE_LIMITED` or `SERVICE_UNAVAILABLE` when too much
/// waits already.
pub async fn read(
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    headers: &HeaderMap,
    max: usize,
    too_large: fn(usize) -> Error,
) -> Result<Bytes> {
    let buffer = BodyBuffer::new(max, too_large);
    if announced_bytes(headers).is_some_and(|bytes| bytes > buffer.max as u64) {
        return Err(too_large(buffer.max));
    }
    fill(buffer, payload.map(|bytes| bytes.map_err(|error| incomplete_body(error.to_string())))).await
}

/// The size of a body that its head announces, if it does.
#[must_use]
pub fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// Reads what a stream yields, at most `max` bytes; `too_large` makes the error above that.
///
/// # Errors
/// Those of [`read`], and those of the stream.
pub async fn read_stream(
    stream: impl Stream<Item = Result<Bytes>> + Unpin,
    max: usize,
    too_large: fn(usize) -> Error,
) -> Result<Bytes> {
    fill(BodyBuffer::new(max, too_large), stream).await
}

async fn fill(
    mut buffer: BodyBuffer,
    mut stream: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Bytes> {
    while let Some(bytes) = stream.next().await {
        buffer.push(&bytes?).await?;
    }
    buffer.finish().await
}
