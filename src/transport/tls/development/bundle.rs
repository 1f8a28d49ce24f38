//! This machine's list of authorities together with ours, for clients that replace their own list with one file.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{make_folder, write};
use crate::transport::tls::files::{pem_of, read};
use crate::transport::tls::{TlsError, system};

/// Its name.
pub(super) const FILE: &str = "ca-bundle.pem";
const HEADING: &str = "# The authorities that this machine trusts, and that of rasterd. Written by rasterd; changes here are overwritten.\n";

/// The list, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Where it is.
    pub file: PathBuf,
    /// Whether the machine has authorities of its own, so that clients with this list also trust other servers.
    pub has_system: bool,
}

impl Bundle {
    /// Writes the list beside the file of our authority, if it changed.
    ///
    /// # Errors
    /// When one of the files can't be read or written.
    pub fn beside(ca_file: &Path) -> Result<Self, TlsError> {
        let ours =
            CertificateDer::from_pem_slice(&read(ca_file)?).map_err(|error| TlsError::new(ca_file, error))?;
        Self::refresh(ca_file.with_file_name(FILE), &ours)
    }

    /// The list in this file, as a start writes it.
    #[must_use]
    pub fn expected(file: PathBuf) -> Self {
        Self { file, has_system: !system::authorities().is_empty() }
    }

    /// Writes a list with other authorities than ours into a folder, if it changed.
    ///
    /// # Errors
    /// When the folder or the file can't be written.
    pub(in crate::transport::tls) fn of(
        dir: &Path,
        name: &str,
        authorities: &[CertificateDer<'_>],
    ) -> Result<Self, TlsError> {
        make_folder(dir)?;
        Self::write(dir.join(name), authorities, &system::authorities())
    }

    /// Writes the list if it changed.
    pub(super) fn refresh(file: PathBuf, ours: &CertificateDer<'_>) -> Result<Self, TlsError> {
        Self::write(file, std::slice::from_ref(ours), &system::authorities())
    }

    fn write(
        file: PathBuf,
        ours: &[CertificateDer<'_>],
        others: &[CertificateDer<'_>],
    ) -> Result<Self, TlsError> {
        let text = text(ours, others);
        if !has_content(&file, &text) {
            write(&file, &text, 0o644)?;
        }
        Ok(Self { file, has_system: !others.is_empty() })
    }
}

fn has_content(file: &Path, text: &str) -> bool {
    fs::read(file).is_ok_and(|bytes| bytes == text.as_bytes())
}

fn text(ours: &[CertificateDer<'_>], others: &[CertificateDer<'_>]) -> String {
    let others = others.iter().filter(|other| !ours.contains(other));
    HEADING.to_owned() + &pem_of(ours) + &pem_of(others)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn ca(folder: &Path) -> CertificateDer<'static> {
        let made = super::super::ensure(folder, &[], SystemTime::now()).unwrap();
        CertificateDer::from_pem_file(made.ca_file).unwrap()
    }

    #[test]
    fn the_list_has_each_authority_once_and_follows_what_the_machine_trusts() {
        let temp = tempfile::tempdir().unwrap();
        let [ours, one, other] = ["ours", "one", "other"].map(|name| ca(&temp.path().join(name)));
        let file = temp.path().join("bundle.pem");
        for (machine, has_system) in [
            (vec![], false),
            (vec![one.clone(), ours.clone()], true),
            (vec![one.clone(), other.clone()], true),
        ] {
            let bundle = Bundle::write(file.clone(), std::slice::from_ref(&ours), &machine).unwrap();
            assert_eq!(bundle, Bundle { file: file.clone(), has_system });
            let found: Vec<_> = CertificateDer::pem_file_iter(&file).unwrap().map(Result::unwrap).collect();
            let mut expected = vec![ours.clone()];
            expected.extend(machine.into_iter().filter(|other| *other != ours));
            assert_eq!(found, expected);
        }
    }
}
