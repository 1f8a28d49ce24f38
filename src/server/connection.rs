//! A TLS connection as the HTTP framework sees it: whole heads only, bodies at a decent pace, and no bytes that
//! could be read in two ways. What is refused here is answered here; the framework sees the client leave.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix_rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};
use tokio_rustls::server::TlsStream;

use super::door::Place;
use super::framing::{Body, read_head};
use super::pace::Pace;
use super::{LINGER, Patience, refusal};
use crate::error::Error;

/// How much is read at a time while a head is expected.
const HEAD_READ: usize = 4096;
/// How much of what follows a refused request is read and thrown away, so that the answer arrives before the
/// connection is reset.
const MOST_REST: usize = 256 * 1024;

/// A connection with its place. The type of its stream is open for tests alone.
pub struct Connection<T = TlsStream<TcpStream>> {
    tls: T,
    patience: Patience,
    reading: Reading,
    /// Bytes that came and were not handed on.
    buffer: Vec<u8>,
    /// How many of them may be handed on.
    cleared: usize,
    /// How many of the others were looked at already.
    known: usize,
    alarm: Alarm,
    /// Since when the client takes nothing of what we send.
    stalled: Option<Instant>,
    stall_alarm: Alarm,
    farewell: Farewell,
    _place: Place,
}

/// What comes next from the client.
enum Reading {
    /// The head of a request; until then, if it began.
    Head(Option<Instant>),
    /// The rest of a body.
    Body(Body, Pace),
    /// Nothing any more: for the framework the client has left.
    Over,
}

/// How far the closing of a refused connection is.
enum Farewell {
    /// Nothing was refused.
    None,
    /// The answer, of which so many bytes are written.
    Answer(Vec<u8>, usize),
    /// The answer is written and our side is to be closed.
    Closing,
    /// What still comes is thrown away: so many bytes until now, and until then.
    Rest(usize, Instant),
    /// Everything is said.
    Done,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Connection<T> {
    pub fn new(tls: T, place: Place, patience: Patience) -> Self {
        let first_head = Instant::now() + patience.head;
        Self {
            tls,
            patience,
            reading: Reading::Head(Some(first_head)),
            buffer: Vec::new(),
            cleared: 0,
            known: 0,
            alarm: Alarm::default(),
            stalled: None,
            stall_alarm: Alarm::default(),
            farewell: Farewell::None,
            _place: place,
        }
    }

    /// Hands on what was cleared, as much as fits.
    fn hand_on(&mut self, out: &mut ReadBuf<'_>) {
        let count = self.cleared.min(out.remaining());
        out.put_slice(self.buffer.get(..count).unwrap_or_default());
        self.buffer.drain(..count);
        self.cleared -= count;
    }

    /// Looks for a head in the buffer. Whether one was found, or it was refused.
    fn find_head(&mut self) -> bool {
        match read_head(&self.buffer, self.known) {
            Ok(None) => {
                self.known = self.buffer.len();
                false
            }
            Ok(Some(head)) => {
                self.known = 0;
                self.cleared = head.length;
                let no_body = head.body.is_over();
                self.reading =
                    if no_body { Reading::Head(None) } else { Reading::Body(head.body, Pace::default()) };
                true
            }
            Err(error) => {
                self.refuse(&error);
                true
            }
        }
    }

    /// Reads more of a head into the buffer.
    fn poll_head(&mut self, context: &mut Context<'_>, until: Option<Instant>) -> Poll<io::Result<()>> {
        let mut bytes = [0; HEAD_READ];
        let mut read = ReadBuf::new(&mut bytes);
        if Pin::new(&mut self.tls).poll_read(context, &mut read)?.is_ready() {
            if read.filled().is_empty() {
                self.reading = Reading::Over;
            }
            self.buffer.extend_from_slice(read.filled());
            return Poll::Ready(Ok(()));
        }
        if until.is_none() && self.buffer.is_empty() {
            // Between requests: the framework's keep-alive limits this.
            return Poll::Pending;
        }
        let until = until.unwrap_or_else(|| Instant::now() + self.patience.head);
        self.reading = Reading::Head(Some(until));
        ready!(self.alarm.poll(context, until));
        if self.buffer.is_empty() {
            self.reading = Reading::Over;
        } else {
            let seconds = self.patience.head.as_secs_f32();
            self.refuse(&Error::bad_input(format!(
                "The head of the request did not come within {seconds} seconds."
            )));
        }
        Poll::Ready(Ok(()))
    }

    /// Reads more of a body, straight into `out`. What belongs to the next request is put aside.
    fn poll_body(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Reading::Body(body, pace) = &mut self.reading else { return Poll::Ready(Ok(())) };
        let before = out.filled().len();
        if Pin::new(&mut self.tls).poll_read(context, out)?.is_pending() {
            let Ok(look_again) = pace.wait(Instant::now(), &self.patience) else {
                tracing::debug!("a body came too slowly");
                self.reading = Reading::Over;
                return Poll::Ready(Ok(()));
            };
            return self.alarm.poll(context, look_again).map(Ok);
        }
        let bytes = out.filled().get(before..).unwrap_or_default();
        pace.received(bytes.len(), Instant::now());
        let Some(taken) = body.take(bytes).ok().filter(|_| !bytes.is_empty()) else {
            out.set_filled(before);
            self.reading = Reading::Over;
            return Poll::Ready(Ok(()));
        };
        self.buffer.extend_from_slice(bytes.get(taken..).unwrap_or_default());
        out.set_filled(before + taken);
        if body.is_over() {
            self.reading = Reading::Head(None);
        }
        Poll::Ready(Ok(()))
    }

    /// Clears what the buffer holds of a body that began in it.
    fn clear_body(&mut self) {
        let Reading::Body(body, _) = &mut self.reading else { return };
        let Ok(taken) = body.take(&self.buffer) else {
            self.buffer.clear();
            self.reading = Reading::Over;
            return;
        };
        self.cleared = taken;
        if body.is_over() {
            self.reading = Reading::Head(None);
        }
    }

    /// Nothing more is read; `error` is what the client is told once earlier requests are answered.
    fn refuse(&mut self, error: &Error) {
        self.farewell = Farewell::Answer(refusal::answer(error), 0);
        self.buffer = Vec::new();
        self.reading = Reading::Over;
    }

    /// One step of the farewell to a refused client.
    fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tls = Pin::new(&mut self.tls);
        match &mut self.farewell {
            Farewell::None | Farewell::Done => ready!(tls.poll_shutdown(context))?,
            Farewell::Answer(answer, sent) => {
                if let Some(left) = answer.get(*sent..).filter(|left| !left.is_empty()) {
                    *sent += ready!(tls.poll_write(context, left))?;
                } else {
                    ready!(tls.poll_flush(context))?;
                    self.farewell = Farewell::Closing;
                }
            }
            Farewell::Closing => {
                ready!(tls.poll_shutdown(context))?;
                self.farewell = Farewell::Rest(0, Instant::now() + LINGER);
            }
            Farewell::Rest(thrown_away, until) => {
                let mut bytes = [0; HEAD_READ];
                let mut read = ReadBuf::new(&mut bytes);
                if tls.poll_read(context, &mut read)?.is_pending() {
                    ready!(self.alarm.poll(context, *until));
                }
                *thrown_away += read.filled().len();
                if read.filled().is_empty() || *thrown_away > MOST_REST {
                    self.farewell = Farewell::Done;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = out.filled().len();
        loop {
            if this.cleared > 0 {
                this.hand_on(out);
            }
            if out.filled().len() > before || out.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            match this.reading {
                Reading::Over => return Poll::Ready(Ok(())),
                Reading::Head(until) => {
                    if !this.find_head() {
                        ready!(this.poll_head(context, until))?;
                    }
                }
                Reading::Body(..) if this.buffer.is_empty() => ready!(this.poll_body(context, out))?,
                Reading::Body(..) => this.clear_body(),
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Poll::Ready(written) = Pin::new(&mut this.tls).poll_write(context, bytes) {
            this.stalled = None;
            return Poll::Ready(written);
        }
        // A client that takes nothing is as idle as one that sends nothing.
        let since = *this.stalled.get_or_insert_with(Instant::now);
        ready!(this.stall_alarm.poll(context, since + this.patience.idle));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !matches!(this.farewell, Farewell::None | Farewell::Done) {
            ready!(this.poll_farewell(context))?;
        }
        Pin::new(&mut this.tls).poll_shutdown(context)
    }
}

/// A timer that is made when first needed, and that costs nothing as long as it is set to later and later.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready once it is `at`, or a little later.
    fn poll(&mut self, context: &mut Context<'_>, at: Instant) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at.into())));
        if sleep.deadline().into_std() > at {
            sleep.as_mut().reset(at.into());
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::server::door::Places;

    const SHORT: Duration = Duration::from_millis(50);

    fn connected(change: impl Fn(&mut Patience)) -> (DuplexStream, Connection<DuplexStream>) {
        let mut patience = Patience {
            head: Duration::from_hours(1),
            body: Duration::from_hours(1),
            body_rate: 0,
            idle: Duration::from_hours(1),
            drain: SHORT,
            connections: 1,
            connections_per_address: 1,
        };
        change(&mut patience);
        let place = Places::new(1, 1).take([127, 0, 0, 1].into()).unwrap();
        let (client, server) = duplex(1024);
        (client, Connection::new(server, place, patience))
    }

    #[tokio::test]
    async fn a_head_is_handed_on_whole() {
        let (mut client, mut connection) = connected(|_| {});
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        let mut bytes = [0; 100];
        let early = tokio::time::timeout(SHORT, connection.read(&mut bytes)).await;
        assert!(early.is_err(), "part of a head was handed on");
        client.write_all(b"\r\nGET").await.unwrap();
        assert_eq!(connection.read(&mut bytes).await.unwrap(), 27);
    }

    #[tokio::test]
    async fn a_body_is_handed_on_as_it_comes_and_ends_when_it_comes_no_more() {
        let (mut client, mut connection) = connected(|patience| patience.body = SHORT);
        client.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc").await.unwrap();
        let mut all = Vec::new();
        connection.read_to_end(&mut all).await.unwrap();
        assert!(all.ends_with(b"\r\n\r\nabc"), "what came is there, then the client has left");
    }

    #[tokio::test]
    async fn a_body_ends_before_what_is_malformed() {
        let (mut client, mut connection) = connected(|_| {});
        client.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
        client.write_all(b"1\r\na\r\nnonsense").await.unwrap();
        let mut all = Vec::new();
        connection.read_to_end(&mut all).await.unwrap();
        assert!(!String::from_utf8(all).unwrap().contains("nonsense"));
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (_client, mut connection) = connected(|patience| patience.idle = SHORT);
        let error = connection.write_all(&[0; 4096]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn what_is_refused_is_answered_when_the_connection_closes() {
        let (mut client, mut connection) = connected(|_| {});
        client.write_all(b"nonsense\r\n\r\n").await.unwrap();
        let mut nothing = Vec::new();
        assert_eq!(connection.read_to_end(&mut nothing).await.unwrap(), 0);
        let client = tokio::spawn(async move {
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            answer
        });
        connection.shutdown().await.unwrap();
        drop(connection);
        assert!(client.await.unwrap().starts_with("HTTP/1.1 400 Bad Request\r\n"));
    }
}
