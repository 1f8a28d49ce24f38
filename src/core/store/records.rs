//! What the rest of `core` asks of the records: queries and commands, as traits over records and grants, a file for each
//! kind of record. Queries are asked of a snapshot and, but for lists, of a write transaction alike; commands of a write
//! transaction. What implements them is in `redb`.

mod assets;
mod audit;
mod backups;
mod changes;
mod files;
mod keys;
mod libraries;
mod members;
mod seen;
mod tags;
mod trash;
mod work;

pub use assets::{AssetCommands, AssetLists, AssetQueries, NewAsset};
pub use audit::{AuditCommands, AuditQueries};
pub use backups::{BackupCommands, BackupQueries};
pub use changes::{ChangeCommands, ChangeQueries, Changed};
pub use files::{FileCommands, FileQueries};
pub use keys::{KeyCommands, KeyQueries};
pub use libraries::{LibraryCommands, LibraryQueries, WantedSlug};
pub use members::{MemberCommands, MemberQueries, StoredSession};
pub use seen::{SeenCommands, SeenQueries};
pub use tags::TagQueries;
pub use trash::{Due, TrashCommands, TrashQueries};
pub use work::{Next, WorkCommands, WorkQueries};

/// The queries about who may do what, for functions that read the same in a snapshot and in a write transaction.
pub trait Queries: AssetQueries + KeyQueries + LibraryQueries + MemberQueries + TagQueries {}

impl<Q: AssetQueries + KeyQueries + LibraryQueries + MemberQueries + TagQueries> Queries for Q {}
