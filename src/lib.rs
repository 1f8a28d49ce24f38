//! rasterd: a self-hosted digital-asset server in one binary.
//!
//! # The way of a request
//! ```text
//! route → handler → Caller → App::operation → Caller::read|write(library) → Store::view|write(|tx| …)
//! ```
//! Downhill, no way back. A handler reads its input, calls one operation and replies. An operation takes a
//! [`Caller`](app::access::Caller) (a key, or a person who is signed in) and the ids that the client sent, and is the
//! only place that turns them into grants. The store wants grants, not ids, so a query without a check does not
//! compile. What no key may do takes an [`Administrator`](app::access::Administrator): whoever holds the box, or the
//! owner of one organization.
//!
//! # What is where
//! - [`app`]: the operations, and behind them, private to it, the store, the search index and the fetcher.
//! - [`app::pictures`]: decodes and encodes pictures, in child processes with limits, with tools of the box where they
//!   are turned on; [`app::renditions`]: makes them when somebody asks, once, and keeps them in a folder that may be
//!   deleted at any time; [`app::processing`]: the work after an upload, in a queue that a kill does not lose.
//! - [`app::members`]: people, their sessions, passkeys, and the links that let them in; [`app::audit`]: who did what,
//!   written in the transaction that does it.
//! - [`error`]: the one error type and the one table of codes. Depends on nothing.
//! - [`edge`]: what every HTTP answer has in common.
//! - [`tls`]: certificates and their reload, and the development authority.
//! - [`server`]: puts everything together: listener, TLS, transports; runs and drains. What a connection sends is
//!   checked and timed here before a transport sees it.
//! - [`telemetry`]: the log.
//! - [`mcp`], [`http`] (REST), [`graphql`]: the interfaces over the same operations; [`wire`]: the JSON they share.
//! - [`cdn`]: the public urls of assets, and of their renditions.
//! - [`web`]: the pages for people, under `/app`, behind one door: `web/gate.rs`.
//! - [`setups`]: what each client is told, on the command line and in the web app.
//! - [`cli`], [`config`], [`admin`], [`data_dir`]: the command line, its layers, and how it talks to a running server.
//! - [`testing`]: a server on a temporary folder, for our tests and for those who embed us.
//!
//! Transports, and the web app, see `app`, `edge`, `error` and `wire`, never each other and never the store. `app` knows no HTTP,
//! JSON-RPC or GraphQL.
//!
//! # What always holds
//! - A key, a session and a role are read from the store in each request's own snapshot, and again in each write: what
//!   is revoked stops working with the very next request.
//! - A library that a key can't reach is looked up nowhere but in the key's own record, so that it can't be told
//!   from one that does not exist.
//! - What was answered is on the disk: files first, then the metadata that names them, then the answer.

pub mod admin;
pub mod app;
pub mod cdn;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod edge;
pub mod error;
pub mod graphql;
pub mod http;
pub mod mcp;
pub mod server;
pub mod setups;
pub mod telemetry;
pub mod testing;
pub mod tls;
pub mod web;
pub mod wire;
