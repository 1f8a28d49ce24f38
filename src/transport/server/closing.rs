//! How a connection closes: after a refused request, the answer is sent first.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::timer::Timer;
use super::{HEAD_READ, LINGER};

/// How much of what follows a refused request is read and thrown away, so that the answer arrives before the
/// connection is reset.
const MAX_DISCARDED: usize = 256 * 1024;

/// How far the closing of a connection is.
#[derive(Default)]
pub enum Closing {
    /// Nothing was refused; the connection just closes.
    #[default]
    Plain,
    /// The answer is being sent; this many bytes of it are written.
    SendingAnswer(Vec<u8>, usize),
    /// The answer is written, and our side is being closed.
    ShuttingDown,
    /// What still arrives is thrown away: how many bytes so far, and until when.
    Discarding(usize, Instant),
    /// Everything is sent.
    Done,
}

impl Closing {
    /// Sends this answer before the connection closes.
    pub fn with_answer(answer: Vec<u8>) -> Self {
        Self::SendingAnswer(answer, 0)
    }

    /// Closes the connection.
    pub fn poll<T: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        tls: &mut T,
        context: &mut Context<'_>,
        timer: &mut Timer,
    ) -> Poll<io::Result<()>> {
        loop {
            let tls = Pin::new(&mut *tls);
            match self {
                Self::Plain | Self::Done => return tls.poll_shutdown(context),
                Self::SendingAnswer(answer, sent) => {
                    if let Some(left) = answer.get(*sent..).filter(|left| !left.is_empty()) {
                        *sent += ready!(tls.poll_write(context, left))?;
                    } else {
                        ready!(tls.poll_flush(context))?;
                        *self = Self::ShuttingDown;
                    }
                }
                Self::ShuttingDown => {
                    ready!(tls.poll_shutdown(context))?;
                    *self = Self::Discarding(0, Instant::now() + LINGER);
                }
                Self::Discarding(discarded, until) => {
                    let mut bytes = [0; HEAD_READ];
                    let mut read = ReadBuf::new(&mut bytes);
                    if tls.poll_read(context, &mut read)?.is_pending() {
                        ready!(timer.poll(context, *until));
                    }
                    *discarded += read.filled().len();
                    if read.filled().is_empty() || *discarded > MAX_DISCARDED {
                        *self = Self::Done;
                    }
                }
            }
        }
    }
}
