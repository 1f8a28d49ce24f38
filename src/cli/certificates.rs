//! `rasterd certs`: makes or renews the development certificate, without a server.

use super::Failure;
use super::output::print;
use super::serve::certificate_files;
use crate::config::Config;

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    let names = config.addresses(config.bind).allowed_hosts;
    let files = certificate_files(&config.certificate, &names)?;
    print(&format!("certificate  {}\nprivate key  {}", files.cert.display(), files.key.display()))?;
    match files.authority {
        Some(authority) => {
            print(&format!("authority    {}  (clients have to be told to trust it)", authority.display()))
        }
        None => Ok(()),
    }
}
