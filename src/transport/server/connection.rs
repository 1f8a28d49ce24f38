//! A TLS connection as the HTTP framework sees it: whole heads only, bodies at a minimum rate, and no bytes that two
//! parsers could read differently. What is refused here is answered here; to the framework, the client has left.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::body_framing::BodyFraming;
use super::closing::Closing;
use super::connection_limits::ConnectionSlot;
use super::head::read_head;
use super::read_ahead::Socket;
use super::timer::Timer;
use super::transfer_rate::{TooSlow, TransferRate};
use super::{HEAD_READ, minimum_answer_rate, minimum_body_rate, refusal};
use crate::core::cancellation::Cancellation;
use crate::core::settings::Timeouts;
use crate::error::Error;
use crate::telemetry::metrics::{Metrics, OpenConnection};
use crate::transport::{ConnectionOrigin, StrictTransportSecurity};

/// A connection with its slot. The type of its stream is a parameter only for tests.
pub struct Connection<T = TlsStream<Socket>> {
    tls: T,
    timeouts: Timeouts,
    security: StrictTransportSecurity,
    reading: ReadState,
    /// Bytes that were received and not yet passed to the framework.
    buffer: Vec<u8>,
    /// How many of them are checked and may be passed on.
    cleared: usize,
    /// How many of the others were searched for the end of a head.
    searched: usize,
    read_timer: Timer,
    /// How fast the client reads what we send.
    answer_rate: TransferRate,
    write_timer: Timer,
    closing: Closing,
    /// Cancelled when the client closes.
    cancellation: Cancellation,
    origin: ConnectionOrigin,
    metrics: Arc<Metrics>,
    /// Released with the connection.
    _slot: ConnectionSlot,
    _open: OpenConnection,
}

/// What is expected next from the client.
enum ReadState {
    /// The head of a request; its deadline, once it has begun.
    Head(Option<Instant>),
    /// The rest of a body.
    Body(BodyFraming, TransferRate),
    /// Nothing: to the framework, the client has left.
    Ended,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Connection<T> {
    pub fn new(
        tls: T,
        slot: ConnectionSlot,
        origin: ConnectionOrigin,
        timeouts: Timeouts,
        security: StrictTransportSecurity,
        metrics: Arc<Metrics>,
    ) -> Self {
        let first_head = Instant::now() + timeouts.head;
        let security = security.for_connection(&origin);
        Self {
            tls,
            timeouts,
            security,
            reading: ReadState::Head(Some(first_head)),
            buffer: Vec::new(),
            cleared: 0,
            searched: 0,
            read_timer: Timer::default(),
            answer_rate: TransferRate::default(),
            write_timer: Timer::default(),
            closing: Closing::default(),
            cancellation: Cancellation::default(),
            origin,
            _slot: slot,
            _open: metrics.connections.open(),
            metrics,
        }
    }

    /// Where it comes from.
    pub fn origin(&self) -> &ConnectionOrigin {
        &self.origin
    }

    /// Cancelled when the client closes.
    pub fn cancellation(&self) -> Cancellation {
        self.cancellation.clone()
    }

    /// Passes on what is cleared, as much as fits.
    fn pass_on(&mut self, out: &mut ReadBuf<'_>) {
        let count = self.cleared.min(out.remaining());
        out.put_slice(self.buffer.get(..count).unwrap_or_default());
        self.buffer.drain(..count);
        self.cleared -= count;
    }

    /// Looks for a head in the buffer. Returns whether one was found or refused.
    fn find_head(&mut self) -> bool {
        match read_head(&self.buffer, self.searched) {
            Ok(None) => {
                self.searched = self.buffer.len();
                false
            }
            Ok(Some(head)) => {
                self.searched = 0;
                self.cleared = head.length;
                let no_body = head.body.is_over();
                self.reading = if no_body {
                    ReadState::Head(None)
                } else {
                    ReadState::Body(head.body, TransferRate::default())
                };
                true
            }
            Err(error) => {
                self.refuse(&error);
                true
            }
        }
    }

    /// Reads what the client sends. When it has closed, or the connection broke, nobody waits for its answers any more.
    fn poll_client(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        let read = ready!(Pin::new(&mut self.tls).poll_read(context, out));
        self.metrics.connections.received.inc_by((out.filled().len() - before) as u64);
        if read.is_err() || out.filled().len() == before {
            self.cancellation.cancel();
        }
        Poll::Ready(read)
    }

    /// Reads more of a head into the buffer.
    fn poll_head(&mut self, context: &mut Context<'_>, until: Option<Instant>) -> Poll<io::Result<()>> {
        let mut bytes = [0; HEAD_READ];
        let mut read = ReadBuf::new(&mut bytes);
        if self.poll_client(context, &mut read)?.is_ready() {
            if read.filled().is_empty() {
                self.reading = ReadState::Ended;
            }
            self.buffer.extend_from_slice(read.filled());
            return Poll::Ready(Ok(()));
        }
        if until.is_none() && self.buffer.is_empty() {
            // Between requests. The framework's keep-alive timeout limits this.
            return Poll::Pending;
        }
        let until = until.unwrap_or_else(|| Instant::now() + self.timeouts.head);
        self.reading = ReadState::Head(Some(until));
        ready!(self.read_timer.poll(context, until));
        if self.buffer.is_empty() {
            self.reading = ReadState::Ended;
        } else {
            let seconds = self.timeouts.head.as_secs_f32();
            self.refuse(&Error::bad_input(format!(
                "The head of the request did not arrive within {seconds} seconds."
            )));
        }
        Poll::Ready(Ok(()))
    }

    /// Reads more of a body, straight into `out`. What belongs to the next request stays in the buffer.
    fn poll_body(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        let read = self.poll_client(context, out)?;
        let ReadState::Body(body, rate) = &mut self.reading else { return Poll::Ready(Ok(())) };
        if read.is_pending() {
            let Ok(check_again) = rate.wait(Instant::now(), &minimum_body_rate(&self.timeouts)) else {
                tracing::debug!("a body arrived too slowly");
                self.reading = ReadState::Ended;
                return Poll::Ready(Ok(()));
            };
            return self.read_timer.poll(context, check_again).map(Ok);
        }
        let bytes = out.filled().get(before..).unwrap_or_default();
        rate.transferred(bytes.len(), Instant::now());
        let Some(taken) = body.take(bytes).ok().filter(|_| !bytes.is_empty()) else {
            out.set_filled(before);
            self.reading = ReadState::Ended;
            return Poll::Ready(Ok(()));
        };
        self.buffer.extend_from_slice(bytes.get(taken..).unwrap_or_default());
        out.set_filled(before + taken);
        if body.is_over() {
            self.reading = ReadState::Head(None);
        }
        Poll::Ready(Ok(()))
    }

    /// Clears the part of a body that is in the buffer.
    fn clear_body(&mut self) {
        let ReadState::Body(body, _) = &mut self.reading else { return };
        let Ok(taken) = body.take(&self.buffer) else {
            self.buffer.clear();
            self.reading = ReadState::Ended;
            return;
        };
        self.cleared = taken;
        if body.is_over() {
            self.reading = ReadState::Head(None);
        }
    }

    /// Stops reading. The client gets `error` once its earlier requests are answered.
    fn refuse(&mut self, error: &Error) {
        self.metrics.requests.refused(error.code().status());
        self.closing = Closing::with_answer(refusal::answer(error, Some(self.origin.peer()), self.security));
        self.buffer = Vec::new();
        self.reading = ReadState::Ended;
    }
}

impl<T> Drop for Connection<T> {
    fn drop(&mut self) {
        self.cancellation.cancel();
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
                this.pass_on(out);
            }
            if out.filled().len() > before || out.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            match this.reading {
                ReadState::Ended => return Poll::Ready(Ok(())),
                ReadState::Head(until) => {
                    if !this.find_head() {
                        ready!(this.poll_head(context, until))?;
                    }
                }
                ReadState::Body(..) if this.buffer.is_empty() => ready!(this.poll_body(context, out))?,
                ReadState::Body(..) => this.clear_body(),
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Poll::Ready(written) = Pin::new(&mut this.tls).poll_write(context, bytes) {
            if let Ok(count) = &written {
                this.metrics.connections.sent.inc_by(*count as u64);
                this.answer_rate.transferred(*count, Instant::now());
            }
            return Poll::Ready(written);
        }
        // A client that reads next to nothing is as idle as one that sends nothing.
        loop {
            match this.answer_rate.wait(Instant::now(), &minimum_answer_rate(&this.timeouts)) {
                Ok(check_again) => ready!(this.write_timer.poll(context, check_again)),
                Err(TooSlow) => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.closing.poll(&mut this.tls, context, &mut this.read_timer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::transport::server::connection_limits::{ConnectionLimits, MostConnections};

    const SHORT: Duration = Duration::from_millis(50);

    fn connected(change: impl Fn(&mut Timeouts)) -> (DuplexStream, Connection<DuplexStream>) {
        let mut timeouts = Timeouts {
            head: Duration::from_hours(1),
            body: Duration::from_hours(1),
            body_rate: 0,
            answer_rate: 100,
            idle: Duration::from_hours(1),
            drain: SHORT,
            connections: 1,
            connections_per_address: 1,
        };
        change(&mut timeouts);
        let slot = ConnectionLimits::default().acquire(MostConnections { total: 1, per_address: 1 }).unwrap();
        let origin = ConnectionOrigin::new([127, 0, 0, 1].into(), Arc::default());
        let (client, server) = duplex(1024);
        let security = StrictTransportSecurity::default();
        (client, Connection::new(server, slot, origin, timeouts, security, Arc::default()))
    }

    #[tokio::test]
    async fn a_head_is_passed_on_as_a_whole() {
        let (mut client, mut connection) = connected(|_| {});
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        let mut bytes = [0; 100];
        let early = tokio::time::timeout(SHORT, connection.read(&mut bytes)).await;
        assert!(early.is_err(), "part of a head was passed on");
        client.write_all(b"\r\nGET").await.unwrap();
        assert_eq!(connection.read(&mut bytes).await.unwrap(), 27);
    }

    #[tokio::test]
    async fn a_body_is_passed_on_as_it_arrives_and_ends_when_it_stalls() {
        let (mut client, mut connection) = connected(|timeouts| timeouts.body = SHORT);
        client.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc").await.unwrap();
        let mut all = Vec::new();
        connection.read_to_end(&mut all).await.unwrap();
        assert!(all.ends_with(b"\r\n\r\nabc"), "what arrived is there, then the client has left");
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
    async fn a_client_that_reads_nothing_is_disconnected() {
        let (_client, mut connection) = connected(|timeouts| timeouts.idle = SHORT);
        let error = connection.write_all(&[0; 4096]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_client_that_reads_next_to_nothing_is_disconnected() {
        let (mut client, mut connection) = connected(|timeouts| {
            timeouts.idle = SHORT;
            timeouts.answer_rate = 1 << 20;
        });
        let trickle = async {
            loop {
                let _byte = client.read_u8().await;
                tokio::time::sleep(SHORT / 10).await;
            }
        };
        let answer = vec![0; 1 << 20];
        let written = connection.write_all(&answer);
        tokio::select! {
            written = written => assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut),
            () = trickle => {}
        }
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
