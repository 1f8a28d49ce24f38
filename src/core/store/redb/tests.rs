//! What tests of other rooms need of the tables.

mod digests;
