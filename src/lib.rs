//! rasterd: a self-hosted digital-asset server in one binary.
//!
//! # The path of a request
//! ```text
//! route → handler → Caller → operation → Core::method → Caller::read|write(library) → Store::snapshot|write(|tx| …)
//! ```
//! One direction only. A handler reads its input, runs one operation and replies. An operation takes a
//! [`Caller`](core::access::Caller) (a key, or a person who is signed in) and the ids that the client sent, and is the
//! only place that turns them into grants. The store takes grants, not ids, so a query without a check does not
//! compile. What no key may do takes an [`Administrator`](core::access::Administrator): the administrator of the machine,
//! who can lock the data directory, or an owner of one organization.
//!
//! # Requests, step by step
//! The path names a file of `src` at each step, so that one can read along.
//!
//! A change by REST, `PATCH /organizations/{organizationId}/libraries/{libraryId}/assets/{assetId}/description`:
//! 1. `transport/server/acceptor.rs` accepts the connection and makes the TLS handshake; `connection.rs` beside it reads
//!    the head, and times and checks every byte of the body before the HTTP framework sees it.
//! 2. `transport/middleware.rs` gives the request its id, runs the application, writes the line of the access log and sets
//!    the headers of the answer. `transport/server/mounts.rs` lists the transports that the application consists of.
//! 3. `transport/rest.rs` has the route, made from the declaration in `operations/update_asset_description.rs`.
//!    `transport/rest/authorized.rs` authenticates the key, which gives a [`Caller`](core::access::Caller), and checks the
//!    permission that the declaration requires.
//! 4. `transport/rest/route.rs` reads the body. The key and its permission are checked again afterwards, since both may have
//!    changed meanwhile. Then it runs the operation.
//! 5. The operation calls `core/assets/description.rs`, which takes a write grant from the caller and hands the change to
//!    `core/changes.rs`: in one write transaction the grant is confirmed once more, the asset is changed and the audit event
//!    is written. `core/store/redb/write.rs` runs it with others that wait, and syncs once for all of them.
//! 6. `transport/rest/answer.rs` writes the answer. Later, `core/index/follow.rs` changes the search index.
//!
//! An upload, `POST …/assets`, differs in two steps: `transport/rest/upload.rs` streams the files of a form, because they are not
//! kept in memory; and `core/uploads.rs` writes them through `core/store/files.rs` before `core/uploads/commit.rs` adds the assets.
//! Later, `core/processing.rs` makes thumbnails.
//!
//! A tool, `tools/call` of `list_assets`: steps 1 and 2 are the same. Then:
//! 3. `transport/mcp/endpoint.rs` checks the host and the origin, and authenticates the key.
//! 4. `transport/mcp/direct.rs` takes the call if it is plainly valid, which most are; rmcp takes all others, and calls
//!    `transport/mcp/server.rs`.
//! 5. `transport/mcp/tools.rs` has the tool, made from the declaration in `operations/list_assets.rs`. It checks the arguments
//!    against the tool's schema and runs the operation, which takes its grant in `core/assets.rs`.
//! 6. `transport/mcp/result.rs` writes the result, or the error with a hint for the model.
//!
//! A page of the web app, `GET /app/{organization}/{library}`: steps 1 and 2 are the same. Then:
//! 3. `webapp.rs` mounts the pages, whose routes are in files such as `webapp/pages/libraries.rs`. `webapp/gate.rs` checks the
//!    request, creates its `RequestContext`, and turns an error into a page. `webapp/signed_in_user.rs` reads the session of the
//!    cookie; without one it redirects to the sign-in page.
//! 4. `webapp/pages/libraries/grid.rs` is the handler. Its `SignedInUser` gives a [`Caller`](core::access::Caller) for the
//!    organization, with the snapshot of the store that the content of the page is read from.
//! 5. `core/browse.rs` takes a read grant from the caller and reads the assets with it, through `core/index.rs` or through
//!    the queries in `core/store/records/assets.rs`, which `core/store/redb/assets/lists.rs` implements.
//! 6. `webapp/answer.rs` renders the template `webapp/pages/libraries/grid.html` as the answer.
//!
//! # What is where
//! - [`guide`]: how to add an operation, the style with its reasons, what was decided and why, how things are stored,
//!   how to monitor a server, how to test with a server of one's own.
//! - [`operations`]: the operations as clients see them: one declaration each, from which every transport is generated.
//! - [`core`]: what the operations do. In it, private to it: the store and the search index.
//!   - [`core::access`]: who may read or change what: the grants, and the file that creates those of callers.
//!   - [`core::disk`]: the operations of the disk that decide what survives a power cut. Tests put other disks in its place.
//!   - [`core::backup`], [`core::restore`], [`core::doctor`]: the ways back from an accident; [`core::quotas`] and
//!     [`core::request_rate`]: what an organization may have, and how often a key may ask.
//!   - [`core::model`]: records, ids, names, pages, audit events. Depends on nothing else in `core`.
//!   - [`core::members`]: people, their sessions, passkeys, and the links that let them in; [`core::audit`]: who did
//!     what, written in the transaction that does it.
//!   - [`core::folders`]: libraries as folders of files, for import and export.
//!   - [`core::test_control`]: what tests may do to a server that was started for them. An ordinary server has none of it.
//!   - [`core::renditions`]: pictures in other sizes and formats, rendered once on request and cached in a folder that may
//!     be deleted at any time; [`core::processing`]: the work after an upload, in a queue that survives a crash.
//! - [`pictures`]: decodes and encodes pictures, in child processes with limits, and with installed tools where they are
//!   turned on. Depends on nothing in `core`.
//! - [`fetch`]: fetches files from urls, from public addresses only. Depends on nothing in `core`.
//! - [`docs`]: the documentation for those who use and run the server: the table of its pages, and how they become HTML, text
//!   for a terminal, and results of a search.
//! - [`error`]: the one error type and the one table of codes. Depends on nothing.
//! - [`file_mode`]: restricts files and folders to this user. Depends on nothing.
//! - [`transport`]: what every HTTP answer has in common, and below it:
//!   - [`transport::mcp`], [`transport::rest`], [`transport::graphql`]: the interfaces over the same operations;
//!     [`transport::wire`]: the JSON they share.
//!   - [`transport::cdn`]: the public urls of assets, and of their renditions; [`transport::docs`]: the documentation.
//!   - [`transport::uploads`]: the one-time addresses for files, also in parts; [`transport::tus`]: the headers of that protocol.
//!   - [`transport::test_control`]: `/_test`, the control endpoint of a server that was started for tests.
//!   - [`transport::server`]: puts everything together: listener, TLS, transports; runs and drains. The bytes of a
//!     connection are checked and timed here before a transport sees them.
//!   - [`transport::tls`]: certificates and their reload, the development authority, and proofs for an ACME server.
//!   - `transport::client_address`: the address of a request's client, also behind proxies. Nothing else reads a peer's.
//! - [`webapp`]: the pages for people, under `/app`. Every request to them passes `webapp/gate.rs`.
//! - [`acme`]: certificates from an ACME server.
//! - [`telemetry`]: the log; [`telemetry::metrics`]: what the server counts, for `/metrics`; [`telemetry::traces`]: spans for a
//!   collector. Both depend on nothing, so that everything can use them.
//! - [`client_setup`]: how each client is set up, for the command line and the web app.
//! - [`cli`], [`config`], [`admin`]: the command line, the configuration, and administration of a running server.
//! - [`testing`]: a server on a temporary folder, for our tests and for embedders.
//!
//! Transports and the web app see `operations`, `core`, `error` and what `transport` shares, never each other and never the store;
//! the web app also sees `client_setup` and `config`, and `transport::server` sees all of them, since it mounts them. `core` knows no
//! HTTP, JSON-RPC or GraphQL. `tests/architecture` has the whole list.
//!
//! # What always holds
//! - A key, a session and a role are read from the store in each request's own snapshot, and again in each write: a
//!   revoked one stops working with the very next request.
//! - A library is looked up only in the key's own grants, so that one without access can't be distinguished from one that
//!   does not exist.
//! - An acknowledged change is on disk: first the files, then the metadata that names them, then the answer.

pub mod acme;
pub mod admin;
pub mod cli;
pub mod client_setup;
pub mod config;
pub mod core;
pub mod docs;
pub mod error;
pub mod fetch;
pub mod file_mode;
pub mod guide;
pub mod operations;
pub mod pictures;
pub mod telemetry;
pub mod testing;
pub mod transport;
pub mod webapp;
