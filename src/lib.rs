//! rasterd: a self-hosted digital-asset server in one binary.

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod edge;
pub mod error;
pub mod server;
pub mod telemetry;
pub mod testing;
pub mod tls;
