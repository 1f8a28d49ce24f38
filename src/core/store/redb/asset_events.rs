//! The history of each asset in the tables: which events of the audit log are about it. An event that was deleted because of
//! its age leaves the histories with it.

use std::ops::ControlFlow;

use super::tables::{ASSET_EVENTS, AUDIT, EVENT_ASSETS, FIRST_ID, LAST_ID, decode};
use super::{Reader, Snapshot, Tx, between, guarded, storage};
use crate::core::access::grant::ReadGrant;
use crate::core::model::audit::Event;
use crate::core::model::id::AssetId;
use crate::core::store::records::AssetEventQueries;
use crate::error::Result;

impl AssetEventQueries for Snapshot {
    fn asset_events(&self, grant: &ReadGrant, id: &AssetId, most: usize) -> Result<Vec<(Event, String)>> {
        let organization = grant.organization().0;
        guarded(|| {
            let table = self.tx.open_table(ASSET_EVENTS).map_err(storage)?;
            let mut events = Vec::new();
            for entry in table.range((id.bytes(), 0)..=(id.bytes(), u64::MAX)).map_err(storage)?.rev() {
                if events.len() == most {
                    break;
                }
                let (key, value) = entry.map_err(storage)?;
                let ((_, number), (home, what)) = (key.value(), value.value());
                if home != organization {
                    continue;
                }
                let event: Option<Event> = self.lookup(AUDIT, (organization, number), decode)?;
                events.extend(event.map(|event| (event, what.to_owned())));
            }
            Ok(events)
        })
    }
}

impl Tx<'_> {
    /// Adds an event to the history of an asset, with what it did to it.
    pub(super) fn add_asset_event(
        &self,
        organization: u64,
        number: u64,
        id: &AssetId,
        what: &str,
    ) -> Result<()> {
        self.put(ASSET_EVENTS, (id.bytes(), number), (organization, what))?;
        self.put(EVENT_ASSETS, (number, id.bytes()), ())
    }

    /// Removes a deleted event from the histories that it is in.
    pub(super) fn delete_asset_event(&self, number: u64) -> Result<()> {
        let mut ids = Vec::new();
        self.scan(EVENT_ASSETS, between((number, FIRST_ID), (number, LAST_ID)), |(_, id), ()| {
            ids.push(*id);
            Ok(ControlFlow::Continue(()))
        })?;
        for id in &ids {
            self.delete(ASSET_EVENTS, (id, number))?;
            self.delete(EVENT_ASSETS, (number, id))?;
        }
        Ok(())
    }
}
