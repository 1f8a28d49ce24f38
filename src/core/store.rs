//! The store: records in a database, and files by their hash. PRIVATE to `core`.
//!
//! `queries.rs` has what is read, over records and grants. `redb` keeps the records and is the only room that names
//! redb; `files` keeps the files and asks the records only what this page offers. Knows no keys' secrets and no
//! transports.

pub mod files;
mod queries;
mod redb;

pub use queries::{AssetQueries, KeyQueries, LibraryQueries, MemberQueries, Queries, TagQueries};
pub use redb::{Changed, Created, Due, Next, Snapshot, Store, Tx, WantedSlug, in_words, not_opened};
