//! Access control: who may read or change what. `grant.rs` has the proofs that the store requires, `caller.rs` creates
//! them, `permissions.rs` reads what a credential may do, and `grant/narrowing.rs` takes away from it.

pub mod caller;
pub mod grant;
mod permissions;

pub use caller::{Caller, LibraryPath};
pub use grant::{Administrator, LibraryCreator, Narrowing, ReadGrant, WriteGrant};
