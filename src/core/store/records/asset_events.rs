//! The history of each asset: the events of the audit log that are about it.

use crate::core::access::grant::ReadGrant;
use crate::core::model::audit::Event;
use crate::core::model::id::AssetId;
use crate::error::Result;

/// Reads of an asset's history.
pub trait AssetEventQueries {
    /// The events about an asset of the grant's organization, newest first, at most `most`; each with what it did to this
    /// one.
    fn asset_events(&self, grant: &ReadGrant, id: &AssetId, most: usize) -> Result<Vec<(Event, String)>>;
}
