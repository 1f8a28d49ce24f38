//! The log, on standard error. It never has a key: traces of other crates with the bytes of a connection or the head of a
//! request are filtered out, whatever the level.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use rustix::fs::fstat;
use serde_json::Value;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use crate::core::model::text::{TextKind, rewritten};
use crate::error::MAX_MESSAGE;

pub mod metrics;
pub mod traces;

/// The format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Crates that at their finer levels log heads and bodies, and with them keys.
const VERBOSE_CRATES: &[&str] = &[
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

/// The most characters of a line. Ours are shorter; other crates may log a client's text of any length.
const MAX_LINE: usize = 2000;

/// The log can't be set up.
#[derive(Debug, thiserror::Error)]
#[error("the log can't be set up: {0}")]
pub struct TelemetryError(String);

impl TelemetryError {
    fn new(cause: impl Display) -> Self {
        Self(cause.to_string())
    }
}

/// What is logged, which can be changed while the log is written.
pub struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// Logs from now on what `level` says, as for [`start`].
    ///
    /// # Errors
    /// When it is not a level, or the log has ended.
    pub fn set(&self, level: &str) -> Result<(), TelemetryError> {
        let filter = EnvFilter::builder().parse(level).map_err(TelemetryError::new)?;
        self.0.reload(filter).map_err(TelemetryError::new)
    }
}

/// Starts the log for the whole process. `level` is a level or a list of `target=level`, such as
/// `info,rasterd::access=warn`.
///
/// # Errors
/// When `level` is neither, or a log was started already.
pub fn start(format: LogFormat, level: &str) -> Result<LogLevel, TelemetryError> {
    let style = LineStyle { format, colours: std::io::stderr().is_terminal(), journal: is_in_journal() };
    let (lines, level) = lines(style, level, std::io::stderr)?;
    tracing_subscriber::registry().with(lines).try_init().map_err(TelemetryError::new)?;
    Ok(level)
}

/// Logs each panic of this process as one line, or prints it to standard error if no log was started.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = crate::core::panic_in_words(panic);
        if tracing::dispatcher::has_been_set() {
            tracing::error!("a fault in rasterd: {message}");
        } else {
            eprintln!("rasterd: a fault in rasterd: {message}");
        }
    }));
}

/// Whether standard error is read by the journal of systemd, which says so in a variable.
#[must_use]
pub fn is_in_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    fstat(io::stderr()).is_ok_and(|file| stream == format!("{}:{}", file.st_dev, file.st_ino))
}

/// What the journal takes from the beginning of a line as its priority.
#[must_use]
pub fn journal_priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        Level::DEBUG | Level::TRACE => "<7>",
    }
}

/// How lines look.
#[derive(Debug, Clone, Copy)]
struct LineStyle {
    format: LogFormat,
    /// Whether lines have colours, which begin with ESC; the fields have no ESC left at this point.
    colours: bool,
    /// Whether lines begin with their priority.
    journal: bool,
}

fn lines<W>(style: LineStyle, level: &str, to: W) -> Result<(impl Layer<Registry>, LogLevel), TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse(level).map_err(TelemetryError::new)?;
    let (filter, handle) = reload::Layer::new(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(VisibleLines { to, style });
    let lines = match style.format {
        LogFormat::Text => lines.with_ansi(style.colours).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    Ok((lines.with_filter(filter).with_filter(without_client_data()), LogLevel(handle)))
}

/// Makes writers of one line per event, without invisible characters: a client's text can't begin a line of its own,
/// change the writing direction, or send commands to a terminal.
struct VisibleLines<W> {
    to: W,
    style: LineStyle,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for VisibleLines<W> {
    type Writer = VisibleLine<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        VisibleLine { to: self.to.make_writer(), style: self.style, priority: "" }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        let priority = if self.style.journal { journal_priority(*meta.level()) } else { "" };
        VisibleLine { to: self.to.make_writer_for(meta), style: self.style, priority }
    }
}

/// Writes one line, in one call.
struct VisibleLine<W> {
    to: W,
    style: LineStyle,
    priority: &'static str,
}

impl<W: Write> Write for VisibleLine<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
        let LineStyle { format, colours, journal: _ } = self.style;
        let text = shortened(format, text);
        let mut shown = String::with_capacity(self.priority.len() + text.len());
        shown.push_str(self.priority);
        let pieces = if colours { text.split('\u{1B}').collect() } else { vec![&*text] };
        for (number, piece) in pieces.into_iter().enumerate() {
            shown.push_str(if number == 0 { "" } else { "\u{1B}" });
            shown.push_str(&rewritten(piece, TextKind::Line, |kept, _, character| {
                // In JSON, the backslash of the escape must be escaped itself.
                kept.push_str(if format == LogFormat::Json { "\\" } else { "" });
                kept.extend(character.escape_unicode());
            }));
        }
        self.to.write_all((shown + end).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A line of at most [`MAX_LINE`] characters. JSON stays valid: each of its texts is cut off.
fn shortened(format: LogFormat, line: &str) -> Cow<'_, str> {
    if line.len() <= MAX_LINE || line.chars().nth(MAX_LINE).is_none() {
        return Cow::Borrowed(line);
    }
    let object = match format {
        LogFormat::Text => None,
        LogFormat::Json => serde_json::from_str::<serde_json::Map<String, Value>>(line).ok(),
    };
    let Some(mut object) = object else { return Cow::Owned(cut(line, MAX_LINE)) };
    for value in object.values_mut() {
        if let Value::String(text) = value {
            *text = cut(text, MAX_MESSAGE);
        }
    }
    Cow::Owned(Value::Object(object).to_string())
}

/// A text of at most this many characters; a longer one ends in `…`.
fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some(_) => text.chars().take(max - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// Everything, except that verbose crates log only warnings, whatever the configured level.
fn without_client_data() -> Targets {
    let capped = VERBOSE_CRATES.iter().map(|target| (*target, LevelFilter::WARN));
    Targets::new().with_default(LevelFilter::TRACE).with_targets(capped)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::core::model::text::hidden;

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

    fn plain(format: LogFormat) -> LineStyle {
        LineStyle { format, colours: false, journal: false }
    }

    fn written(format: LogFormat, level: &str, events: impl FnOnce()) -> String {
        let written = Written::default();
        let to = written.clone();
        let (lines, _level) = lines(plain(format), level, move || to.clone()).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), events);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn other_crates_never_log_the_content_of_a_request() {
        let log = written(LogFormat::Text, "trace,rmcp=trace", || {
            tracing::trace!(target: "actix_http::h1::dispatcher", "secret");
            tracing::info!(target: "rmcp::service", "secret");
            tracing::warn!(target: "rmcp::service", "a warning");
            tracing::trace!(target: "rasterd::core", "our own");
        });
        assert!(!log.contains("secret") && log.contains("a warning") && log.contains("our own"), "{log}");
    }

    #[test]
    fn the_level_can_be_changed_and_an_invalid_one_changes_nothing() {
        let written = Written::default();
        let to = written.clone();
        let (lines, level) = lines(plain(LogFormat::Text), "warn", move || to.clone()).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            let say = |number: u32| tracing::debug!("line {number}");
            say(1);
            level.set("debug").unwrap();
            say(2);
            assert!(level.set("rasterd=loud").is_err());
            say(3);
            level.set("warn").unwrap();
            say(4);
        });
        let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let seen: Vec<u32> = (1..=4).filter(|number| log.contains(&format!("line {number}"))).collect();
        assert_eq!(seen, [2, 3], "{log}");
    }

    #[test]
    fn in_the_journal_a_line_begins_with_its_priority() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let written = Written::default();
            let to = written.clone();
            let style = LineStyle { journal: true, ..plain(format) };
            let (lines, _level) = lines(style, "trace", move || to.clone()).unwrap();
            tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
                tracing::error!("a");
                tracing::warn!("b");
                tracing::info!("c");
                tracing::debug!("d");
                tracing::trace!("e");
            });
            let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
            let priorities: Vec<&str> = log.lines().map(|line| &line[..3]).collect();
            assert_eq!(priorities, ["<3>", "<4>", "<6>", "<7>", "<7>"], "{log}");
        }
        let log = written(LogFormat::Text, "info", || tracing::info!("c"));
        assert!(!log.starts_with('<'), "{log}");
    }

    #[test]
    fn json_is_one_object_per_line() {
        let log = written(LogFormat::Json, "info", || tracing::info!(status = 200, "answered"));
        let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
        assert_eq!((&line["status"], &line["message"]), (&200.into(), &"answered".into()));
    }

    #[test]
    fn a_clients_text_stays_on_its_line_and_is_visible() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let log = written(format, "info", || {
                let name = "a\u{202E}b\n2026-01-01 ERROR forged\u{1B}[2J\u{200B}";
                tracing::info!(%name, path = name, "asked for {name}");
            });
            let line = log.strip_suffix('\n').unwrap();
            assert!(hidden(line, TextKind::Line).next().is_none(), "{log:?}");
            assert!(
                format == LogFormat::Text || serde_json::from_str::<serde_json::Value>(line).is_ok(),
                "{log}"
            );
            assert!(line.contains("202e") && line.contains("200b"), "{log}");
        }
    }

    #[test]
    fn long_lines_of_other_crates_are_cut_off() {
        let version = "é".repeat(300_000);
        for format in [LogFormat::Text, LogFormat::Json] {
            let log = written(format, "warn", || {
                tracing::warn!(target: "rmcp::transport", header = "2025-11-25", body = version, "refused");
            });
            let line = log.strip_suffix('\n').unwrap();
            assert!(line.chars().count() <= MAX_LINE && line.contains("2025-11-25"), "{format:?}");
            assert!(format == LogFormat::Text || serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn an_invalid_level_is_refused() {
        assert!(lines(plain(LogFormat::Text), "rasterd=loud", std::io::sink).is_err());
    }
}
