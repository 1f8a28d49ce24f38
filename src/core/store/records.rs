//! What the rest of `core` asks of the records: queries and commands, as traits over records and grants, a file for each
//! kind of record. Queries are asked of a snapshot and, except for lists, of a write transaction alike; commands of a write
//! transaction. What implements them is in `redb`.

mod asset_events;
mod assets;
mod audit;
mod backups;
mod changes;
mod check;
mod files;
mod import;
mod keys;
mod libraries;
mod members;
mod observed_time;
mod open_uploads;
mod order;
mod quotas;
mod repair;
mod rewind;
mod scrub;
mod tags;
mod trash;
mod work;

pub use asset_events::AssetEventQueries;
pub use assets::{AssetCommands, AssetLists, AssetQueries, NewAsset};
pub use audit::{AuditChainQueries, AuditCommands, AuditQueries};
pub use backups::{BackupCommands, BackupQueries, CopyQueries, RecordCounts};
pub use changes::{ChangeCommands, ChangeQueries, Changed};
pub use check::{CheckQueries, CheckedRecords, NamedFile};
pub use files::{FileCommands, FileQueries};
pub use import::{ImportCommands, ImportQueries};
pub use keys::{KeyCommands, KeyQueries};
pub use libraries::{LibraryCommands, LibraryQueries, WantedSlug};
pub use members::{MemberCommands, MemberQueries, StoredSession};
pub use observed_time::{ObservedTimeCommands, ObservedTimeQueries};
pub use open_uploads::{OpenUploadCommands, OpenUploadQueries};
pub use order::OrderQueries;
pub use quotas::{QuotaCommands, QuotaQueries};
pub use repair::RepairCommands;
pub use rewind::RewindCommands;
pub use scrub::{ScrubCommands, ScrubQueries};
pub use tags::TagQueries;
pub use trash::{Due, TrashCommands, TrashQueries};
pub use work::{Next, WorkCommands, WorkCounts, WorkQueries};

/// The queries about who may do what, for functions that read the same in a snapshot and in a write transaction.
pub trait Queries: AssetQueries + KeyQueries + LibraryQueries + MemberQueries + TagQueries {}

impl<Q: AssetQueries + KeyQueries + LibraryQueries + MemberQueries + TagQueries> Queries for Q {}
