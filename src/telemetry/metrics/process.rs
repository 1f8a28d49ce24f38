//! The process: when it started, its memory, its processor time, its open files. The names are those that all programs use.

use std::fmt;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// The process that the server runs in.
#[derive(Debug)]
pub(super) struct ProcessCollector {
    started: Duration,
}

impl Default for ProcessCollector {
    fn default() -> Self {
        Self { started: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() }
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name: &str, help: &str, value: Option<u64>| match value {
            Some(value) => {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
            }
            None => Ok(()),
        };
        gauge(
            "process_start_time_seconds",
            "When the server started, in unix seconds.",
            Some(self.started.as_secs()),
        )?;
        gauge("process_resident_memory_bytes", "Memory of the process.", resident_memory())?;
        gauge("process_open_fds", "Open files and connections of the process.", open_files())?;
        gauge("process_max_fds", "The most of them.", getrlimit(Resource::Nofile).current)?;
        let processor = ConstCounter::new(processor_time().as_secs_f64());
        let help = "Processor time of the process, without its child processes.";
        processor.encode(encoder.encode_descriptor(
            "process_cpu_seconds",
            help,
            None,
            processor.metric_type(),
        )?)
    }
}

fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// In bytes; the system reports kibibytes.
fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn open_files() -> Option<u64> {
    // Without the descriptor of this listing.
    Some((fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1))
}
