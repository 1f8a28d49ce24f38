//! The way of an administrator's command to the data: through the running server, or straight to the data
//! directory when none runs.

use std::time::{Duration, Instant};

use super::Failure;
use crate::admin::organizations::OrganizationRequest;
use crate::admin::{Reply, Request, perform, socket};
use crate::app::App;
use crate::app::clock::Clock;
use crate::config::Config;
use crate::data_dir::{DataDir, LockError};

/// How long a command waits for another one, or for a server that is just starting.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks again.
const PAUSE: Duration = Duration::from_millis(50);

/// Gets a request done.
pub(super) fn ask(config: &Config, request: Request) -> Result<Reply, Failure> {
    // Only what a first organization may be put into is made here; elsewhere a wrong path would look like an empty server.
    let makes_first = matches!(request, Request::Organization(OrganizationRequest::Create { .. }));
    if !makes_first && !config.data_dir.is_dir() {
        return Err(Failure(format!(
            "there is no data directory {}. Start the server once to make it, or say where it is with --data-dir or --config",
            config.data_dir.display()
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(reach(config, request))
}

async fn reach(config: &Config, request: Request) -> Result<Reply, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(reply) = socket::ask(&config.data_dir, &request).await? {
            return Ok(reply);
        }
        match DataDir::lock(&config.data_dir, "a rasterd command") {
            Ok(dir) => return perform_here(config, dir, request).await,
            Err(LockError::Held { .. }) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn perform_here(config: &Config, dir: DataDir, request: Request) -> Result<Reply, Failure> {
    let app = open(config, config.settings(config.bind))?;
    let reply = perform(&app, request).await;
    app.close().await;
    drop(app);
    // Held to the end of the process: the store's thread lets go of its file a moment after the App.
    std::mem::forget(dir);
    Ok(reply?)
}

/// Opens the data directory, with an error that a person at the box can act on.
pub(super) fn open(config: &Config, settings: crate::app::settings::Settings) -> Result<App, Failure> {
    App::open(settings, Clock::default()).map_err(|error| {
        let reason = error.cause().map_or_else(|| error.to_string(), ToString::to_string);
        Failure(format!("the data directory {} can't be opened: {reason}", config.data_dir.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::keys::KeyRequest;
    use crate::config::{Flag, Variables};

    fn config(dir: &std::path::Path) -> Config {
        let flag = Flag { name: "--data-dir", key: "data.dir".into(), value: dir.to_str().unwrap().into() };
        Config::load(Some(std::path::Path::new("/dev/null")), &Variables::default(), &[flag]).unwrap()
    }

    #[test]
    fn a_first_organization_is_made_without_a_server() {
        let temp = tempfile::tempdir().unwrap();
        let create = OrganizationRequest::Create { name: "Acme".into(), slug: None };
        let reply = ask(&config(&temp.path().join("data")), Request::Organization(create)).ok().unwrap();
        assert!(matches!(reply, Reply::Organization(made) if made.id == "acme"));
    }

    #[test]
    fn a_wrong_path_is_named_and_nothing_is_made_there() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("data");
        let list = Request::Key(KeyRequest::List { organization: None });
        let failure = ask(&config(&dir), list).err().unwrap();
        assert!(failure.0.starts_with(&format!("there is no data directory {}", dir.display())), "{failure}");
        assert!(!dir.exists());
    }
}
