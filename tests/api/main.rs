//! Black-box tests of a running server over HTTPS, one module for each interface. Nothing here looks inside.

mod cdn;
mod front_door;
mod graphql;
mod mcp;
mod rest;
mod support;
mod tls;
