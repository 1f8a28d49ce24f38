//! Bodies: any content, split in any way, on every endpoint; how much of it may wait at a time; what happens when the
//! client disconnects; and how little of it is repeated.

mod budget;
mod disconnects;
pub mod endpoints;
mod limits;
mod memory;
mod names;
mod order;
mod repeated;
