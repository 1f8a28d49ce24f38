//! The bodies of the control endpoint.

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::core::model::time::millis;
use crate::error::{Error, Result};

/// How long it is waited between two looks at the work after uploads.
pub const IDLE_PAUSE: Duration = Duration::from_millis(2);
/// How long it is waited for that work, unless the test says otherwise.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest time by which a clock is moved, in seconds: a hundred years.
const LONGEST: f64 = 100.0 * 366.0 * 86_400.0;

/// Which state to go back to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetBody {
    pub snapshot: Option<String>,
}

/// Where to save the state.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// What the clock is set to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockBody {
    now: String,
}

impl ClockBody {
    /// The time in unix milliseconds.
    pub fn millis(&self) -> Result<u64> {
        let wrong = || Error::bad_input("`now` must be a time such as 2026-01-01T00:00:00Z, in UTC.");
        let time = humantime::parse_rfc3339(&self.now).map_err(|_| wrong())?;
        time.duration_since(UNIX_EPOCH).map(millis).map_err(|_| wrong())
    }
}

/// By how much the clock is advanced.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovedBody {
    seconds: f64,
}

impl MovedBody {
    pub fn duration(&self) -> Result<Duration> {
        seconds("seconds", self.seconds)
    }
}

/// What a clock shows.
#[derive(Serialize)]
pub struct ClockAnswer {
    now: String,
    stands: bool,
}

impl ClockAnswer {
    pub fn of(core: &Core) -> Self {
        let now = UNIX_EPOCH + Duration::from_millis(core.now());
        Self { now: humantime::format_rfc3339_millis(now).to_string(), stands: core.clock().stands() }
    }
}

/// How long to wait.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IdleBody {
    timeout_seconds: Option<f64>,
}

impl IdleBody {
    pub fn timeout(&self) -> Result<Duration> {
        self.timeout_seconds.map_or(Ok(IDLE_TIMEOUT), |given| seconds("timeoutSeconds", given))
    }
}

fn seconds(name: &str, given: f64) -> Result<Duration> {
    if (0.0..=LONGEST).contains(&given) {
        return Ok(Duration::from_secs_f64(given));
    }
    Err(Error::bad_input(format!("`{name}` must be a number from 0 to {LONGEST}.")))
}
