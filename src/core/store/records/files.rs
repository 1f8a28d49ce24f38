//! How many assets have each file, and which files none has any more.

use crate::core::model::ContentHash;
use crate::core::model::time::Millis;
use crate::error::Result;

/// Which assets have which file.
pub trait FileQueries {
    /// How many assets have the file.
    fn blob_refs(&self, hash: ContentHash) -> Result<u64>;

    /// Whether the file has, or had until recently, an asset.
    fn blob_is_known(&self, hash: ContentHash) -> Result<bool>;

    /// The known files whose hash begins with this byte, and how many assets have each.
    fn blobs_starting_with(&self, byte: u8) -> Result<Vec<(ContentHash, u64)>>;

    /// The files that no asset has had since `until` or longer, oldest first, at most `most`.
    fn orphans(&self, until: Millis, most: usize) -> Result<Vec<(Millis, ContentHash)>>;

    /// Whether the folder of files was marked. From then on a folder without the marker is another one.
    fn files_are_marked(&self) -> Result<bool>;
}

/// Changes of what is known of files that no asset has. The references themselves change with the assets.
pub trait FileCommands {
    /// Removes an orphan from the list, and what is known of its file unless an asset has it again.
    fn delete_orphan(&self, since: Millis, hash: ContentHash) -> Result<()>;
}
