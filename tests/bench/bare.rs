//! The server that rasterd is compared with: an actix handler that sends one answer from memory.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The argument that makes this program the bare server.
pub const ARGUMENT: &str = "--bare-server";

/// Serves until it is killed: the folder of certificates and the file with the answer are its arguments.
pub fn run(mut arguments: impl Iterator<Item = String>) {
    let (certs, canned) =
        (arguments.next().expect("the certificates"), arguments.next().expect("the answer"));
    let answer = Bytes::from(std::fs::read(canned).expect("the answer"));
    let tls = tls(Path::new(&certs));
    let serving = async move {
        let make = move || {
            App::new()
                .app_data(Data::new(answer.clone()))
                .route("/{path:.*}", web::get().to(get))
                .route("/{path:.*}", web::post().to(post))
        };
        let server = HttpServer::new(make).bind_rustls_0_23("127.0.0.1:0", tls).expect("a port");
        println!("{}", server.addrs()[0]);
        server.run().await.expect("it serves");
    };
    actix_web::rt::System::new().block_on(serving);
}

async fn get(answer: Data<Bytes>) -> HttpResponse {
    HttpResponse::Ok().body(answer.get_ref().clone())
}

async fn post(request: HttpRequest, body: web::Json<serde_json::Value>, answer: Data<Bytes>) -> HttpResponse {
    let bearer = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if bearer.is_none_or(|value| !value.starts_with("Bearer ")) || body.get("method").is_none() {
        return HttpResponse::Unauthorized().finish();
    }
    HttpResponse::Ok().content_type("application/json").body(answer.get_ref().clone())
}

fn tls(certs: &Path) -> rustls::ServerConfig {
    let open = |name: &str| BufReader::new(File::open(certs.join(name)).expect("a PEM file"));
    let chain =
        CertificateDer::pem_reader_iter(open("server.pem")).collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_reader(open("server-key.pem")).expect("a key");
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a pair")
}
