//! Positions in the list of a library, newest first, however long it is.

use crate::core::access::grant::ReadGrant;
use crate::core::model::page::Cursor;
use crate::error::Result;

/// Reads of positions. None of them reads the list up to there.
pub trait OrderQueries {
    /// The asset at a position of the list, counted from 0; none past its end.
    fn listed_at(&self, grant: &ReadGrant, position: usize) -> Result<Option<Cursor>>;

    /// How many listed assets are newer than this age, a time in the form in which the store sorts it.
    fn listed_before_age(&self, grant: &ReadGrant, age: u64) -> Result<usize>;
}
