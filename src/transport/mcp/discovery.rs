//! Discovery documents, which lead programs and agents to the endpoint. They need no key and contain no stored data.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use crate::transport;

/// Mounts the server card and the catalog of interfaces. The text for models is with the documentation.
pub fn configure(config: &mut web::ServiceConfig, public_url: &str) {
    serve(
        config,
        "/.well-known/mcp/server-card.json",
        "application/json",
        server_card(public_url).to_string(),
    );
    serve(
        config,
        "/.well-known/api-catalog",
        "application/linkset+json",
        api_catalog(public_url).to_string(),
    );
    for path in SIGN_IN {
        config.service(web::resource(path).default_service(web::to(no_sign_in)));
    }
}

/// The paths where clients look for a way to sign in.
const SIGN_IN: [&str; 7] = [
    "/register",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/{endpoint:.*}",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/{endpoint:.*}",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/{endpoint:.*}",
];

/// The answer to a client that looks for a way to sign in, in a form that it shows to its user.
async fn no_sign_in() -> HttpResponse {
    HttpResponse::NotFound().json(json!({
        "error": "invalid_request",
        "error_description": "This server does not use OAuth; it takes API keys. Configure the client with the header \
            \"Authorization: Bearer <key>\"; ask the server's administrator for a key.",
    }))
}

fn serve(config: &mut web::ServiceConfig, path: &str, content_type: &'static str, text: String) {
    let text = bytes::Bytes::from(text);
    let answer = move || {
        let text = text.clone();
        async move { HttpResponse::Ok().content_type(content_type).body(text) }
    };
    config.service(
        transport::resource(path, &[Method::GET, Method::HEAD])
            .route(web::get().to(answer.clone()))
            .route(web::head().to(answer)),
    );
}

fn server_card(public_url: &str) -> Value {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json",
        "name": "rasterd/rasterd",
        "title": "rasterd",
        "description": "Finds, uploads, tags and organizes images, videos and PDFs in a self-hosted store.",
        "version": env!("CARGO_PKG_VERSION"),
        "remotes": [{
            "type": "streamable-http",
            "url": format!("{public_url}/mcp"),
            "headers": [{
                "name": "Authorization",
                "description": "Bearer, a space, and an API key of this server.",
                "isRequired": true,
                "isSecret": true,
            }],
        }],
    })
}

fn api_catalog(public_url: &str) -> Value {
    let link = |path: &str, kind: &str| json!([{ "href": format!("{public_url}{path}"), "type": kind }]);
    json!({
        "linkset": [
            {
                "anchor": format!("{public_url}/mcp"),
                "service-desc": link("/.well-known/mcp/server-card.json", "application/json"),
                "service-doc": link("/llms.txt", "text/plain"),
            },
            {
                "anchor": format!("{public_url}/"),
                "service-desc": link("/openapi.json", "application/json"),
                "service-doc": link("/docs/rest", "text/html"),
            },
            {
                "anchor": format!("{public_url}/graphql"),
                "service-doc": link("/graphql", "text/html"),
            },
        ],
    })
}
