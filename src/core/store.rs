//! The store: records in a database, and files by their hash. PRIVATE to `core`.
//!
//! `records` has what is asked of the records, as traits over records and grants. `redb` implements them and is the only
//! module that names redb; `files` keeps the files and asks the records only what those traits offer. Knows no keys'
//! secrets and no transports.

pub mod files;
mod records;
mod redb;
mod reserve;

pub use records::{
    AssetCommands, AssetEventQueries, AssetLists, AssetQueries, AuditChainQueries, AuditCommands,
    AuditQueries, BackupCommands, BackupQueries, ChangeCommands, ChangeQueries, Changed, CheckQueries,
    CheckedRecords, CopyQueries, Due, FileCommands, FileQueries, ImportCommands, ImportQueries, KeyCommands,
    KeyQueries, LibraryCommands, LibraryQueries, MemberCommands, MemberQueries, NamedFile, NewAsset, Next,
    ObservedTimeCommands, ObservedTimeQueries, OpenUploadCommands, OpenUploadQueries, OrderQueries, Queries,
    QuotaCommands, QuotaQueries, RecordCounts, RepairCommands, RewindCommands, ScrubCommands, ScrubQueries,
    TagQueries, TrashCommands, TrashQueries, WantedSlug, WorkCommands, WorkQueries,
};
pub use redb::{
    PageCheck, ReserveUse, SCHEMA, Snapshot, Store, StoreOptions, StoreState, Tx, check_pages, in_words,
    not_opened,
};
pub use reserve::Reserve;
