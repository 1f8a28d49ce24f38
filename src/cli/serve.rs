//! `rasterd serve`: starts the parts in the order in which they depend on each other, and runs them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clap::Args;

use super::acme::{AcmeCertificate, renew};
use super::ephemeral::EphemeralArgs;
use super::first_start::{Ready, clean_up, welcome};
use super::health::is_alive;
use super::reload::{Load, Reload};
use super::server_options::{certificate_files, listen, listen_on_unix_socket, metrics, options};
use super::service_manager::ServiceManager;
use super::start_screen::StartScreen;
use super::{CommandError, ask, flag, offline, preflight};
use crate::acme::Acme;
use crate::admin::socket::AdminSocket;
use crate::config::{Config, Flag};
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::data_dir::Opening;
use crate::core::data_dir_lock::DataDirLock;
use crate::telemetry;
use crate::telemetry::traces::Traces;
use crate::transport::server::{Server, ServerOptions, Signals};
use crate::transport::tls::development::CertificateRenewer;

/// The flags for the settings that are changed most often; `--set` sets the others.
#[derive(Args)]
pub(super) struct ServeArgs {
    /// The address and port to listen on, such as 0.0.0.0:8443; port 0 chooses a free one (`server.bind`)
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<String>,
    /// The origin at which clients reach the server, such as `https://assets.example.org` (`server.public_url`)
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// What is logged: error, warn, info, debug, trace, also by module (`log.level`)
    #[arg(long, value_name = "FILTER")]
    log_level: Option<String>,
    /// How log lines are written: text or json (`log.format`)
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Starts although the files in the data directory don't match its database; files that it does not name are
    /// moved to the folder `unnamed`, and deleted after `data.unnamed_keep_days`
    #[arg(long)]
    pub accept_files: bool,
    #[command(flatten)]
    pub ephemeral: EphemeralArgs,
}

impl ServeArgs {
    /// The flags as a layer of the configuration.
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

/// Runs the server. `load` reads its configuration again.
pub(super) fn run(config: Config, accept_files: bool, load: Load) -> Result<(), CommandError> {
    let level = telemetry::start(config.log.format, &config.log.level)?;
    if config.offline {
        offline::forbid_connections();
    }
    let opening = Opening { may_create: true, accept_files };
    // Before the folder gets a lock and a certificate.
    ask::expect_data(&config, opening)?;
    let dir = DataDirLock::lock(&config.data_dir, "rasterd serve")?;
    let listener = listen(config.bind, "server.bind or --bind")?;
    let unix_socket = listen_on_unix_socket(&config)?;
    let bound = listener.local_addr()?;
    let addresses = config.addresses(bound);
    let certificate = certificate_files(&config, bound)?;
    // Before the database is opened, which changes its date.
    let report = preflight::check_surroundings(&config, bound);
    let mut settings = config.settings(bound);
    // This binary, even after its file was replaced by a newer one.
    settings.renditions.program = Some(PathBuf::from("/proc/self/exe"));
    let core = ask::open(&config, settings, opening)?;
    let admin_socket = open_socket(&core, &dir)?;
    let acme = certificate.acme.as_ref().map(|acme| acme.renewal(core.clock()));
    let options = ServerOptions {
        unix_socket,
        acme: certificate.acme.as_ref().map(AcmeCertificate::options).transpose()?,
        metrics: metrics(&config)?,
        traces: config.otlp_endpoint.as_deref().map(Traces::start).transpose()?,
        ..options(&config, listener, &addresses, &certificate)
    };
    let by = dir.administrator();
    let screen = StartScreen::new(&config, bound, &certificate, report, (&core, &by))?;
    let ready = Ready {
        public_url: &addresses.public_url,
        development: certificate.development.as_deref().map(CertificateRenewer::files),
        authority: certificate.authority.as_ref(),
        screen: &screen,
    };
    let manager = ServiceManager::of_this_process(&addresses.public_url);
    let reload = Reload { load, started: config.clone(), applied: Mutex::new(config), bound, level, manager };
    let parts = Parts { core, by: &by, admin_socket, ready, reload: &reload, acme };
    actix_web::rt::System::new().block_on(serve(options, parts))
}

/// What runs beside the server.
struct Parts<'a> {
    core: Core,
    by: &'a Administrator,
    admin_socket: AdminSocket,
    ready: Ready<'a>,
    reload: &'a Reload,
    acme: Option<Acme>,
}

async fn serve(options: ServerOptions, parts: Parts<'_>) -> Result<(), CommandError> {
    let Parts { core, by, admin_socket, ready, reload, acme } = parts;
    let signals = Signals::from_operating_system()?;
    let server = Server::start(options, core.clone())?;
    welcome(&core, by, ready).await?;
    let (manager, certificates) = (&reload.manager, Arc::clone(server.live().certificates()));
    manager.ready();
    tokio::select! {
        outcome = server.run_with(signals, reload) => Ok(outcome?),
        never = manager.watch(&core, |within| is_alive(reload.bound, &reload.started.proxies, within)) => match never {},
        never = renew(acme.as_ref(), &certificates) => match never {},
        never = clean_up(&core) => match never {},
        never = admin_socket.serve(&core, by) => match never? {},
    }
}

fn open_socket(core: &Core, dir: &DataDirLock) -> Result<AdminSocket, CommandError> {
    core.with_room(|| AdminSocket::open(dir)).map_err(|error| {
        CommandError(format!(
            "the socket for `rasterd key` and similar commands can't be opened in {}: {error}. The data directory must be on a file system that supports sockets",
            dir.path().display()
        ))
    })
}
