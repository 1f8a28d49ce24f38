//! The HTTP client for an ACME server. It trusts the authorities of this machine, or the configured one alone.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::pki_types::CertificateDer;

use super::Problem;
use crate::error::with_causes;
use crate::transport::tls::{read_chain, system};

/// How long a connection may take, and how long a whole request.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const TIMEOUT: Duration = Duration::from_mins(1);
/// The most of an answer that is read. A chain of certificates has some thousand bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Sends the requests of one order.
pub(super) struct Client(reqwest::Client);

impl Client {
    /// A client that trusts the authority in `root_file`, or those of this machine.
    pub fn new(root_file: Option<&Path>) -> Result<Self, Problem> {
        let authorities = match root_file {
            Some(file) => {
                read_chain(file).map_err(|error| Problem::new(format!("tls.acme.root_file: {error}")))?
            }
            None => system::authorities(),
        };
        if authorities.is_empty() {
            return Err(Problem::new(
                "this machine has no list of authorities, so the ACME server can't be trusted. Install the package \
                 ca-certificates, or set tls.acme.root_file",
            ));
        }
        // reqwest panics without a default provider; an error means that one is already installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let trusted = authorities.iter().filter_map(certificate);
        let client = reqwest::Client::builder()
            .https_only(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tls_certs_only(trusted)
            .build();
        Ok(Self(client.map_err(|error| Problem::new(with_causes(&error)))?))
    }
}

fn certificate(der: &CertificateDer<'static>) -> Option<reqwest::Certificate> {
    reqwest::Certificate::from_der(der).ok()
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let Ok(body) = body.collect().await;
            let request = client.request(head.method, head.uri.to_string());
            let answer = request.headers(head.headers).body(body.to_bytes()).send().await.map_err(failed)?;
            read(answer).await
        })
    }
}

async fn read(mut answer: reqwest::Response) -> Result<BytesResponse, Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Error::Str("an answer of reasonable length"));
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = Response::new(Full::new(body.freeze()));
    *whole.status_mut() = answer.status();
    *whole.headers_mut() = answer.headers().clone();
    Ok(BytesResponse::from(whole))
}

fn failed(error: reqwest::Error) -> Error {
    Error::Other(error.without_url().into())
}
