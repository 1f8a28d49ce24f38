//! Reads the fields of a certificate.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::SanType;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};

pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    x509_parser::parse_x509_certificate(der).ok().map(|(_, certificate)| certificate)
}

/// Whether it is valid already. One that was created while the clock was fast is not.
pub(super) fn has_begun(certificate: &X509Certificate<'_>, now: SystemTime) -> bool {
    certificate.validity().not_before.timestamp() <= unix_seconds(now)
}

/// Whether it does not expire within `time`.
pub(super) fn valid_for(certificate: &X509Certificate<'_>, now: SystemTime, time: Duration) -> bool {
    certificate.validity().not_after.timestamp() > unix_seconds(now + time)
}

fn unix_seconds(time: SystemTime) -> i64 {
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}

/// Whether it limits the names in the certificates that it signs. A limit that can't be read counts as one.
pub(super) fn has_name_constraints(certificate: &X509Certificate<'_>) -> bool {
    !matches!(certificate.name_constraints(), Ok(None))
}

pub(super) fn has_name(certificate: &X509Certificate<'_>, name: &SanType) -> bool {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|has| match (has, name) {
        (GeneralName::DNSName(has), SanType::DnsName(name)) => *has == name.as_str(),
        (GeneralName::IPAddress(has), SanType::IpAddress(IpAddr::V4(address))) => *has == address.octets(),
        (GeneralName::IPAddress(has), SanType::IpAddress(IpAddr::V6(address))) => *has == address.octets(),
        _ => false,
    })
}

pub(super) fn authority_key<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(key) => key.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    })
}

pub(super) fn subject_key<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(key) => Some(key.0),
        _ => None,
    })
}
