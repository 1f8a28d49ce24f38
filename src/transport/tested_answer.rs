//! What happens to the answers of a server that was started for tests: recorded, cut or slowed down, as the test ordered.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use tokio::time::{Sleep, sleep};

use super::request_state::RequestState;
use crate::core::test_control::{AnswerEffect, TestedRequest};

/// Where the control endpoint is. Requests to it are not recorded.
pub const CONTROL_PATH: &str = "/_test";

/// Records an answer, and changes it if a fault says so.
pub fn tested(answer: HttpResponse, request: TestedRequest, state: &RequestState) -> HttpResponse {
    let effect = request.answered(answer.status().as_u16(), state.code(), state.key.get());
    match effect {
        AnswerEffect { is_cut: true, .. } => answer.map_body(|_, _| BoxBody::new(CutBody)),
        AnswerEffect { body_delay: Some(delay), .. } => answer.map_body(|_, body| {
            BoxBody::new(SlowBody { body, pause: Some(Box::pin(sleep(delay.max(Duration::from_millis(1))))) })
        }),
        AnswerEffect { is_cut: false, body_delay: None } => answer,
    }
}

/// A body that breaks off before anything is sent, so that the connection is closed.
struct CutBody;

impl MessageBody for CutBody {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(1)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}

/// A body that waits before its first bytes.
struct SlowBody {
    body: BoxBody,
    pause: Option<Pin<Box<Sleep>>>,
}

impl MessageBody for SlowBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        Pin::new(&mut self.body).poll_next(context)
    }
}
