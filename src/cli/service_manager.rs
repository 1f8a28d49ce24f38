//! Reports to systemd, or to another service manager with the same protocol, what the server does. Without one it does nothing.

use std::convert::Infallible;
use std::env;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;

use crate::core::Core;

/// How often the status is compared with what the server can do, where no watchdog asks more often.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The status of a server that works.
const SERVING: &str = "Serving";

/// The service manager, if there is one.
pub(super) struct ServiceManager {
    is_there: bool,
    /// How long it waits for a sign of life.
    watchdog: Option<Duration>,
    public_url: String,
    is_stopping: AtomicBool,
}

impl ServiceManager {
    /// The one that started this process.
    pub fn of_this_process(public_url: &str) -> Self {
        Self {
            is_there: env::var_os("NOTIFY_SOCKET").is_some(),
            watchdog: sd_notify::watchdog_enabled(),
            public_url: public_url.to_owned(),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// The server answers.
    pub fn ready(&self) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(&self.serving())]);
    }

    /// The server reads its configuration again.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => {
                self.tell(&[NotifyState::Reloading, now, NotifyState::Status("Reading the configuration")]);
            }
            Err(error) => tracing::warn!("the time for the service manager can't be read: {error}"),
        }
    }

    /// The server goes on. `outcome` is what became of the new configuration.
    pub fn reloaded(&self, outcome: &str) {
        let status = format!("{}; {outcome}", self.serving());
        self.tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
    }

    /// The server stops.
    pub fn stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.tell(&[NotifyState::Stopping, NotifyState::Status("Stopping: requests in flight finish")]);
    }

    /// Gives signs of life as long as the server answers, and keeps the status true. Runs as long as it is polled.
    ///
    /// `is_alive` asks the server itself. A server that is not ready, such as one with a full disk, is alive: a restart
    /// would not help. One that has given up its database is not.
    pub async fn watch(&self, core: &Core, is_alive: impl AsyncFn(Duration) -> bool) -> Infallible {
        if !self.is_there {
            return pending().await;
        }
        // Three signs in the time that it waits, so that one may be late.
        let pause = self.watchdog.map_or(LOOK_EVERY, |limit| limit / 3);
        let mut last = Ok(());
        loop {
            // A server that stops accepts no connections, also not its own. How long it may take is limited elsewhere.
            let is_stopping = self.is_stopping.load(Ordering::Relaxed);
            if self.watchdog.is_some() {
                if is_stopping || (!core.needs_restart() && is_alive(pause).await) {
                    self.tell(&[NotifyState::Watchdog]);
                } else {
                    tracing::error!(
                        "the server does not answer itself, so the watchdog gets no sign of life"
                    );
                }
            }
            let ready = core.check_ready().await.map_err(|error| error.to_string());
            if ready != last && !is_stopping {
                let status = ready.clone().err().unwrap_or_else(|| self.serving());
                self.tell(&[NotifyState::Status(&status)]);
            }
            last = ready;
            tokio::time::sleep(pause).await;
        }
    }

    fn serving(&self) -> String {
        format!("{SERVING} {}", self.public_url)
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        if !self.is_there {
            return;
        }
        if let Err(error) = sd_notify::notify(states) {
            tracing::warn!("the service manager can't be notified: {error}");
        }
    }
}
