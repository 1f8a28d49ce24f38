//! What went wrong with an ACME server, in plain words, with what to do.

use std::fmt;

use instant_acme::Error;

use super::{AcmeSettings, ChallengeKind};
use crate::error::with_causes;

/// How the types of an ACME server's problems begin: RFC 8555, section 6.7.
const TYPES: &str = "urn:ietf:params:acme:error:";

/// A sentence for a person, without its full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    text: String,
    /// Whether the ACME server does not know our account: it was reset, or the account was deleted.
    pub(super) is_unknown_account: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Problem {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_unknown_account: false }
    }

    /// The words for an error while the ACME server was asked.
    pub(super) fn of(error: &Error, settings: &AcmeSettings) -> Self {
        match error {
            Error::Api(problem) => Self::of_answer(problem, settings),
            Error::Other(cause) => Self::new(format!(
                "the ACME server at {} can't be reached: {}. Check that this machine may connect to it, and its clock",
                settings.directory,
                with_causes(cause.as_ref())
            )),
            Error::Timeout(_) => Self::new("the ACME server has not decided in time"),
            Error::Json(_) => Self::new(format!(
                "{} does not answer as an ACME server does. Check tls.acme.directory",
                settings.directory
            )),
            other => Self::new(format!("the ACME server's answer can't be used: {other}")),
        }
    }

    /// The words for an answer that is a problem.
    fn of_answer(problem: &instant_acme::Problem, settings: &AcmeSettings) -> Self {
        let kind = problem.r#type.as_deref().and_then(|kind| kind.strip_prefix(TYPES)).unwrap_or_default();
        let mut details: Vec<&str> = problem.detail.iter().map(String::as_str).collect();
        details.extend(problem.subproblems.iter().filter_map(|sub| sub.detail.as_deref()));
        let detail = details.join("; ");
        let advice = match kind {
            "connection" | "tls" | "unauthorized" | "incorrectResponse" => reach(settings),
            "dns" => "Check the DNS records of the domain: A or AAAA has to lead to this server",
            "caa" => "The CAA record of the domain forbids this ACME server to issue certificates",
            "rateLimited" => "It has had too many requests for these names; it is asked again later",
            "externalAccountRequired" => {
                "It wants accounts that were created elsewhere, which rasterd can't use"
            }
            "rejectedIdentifier" | "unsupportedIdentifier" => "Check tls.acme.domains",
            "invalidContact" | "unsupportedContact" => "Check tls.acme.email",
            "userActionRequired" => "Its terms of service may have changed",
            _ => "",
        };
        let end = if advice.is_empty() { String::new() } else { format!(". {advice}") };
        let mut words = Self::new(format!("the ACME server says: {}{end}", detail.trim_end_matches('.')));
        words.is_unknown_account = kind == "accountDoesNotExist";
        words
    }

    /// The words for a domain that could not be proved.
    pub(super) fn of_domain(domain: &str, problem: &instant_acme::Problem, settings: &AcmeSettings) -> Self {
        Self::new(format!("{domain}: {}", Self::of_answer(problem, settings)))
    }
}

/// How the ACME server has to reach this one.
fn reach(settings: &AcmeSettings) -> &'static str {
    match settings.challenge {
        ChallengeKind::TlsAlpn => {
            "The domain has to lead to this server, and its port 443 to server.bind, also from outside"
        }
        ChallengeKind::Http => {
            "The domain has to lead to this server, and its port 80 to tls.acme.http_bind, also from outside"
        }
    }
}
