//! The audit log: who did what, when, and from where. Each event is written in the transaction of the change. Never
//! contains a key, a password or a token.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::Core;
use super::model::audit::{Action, Actor, EventFilter, EventPage};
use super::store::{AuditCommands, AuditQueries, KeyQueries};
use crate::core::access::Administrator;
use crate::core::model::time::millis;
use crate::error::Result;

mod chain;

pub use chain::{AuditCheck, AuditExport, parse_head};

/// How many refused addresses are counted separately until the next time that they are recorded.
const MAX_REFUSED: usize = 100;
/// How many old events one transaction deletes.
const PRUNE_BATCH: usize = 500;
/// Refused attempts of strangers since the last recording, by address: requests with unknown keys, and sign-ins with
/// unknown e-mails or passkeys. They are only counted, so that a flood of them adds one line to the log and does not
/// fill the disk.
#[derive(Default)]
pub struct Refusals {
    seen: Mutex<HashMap<(Action, Option<IpAddr>), u64>>,
}

impl Refusals {
    /// Counts an attempt.
    pub(super) fn count(&self, action: Action, address: Option<IpAddr>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let address = if seen.len() < MAX_REFUSED { address } else { None };
        *seen.entry((action, address)).or_default() += 1;
    }

    fn take(&self) -> HashMap<(Action, Option<IpAddr>), u64> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Core {
    /// The events of an organization, newest first. A search reads many events, so it runs as one of the client's
    /// scans.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub async fn list_events(
        &self,
        by: Administrator,
        organization: &str,
        filter: EventFilter,
    ) -> Result<EventPage> {
        let (core, organization) = (self.clone(), organization.to_owned());
        self.scans()
            .run(by.client_id(), move || {
                let snapshot = core.store().snapshot()?;
                let organization = snapshot.expect_organization(&by, &organization)?;
                snapshot.events(&by, organization.id, &filter)
            })
            .await
    }

    /// Counts a request with an invalid key. Written with the next maintenance.
    pub fn record_refused_key(&self, address: Option<IpAddr>) {
        self.refusals().count(Action::KeyRefused, address);
    }

    /// Records the counted attempts. They belong to no organization, so the owners of the first one see them, who run
    /// the server.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn save_refusals(&self) -> Result<()> {
        let refused = self.refusals().take();
        if refused.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.store()
            .write_always(move |tx| {
                refused.iter().try_for_each(|(&(action, address), &count)| {
                    tx.record_server_event(
                        now,
                        &Actor::stranger(address),
                        action,
                        "",
                        refusals(action, count),
                    )
                })
            })
            .await
    }

    /// Deletes events that are older than the configured time.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn prune_events(&self) -> Result<()> {
        let until = self.time_to_delete().saturating_sub(millis(self.settings().members.audit_keep));
        while self.store().write_always(move |tx| tx.prune_events(until, PRUNE_BATCH)).await? == PRUNE_BATCH {
        }
        Ok(())
    }
}

/// The text about this many refused attempts.
fn refusals(action: Action, count: u64) -> String {
    let (what, with) = if action == Action::SignInRefused {
        ("attempt", "an unknown e-mail or passkey")
    } else {
        ("request", "a key that is not valid")
    };
    format!("{count} {what}{} with {with}", if count == 1 { "" } else { "s" })
}
