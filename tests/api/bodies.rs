//! Bodies: any content, split in any way, on every endpoint; limits of memory; clients that disconnect; and how little
//! of a body is repeated.

mod budget;
mod disconnects;
pub mod endpoints;
mod limits;
mod memory;
mod names;
mod order;
mod repeated;
