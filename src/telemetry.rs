//! Logs: what is written, in which form, to standard error. Never a key: what other crates trace of a connection's
//! bytes or a request's head is cut off here, whatever the level.

use std::fmt::Display;
use std::io::IsTerminal;

use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
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
    "actix_server",
    "actix_web",
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rmcp",
    "rustls",
    "tokio_rustls",
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
    let lines = lines(format, level, std::io::stderr().is_terminal(), std::io::stderr)?;
    tracing_subscriber::registry().with(lines).try_init().map_err(TelemetryError::new)
}

fn lines<W>(format: Format, level: &str, colours: bool, to: W) -> Result<impl Layer<Registry>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let wanted = EnvFilter::builder().parse(level).map_err(TelemetryError::new)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(to);
    let lines = match format {
        Format::Text => lines.with_ansi(colours).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    Ok(lines.with_filter(wanted).with_filter(discreet()))
}

/// Everything, but of talkative crates only warnings, whatever level was asked for.
fn discreet() -> Targets {
    let capped = TALKATIVE.iter().map(|target| (*target, LevelFilter::WARN));
    Targets::new().with_default(LevelFilter::TRACE).with_targets(capped)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: Format, level: &str, events: impl FnOnce()) -> String {
        let written = Written::default();
        let to = written.clone();
        let lines = lines(format, level, false, move || to.clone()).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), events);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn other_crates_never_say_what_was_in_a_request() {
        let log = written(Format::Text, "trace,rmcp=trace", || {
            tracing::trace!(target: "actix_http::h1::dispatcher", "secret");
            tracing::info!(target: "rmcp::service", "secret");
            tracing::warn!(target: "rmcp::service", "a warning");
            tracing::trace!(target: "rasterd::app", "our own");
        });
        assert!(!log.contains("secret") && log.contains("a warning") && log.contains("our own"), "{log}");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let log = written(Format::Json, "info", || tracing::info!(status = 200, "answered"));
        let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
        assert_eq!((&line["status"], &line["message"]), (&200.into(), &"answered".into()));
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        assert!(lines(Format::Text, "rasterd=loud", false, std::io::sink).is_err());
    }
}
