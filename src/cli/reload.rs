//! Reads the configuration again while the server runs. What can be changed without a restart is changed; the log names
//! the keys that need one. A configuration with mistakes changes nothing.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use super::preflight;
use super::service_manager::ServiceManager;
use crate::config::{Certificate, Config, Invalid};
use crate::telemetry::LogLevel;
use crate::transport::server::{Lifecycle, LiveOptions};

/// The keys that a running server follows.
const LIVE: [&str; 9] = [
    "log.level",
    "server.allowed_hosts",
    "server.allowed_origins",
    "server.answer_rate_bytes",
    "server.body_rate_bytes",
    "server.body_seconds",
    "server.connections",
    "server.connections_per_address",
    "server.head_seconds",
];
/// Those that it follows where the certificate comes from files before and after.
const LIVE_FILES: [&str; 2] = ["tls.cert_file", "tls.key_file"];

/// Reads the whole configuration again: the file, the variables and the flags of this process.
pub(super) type Load = Box<dyn Fn() -> Result<Config, Invalid>>;

/// What a server follows, and whom it notifies.
pub(super) struct Reload {
    pub load: Load,
    /// With what the server was started.
    pub started: Config,
    /// What it follows now.
    pub applied: Mutex<Config>,
    pub bound: SocketAddr,
    pub level: LogLevel,
    pub manager: ServiceManager,
}

impl Lifecycle for Reload {
    fn reload(&self, live: &LiveOptions) {
        self.manager.reloading();
        let outcome = match self.follow(live) {
            Ok(outcome) => outcome,
            Err(problems) => {
                for problem in problems {
                    tracing::error!(
                        docUrl = "/docs/configuration",
                        "the new configuration is refused, and the server keeps the previous one: {}",
                        in_one_line(&problem)
                    );
                }
                "the new configuration was refused, see the log".to_owned()
            }
        };
        self.manager.reloaded(&outcome);
    }

    fn stopping(&self) {
        self.manager.stopping();
    }
}

impl Reload {
    /// Follows the new configuration, and says how far. On an error, nothing was changed.
    fn follow(&self, live: &LiveOptions) -> Result<String, Vec<String>> {
        let new = (self.load)().map_err(|invalid| invalid.problems)?;
        let mut applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = Changes::between(&applied, &new).live;
        let needs_restart = Changes::between(&self.started, &new).others;
        if changed.iter().any(|key| LIVE_FILES.contains(key))
            && let Certificate::Files { cert, key } = &new.certificate
        {
            let problems = preflight::certificates(&new).problems;
            if !problems.is_empty() {
                return Err(problems.into_iter().map(|problem| problem.text).collect());
            }
            live.certificates().use_files(cert, key).map_err(|error| vec![error.to_string()])?;
        } else {
            live.certificates().reload_and_log();
        }
        self.level.set(&new.log.level).map_err(|error| vec![error.to_string()])?;
        let addresses = new.addresses(self.bound);
        live.allow(addresses.allowed_hosts, addresses.allowed_origins);
        live.set_timeouts(&new.timeouts);
        *applied = new;
        Ok(report(&changed, &needs_restart))
    }
}

/// A problem without the lines that show the file, which a log can't show.
fn in_one_line(problem: &str) -> String {
    let is_shown_file = |line: &&str| {
        line.trim_start_matches(|character: char| character == ' ' || character.is_ascii_digit())
            .starts_with('|')
    };
    problem.lines().filter(|line| !is_shown_file(line)).collect::<Vec<_>>().join(": ")
}

/// Logs what became of a new configuration, and returns it in a few words.
fn report(changed: &[&str], needs_restart: &[String]) -> String {
    if changed.is_empty() {
        tracing::info!(
            "the configuration was read again; nothing changed that the server follows while it runs"
        );
    } else {
        tracing::info!(keys = changed.join(", "), "the configuration was reloaded");
    }
    if needs_restart.is_empty() {
        return "configuration reloaded".to_owned();
    }
    let keys = needs_restart.join(", ");
    tracing::warn!(keys, "these keys were changed, too, and need a restart");
    format!("configuration reloaded; {keys} need a restart")
}

/// The keys whose values differ between two configurations.
struct Changes {
    live: Vec<&'static str>,
    others: Vec<String>,
}

impl Changes {
    fn between(before: &Config, after: &Config) -> Self {
        let are_files =
            [before, after].iter().all(|config| matches!(config.certificate, Certificate::Files { .. }));
        let files = if are_files { &LIVE_FILES[..] } else { &[] };
        let mut changes = Self { live: Vec::new(), others: Vec::new() };
        for (was, is) in before.shown().iter().zip(after.shown()) {
            if was.value == is.value
                || (!LIVE.contains(&is.key.as_str()) && !was.origin.is_set() && !is.origin.is_set())
            {
                continue;
            }
            match LIVE.iter().chain(files).find(|key| **key == is.key) {
                Some(key) => changes.live.push(key),
                None => changes.others.push(is.key.clone()),
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::config::{Flag, Variables};

    fn config(flags: &[(&str, &str)]) -> Config {
        let flag = |(key, value): &(&str, &str)| Flag {
            name: "--set",
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        let flags: Vec<Flag> = flags.iter().map(flag).collect();
        Config::load(Some(std::path::Path::new("/dev/null")), &Variables::default(), &flags).unwrap()
    }

    #[test]
    fn a_mistake_in_the_file_is_one_line_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "[server]\nbind = = 1\n").unwrap();
        let invalid = Config::load(Some(&file), &Variables::default(), &[]).unwrap_err();
        assert!(invalid.problems[0].contains("bind = = 1"), "{invalid}");
        let line = in_one_line(&invalid.problems[0]);
        let start = format!("{} is not valid TOML: TOML parse error at line 2, column 8: ", file.display());
        assert!(line.starts_with(&start) && !line.contains('\n') && !line.contains("= ="), "{line}");
        assert_eq!(in_one_line("server.bind: a | b"), "server.bind: a | b");
    }

    #[test]
    fn every_key_that_a_server_follows_exists() {
        let all = config(&[]);
        for key in LIVE.iter().chain(&LIVE_FILES) {
            assert!(all.shown().iter().any(|shown| shown.key == *key), "{key}");
        }
    }

    #[test]
    fn changes_are_told_apart_by_whether_they_need_a_restart() {
        let before = config(&[("limits.page_size", "10")]);
        let after = config(&[
            ("log.level", "debug"),
            ("limits.page_size", "11"),
            ("server.connections", "7"),
            ("server.idle_seconds", "7"),
        ]);
        let changes = Changes::between(&before, &after);
        assert_eq!(changes.live, ["log.level", "server.connections"]);
        assert_eq!(changes.others, ["limits.page_size", "server.idle_seconds"]);
        let same = Changes::between(&after, &after);
        assert!(same.live.is_empty() && same.others.is_empty());
    }

    #[test]
    fn another_kind_of_certificate_needs_a_restart_and_other_files_do_not() {
        let files = |cert| config(&[("tls.cert_file", cert), ("tls.key_file", "/key.pem")]);
        let changes = Changes::between(&files("/one.pem"), &files("/other.pem"));
        assert_eq!((changes.live, changes.others.len()), (vec!["tls.cert_file"], 0));
        let changes = Changes::between(&config(&[]), &files("/one.pem"));
        assert!(changes.live.is_empty(), "{:?}", changes.live);
        assert_eq!(changes.others, ["tls.cert_file", "tls.key_file"]);
    }
}
