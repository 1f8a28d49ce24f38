//! The audit log, by organization.

use crate::core::access::grant::{Administrator, WriteGrant};
use crate::core::model::Member;
use crate::core::model::audit::{Action, Actor, ChainCheck, ChainHash, ChainedEvent, EventFilter, EventPage};
use crate::core::model::id::{AssetId, OrganizationId};
use crate::core::model::time::Millis;
use crate::error::Result;

/// Reads of the audit log.
pub trait AuditQueries {
    /// Events of an organization, newest first.
    fn events(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        filter: &EventFilter,
    ) -> Result<EventPage>;
}

/// Reads of the hash chain of an organization's audit log.
pub trait AuditChainQueries {
    /// Computes every hash again and compares it with what is stored. `expected` is a hash that has to be in the chain.
    fn check_chain(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        expected: Option<ChainHash>,
    ) -> Result<ChainCheck>;

    /// Up to `most` events after the one with this number, oldest first.
    fn chained_events(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        after: u64,
        most: usize,
    ) -> Result<Vec<ChainedEvent>>;
}

/// Additions to the audit log, and its pruning.
pub trait AuditCommands {
    /// Records what is done in this transaction.
    fn record_event(
        &self,
        now: Millis,
        organization: OrganizationId,
        actor: &Actor,
        action: Action,
        target: &str,
        detail: String,
    ) -> Result<()>;

    /// [`AuditCommands::record_event`] for what was done to assets of a library: it is also in the history of each, with what
    /// it did to that one.
    fn record_asset_event(
        &self,
        now: Millis,
        grant: &WriteGrant,
        action: Action,
        detail: String,
        assets: &[(AssetId, &str)],
    ) -> Result<()>;

    /// [`AuditCommands::record_event`] for what belongs to no organization: it is recorded with the first one, whose owners look
    /// after the server. Nowhere when there is none yet.
    fn record_server_event(
        &self,
        now: Millis,
        actor: &Actor,
        action: Action,
        target: &str,
        detail: String,
    ) -> Result<()>;

    /// [`AuditCommands::record_event`] for what was done to a person, or by them: it is recorded with each of their organizations.
    fn record_member_event(
        &self,
        now: Millis,
        member: &Member,
        actor: &Actor,
        action: Action,
        detail: &str,
    ) -> Result<()>;

    /// Removes up to `most` events from before `until`, and says how many.
    fn prune_events(&self, until: Millis, most: usize) -> Result<usize>;
}
