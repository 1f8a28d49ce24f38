//! What tests of other modules need of the tables.

mod digests;
