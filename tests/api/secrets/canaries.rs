//! Secrets that are looked for in everything that is written or answered: as they are, in hexadecimal, and in base64.

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A part of a secret that is long enough not to occur by chance.
const PART: usize = 8;

/// Secrets, and what each of them is.
#[derive(Default)]
pub struct Canaries {
    secrets: Vec<(String, String)>,
}

impl Canaries {
    /// Adds a secret.
    pub fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 2 * PART, "{what} is too short to be looked for");
        self.secrets.push((what.to_owned(), secret.to_owned()));
    }

    /// Fails if one of these places has a part of a secret. A place is a name and bytes.
    pub fn assert_in_none(&self, places: &[(String, Vec<u8>)]) {
        let forms: Vec<(&str, &str, String)> = self
            .secrets
            .iter()
            .flat_map(|(what, secret)| {
                forms_of(secret).into_iter().map(move |(kind, form)| (what.as_str(), kind, form))
            })
            .collect();
        let searcher = AhoCorasick::new(forms.iter().map(|(_, _, form)| form)).unwrap();
        for (place, bytes) in places {
            if let Some(found) = searcher.find(bytes) {
                let (what, kind, form) = &forms[found.pattern().as_usize()];
                panic!("{place} has a part of {what}, {kind}: {form}");
            }
        }
    }
}

/// The texts that a part of a secret becomes.
fn forms_of(secret: &str) -> Vec<(&'static str, String)> {
    let mut forms = Vec::new();
    for part in secret.as_bytes().chunks_exact(PART) {
        let hex = hex_of(part);
        forms.push(("as it is", String::from_utf8(part.to_vec()).unwrap()));
        forms.push(("in hexadecimal", hex.to_uppercase()));
        forms.push(("in hexadecimal", hex));
    }
    // Three bytes become four characters, so it depends on what stands before a text how it looks.
    for start in 0..3 {
        let rest = &secret.as_bytes()[start..];
        for part in rest.chunks_exact(9) {
            forms.push(("in base64", STANDARD_NO_PAD.encode(part)));
            forms.push(("in base64", URL_SAFE_NO_PAD.encode(part)));
        }
    }
    forms
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[test]
fn every_form_of_a_secret_is_found() {
    let secret = "q7Vx!m2Zk9#Rt4Lw";
    let mut canaries = Canaries::default();
    canaries.add("a secret", secret);
    let hex = hex_of(secret.as_bytes());
    let mut forms = vec![format!("x{secret}x"), hex.to_uppercase(), hex, secret[..PART].to_owned()];
    for before in ["", "a", "ab", "Authorization: Bearer "] {
        forms.push(STANDARD_NO_PAD.encode(format!("{before}{secret}")));
        forms.push(URL_SAFE_NO_PAD.encode(format!("{before}{secret}")));
    }
    for form in forms {
        let place = vec![("a place".to_owned(), form.clone().into_bytes())];
        let outcome = std::panic::catch_unwind(|| canaries.assert_in_none(&place));
        assert!(outcome.is_err(), "{form}");
    }
    canaries.assert_in_none(&[("another place".to_owned(), b"nothing of it".to_vec())]);
}
