//! `rasterd certs`: creates or renews the development certificate, without a server.

use super::output::print;
use super::server_options::certificate_files;
use super::{CommandError, data_owner};
use crate::config::Config;

pub(super) fn run(config: &Config) -> Result<(), CommandError> {
    data_owner::continue_as_owner(&config.data_dir)?;
    let files = certificate_files(config, config.bind)?;
    print(&format!("certificate  {}\nprivate key  {}", files.cert.display(), files.key.display()))?;
    let Some(development) = &files.development else { return Ok(()) };
    let files = development.files();
    let who = if config.is_behind_a_proxy() { "the proxy has" } else { "clients have" };
    print(&format!("authority    {}  ({who} to trust it)", files.ca_file.display()))?;
    print(&format!(
        "bundle       {}  (together with this machine's authorities)",
        files.bundle.file.display()
    ))?;
    match files.reissued {
        Some(why) => print(why.advice()),
        None => Ok(()),
    }
}
