//! The tags of libraries.

use crate::core::access::grant::ReadGrant;
use crate::core::model::TagCount;
use crate::error::Result;

/// Reads of tags.
pub trait TagQueries {
    /// The first tags of a library, most used first, then by text.
    fn tags(&self, grant: &ReadGrant, limit: usize) -> Result<Vec<TagCount>>;

    /// How many different tags a library has.
    fn tag_total(&self, grant: &ReadGrant) -> Result<u64>;
}
