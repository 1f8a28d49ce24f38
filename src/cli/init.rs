//! `rasterd init`: creates an empty data directory, to set a server up before its first start.

use super::output::hint;
use super::{CommandError, ask, data_owner, serve_command};
use crate::config::Config;
use crate::core::data_dir::{DataDir, Database, Opening};
use crate::core::data_dir_lock::DataDirLock;

pub(super) fn run(config: &Config) -> Result<(), CommandError> {
    data_owner::continue_as_owner(&config.data_dir)?;
    let opening = Opening { may_create: true, accept_files: false };
    // Before there is a lock in it.
    ask::expect_data(config, opening)?;
    let dir = DataDirLock::lock(&config.data_dir, "rasterd init")?;
    let exists = matches!(DataDir::new(dir.path()).check(), Ok(Database::Present));
    let core = ask::open(config, config.settings(config.bind), opening)?;
    drop(core);
    let path = dir.path().display();
    if exists {
        hint(&format!("{path} is a data directory already. Nothing was changed."));
    } else {
        hint(&format!("{path} is ready. Start the server with `{}`.", serve_command(config)));
    }
    // Held until the process ends: the store's thread releases its file a moment after the Core.
    std::mem::forget(dir);
    Ok(())
}
