//! Black-box tests of a running server over HTTPS, one module for each interface. Nothing here looks inside.

mod authorization;
mod browser;
mod cdn;
mod command_line;
mod contract;
mod counts;
mod durability;
mod front_door;
mod graphql;
mod hostile_images;
mod large_pictures;
mod mcp;
mod media_tools;
mod parity;
mod processing;
mod rest;
mod revocation;
mod secrets;
mod sources;
mod support;
mod tls;
mod trash;
mod variants;
