//! The development authority: its certificate, its key, and the server certificates that it signs.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::inspect::{self, parse};
use super::{BACKDATED, CA_LIFETIME, DevelopmentCertificate, RENEW_BEFORE, Reissue, SERVER_LIFETIME, write};
use crate::transport::tls::files::{read, read_pair, unreadable};
use crate::transport::tls::{TlsError, check_key};

/// The bytes of a serial number. It is random; up to 20 bytes are allowed, with a first bit of 0.
const SERIAL_LENGTH: usize = 16;

/// The authority: its certificate and its key.
pub(super) struct SigningAuthority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl SigningAuthority {
    /// Reads the authority, or creates one when there is none. An existing one keeps its key, whatever is wrong with
    /// its certificate.
    pub fn open(
        cert_file: &Path,
        key_file: &Path,
        now: SystemTime,
    ) -> Result<(Self, Option<Reissue>), TlsError> {
        if !cert_file.exists() && !key_file.exists() {
            let key = KeyPair::generate().map_err(|error| TlsError::new(key_file, error))?;
            write(key_file, &key.serialize_pem(), 0o600)?;
            return Ok((Self::certify(cert_file, key, now)?, None));
        }
        let ExistingAuthority { certificate, key, reissue } = read_existing(cert_file, key_file, now)?;
        check_key(key_file)?;
        if let Some(why) = reissue {
            return Ok((Self::certify(cert_file, key, now)?, Some(why)));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|error| broken(cert_file, error))?;
        Ok((Self { certificate, issuer }, None))
    }

    /// Checks whether an existing authority can be used, and creates nothing.
    pub fn check(cert_file: &Path, key_file: &Path, now: SystemTime) -> Result<(), TlsError> {
        if !cert_file.exists() && !key_file.exists() {
            return Ok(());
        }
        read_existing(cert_file, key_file, now).map(drop)
    }

    /// Its certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Creates a certificate for the authority's key. It does not limit names: `BoringSSL` refuses limits on addresses,
    /// and the server may get other names later.
    fn certify(cert_file: &Path, key: KeyPair, now: SystemTime) -> Result<Self, TlsError> {
        let failed = |error: rcgen::Error| TlsError::new(cert_file, error);
        let mut params = params("rasterd development authority", now, CA_LIFETIME);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?;
        write(cert_file, &certificate.pem(), 0o644)?;
        Ok(Self { certificate: certificate.der().clone(), issuer: Issuer::new(params, key) })
    }

    /// Creates a server key and its certificate, and writes both.
    pub fn issue(
        &self,
        files: &DevelopmentCertificate,
        names: &[SanType],
        now: SystemTime,
    ) -> Result<(), TlsError> {
        let failed = |error: rcgen::Error| TlsError::new(&files.cert_file, error);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = params("rasterd", now, SERVER_LIFETIME);
        params.is_ca = IsCa::ExplicitNoCa;
        params.subject_alt_names = names.to_vec();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        write(&files.key_file, &key.serialize_pem(), 0o600)?;
        write(&files.cert_file, &certificate.pem(), 0o644)
    }

    /// Whether the server's files are from this authority, belong together, have all names, have the extensions that
    /// [`SigningAuthority::issue`] sets, and are valid now and for a while.
    pub fn has_issued(&self, files: &DevelopmentCertificate, names: &[SanType], now: SystemTime) -> bool {
        let Ok(pem) = fs::read(&files.cert_file) else { return false };
        let Ok(der) = CertificateDer::from_pem_slice(&pem) else { return false };
        let (Some(certificate), Some(issuer)) = (parse(&der), parse(&self.certificate)) else {
            return false;
        };
        inspect::has_begun(&certificate, now)
            && inspect::valid_for(&certificate, now, RENEW_BEFORE)
            && inspect::subject_key(&certificate).is_some()
            && names.iter().all(|name| inspect::has_name(&certificate, name))
            && inspect::authority_key(&certificate) == inspect::subject_key(&issuer)
            && read_pair(&files.cert_file, &files.key_file).is_ok()
    }
}

/// An existing authority.
struct ExistingAuthority {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    /// Why it needs a new certificate, if it does.
    reissue: Option<Reissue>,
}

fn read_existing(cert_file: &Path, key_file: &Path, now: SystemTime) -> Result<ExistingAuthority, TlsError> {
    let (certificate, key) = read_files(cert_file, key_file)?;
    let Some(parsed) = parse(&certificate) else {
        return Err(broken(cert_file, "not a certificate"));
    };
    if parsed.public_key().raw != key.subject_public_key_info() {
        return Err(broken(key_file, "not the key of the certificate in ca.pem"));
    }
    let reissue = must_be_reissued(&parsed, now);
    drop(parsed);
    Ok(ExistingAuthority { certificate, key, reissue })
}

fn must_be_reissued(
    certificate: &x509_parser::certificate::X509Certificate<'_>,
    now: SystemTime,
) -> Option<Reissue> {
    if !inspect::has_begun(certificate, now) || !inspect::valid_for(certificate, now, Duration::ZERO) {
        Some(Reissue::NotValidNow)
    } else if inspect::has_name_constraints(certificate) {
        Some(Reissue::Constrained)
    } else if !inspect::valid_for(certificate, now, SERVER_LIFETIME) {
        Some(Reissue::ExpiresSoon)
    } else {
        None
    }
}

fn read_files(cert_file: &Path, key_file: &Path) -> Result<(CertificateDer<'static>, KeyPair), TlsError> {
    let certificate = CertificateDer::from_pem_slice(&read(cert_file)?)
        .map_err(|error| broken(cert_file, format_args!("not readable as PEM: {error}")))?;
    let key = fs::read_to_string(key_file).map_err(|error| broken(key_file, unreadable(&error)))?;
    let key = KeyPair::from_pem(&key).map_err(|error| broken(key_file, error))?;
    Ok((certificate, key))
}

fn params(name: &str, now: SystemTime, life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    let begin = now - BACKDATED;
    params.not_before = begin.into();
    params.not_after = (begin + life).into();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // The default depends only on the key, and two certificates of one authority must not have the same number.
    let mut serial: [u8; SERIAL_LENGTH] = rand::random();
    serial[0] = serial[0] & 0x7F | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params
}

fn broken(file: &Path, problem: impl std::fmt::Display) -> TlsError {
    TlsError::new(
        file,
        format_args!(
            "{problem}. Put back ca.pem and ca-key.pem as they were, or remove both to have new ones made"
        ),
    )
}
