//! Black-box tests of a running server over HTTPS, one module for each interface. Nothing here looks inside.

/// The program's own, so that what the tests measure of a server in their process holds for the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

mod acme;
mod authorization;
mod backup;
mod bodies;
mod browser;
mod cdn;
mod command_line;
mod contract;
mod counts;
mod docs;
mod doctor;
mod durability;
mod ephemeral;
mod every_request;
mod folders;
mod full_disk;
mod graphql;
mod health;
mod hidden_text;
mod hostile_images;
mod large_pictures;
mod links;
mod mcp;
mod mcp_bridge;
mod media_tools;
mod modes;
mod monitoring;
mod parity;
mod processing;
mod proxies;
mod quotas;
mod request_rate;
mod rest;
mod revocation;
mod secrets;
mod sources;
mod stated_limits;
mod support;
mod timing;
mod tls;
mod trash;
mod upload_addresses;
mod variants;
mod week;
