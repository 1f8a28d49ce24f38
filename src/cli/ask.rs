//! Runs an administrator's command: through the running server, or directly on the data directory when none runs.

use std::time::{Duration, Instant};

use super::progress::{PULSE, ProgressLine};
use super::{CommandError, data_owner, guide_pointers};
use crate::admin::{Reply, Request, perform, socket};
use crate::config::Config;
use crate::core::Core;
use crate::core::clock::Clock;
use crate::core::data_dir::{DataDir, Opening, RESTORE};
use crate::core::data_dir_lock::{DataDirLock, LockError};
use crate::core::long_work::Reporter;

/// How long a command waits for another one, or for a server that is just starting.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it waits between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs a request and returns the reply.
pub(super) fn ask(config: &Config, request: Request) -> Result<Reply, CommandError> {
    AdminClient::new(config)?.ask(request)
}

/// Sends requests one after the other. Where no server runs, they share one open data directory.
pub(super) struct AdminClient<'a> {
    config: &'a Config,
    runtime: tokio::runtime::Runtime,
    opened: Option<(Core, DataDirLock)>,
}

impl<'a> AdminClient<'a> {
    pub(super) fn new(config: &'a Config) -> Result<Self, CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { config, runtime, opened: None })
    }

    /// Runs a request and returns the reply.
    pub(super) fn ask(&mut self, request: Request) -> Result<Reply, CommandError> {
        if self.opened.is_none() {
            match self.runtime.block_on(send_or_lock(self.config, &request))? {
                Found::Reply(reply) => return Ok(*reply),
                Found::Lock(dir) => {
                    let settings = self.config.settings(self.config.bind);
                    let core =
                        self.runtime.block_on(async { open(self.config, settings, Opening::default()) })?;
                    self.opened = Some((core, dir));
                }
            }
        }
        let Some((core, dir)) = &self.opened else {
            return Err(CommandError("the data directory was not opened".to_owned()));
        };
        Ok(self.runtime.block_on(perform_with_progress(core, dir, request))?)
    }
}

impl Drop for AdminClient<'_> {
    fn drop(&mut self) {
        if let Some((core, dir)) = self.opened.take() {
            self.runtime.block_on(async {
                core.close().await;
                drop(core);
            });
            // Held until the process ends: the store's thread releases its file a moment after the Core.
            std::mem::forget(dir);
        }
    }
}

/// The reply of a running server, or the lock of the data directory where none runs.
enum Found {
    Reply(Box<Reply>),
    Lock(DataDirLock),
}

async fn send_or_lock(config: &Config, request: &Request) -> Result<Found, CommandError> {
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        let mut line = ProgressLine::new();
        if let Some(reply) = socket::ask(&config.data_dir, request, |progress| line.show(progress)).await? {
            return Ok(Found::Reply(Box::new(reply)));
        }
        // Created here, a wrong path would look like an empty server.
        if !config.data_dir.is_dir() {
            return Err(CommandError(format!(
                "there is no data directory {}. Set it with --data-dir or --config, or create a new one with `rasterd init` or `rasterd serve`.\n{}",
                config.data_dir.display(),
                guide_pointers::line(guide_pointers::DATA_DIRECTORY)
            )));
        }
        data_owner::expect_entry(&config.data_dir)?;
        data_owner::continue_as_owner(&config.data_dir)?;
        expect_data(config, Opening::default())?;
        match DataDirLock::lock(&config.data_dir, "a rasterd command") {
            Ok(dir) => return Ok(Found::Lock(dir)),
            Err(LockError::Held { .. }) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn perform_with_progress(
    core: &Core,
    dir: &DataDirLock,
    request: Request,
) -> crate::error::Result<Reply> {
    let reporter = Reporter::default();
    let progress = reporter.follow();
    let (mut line, mut pulse) = (ProgressLine::new(), tokio::time::interval(PULSE));
    let mut work = std::pin::pin!(perform(core, dir.administrator(), request, &reporter));
    loop {
        tokio::select! {
            reply = &mut work => return reply,
            _ = pulse.tick() => line.show(*progress.borrow()),
        }
    }
}

/// Refuses a data directory that can't be opened, before anything in it is changed.
pub(super) fn expect_data(config: &Config, opening: Opening) -> Result<(), CommandError> {
    let folder = DataDir::new(&config.data_dir);
    let checked = folder.check().and_then(|found| folder.check_new(found, opening));
    checked.map_err(|error| not_opened(config, &error))
}

/// Opens the data directory, with an error for the administrator.
pub(super) fn open(
    config: &Config,
    settings: crate::core::settings::Settings,
    opening: Opening,
) -> Result<Core, CommandError> {
    Core::open_as(settings, Clock::default(), opening).map_err(|error| not_opened(config, &error))
}

fn not_opened(config: &Config, error: &crate::error::Error) -> CommandError {
    let reason = error.cause().map_or_else(|| error.to_string(), ToString::to_string);
    let section =
        if reason.contains(RESTORE) { guide_pointers::DAMAGE } else { guide_pointers::DATA_DIRECTORY };
    CommandError(format!(
        "the data directory {} can't be opened: {reason}.\n{}",
        config.data_dir.display(),
        guide_pointers::line(section)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::keys::KeyRequest;
    use crate::admin::organizations::OrganizationRequest;
    use crate::config::{Flag, Variables};

    fn config(dir: &std::path::Path) -> Config {
        let flag = Flag { name: "--data-dir", key: "data.dir".into(), value: dir.to_str().unwrap().into() };
        Config::load(Some(std::path::Path::new("/dev/null")), &Variables::default(), &[flag]).unwrap()
    }

    #[test]
    fn a_wrong_path_is_named_and_nothing_is_created_there() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("data");
        let list = Request::Key(KeyRequest::List { organization: None });
        let failure = ask(&config(&dir), list).err().unwrap();
        assert!(failure.0.starts_with(&format!("there is no data directory {}", dir.display())), "{failure}");
        assert!(!dir.exists());
    }

    #[test]
    fn a_command_in_an_empty_folder_says_so_and_creates_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let create = OrganizationRequest::Create { name: "Acme".into(), slug: None };
        for request in [Request::Organization(create), Request::Key(KeyRequest::List { organization: None })]
        {
            let failure = ask(&config(temp.path()), request).err().unwrap();
            assert!(
                failure.0.contains("rasterd.redb is missing") && failure.0.contains("rasterd init"),
                "{failure}"
            );
            assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
        }
    }
}
