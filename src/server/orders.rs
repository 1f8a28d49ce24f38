//! What a running server is told from outside: stop, or read the certificate again.

use std::future::pending;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// One thing a running server is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Finish what is running and end; the second time, end at once.
    Stop,
    /// Read the certificate again.
    Reload,
}

/// Gives orders to a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control(mpsc::UnboundedSender<Order>);

impl Control {
    /// Has the server finish what is running and end; the second time, end at once.
    pub fn stop(&self) {
        self.give(Order::Stop);
    }

    /// Has the server read its certificate again.
    pub fn reload(&self) {
        self.give(Order::Reload);
    }

    fn give(&self, order: Order) {
        // A server that is gone has stopped, and has nothing to reload.
        let _ = self.0.send(order);
    }
}

/// The orders that a server will get.
#[derive(Debug)]
pub struct Orders(mpsc::UnboundedReceiver<Order>);

impl Orders {
    /// Orders given by the program itself.
    #[must_use]
    pub fn by_hand() -> (Control, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Control(sender), Self(receiver))
    }

    /// Orders given by signals: SIGTERM and SIGINT stop, SIGHUP reloads. Needs a running tokio.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn by_signals() -> io::Result<Self> {
        let (control, orders) = Self::by_hand();
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut hangup = signal(SignalKind::hangup())?;
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
        Ok(orders)
    }

    /// The next order. Waits for ever when nobody can give one any more.
    pub(super) async fn next(&mut self) -> Order {
        match self.0.recv().await {
            Some(order) => order,
            None => pending().await,
        }
    }

    /// Waits for an order to stop.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Order::Stop {}
    }
}
