//! What the protocol's conformance suite asks of a server, mounted on the transport code that serves `/mcp`.
//! Prints the url and serves until it is killed. Holds nothing of rasterd's own tools.

use actix_web::{App, HttpServer};
use rasterd::mcp::endpoint::{Endpoint, EndpointOptions};

mod content;
mod handler;
mod inputs;

use handler::Fixture;

/// Large enough for everything that the suite sends.
const BODY_LIMIT: usize = 1 << 20;

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let origin = format!("http://localhost:{}", listener.local_addr()?.port());
    println!("{origin}/mcp");
    HttpServer::new(move || {
        let options = EndpointOptions {
            allowed_hosts: vec!["localhost".to_owned()],
            allowed_origins: vec![origin.clone()],
            body_limit: BODY_LIMIT,
        };
        let endpoint = Endpoint::new(Fixture, options, |_| Ok(()));
        App::new().service(endpoint.resource("/mcp"))
    })
    .workers(1)
    .listen(listener)?
    .run()
    .await
}
