//! `rasterd serve`: puts the parts together in the order in which they depend on each other, and runs them.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use clap::Args;

use super::first_start::{Ready, welcome};
use super::{Failure, ask, flag};
use crate::admin::socket::AdminSocket;
use crate::app::App;
use crate::config::{Certificate, Config, Flag};
use crate::data_dir::DataDir;
use crate::server::{Options, Orders, Server};
use crate::telemetry;
use crate::tls::development;

/// The flags for what is changed most often; `--set` reaches the rest.
#[derive(Args)]
pub(super) struct ServeArgs {
    /// The address and port to listen on, such as 0.0.0.0:8443; port 0 takes a free one (`server.bind`)
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<String>,
    /// The origin that clients reach the server at, such as `https://assets.example.org` (`server.public_url`)
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// What is logged: error, warn, info, debug, trace, also by module (`log.level`)
    #[arg(long, value_name = "FILTER")]
    log_level: Option<String>,
    /// How log lines are written: text or json (`log.format`)
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl ServeArgs {
    /// The layer of the configuration that these flags are.
    pub fn flags(&self) -> Vec<Flag> {
        [
            flag("--bind", "server.bind", self.bind.as_ref()),
            flag("--public-url", "server.public_url", self.public_url.as_ref()),
            flag("--log-level", "log.level", self.log_level.as_ref()),
            flag("--log-format", "log.format", self.log_format.as_ref()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The certificate's files, and the authority that clients have to be told to trust.
pub(super) struct CertificateFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub authority: Option<PathBuf>,
}

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    telemetry::start(config.log.format, &config.log.level)?;
    let dir = DataDir::lock(&config.data_dir, "rasterd serve")?;
    let listener = listen(config.bind)?;
    let bound = listener.local_addr()?;
    let addresses = config.addresses(bound);
    let certificate = certificate_files(&config.certificate, &addresses.allowed_hosts)?;
    let mut settings = config.settings(bound);
    // This binary, also after its file was replaced by a newer one.
    settings.renditions.program = Some(PathBuf::from("/proc/self/exe"));
    let app = ask::open(config, settings)?;
    let options = Options {
        listener,
        cert_file: certificate.cert,
        key_file: certificate.key,
        authority: certificate.authority.clone(),
        allowed_hosts: addresses.allowed_hosts,
        allowed_origins: addresses.allowed_origins,
        mcp_hosts: config.mcp_hosts.clone(),
        graphql_introspection: config.graphql_introspection,
        workers: config.workers,
        patience: config.patience.clone(),
    };
    let ready = Ready { public_url: &addresses.public_url, authority: certificate.authority.as_deref() };
    actix_web::rt::System::new().block_on(serve(options, app, &dir, ready))
}

async fn serve(options: Options, app: App, dir: &DataDir, ready: Ready<'_>) -> Result<(), Failure> {
    let orders = Orders::by_signals()?;
    let administrators = open_socket(dir)?;
    let server = Server::start(options, app.clone())?;
    welcome(&app, ready).await?;
    tokio::select! {
        outcome = server.run(orders) => Ok(outcome?),
        never = administrators.serve(&app) => match never {},
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| {
        Failure(format!(
            "can't listen on {address}: {error}. Choose another address with server.bind or --bind; port 0 takes a free one"
        ))
    })
}

/// The files as they are given, or those of the development certificate, which is made when it is not there.
pub(super) fn certificate_files(
    certificate: &Certificate,
    names: &[String],
) -> Result<CertificateFiles, Failure> {
    match certificate {
        Certificate::Files { cert, key } => {
            Ok(CertificateFiles { cert: cert.clone(), key: key.clone(), authority: None })
        }
        Certificate::Development(dir) => {
            let made = development::ensure(dir, names)?;
            Ok(CertificateFiles { cert: made.cert_file, key: made.key_file, authority: Some(made.ca_file) })
        }
    }
}

fn open_socket(dir: &DataDir) -> Result<AdminSocket, Failure> {
    AdminSocket::open(dir).map_err(|error| {
        Failure(format!(
            "the socket for `rasterd key` and its like can't be opened in {}: {error}. A socket's path has at most about 100 bytes",
            dir.path().display()
        ))
    })
}
