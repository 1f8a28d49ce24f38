//! Logs: what is written, in which form, to standard error. Never a key: what other crates trace of a connection's
//! bytes or a request's head is cut off here, whatever the level.

use std::fmt::Display;
use std::io::IsTerminal;

use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Crates that at their finer levels write down heads and bodies, and with them keys.
const TALKATIVE: &[&str] = &[
    "actix_http",
    "actix_web",
    "actix_server",
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rmcp",
    "rustls",
    "tower",
];

/// Why the log can't be set up.
#[derive(Debug, thiserror::Error)]
#[error("the log can't be set up: {0}")]
pub struct TelemetryError(String);

impl TelemetryError {
    fn new(cause: impl Display) -> Self {
        Self(cause.to_string())
    }
}

/// Starts the log for the whole process. `level` is a level or a list of `target=level`, such as
/// `info,rasterd::access=warn`.
///
/// # Errors
/// When `level` is neither, or a log was started already.
pub fn start(format: Format, level: &str) -> Result<(), TelemetryError> {
    let wanted = EnvFilter::builder().parse(level).map_err(TelemetryError::new)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        Format::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    let lines: Box<dyn Layer<Registry> + Send + Sync> =
        lines.with_filter(wanted).with_filter(discreet()).boxed();
    tracing_subscriber::registry().with(lines).try_init().map_err(TelemetryError::new)
}

/// Everything, but of talkative crates only what is worth a look: nothing below info says what was in a request.
fn discreet() -> Targets {
    let capped = TALKATIVE.iter().map(|target| (*target, LevelFilter::INFO));
    Targets::new().with_default(LevelFilter::TRACE).with_targets(capped)
}
