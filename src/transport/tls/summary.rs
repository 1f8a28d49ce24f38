//! What a person wants to know about a certificate: who signed it, for which names, and until when.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::time::ASN1Time;

/// The most names in a line of text.
const MAX_NAMES: usize = 10;

/// A certificate in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSummary {
    /// Who signed it.
    pub issuer: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// From when it is valid.
    pub from: SystemTime,
    /// Until when it is valid.
    pub until: SystemTime,
}

impl CertificateSummary {
    /// The server's own certificate in a chain; `None` when there is none, or it can't be read.
    #[must_use]
    pub fn of(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let (_, own) = x509_parser::parse_x509_certificate(chain.first()?).ok()?;
        let issuer = own.issuer();
        let common_name = issuer.iter_common_name().next().and_then(|name| name.as_str().ok());
        let organization = issuer.iter_organization().next().and_then(|name| name.as_str().ok());
        let issuer = match (organization, common_name) {
            (Some(organization), Some(name)) if !name.contains(organization) => {
                format!("{organization} ({name})")
            }
            (_, Some(name)) => name.to_owned(),
            (_, None) => issuer.to_string(),
        };
        let validity = own.validity();
        Some(Self {
            issuer,
            names: names(&own),
            from: system_time(validity.not_before),
            until: system_time(validity.not_after),
        })
    }

    /// Its names for a line of text, the first few.
    #[must_use]
    pub fn names_in_line(&self) -> String {
        in_line(&self.names)
    }

    /// The last day on which it is valid, such as 2027-03-01.
    #[must_use]
    pub fn last_day(&self) -> String {
        let text = humantime::format_rfc3339_seconds(self.until).to_string();
        text.split('T').next().unwrap_or_default().to_owned()
    }
}

/// Names for a line of text; of many, the first ten.
pub(super) fn in_line(names: &[String]) -> String {
    let shown = names.iter().take(MAX_NAMES).map(String::as_str);
    let more = names.len().saturating_sub(MAX_NAMES);
    let more = (more > 0).then(|| format!("and {more} more"));
    shown.chain(more.as_deref()).collect::<Vec<_>>().join(", ")
}

/// The names and addresses in a certificate.
pub(super) fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let shown = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    shown.collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let four: Option<[u8; 4]> = bytes.try_into().ok();
    let sixteen: Option<[u8; 16]> = bytes.try_into().ok();
    let v4 = four.map(|bytes| std::net::IpAddr::from(bytes).to_string());
    v4.or(sixteen.map(|bytes| std::net::IpAddr::from(bytes).to_string()))
}

fn system_time(time: ASN1Time) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tls::{development, read_chain};

    #[test]
    fn of_many_names_a_line_has_the_first() {
        let names = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!(in_line(&names(2)), "0, 1");
        assert_eq!(in_line(&names(10)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(in_line(&names(12)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 2 more");
    }

    #[test]
    fn a_certificate_is_summed_up() {
        let temp = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let made = development::ensure(temp.path(), &["assets.example.org".to_owned()], now).unwrap();
        let summary = CertificateSummary::of(&read_chain(&made.cert_file).unwrap()).unwrap();
        assert!(summary.issuer.contains("rasterd"), "{}", summary.issuer);
        assert!(summary.names.contains(&"assets.example.org".to_owned()), "{:?}", summary.names);
        assert!(summary.names.contains(&"::1".to_owned()), "{:?}", summary.names);
        assert!(summary.from < now && summary.until > now + Duration::from_hours(24 * 390));
        assert_eq!(summary.last_day().len(), "2027-01-01".len());
        assert_eq!(CertificateSummary::of(&[]), None);
    }
}
