//! The store: records in a database, and files by their hash. PRIVATE to `core`.
//!
//! `records` has what is asked of the records, as traits over records and grants. `redb` implements them and is the only
//! room that names redb; `files` keeps the files and asks the records only what those traits offer. Knows no keys'
//! secrets and no transports.

pub mod files;
mod records;
mod redb;
mod reserve;

pub use records::{
    AssetCommands, AssetLists, AssetQueries, AuditCommands, AuditQueries, BackupCommands, BackupQueries,
    ChangeCommands, ChangeQueries, Changed, Due, FileCommands, FileQueries, KeyCommands, KeyQueries,
    LibraryCommands, LibraryQueries, MemberCommands, MemberQueries, NewAsset, Next, Queries, SeenCommands,
    SeenQueries, TagQueries, TrashCommands, TrashQueries, WantedSlug, WorkCommands, WorkQueries,
};
pub use redb::{
    RecordCounts, ReserveUse, SCHEMA, Snapshot, Store, StoreOptions, StoreState, Tx, in_words, not_opened,
};
pub use reserve::Reserve;
