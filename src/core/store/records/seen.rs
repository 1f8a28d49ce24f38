//! How much time the server has seen pass.

use crate::core::model::time::Seen;
use crate::error::Result;

/// How much time earlier runs of the server have seen pass.
pub trait SeenQueries {
    /// What an earlier run wrote down.
    fn seen(&self) -> Result<Option<Seen>>;
}

/// Records how much time the server has seen pass.
pub trait SeenCommands {
    /// Records what was seen.
    fn put_seen(&self, seen: &Seen) -> Result<()>;
}
