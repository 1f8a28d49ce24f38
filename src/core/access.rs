//! Access control: who may read or change what. `grant.rs` has the proofs that the store requires, `caller.rs` creates
//! them, `grant/narrowing.rs` takes away from them.

pub mod caller;
pub mod grant;

pub use caller::{Caller, LibraryPath};
pub use grant::{Administrator, LibraryCreator, Narrowing, ReadGrant, WriteGrant};
