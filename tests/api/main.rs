//! Black-box tests of a running server over HTTPS, one module for each interface. Nothing here looks inside.

mod authorization;
mod cdn;
mod counts;
mod front_door;
mod graphql;
mod mcp;
mod parity;
mod rest;
mod revocation;
mod support;
mod tls;
