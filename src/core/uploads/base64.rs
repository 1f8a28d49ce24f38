//! Decodes base64 as people, programs and models write it: in lines, in either alphabet, with or without padding, or as a
//! `data:` url. An error names the position of the first invalid character.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Decodes a text.
///
/// # Errors
/// A clause that names the position, such as `character 3 ("*") does not belong there`.
pub fn decode(text: &str) -> Result<Vec<u8>, String> {
    let trimmed = text.trim_ascii_start();
    let mut before = text.len() - trimmed.len();
    let mut data = trimmed;
    if trimmed.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:")) {
        let (head, rest) = trimmed.split_once(',').ok_or("its data: prefix has no comma after it")?;
        if !head.to_ascii_lowercase().ends_with(";base64") {
            return Err("its data: prefix does not end in ;base64".to_owned());
        }
        before += head.len() + 1;
        data = rest;
    }
    let mut symbols = Vec::with_capacity(data.len());
    let mut ended = false;
    let mut bytes = data.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        let symbol = match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        match symbol {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if !ended => symbols.push(symbol),
            b'=' if at > 0 => ended = true,
            b' ' | b'\t' | b'\r' | b'\n' => {
                let rest = data.get(at..).unwrap_or_default();
                let blank = rest.len() - rest.trim_ascii_start().len();
                let breaks = rest.as_bytes().iter().take(blank).any(|byte| matches!(byte, b'\r' | b'\n'));
                if !(breaks || blank == rest.len() || symbols.is_empty()) {
                    return Err(wrong(text, before + at));
                }
                if blank > 1 {
                    bytes.nth(blank - 2);
                }
            }
            _ => return Err(wrong(text, before + at)),
        }
    }
    let last = || text.trim_ascii_end().trim_end_matches('=').chars().count();
    STANDARD_NO_PAD.decode(&symbols).map_err(|_| format!("it breaks off at character {}", last()))
}

/// The clause about the character at a position in bytes.
fn wrong(text: &str, at: usize) -> String {
    let number = text.get(..at).map_or(at, |before| before.chars().count()) + 1;
    let character = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
    format!("character {number} ({character:?}) does not belong there")
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn errors_name_the_position() {
        for (text, said) in [
            ("***", "character 1 ('*') does not belong there"),
            ("AAAA\nAA*A", "character 8 ('*') does not belong there"),
            ("AA AA", "character 3 (' ') does not belong there"),
            ("ÄAAA", "character 1 ('Ä') does not belong there"),
            ("AAäA", "character 3 ('ä') does not belong there"),
            ("AA==AA", "character 5 ('A') does not belong there"),
            ("=AAA", "character 1 ('=') does not belong there"),
            ("  AAAA!", "character 7 ('!') does not belong there"),
            ("data:image/png;base64,AA!A", "character 25 ('!') does not belong there"),
            ("data:image/png,AAAA", "its data: prefix does not end in ;base64"),
            ("data:AAAA", "its data: prefix has no comma after it"),
            ("AAAAA", "it breaks off at character 5"),
            ("AAAAA===\n", "it breaks off at character 5"),
        ] {
            assert_eq!(decode(text), Err(said.to_owned()), "{text}");
        }
    }

    fn in_lines(text: &str, width: usize, end: &str) -> String {
        let lines = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap());
        lines.flat_map(|line| [line, end]).collect()
    }

    proptest! {
        #[test]
        fn every_form_decodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), width in 1_usize..80) {
            let plain = STANDARD.encode(&bytes);
            for text in [
                plain.clone(),
                plain.trim_end_matches('=').to_owned(),
                URL_SAFE.encode(&bytes),
                URL_SAFE_NO_PAD.encode(&bytes),
                in_lines(&plain, width, "\n"),
                in_lines(&plain, width, "\r\n"),
                in_lines(&plain, width, "\n    "),
                format!("  \n{plain} \t\n"),
                format!("data:image/png;charset=x;base64,{plain}"),
                format!(" DATA:;BASE64,{} ", in_lines(&plain, width, "\n")),
            ] {
                prop_assert_eq!(decode(&text), Ok(bytes.clone()), "{}", text);
            }
        }

        #[test]
        fn decoding_never_panics_and_errors_are_short(text in "[A-Za-z0-9+/=_ \\n-]{0,40}|.*") {
            if let Err(said) = decode(&text) {
                prop_assert!(said.len() < 100, "{}", said);
            }
        }
    }
}
