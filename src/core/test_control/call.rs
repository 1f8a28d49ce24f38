//! What a request is about to run, as faults and the list of requests see it.

use crate::core::model::id::KeyId;

/// What a request is about to run.
#[derive(Debug, Clone, Copy)]
pub struct BeginningOperation {
    /// The name of the operation, in the metrics and for faults of tests.
    pub name: &'static str,
    /// Whether it fails on a full disk.
    pub needs_room: bool,
}

/// An operation that a request is about to run, and who runs it where.
#[derive(Debug, Clone, Copy)]
pub struct OperationCall<'a> {
    /// What it is.
    pub operation: BeginningOperation,
    /// The key that calls it.
    pub key: Option<&'a KeyId>,
    /// The organization that it names; may be empty.
    pub organization: &'a str,
    /// The library that it names; may be empty.
    pub library: &'a str,
}
