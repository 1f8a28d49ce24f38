//! Any text as a key, and as the value of `Authorization`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasterd::core::model::api_key::PlainKey;
use rasterd::core::model::token::Token;
use rasterd::transport::token_in;

fuzz_target!(|text: &str| {
    if let Some(key) = PlainKey::parse(text) {
        assert_eq!(key.reveal(), text);
        assert_eq!(key.reveal().len(), 48);
        assert!(!key.start().is_empty() && key.start().len() < 48);
    }
    if let Some(token) = Token::parse(text) {
        assert_eq!(token.reveal(), text);
    }
    if let Some(token) = token_in(text) {
        assert!(text.contains(token) && !token.is_empty());
    }
});
