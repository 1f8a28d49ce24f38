//! Black-box tests of a running server over HTTPS, one module for each interface. Nothing here looks inside.

mod cdn;
mod command_line;
mod durability;
mod front_door;
mod graphql;
mod hostile_images;
mod rest;
mod secrets;
mod sources;
mod support;
mod tls;
