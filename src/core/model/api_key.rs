//! An API key as text: created, parsed, recognised and hashed.
//!
//! The plain key exists only where it is shown to its creator and in requests.

use std::borrow::Cow;

use super::id::{BASE62, new_base62};

const PREFIX: &str = "pk_";
/// 39 base-62 characters are 232 random bits.
const SECRET: usize = 39;
/// 6 base-62 characters hold any CRC-32.
const CHECKSUM: usize = 6;
const LENGTH: usize = PREFIX.len() + SECRET + CHECKSUM;
/// The part of a key that is stored unhashed to recognise it by: 24 of its 232 bits.
const START: usize = PREFIX.len() + 4;
/// The context of a key's digest; changing it invalidates every stored key.
const HASH_CONTEXT: &str = "rasterd 2026-11 api key digest v1";

/// A plain key: `pk_`, 39 random base-62 characters, and the CRC-32 of all that in 6 more.
pub struct PlainKey(String);

impl PlainKey {
    /// Creates a random key.
    #[must_use]
    pub fn random() -> Self {
        let mut key = String::from(PREFIX);
        key.extend(new_base62::<SECRET>("api key").iter().map(|&byte| char::from(byte)));
        key.push_str(&checksum(&key));
        Self(key)
    }

    /// Parses a client's key. One with a wrong checksum never existed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(PREFIX)?;
        if body.len() != SECRET + CHECKSUM || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (checked, sum) = text.split_at(PREFIX.len() + SECRET);
        (checksum(checked) == sum).then(|| Self(text.to_owned()))
    }

    /// The key, to be shown to its creator once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The digest in the store. There is no dictionary of 232 random bits, so a fast hash is enough.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest(blake3::derive_key(HASH_CONTEXT, self.0.as_bytes()))
    }

    /// The part by which a person recognises it.
    #[must_use]
    pub fn start(&self) -> String {
        self.0.chars().take(START).collect()
    }
}

/// A text for the log: keys that a client put into it by mistake are cut to their first characters.
#[must_use]
pub fn without_keys(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    for key in keys_in(text) {
        shown = Cow::Owned(shown.replace(key.reveal(), &format!("{}…", key.start())));
    }
    shown
}

/// The parts of a text that look like keys.
pub fn keys_in(text: &str) -> impl Iterator<Item = PlainKey> {
    text.match_indices(PREFIX).filter_map(|(at, _)| text.get(at..at + LENGTH).and_then(PlainKey::parse))
}

/// The domain-separated blake3 hash of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_random_key_can_be_parsed_and_has_48_characters() {
        let key = PlainKey::random();
        assert_eq!(key.reveal().len(), 48);
        assert_eq!(PlainKey::parse(key.reveal()).unwrap().digest(), key.digest());
    }

    #[test]
    fn the_checksum_is_a_plain_crc_32_in_base_62() {
        // CRC-32 of "123456789" is 0xCBF43926, the check value of its specification.
        assert_eq!(0xCBF4_3926_u64, [3, 45, 35, 27, 22, 14].iter().fold(0, |n, d| n * 62 + d));
        assert_eq!(checksum("123456789"), "3jZRME");
    }

    #[test]
    fn logs_show_only_the_start_of_a_key_and_all_other_text() {
        let key = PlainKey::random();
        let text = format!("/pk_/{}/a/pk_é{}x", key.reveal(), key.reveal());
        let start = &key.reveal()[..START];
        assert_eq!(without_keys(&text), format!("/pk_/{start}…/a/pk_é{start}…x"));
        let unknown = format!("/{}", key.reveal().replace('_', "-"));
        assert_eq!(without_keys(&unknown), unknown);
    }

    proptest! {
        #[test]
        fn one_changed_character_invalidates_a_key(at in 0usize..48, to in "[0-9A-Za-z_]") {
            let key = PlainKey::random();
            let mut text = key.reveal().to_owned();
            text.replace_range(at..=at, &to);
            prop_assert_eq!(PlainKey::parse(&text).is_some(), text == key.reveal());
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            prop_assert!(PlainKey::parse(&text).is_none());
        }
    }
}
