//! The signals to a running server: stop, or reload the certificate.

use std::future::pending;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// What a running server is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Finish what is running and end; the second time, end at once.
    Stop,
    /// Read the certificate again.
    Reload,
}

/// Sends signals to a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServerControl(mpsc::UnboundedSender<Signal>);

impl ServerControl {
    /// Makes the server finish what is running and end; the second time, end at once.
    pub fn stop(&self) {
        self.send(Signal::Stop);
    }

    /// Makes the server read its certificate again.
    pub fn reload(&self) {
        self.send(Signal::Reload);
    }

    /// Passes on the signals of the operating system: SIGTERM and SIGINT stop, SIGHUP reloads. Needs a running tokio.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn follow_operating_system(&self) -> io::Result<()> {
        let (control, mut term) = (self.clone(), signal(SignalKind::terminate())?);
        let (mut int, mut hangup) = (signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(()) = term.recv() => control.stop(),
                    Some(()) = int.recv() => control.stop(),
                    Some(()) = hangup.recv() => control.reload(),
                    else => return,
                }
            }
        });
        Ok(())
    }

    fn send(&self, signal: Signal) {
        // Fails when the server has ended; then there is nothing to stop or reload.
        let _ = self.0.send(signal);
    }
}

/// The signals that a server gets.
#[derive(Debug)]
pub struct Signals(mpsc::UnboundedReceiver<Signal>);

impl Signals {
    /// Signals that the program itself sends, through the [`ServerControl`].
    #[must_use]
    pub fn channel() -> (ServerControl, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (ServerControl(sender), Self(receiver))
    }

    /// The signals of the operating system: SIGTERM and SIGINT stop, SIGHUP reloads. Needs a running tokio.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn from_operating_system() -> io::Result<Self> {
        let (control, signals) = Self::channel();
        control.follow_operating_system()?;
        Ok(signals)
    }

    /// The next signal. Waits for ever when no sender is left.
    pub(super) async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            None => pending().await,
        }
    }

    /// Waits for the signal to stop.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }
}
