//! The command line for people and scripts: what each command prints and where, its exit code, and what it does to a
//! server that runs and to one that does not.

mod audit;
mod authority;
mod clients;
mod configuration;
mod docs;
mod documents;
mod keys;
mod libraries;
mod members;
mod reload;
mod serve;
mod service_manager;
mod signals;
mod start_screen;
