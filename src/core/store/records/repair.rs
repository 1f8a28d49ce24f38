//! The repair of what is derived from records.

use crate::core::model::time::Millis;
use crate::error::Result;

/// Repairs.
pub trait RepairCommands {
    /// Derives lists, counts, references and names again from the records, which stay as they are.
    fn rebuild_derived(&self, now: Millis) -> Result<()>;

    /// Lets the search index be built again.
    fn rebuild_index(&self) -> Result<()>;
}
