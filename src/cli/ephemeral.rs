//! `rasterd serve --ephemeral`: a server to start inside somebody's test. Everything is in a temporary directory, which is
//! removed at the end; a line of JSON says how to reach it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::output::print_once;
use super::server_options::{CertificateFiles, listen, listen_on_unix_socket, metrics, options};
use super::{CommandError, LayerArgs, flag, with_warnings_printed};
use crate::config::{Config, Flag, Shown, Variables};
use crate::core::Core;
use crate::core::clock::Clock;
use crate::core::data_dir;
use crate::core::disk::Disk;
use crate::core::model::id::SeededIds;
use crate::core::model::time::millis;
use crate::core::model::token::Token;
use crate::core::settings::{PasswordCost, Settings};
use crate::core::test_control::{self, NewOrganization, TestControl, TestOrganization};
use crate::fetch::FetchSettings;
use crate::telemetry;
use crate::telemetry::traces::Traces;
use crate::testing::TestDisk;
use crate::transport::server::{Server, ServerOptions, Signals};
use crate::transport::test_control::TestControlOptions;
use crate::transport::tls::development::CertificateRenewer;

mod description;
mod directory;
mod export;
mod parent;
mod seed;

use description::Description;
use directory::TemporaryDirectory;
use parent::ParentProcess;

/// What differs from the defaults of the configuration. Flags win over it.
const DEFAULTS: &[(&str, &str)] = &[
    ("server.bind", "127.0.0.1:0"),
    ("server.workers", "2"),
    ("server.drain_seconds", "1"),
    ("data.cache_bytes", "32 MiB"),
    // Tests are faster than any client.
    ("limits.requests_per_second_per_key", "0"),
    ("scrub.days", "0"),
    // A connection that a fault cuts is not worth a line.
    ("log.level", "warn,actix_http::h1::dispatcher=off"),
];
/// What a server for tests does in its own way, by the beginning of the key, and why. Set, it is refused.
const NOT_FOLLOWED: &[(&str, &str)] = &[
    ("backup.", "it makes no backups"),
    ("data.dir", "its data are in a temporary directory, for which --data-dir names the place"),
    ("data.reserve_bytes", "it keeps no space free"),
    ("fetch.allow", "it fetches from the addresses of this machine alone"),
    ("tls.", "it makes its certificate itself"),
];
/// The addresses that files are fetched from: those of this machine.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// The flags of a server for tests.
#[derive(Args)]
#[command(next_help_heading = "For tests")]
pub(super) struct EphemeralArgs {
    /// Starts a server for tests: in a temporary directory that is removed at the end, on a free port, with an
    /// organization, libraries and keys. Prints one line of JSON when it is ready
    #[arg(long)]
    pub ephemeral: bool,
    /// A folder of pictures to begin with: its sub-folders become libraries, deeper ones tags
    #[arg(long, value_name = "DIR", requires = "ephemeral")]
    seed: Option<PathBuf>,
    /// A state to begin with, saved by `POST /_test/snapshots`
    #[arg(long, value_name = "FILE", requires = "ephemeral", conflicts_with = "seed")]
    snapshot: Option<PathBuf>,
    /// A clock that stands still at this time, and moves only when it is told to
    #[arg(long, value_name = "TIME", requires = "ephemeral", value_parser = parse_time)]
    clock: Option<u64>,
    /// `seeded:N` makes ids, keys and passwords the same in each run
    #[arg(long, value_name = "seeded:N", requires = "ephemeral", value_parser = parse_seed)]
    ids: Option<u64>,
    /// Ends when the parent process ends [default: true when the output is a pipe]
    #[arg(
        long, value_name = "BOOL", requires = "ephemeral", num_args = 0..=1, require_equals = true,
        default_missing_value = "true"
    )]
    die_with_parent: Option<bool>,
    /// Prints `export` lines for a shell instead of JSON, and goes on in the background until the shell ends:
    /// eval "$(rasterd serve --ephemeral --export)"
    #[arg(long, requires = "ephemeral")]
    export: bool,
    /// The process whose end ends this one, when that is not the parent
    #[arg(long, value_name = "PID", requires = "ephemeral", hide = true)]
    owner_process: Option<i32>,
}

/// The parts of a server that is about to run.
struct Parts {
    core: Core,
    options: ServerOptions,
    token: String,
    certificate: Arc<CertificateRenewer>,
    /// What a saved state began with.
    first: Option<TestOrganization>,
}

/// Runs a server for tests. `flags` are those of any server.
pub(super) fn run(args: &EphemeralArgs, flags: &[Flag], layers: &LayerArgs) -> Result<(), CommandError> {
    if args.export {
        return export::start_in_background(args.owner_process);
    }
    let parent = ParentProcess::to_follow(args.die_with_parent, args.owner_process);
    let directory = TemporaryDirectory::create(layers.data_dir.as_deref().map(Path::new))?;
    let outcome = configuration(directory.path(), flags, layers)
        .and_then(|config| run_in(&directory, &with_warnings_printed(config), args, parent));
    // Also when it failed.
    directory.remove();
    outcome
}

fn run_in(
    directory: &TemporaryDirectory,
    config: &Config,
    args: &EphemeralArgs,
    parent: Option<ParentProcess>,
) -> Result<(), CommandError> {
    telemetry::start(config.log.format, &config.log.level)?;
    if let Some(seed) = args.ids {
        SeededIds::start(seed);
    }
    let parts = open(directory.path(), config, args)?;
    let core = parts.core.clone();
    let outcome = actix_web::rt::System::new().block_on(serve(parts, args, parent));
    drop(core);
    outcome
}

/// The configuration. The environment and the file of an installed server don't count, so that a test finds the same
/// server on every machine.
fn configuration(dir: &Path, given: &[Flag], layers: &LayerArgs) -> Result<Config, CommandError> {
    let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let default = |key: &str, value: &str| flag("--ephemeral", key, Some(&value.to_owned()));
    let mut flags: Vec<Flag> = DEFAULTS.iter().filter_map(|(key, value)| default(key, value)).collect();
    let given: Vec<Flag> = layers.set.iter().chain(given).cloned().collect();
    flags.extend(given.iter().cloned());
    flags.extend(default("data.dir", &path("data")));
    flags.extend(default("tls.dir", &path(data_dir::CERTIFICATES)));
    let search_path = std::env::var("PATH").map(|value| ("PATH".to_owned(), value));
    let variables = Variables(search_path.into_iter().collect());
    let file = layers.config.as_deref().unwrap_or(Path::new("/dev/null"));
    let load = |flags: &[Flag]| Config::load(Some(file), &variables, flags);
    expect_followed(load(&given)?.shown())?;
    Ok(load(&flags)?)
}

/// Refuses what was set and would change nothing.
fn expect_followed(shown: &[Shown]) -> Result<(), CommandError> {
    let refused = |shown: &Shown| {
        let (_, why) = NOT_FOLLOWED.iter().find(|(start, _)| shown.key.starts_with(start))?;
        Some(format!("  {}: {} is set, but {why}", shown.origin, shown.key))
    };
    let problems: Vec<String> =
        shown.iter().filter(|shown| shown.origin.is_set()).filter_map(refused).collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(CommandError(format!("a server for tests does not follow these keys:\n{}", problems.join("\n"))))
}

fn open(dir: &Path, config: &Config, own: &EphemeralArgs) -> Result<Parts, CommandError> {
    let listener = listen(config.bind, "--bind")?;
    let bound = listener.local_addr()?;
    // Keys are made while the database is created.
    let (certificate, opened) = std::thread::scope(|scope| {
        let names = || config.certificate_names(bound);
        let certificate = scope.spawn(move || certificate(dir, names()));
        let opened = open_core(settings(config, bound), own);
        (certificate.join(), opened)
    });
    let certificate =
        certificate.map_err(|_| CommandError("the certificate could not be made".to_owned()))??;
    let (core, first) = opened?;
    let token = Token::random().reveal().to_owned();
    let files = CertificateFiles::of_development(Arc::clone(&certificate));
    let options = ServerOptions {
        test_control: Some(TestControlOptions { token: token.clone() }),
        unix_socket: listen_on_unix_socket(config)?,
        metrics: metrics(config)?,
        traces: config.otlp_endpoint.as_deref().map(Traces::start).transpose()?,
        ..options(config, listener, &config.addresses(bound), &files)
    };
    Ok(Parts { core, options, token, certificate, first })
}

fn certificate(dir: &Path, names: Vec<String>) -> Result<Arc<CertificateRenewer>, CommandError> {
    let renewer = CertificateRenewer::open(
        &dir.join(data_dir::CERTIFICATES),
        move || names.clone(),
        SystemTime::now(),
    )?;
    Ok(Arc::new(renewer))
}

/// The settings of the operations: nothing leaves the machine, and nothing needs time for its safety.
fn settings(config: &Config, bound: std::net::SocketAddr) -> Settings {
    let mut settings = config.settings(bound);
    settings.renditions.program = Some(PathBuf::from("/proc/self/exe"));
    settings.fetch = FetchSettings {
        enabled: settings.fetch.enabled,
        offline: config.offline,
        allow: LOOPBACK.iter().filter_map(|range| range.parse().ok()).collect(),
        only_allowed: true,
    };
    settings.members.password_cost = PasswordCost::LEAST;
    settings.members.limit_sign_ins = false;
    settings.reserve_bytes = 1;
    settings.backup.dir = None;
    settings
}

fn open_core(
    settings: Settings,
    own: &EphemeralArgs,
) -> Result<(Core, Option<TestOrganization>), CommandError> {
    let first = match &own.snapshot {
        Some(file) => Some(test_control::unpack(file, &settings.data_dir)?),
        None => None,
    };
    let clock = own.clock.map_or_else(Clock::default, Clock::standing_at);
    let disk: Arc<dyn Disk> = Arc::new(TestDisk::without_syncs());
    Ok((Core::open_for_tests(settings, clock, disk, TestControl::default())?, first))
}

async fn serve(parts: Parts, own: &EphemeralArgs, parent: Option<ParentProcess>) -> Result<(), CommandError> {
    let Parts { core, options, token, certificate, first } = parts;
    let (control, signals) = Signals::channel();
    control.follow_operating_system()?;
    if let Some(parent) = parent {
        parent.follow(control)?;
    }
    let mut first = match first {
        Some(first) => first,
        None => core.create_test_organization(&NewOrganization::default()).await?,
    };
    if let Some(folder) = &own.seed {
        seed::load(&core, &mut first, folder).await?;
    }
    core.begin_tests(first.clone()).await?;
    let server = Server::start(options, core.clone())?;
    let description = Description::new(&core.settings().public_url, certificate.files(), first, &token)?;
    print_once(&serde_json::to_string(&description)?)?;
    Ok(server.run(signals).await?)
}

/// A time such as `2026-01-01T00:00:00Z`, in unix milliseconds.
fn parse_time(text: &str) -> Result<u64, String> {
    let time = humantime::parse_rfc3339(text).ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    time.map(|time: Duration| millis(time))
        .ok_or_else(|| "expected a time in UTC, such as 2026-01-01T00:00:00Z".to_owned())
}

fn parse_seed(text: &str) -> Result<u64, String> {
    let seed = text.strip_prefix("seeded:").and_then(|number| number.parse().ok());
    seed.ok_or_else(|| "expected seeded: and a number, such as seeded:1".to_owned())
}
