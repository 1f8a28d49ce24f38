//! The development certificate authority: makes and renews a server certificate for names of this box.
//! Nobody trusts it until its `ca.pem` is given to a client; real host names want a real certificate.

use std::fs::{self, Permissions};
use std::io::Write;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};

use super::TlsError;

const DAY: Duration = Duration::from_hours(24);
/// How long the authority lives; clients keep a copy of it, so long.
const CA_LIFE: Duration = DAY.saturating_mul(3653);
/// How long a server certificate lives: within the 398 days that browsers accept.
const SERVER_LIFE: Duration = DAY.saturating_mul(397);
/// How long before its end a certificate is made anew.
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);
/// How far back certificates begin, for clients whose clock is behind.
const BACKDATED: Duration = Duration::from_hours(1);

/// Where the development certificates are.
#[derive(Debug, Clone)]
pub struct DevelopmentCertificate {
    /// The authority's certificate, which clients are told to trust.
    pub ca_file: PathBuf,
    /// The server's certificate.
    pub cert_file: PathBuf,
    /// The server's key, readable by its owner alone.
    pub key_file: PathBuf,
}

/// Makes sure that `dir` holds a certificate for `localhost`, the loopback addresses, this box's host name and
/// `names` (host names or addresses), and makes the authority or the certificate when missing or near its end.
///
/// # Errors
/// When the folder can't be written, or a file in it is not what this function wrote.
pub fn ensure(dir: &Path, names: &[String]) -> Result<DevelopmentCertificate, TlsError> {
    fs::create_dir_all(dir).map_err(|error| TlsError::new(dir, error))?;
    let names = all_names(dir, names)?;
    let files = DevelopmentCertificate {
        ca_file: dir.join("ca.pem"),
        cert_file: dir.join("server.pem"),
        key_file: dir.join("server-key.pem"),
    };
    let authority = Authority::open(&files.ca_file, &dir.join("ca-key.pem"), &names)?;
    if !is_good(&files, &authority, &names) {
        authority.issue(&files, &names)?;
        tracing::info!(file = %files.cert_file.display(), "made a development certificate");
    }
    Ok(files)
}

/// The names of this box, then the given ones, each once.
fn all_names(dir: &Path, given: &[String]) -> Result<Vec<SanType>, TlsError> {
    // A name that no certificate can hold is left out: nobody asked for it.
    let host = hostname::get()
        .ok()
        .and_then(|name| name.into_string().ok())
        .filter(|name| subject_name(name).is_some());
    let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut names: Vec<SanType> = Vec::new();
    for name in own.into_iter().chain(host).chain(given.iter().cloned()) {
        let name = subject_name(&name).ok_or_else(|| {
            TlsError::new(dir, format_args!("no certificate can be made for the host name \"{name}\""))
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

/// The authority: its certificate and its key.
struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Reads the authority, or makes one when there is none, it is near its end, or it may not vouch for a name.
    fn open(cert_file: &Path, key_file: &Path, names: &[SanType]) -> Result<Self, TlsError> {
        if !cert_file.exists() && !key_file.exists() {
            return Self::make(cert_file, key_file, names);
        }
        let authority = Self::read(cert_file, key_file)?;
        let good = parse(&authority.certificate).is_some_and(|certificate| {
            lives_for(&certificate, SERVER_LIFE) && vouches_for(&certificate, names)
        });
        if good {
            return Ok(authority);
        }
        tracing::warn!(
            file = %cert_file.display(),
            "the development authority is near its end or may not vouch for a new name; made a new one, which \
             clients must be given again"
        );
        Self::make(cert_file, key_file, names)
    }

    fn read(cert_file: &Path, key_file: &Path) -> Result<Self, TlsError> {
        let certificate = CertificateDer::from_pem_slice(&super::read(cert_file)?)
            .map_err(|error| broken(cert_file, format_args!("not readable as PEM: {error}")))?;
        let key = fs::read_to_string(key_file).map_err(|error| broken(key_file, super::reading(&error)))?;
        let key = KeyPair::from_pem(&key).map_err(|error| broken(key_file, error))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|error| broken(cert_file, error))?;
        Ok(Self { certificate, issuer })
    }

    fn make(cert_file: &Path, key_file: &Path, names: &[SanType]) -> Result<Self, TlsError> {
        let failed = |error: rcgen::Error| TlsError::new(cert_file, error);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = params("rasterd development authority", CA_LIFE);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: permitted(names), excluded_subtrees: Vec::new() });
        let certificate = params.self_signed(&key).map_err(failed)?;
        write(key_file, &key.serialize_pem(), 0o600)?;
        write(cert_file, &certificate.pem(), 0o644)?;
        Ok(Self { certificate: certificate.der().clone(), issuer: Issuer::new(params, key) })
    }

    /// Makes a server key and its certificate, and writes them.
    fn issue(&self, files: &DevelopmentCertificate, names: &[SanType]) -> Result<(), TlsError> {
        let failed = |error: rcgen::Error| TlsError::new(&files.cert_file, error);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = params("rasterd", SERVER_LIFE);
        params.subject_alt_names = names.to_vec();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        write(&files.key_file, &key.serialize_pem(), 0o600)?;
        write(&files.cert_file, &certificate.pem(), 0o644)
    }
}

fn params(name: &str, life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    let begin = SystemTime::now() - BACKDATED;
    params.not_before = begin.into();
    params.not_after = (begin + life).into();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// What the authority may vouch for, so that its key opens nobody's bank: this box, private networks, and the
/// names that were asked for.
fn permitted(names: &[SanType]) -> Vec<GeneralSubtree> {
    let networks = [
        CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8),
        CidrSubnet::from_v4_prefix([10, 0, 0, 0], 8),
        CidrSubnet::from_v4_prefix([172, 16, 0, 0], 12),
        CidrSubnet::from_v4_prefix([192, 168, 0, 0], 16),
        CidrSubnet::from_v6_prefix(Ipv6Addr::LOCALHOST.octets(), 128),
        CidrSubnet::from_v6_prefix(Ipv6Addr::new(0xFC00, 0, 0, 0, 0, 0, 0, 0).octets(), 7),
    ];
    let mut permitted: Vec<GeneralSubtree> = networks.into_iter().map(GeneralSubtree::IpAddress).collect();
    for domain in ["localhost", "local", "internal", "lan", "home.arpa", "test"] {
        permitted.push(GeneralSubtree::DnsName(domain.to_owned()));
    }
    for name in names {
        match name {
            SanType::DnsName(name) => permitted.push(GeneralSubtree::DnsName(name.as_str().to_owned())),
            SanType::IpAddress(IpAddr::V4(address)) => {
                permitted.push(GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(address.octets(), 32)));
            }
            SanType::IpAddress(IpAddr::V6(address)) => {
                permitted.push(GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(address.octets(), 128)));
            }
            _ => {}
        }
    }
    permitted
}

/// Whether the server's files are this authority's, belong together, have all names, and are not near their end.
fn is_good(files: &DevelopmentCertificate, authority: &Authority, names: &[SanType]) -> bool {
    let Ok(pem) = fs::read(&files.cert_file) else { return false };
    let Ok(der) = CertificateDer::from_pem_slice(&pem) else { return false };
    let (Some(certificate), Some(issuer)) = (parse(&der), parse(&authority.certificate)) else {
        return false;
    };
    lives_for(&certificate, RENEW_BEFORE)
        && names.iter().all(|name| is_named(&certificate, name))
        && authority_key(&certificate) == subject_key(&issuer)
        && super::read_pair(&files.cert_file, &files.key_file).is_ok()
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    x509_parser::parse_x509_certificate(der).ok().map(|(_, certificate)| certificate)
}

fn lives_for(certificate: &X509Certificate<'_>, time: Duration) -> bool {
    let until = SystemTime::now() + time;
    let until = until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    u64::try_from(certificate.validity().not_after.timestamp()).is_ok_and(|end| end > until)
}

fn is_named(certificate: &X509Certificate<'_>, name: &SanType) -> bool {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|has| match (has, name) {
        (GeneralName::DNSName(has), SanType::DnsName(name)) => *has == name.as_str(),
        (GeneralName::IPAddress(has), SanType::IpAddress(IpAddr::V4(address))) => *has == address.octets(),
        (GeneralName::IPAddress(has), SanType::IpAddress(IpAddr::V6(address))) => *has == address.octets(),
        _ => false,
    })
}

/// Whether the authority's name constraints permit all names.
fn vouches_for(certificate: &X509Certificate<'_>, names: &[SanType]) -> bool {
    let Ok(Some(constraints)) = certificate.name_constraints() else { return false };
    let Some(permitted) = &constraints.value.permitted_subtrees else { return false };
    names.iter().all(|name| permitted.iter().any(|subtree| is_within(name, &subtree.base)))
}

fn is_within(name: &SanType, subtree: &GeneralName<'_>) -> bool {
    match (name, subtree) {
        (SanType::DnsName(name), GeneralName::DNSName(domain)) => {
            name.as_str().strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
        (SanType::IpAddress(IpAddr::V4(address)), GeneralName::IPAddress(network)) => {
            is_in_network(&address.octets(), network)
        }
        (SanType::IpAddress(IpAddr::V6(address)), GeneralName::IPAddress(network)) => {
            is_in_network(&address.octets(), network)
        }
        _ => false,
    }
}

/// Whether an address is in a network, which is written as an address and then a mask of the same length.
fn is_in_network(address: &[u8], network: &[u8]) -> bool {
    let Some((base, mask)) = network.split_at_checked(address.len()) else { return false };
    mask.len() == address.len() && address.iter().zip(base).zip(mask).all(|((a, b), m)| a & m == b & m)
}

fn authority_key<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(key) => key.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    })
}

fn subject_key<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(key) => Some(key.0),
        _ => None,
    })
}

fn broken(file: &Path, problem: impl std::fmt::Display) -> TlsError {
    TlsError::new(
        file,
        format_args!(
            "{problem}. Put back ca.pem and ca-key.pem as they were, or remove both to have new ones made"
        ),
    )
}

/// Writes a file so that it is there as a whole or as before.
fn write(file: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let failed = |error: std::io::Error| TlsError::new(file, format_args!("can't be written: {error}"));
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut temp = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temp.write_all(text.as_bytes()).map_err(failed)?;
    temp.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    temp.as_file().sync_all().map_err(failed)?;
    temp.persist(file).map_err(|failure| failed(failure.error))?;
    Ok(())
}
