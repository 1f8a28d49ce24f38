//! Numbers and times as people read them.

pub mod numbers;
pub mod times;
