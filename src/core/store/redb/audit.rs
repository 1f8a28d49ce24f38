//! The audit log in the tables: by organization, in the order in which things were done.

use std::ops::ControlFlow;

use redb::TableHandle;

use super::tables::{AUDIT, ORGANIZATIONS, decode, located};
use super::{Reader, Snapshot, Tx, between, everything, guarded, storage};
use crate::core::access::grant::{Administrator, WriteGrant};
use crate::core::model::Member;
use crate::core::model::audit::{Action, Actor, Event, EventFilter, EventPage};
use crate::core::model::id::{AssetId, OrganizationId};
use crate::core::model::time::Millis;
use crate::core::store::records::{AuditCommands, AuditQueries};
use crate::error::Result;

mod chain;

pub use chain::chain_older_events;

/// Counts the events of the whole server.
const NUMBER: &str = "audit";
/// How many events a search looks at before it answers with what it has.
const MAX_LOOKED_AT: usize = 20_000;

impl AuditQueries for Snapshot {
    fn events(
        &self,
        by: &Administrator,
        organization: OrganizationId,
        filter: &EventFilter,
    ) -> Result<EventPage> {
        let mut part = EventPage::default();
        if !by.reaches(organization) {
            return Ok(part);
        }
        let end = filter.before.unwrap_or(u64::MAX);
        guarded(|| {
            let table = self.tx.open_table(AUDIT).map_err(storage)?;
            let range = table.range((organization.0, 0)..(organization.0, end)).map_err(storage)?;
            for (looked_at, entry) in range.rev().enumerate() {
                let (key, value) = entry.map_err(storage)?;
                let (_, number) = key.value();
                if part.events.len() == filter.most || looked_at == MAX_LOOKED_AT {
                    part.before = Some(number + 1);
                    break;
                }
                let event: Event =
                    decode(value.value()).map_err(|error| located(error, table.name(), &key.value()))?;
                if filter.takes(&event) {
                    part.events.push((number, event));
                }
            }
            Ok(part)
        })
    }
}

impl AuditCommands for Tx<'_> {
    fn record_event(
        &self,
        now: Millis,
        organization: OrganizationId,
        actor: &Actor,
        action: Action,
        target: &str,
        detail: String,
    ) -> Result<()> {
        let event = Event { at: now, actor: actor.clone(), action, target: target.to_owned(), detail };
        let number = self.next(NUMBER)?;
        self.append_event(organization.0, number, event)
    }

    fn record_asset_event(
        &self,
        now: Millis,
        grant: &WriteGrant,
        action: Action,
        detail: String,
        assets: &[(AssetId, &str)],
    ) -> Result<()> {
        let (organization, actor, target) = (grant.organization().0, grant.actor().clone(), grant.slug());
        let event = Event { at: now, actor, action, target: target.to_string(), detail };
        let number = self.next(NUMBER)?;
        self.append_event(organization, number, event)?;
        assets.iter().try_for_each(|(id, what)| self.add_asset_event(organization, number, id, what))
    }

    fn record_server_event(
        &self,
        now: Millis,
        actor: &Actor,
        action: Action,
        target: &str,
        detail: String,
    ) -> Result<()> {
        let mut first = None;
        self.scan(ORGANIZATIONS, everything(), |id, _| {
            first = Some(OrganizationId(id));
            Ok(ControlFlow::Break(()))
        })?;
        first.map_or(Ok(()), |organization| {
            self.record_event(now, organization, actor, action, target, detail)
        })
    }

    fn record_member_event(
        &self,
        now: Millis,
        member: &Member,
        actor: &Actor,
        action: Action,
        detail: &str,
    ) -> Result<()> {
        member.memberships.iter().try_for_each(|place| {
            self.record_event(now, place.organization, actor, action, &member.email, detail.to_owned())
        })
    }

    fn prune_events(&self, until: Millis, most: usize) -> Result<usize> {
        let mut organizations = Vec::new();
        self.scan(ORGANIZATIONS, everything(), |id, _| {
            organizations.push(id);
            Ok(ControlFlow::Continue(()))
        })?;
        let mut old = Vec::new();
        for organization in organizations {
            self.scan(AUDIT, between((organization, 0), (organization, u64::MAX)), |key, bytes| {
                // The age of one that can't be read is unknown: it stays, with all after it.
                let is_old = decode::<Event>(bytes).is_ok_and(|event| event.at < until);
                if !is_old || old.len() == most {
                    return Ok(ControlFlow::Break(()));
                }
                old.push(key);
                Ok(ControlFlow::Continue(()))
            })?;
        }
        old.iter().try_for_each(|&key| self.prune_event(key))?;
        Ok(old.len())
    }
}
