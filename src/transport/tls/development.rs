//! The development certificate authority: creates and renews a server certificate for the names of this machine.
//! Clients trust it only once they have its `ca.pem`; a public host name needs a certificate of a public authority.

use std::fs::{self, DirBuilder, Permissions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::SanType;

use super::TlsError;

mod authority;
mod bundle;
mod inspect;
mod renewer;
#[cfg(test)]
mod tests;

use authority::SigningAuthority;
pub use bundle::Bundle;
pub use renewer::CertificateRenewer;

const DAY: Duration = Duration::from_hours(24);
/// How long the authority is valid. Long, since clients keep a copy of it.
const CA_LIFETIME: Duration = DAY.saturating_mul(3653);
/// How long a server certificate is valid: within the 398 days that browsers accept.
const SERVER_LIFETIME: Duration = DAY.saturating_mul(397);
/// How long before it expires a certificate is renewed.
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);
/// How far in the past the validity begins, for clients whose clock is slow.
const BACKDATED: Duration = Duration::from_hours(1);

/// The files of the development certificate.
#[derive(Debug, Clone)]
pub struct DevelopmentCertificate {
    /// The authority's certificate, which clients have to trust.
    pub ca_file: PathBuf,
    /// The server's certificate.
    pub cert_file: PathBuf,
    /// The server's key, which only its owner can read.
    pub key_file: PathBuf,
    /// The authorities of this machine together with this one, for clients that replace their own list with one file.
    pub bundle: Bundle,
    /// Why an existing authority got a new certificate, if it did.
    pub reissued: Option<Reissue>,
}

/// Why the authority has a new certificate. Its key stays the same, so clients with a copy of the previous certificate
/// accept the server as long as that copy is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reissue {
    /// The previous one limited the names that it signs, which `BoringSSL` refuses.
    Constrained,
    /// The previous one is not valid now, by the clock of this machine.
    NotValidNow,
    /// The previous one expires soon.
    ExpiresSoon,
}

impl Reissue {
    /// Which clients need the new certificate, and why, as sentences.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Constrained => {
                "The authority has a new certificate with the same key, because Bun, Claude Code and others on \
                 BoringSSL refuse the previous one. Clients that trust that one keep working; give all others the new file."
            }
            Self::NotValidNow => {
                "The authority has a new certificate with the same key, because the previous one is not valid now. \
                 Give every client the new file."
            }
            Self::ExpiresSoon => {
                "The authority has a new certificate with the same key, because the previous one expires soon. Clients \
                 that trust that one keep working until then; give every client the new file."
            }
        }
    }
}

/// The server's certificate in the folder `dir`.
#[must_use]
pub fn cert_file(dir: &Path) -> PathBuf {
    dir.join("server.pem")
}

/// The authority's certificate in the folder `dir`.
#[must_use]
pub fn ca_file(dir: &Path) -> PathBuf {
    dir.join("ca.pem")
}

/// The authorities of this machine with ours among them, in the folder `dir`.
#[must_use]
pub fn bundle_file(dir: &Path) -> PathBuf {
    dir.join(bundle::FILE)
}

/// Ensures that `dir` holds a certificate for `localhost`, the loopback addresses, this machine's host name and
/// `names` (host names or addresses) that is valid `now`. Creates the authority or the certificate when one is
/// missing, expires soon, is not valid yet, or is of a kind that some clients refuse. The authority's key always stays.
///
/// # Errors
/// When the folder can't be written, or a file in it is not what this function wrote.
pub fn ensure(dir: &Path, names: &[String], now: SystemTime) -> Result<DevelopmentCertificate, TlsError> {
    make_folder(dir)?;
    let names = all_names(dir, names)?;
    let ca_file = ca_file(dir);
    let (authority, reissued) = SigningAuthority::open(&ca_file, &dir.join("ca-key.pem"), now)?;
    let bundle = Bundle::refresh(bundle_file(dir), authority.certificate())?;
    let files = DevelopmentCertificate {
        ca_file,
        bundle,
        cert_file: cert_file(dir),
        key_file: dir.join("server-key.pem"),
        reissued,
    };
    if let Some(why) = reissued {
        tracing::warn!(file = %files.ca_file.display(), "{}", why.advice());
    }
    if !authority.has_issued(&files, &names, now) {
        authority.issue(&files, &names, now)?;
        tracing::info!(file = %files.cert_file.display(), "created a development certificate");
    }
    Ok(files)
}

/// Why [`ensure`] would fail in `dir`, as far as that shows without creating anything.
#[must_use]
pub fn problem(dir: &Path, names: &[String], now: SystemTime) -> Option<TlsError> {
    if let Err(error) = all_names(dir, names) {
        return Some(error);
    }
    if dir.exists() {
        let authority = SigningAuthority::check(&dir.join("ca.pem"), &dir.join("ca-key.pem"), now);
        return authority.err();
    }
    None
}

/// Keeps the authority that earlier versions created in `former`, so that the clients that trust it keep working.
/// Copies it into `dir` when there is none, and leaves the former folder as it is: clients read its `ca.pem`.
///
/// # Errors
/// When a file can't be read or written.
pub fn adopt(former: &Path, dir: &Path) -> Result<(), TlsError> {
    let names = ["ca-key.pem", "ca.pem"];
    let is_ours = |file: &Path| {
        fs::metadata(file).is_ok_and(|metadata| metadata.uid() == rustix::process::geteuid().as_raw())
    };
    if former == dir
        || names.iter().any(|name| dir.join(name).exists())
        || !names.iter().all(|name| is_ours(&former.join(name)))
    {
        return Ok(());
    }
    make_folder(dir)?;
    for (name, mode) in names.into_iter().zip([0o600, 0o644]) {
        let file = former.join(name);
        let text = fs::read_to_string(&file).map_err(|error| TlsError::new(&file, error))?;
        write(&dir.join(name), &text, mode)?;
    }
    tracing::warn!(
        from = %former.display(), to = %dir.display(),
        "the authority of the development certificate was copied into the data directory, so that backups contain it; \
         clients keep working with their copy"
    );
    Ok(())
}

/// Creates the folder. Only this user can write to it; clients can read what they need.
fn make_folder(dir: &Path) -> Result<(), TlsError> {
    let created = DirBuilder::new().recursive(true).mode(0o755).create(dir);
    created.map_err(|error| TlsError::new(dir, format_args!("the folder can't be created: {error}")))
}

/// The names of this machine, then the given ones, each once.
fn all_names(dir: &Path, given: &[String]) -> Result<Vec<SanType>, TlsError> {
    // A host name that no certificate can hold is left out: nobody asked for it.
    let host = hostname::get()
        .ok()
        .and_then(|name| name.into_string().ok())
        .filter(|name| subject_name(name).is_some());
    let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut names: Vec<SanType> = Vec::new();
    for name in own.into_iter().chain(host).chain(given.iter().cloned()) {
        let name = subject_name(&name).ok_or_else(|| {
            TlsError::new(dir, format_args!("no certificate can be created for the host name \"{name}\""))
        })?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// A host name or an address as a certificate holds it.
fn subject_name(name: &str) -> Option<SanType> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(SanType::IpAddress(address));
    }
    let is_host =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    if is_host { name.to_ascii_lowercase().try_into().ok().map(SanType::DnsName) } else { None }
}

/// Writes a file atomically.
///
/// # Errors
/// When the folder can't be written.
pub(crate) fn write(file: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let failed = |error: std::io::Error| TlsError::new(file, format_args!("can't be written: {error}"));
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut temp = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temp.write_all(text.as_bytes()).map_err(failed)?;
    temp.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    temp.as_file().sync_all().map_err(failed)?;
    temp.persist(file).map_err(|failure| failed(failure.error))?;
    Ok(())
}
