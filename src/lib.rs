//! rasterd: a self-hosted digital-asset server in one binary.

pub mod app;
pub mod edge;
pub mod error;
pub mod server;
pub mod telemetry;
pub mod testing;
pub mod tls;
pub mod wire;
