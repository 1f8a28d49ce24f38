//! The secrets of sessions, of links and of upload addresses. Only their hashes are stored.

use std::borrow::Cow;

use crate::core::model::id::random_base62;

/// 43 base-62 characters are 256 random bits.
const LENGTH: usize = 43;
/// The part of a token that the log shows.
const START: usize = 4;
/// The context of a session's digest; changing it ends every session.
const SESSION_CONTEXT: &str = "rasterd 2026-11 session digest v1";
/// The context of a link's digest; changing it ends every link.
const LINK_CONTEXT: &str = "rasterd 2026-11 link digest v1";
/// The context of an upload address's digest; changing it ends every open upload.
const UPLOAD_CONTEXT: &str = "rasterd 2026-11 upload digest v1";

/// The secret of a session, of a link or of an upload address. Not `Debug`, so that no log shows it.
pub struct Token(String);

impl Token {
    /// Creates a random one.
    #[must_use]
    pub fn random() -> Self {
        Self(random_base62::<LENGTH>().iter().map(|&byte| char::from(byte)).collect())
    }

    /// Parses one that a browser sent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned()))
    }

    /// The secret, to hand it out.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The digest of a session in the store.
    #[must_use]
    pub fn session_digest(&self) -> SessionDigest {
        SessionDigest(blake3::derive_key(SESSION_CONTEXT, self.0.as_bytes()))
    }

    /// The digest of a link in the store.
    #[must_use]
    pub fn link_digest(&self) -> LinkDigest {
        LinkDigest(blake3::derive_key(LINK_CONTEXT, self.0.as_bytes()))
    }

    /// The digest of an upload address in the store.
    #[must_use]
    pub fn upload_digest(&self) -> UploadDigest {
        UploadDigest(blake3::derive_key(UPLOAD_CONTEXT, self.0.as_bytes()))
    }
}

/// A path for the log: a token in it, as in the url of an invitation, is cut to its first characters.
#[must_use]
pub fn without_tokens(path: &str) -> Cow<'_, str> {
    let tokens: Vec<Token> = path.split('/').filter_map(Token::parse).collect();
    tokens.iter().fold(Cow::Borrowed(path), |shown, token| {
        let start: String = token.0.chars().take(START).collect();
        Cow::Owned(shown.replace(&token.0, &format!("{start}…")))
    })
}

/// The domain-separated blake3 hash of a session's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionDigest(pub [u8; 32]);

/// The domain-separated blake3 hash of a link's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkDigest(pub [u8; 32]);

/// The domain-separated blake3 hash of an upload address's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadDigest(pub [u8; 32]);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_random_token_can_be_parsed_and_its_digests_differ() {
        let token = Token::random();
        let read = Token::parse(token.reveal()).unwrap();
        assert_eq!(read.session_digest(), token.session_digest());
        assert_ne!(token.session_digest().0, token.link_digest().0);
        assert_ne!(token.upload_digest().0, token.link_digest().0);
    }

    #[test]
    fn logs_show_only_the_start_of_a_token() {
        let token = "a".repeat(LENGTH);
        assert_eq!(without_tokens(&format!("/app/welcome/{token}/join")), "/app/welcome/aaaa…/join");
        let other = format!("/app/welcome/{token}a");
        assert_eq!(without_tokens(&other), other);
    }

    proptest! {
        #[test]
        fn only_possible_tokens_are_parsed(text in "[0-9A-Za-z_é -]{0,50}") {
            let possible = text.len() == LENGTH && text.chars().all(|c| c.is_ascii_alphanumeric());
            prop_assert_eq!(Token::parse(&text).is_some(), possible);
        }
    }
}
