//! `Content-Disposition`: whether a browser shows or saves a file, and under which name (RFC 6266).

use std::fmt::Write;

use crate::core::model::text::replaced;
use crate::pictures::media::MediaType;

/// The header for an asset of this name and type.
pub fn of(name: &str, media_type: MediaType) -> String {
    let kind = if media_type.is_shown_inline() { "inline" } else { "attachment" };
    let file_name = format!("{}.{}", replaced(name), media_type.extension());
    let plain: String = file_name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    if plain == file_name {
        return format!("{kind}; filename=\"{plain}\"");
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", percent_encoded(&file_name))
}

/// Whether every client reads the character in quotes the same way. Some decode `%`.
fn is_plain(letter: char) -> bool {
    (letter.is_ascii_graphic() || letter == ' ') && !matches!(letter, '"' | '\\' | '%' | '/')
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_name_is_quoted() {
        assert_eq!(of("my photo", MediaType::Jpeg), "inline; filename=\"my photo.jpg\"");
        assert_eq!(of("logo", MediaType::Svg), "attachment; filename=\"logo.svg\"");
    }

    #[test]
    fn any_other_name_is_sent_in_both_forms() {
        let expected = "inline; filename=\"a_b_.png\"; filename*=UTF-8''a%22b%C3%A9.png";
        assert_eq!(of("a\"bé", MediaType::Png), expected);
        assert_eq!(of("a\u{202E}b", MediaType::Png), "inline; filename=\"a_b.png\"");
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_the_header(name in ".*") {
            let header = of(&name, MediaType::Png);
            prop_assert!(header.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
            prop_assert_eq!(header.matches('"').count(), 2);
        }
    }
}
