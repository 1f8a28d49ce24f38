//! How much was added to an organization recently, day by day, and how much room is left for more.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Core;
use super::newest_first::newest_first;
use crate::core::access::{Administrator, Caller};
use crate::core::disk::Room;
use crate::core::model::time::millis;
use crate::error::Result;

/// The most assets that are looked at, the newest first: about half a second's work.
const MAX: usize = 100_000;
const DAY: Duration = Duration::from_hours(24);

/// What was added within 24 hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AddedInDay {
    /// How many assets that are still there, without variants.
    pub assets: u64,
    /// The size of their files, in bytes.
    pub bytes: u64,
}

impl Core {
    /// What was added to the organization's libraries in each of the last `days` times 24 hours, the oldest first. It is
    /// counted by the assets that are there, so it needs no record of its own, and what was deleted since is not in it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn added_by_day(&self, caller: Caller, days: usize) -> Result<Vec<AddedInDay>> {
        let now = self.now();
        self.scans()
            .run(caller.client_id(), move || {
                let grants = caller.read_all();
                let mut added = vec![AddedInDay::default(); days];
                let mut looked_at = 0;
                newest_first(caller.snapshot(), &grants, |asset| {
                    let age = usize::try_from(now.saturating_sub(asset.created) / millis(DAY));
                    let day = age.ok().and_then(|age| days.checked_sub(age + 1));
                    let Some(day) = day.filter(|_| looked_at < MAX) else { return ControlFlow::Break(()) };
                    looked_at += 1;
                    if let Some(day) = added.get_mut(day) {
                        day.assets += 1;
                        day.bytes = day.bytes.saturating_add(asset.content.size);
                    }
                    ControlFlow::Continue(())
                })?;
                Ok(added)
            })
            .await
    }

    /// The room on the disk of the files, for the owners of the first organization, who run the server; none for others, and
    /// none when it can't be measured.
    ///
    /// # Errors
    /// When the store fails.
    pub fn disk_room(&self, by: &Administrator) -> Result<Option<Room>> {
        if !self.runs_server(by)? {
            return Ok(None);
        }
        Ok(self.store().disk().room(self.blobs().folder()).ok())
    }
}
