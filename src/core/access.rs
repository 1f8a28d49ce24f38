//! Access: who may touch what. `grant.rs` has the proofs that the store asks for, `caller.rs` makes them.

pub mod caller;
pub mod grant;

pub use caller::{Caller, LibraryPath};
pub use grant::{Administrator, LibraryCreator, ReadGrant, WriteGrant};
