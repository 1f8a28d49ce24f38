//! Answers that wait in memory until the client reads them. Their bytes count against the client's budget, and are passed
//! on in pieces, so that a slow reader's answer is not in memory twice.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use super::error_response;
use super::request_state::RequestState;
use crate::core::budget::{Budget, Requester, Reservation};

/// An answer of at most this many bytes, or as much of a stream, is not counted: it is sent at once.
const SMALL: usize = 16 << 10;
/// How many bytes are passed on at a time.
const PIECE: usize = 32 << 10;

/// The answer, with its bytes counted against the budget of the client until the last of them is passed on; an error
/// instead where the budget is used up.
pub fn metered(answer: HttpResponse, request: &RequestState) -> HttpResponse {
    match answer.body().size() {
        BodySize::None => answer,
        BodySize::Sized(size) if size <= SMALL as u64 => answer,
        BodySize::Sized(_) => metered_whole(answer, request),
        BodySize::Stream => answer.map_body(|_, events| {
            BoxBody::new(StreamedBody {
                events,
                waiting: None,
                budget: Arc::clone(&request.budget),
                requester: request.requester(),
                _slot: request.take_slot(),
                _held: request.take_held(),
            })
        }),
    }
}

fn metered_whole(answer: HttpResponse, request: &RequestState) -> HttpResponse {
    let (head, body) = answer.into_parts();
    let left = match body.try_into_bytes() {
        Ok(left) => left,
        // A file, which is read as it is sent.
        Err(body) => return head.set_body(body),
    };
    match request.budget.memory.reserve(&request.requester(), left.len() as u64) {
        Ok(memory) => {
            let waiting = WaitingBytes { left, _memory: memory };
            head.set_body(BoxBody::new(LargeBody { waiting, _slot: request.take_slot() }))
        }
        Err(error) => error_response(&error),
    }
}

/// Bytes that wait for their reader, with the memory reserved for them.
struct WaitingBytes {
    left: Bytes,
    _memory: Reservation,
}

impl WaitingBytes {
    fn next_piece(&mut self) -> Option<Bytes> {
        let count = PIECE.min(self.left.len());
        let piece = self.left.split_to(count);
        (!piece.is_empty()).then_some(piece)
    }
}

/// A large answer.
struct LargeBody {
    waiting: WaitingBytes,
    /// Counts as one of the concurrent requests of its key.
    _slot: Option<Reservation>,
}

impl MessageBody for LargeBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.waiting.left.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(self.waiting.next_piece().map(Ok))
    }
}

/// An answer that is sent in parts, such as the events of a call that reports its progress. Where the budget has no room
/// for a part, the answer breaks off.
struct StreamedBody {
    events: BoxBody,
    waiting: Option<WaitingBytes>,
    budget: Arc<Budget>,
    requester: Requester,
    _slot: Option<Reservation>,
    /// What its request holds: the request's body is in use until the last event.
    _held: Vec<Box<dyn Any>>,
}

impl MessageBody for StreamedBody {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(piece) = self.waiting.as_mut().and_then(WaitingBytes::next_piece) {
            return Poll::Ready(Some(Ok(piece)));
        }
        self.waiting = None;
        let part = match ready!(Pin::new(&mut self.events).poll_next(context)) {
            Some(Ok(part)) if part.len() > SMALL => part,
            other => return Poll::Ready(other),
        };
        let memory = self.budget.memory.reserve(&self.requester, part.len() as u64)?;
        let waiting = self.waiting.insert(WaitingBytes { left: part, _memory: memory });
        Poll::Ready(waiting.next_piece().map(Ok))
    }
}
