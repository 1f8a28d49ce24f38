//! Names that people choose: parsed once, then trusted.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::text::{TextKind, expect_visible, replaced, unshown};
use crate::error::{Error, Result};

/// The longest slug, in characters.
const SLUG_LENGTH: usize = 64;
/// The longest tag, in characters.
const TAG_LENGTH: usize = 64;
/// The longest stored file name of an upload, in characters; longer ones are cut.
pub const FILE_NAME_LENGTH: usize = 255;
/// Words that are reserved for paths and pages.
const RESERVED_TAGS: [&str; 2] = ["index", "trash"];

/// Paths of the web app that are in the place of an organization's slug.
const RESERVED_ORGANIZATIONS: [&str; 5] = ["profile", "sign-in", "sign-out", "static", "welcome"];
/// Paths of the web app that are in the place of a library's slug.
const RESERVED_LIBRARIES: [&str; 1] = ["settings"];

/// The name of an organization or a library in urls and on the wire: `[a-z0-9]` and inner `-`, 1–64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slug(String);

impl Slug {
    /// Parses a slug.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when it has other characters, or a `-` at an end, or is too long or empty.
    pub fn parse(text: &str) -> Result<Self> {
        let fits = !text.is_empty()
            && text.len() <= SLUG_LENGTH
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::bad_input(
            "A slug has 1 to 64 characters: lower-case letters a to z, digits, and inner hyphens.",
        ))
    }

    /// Whether an organization with this slug would hide a page of the web app.
    #[must_use]
    pub fn is_reserved_organization(&self) -> bool {
        RESERVED_ORGANIZATIONS.contains(&self.0.as_str())
    }

    /// Whether a library with this slug would hide a page of the web app.
    #[must_use]
    pub fn is_reserved_library(&self) -> bool {
        RESERVED_LIBRARIES.contains(&self.0.as_str())
    }

    /// Derives a slug from a name: transliterated, lower-cased, everything else squeezed to `-`.
    #[must_use]
    pub fn derive(name: &str) -> Self {
        let mut slug = String::new();
        for character in deunicode::deunicode(name).chars().map(|c| c.to_ascii_lowercase()) {
            if character.is_ascii_alphanumeric() {
                slug.push(character);
            } else if !slug.is_empty() && !slug.ends_with('-') && character != '\'' {
                slug.push('-');
            }
        }
        slug.truncate(SLUG_LENGTH);
        let slug = slug.trim_end_matches('-');
        Self(if slug.is_empty() { "library".to_owned() } else { slug.to_owned() })
    }

    /// The same slug with a number appended, to try when it is taken.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let room = SLUG_LENGTH - suffix.len();
        let stem = self.0.get(..room.min(self.0.len())).unwrap_or(&self.0).trim_end_matches('-');
        Self(format!("{stem}{suffix}"))
    }

    /// The slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an organization, a library, a key or a person: trimmed, 1 to `longest` visible characters.
///
/// # Errors
/// `BAD_USER_INPUT` that says what is wrong with it.
pub fn parse_name(text: &str, longest: usize) -> Result<String> {
    let name = text.trim();
    let length = name.chars().count();
    if length == 0 || length > longest {
        return Err(Error::bad_input(format!(
            "A name has 1 to {longest} characters; this one has {length}."
        )));
    }
    expect_visible("A name", name, TextKind::Line)?;
    Ok(name.to_owned())
}

/// A normalized tag: trimmed, inner white space squeezed, Unicode NFC, 1–64 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    text: String,
    folded: String,
}

impl Tag {
    /// Parses a tag to be added.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an empty, too long or reserved one, and for invisible characters.
    pub fn parse(text: &str) -> Result<Self> {
        let tag = Self::find(text)?;
        expect_visible("A tag", &tag.text, TextKind::Line)?;
        Ok(tag)
    }

    /// Parses a tag to be removed. It may be older than the check for invisible characters in [`Tag::parse`], and
    /// written with the escapes with which it is shown.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an empty, too long or reserved one.
    pub fn find(text: &str) -> Result<Self> {
        let tag = Self::read(&unshown(text));
        let length = tag.text.chars().count();
        if length == 0 || length > TAG_LENGTH {
            return Err(Error::bad_input(format!(
                "A tag has 1 to {TAG_LENGTH} characters; this one has {length}."
            )));
        }
        if RESERVED_TAGS.contains(&tag.folded.as_str()) {
            return Err(Error::bad_input(format!(
                "The tag \"{}\" is reserved; use another word than {}.",
                tag.text,
                RESERVED_TAGS.join(" or ")
            )));
        }
        Ok(tag)
    }

    /// Parses a tag to search for; an invalid one matches nothing.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
        let folded = fold(&text);
        Self { text, folded }
    }

    /// The tag as shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form in which tags are compared.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

/// The form in which tags are compared: lower case.
#[must_use]
pub fn fold(text: &str) -> String {
    text.to_lowercase().nfc().collect()
}

/// The last component of a client's file name, cut to 255 characters, with `_` for invisible characters.
#[must_use]
pub fn file_name(claimed: &str) -> String {
    let last = claimed.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = replaced(last).chars().take(FILE_NAME_LENGTH).collect();
    if kept.trim().is_empty() { "untitled".to_owned() } else { kept }
}

/// An asset's name: its file name without the last extension (`a.b.jpg` → `a.b`, `.jpg` stays).
#[must_use]
pub fn asset_name(file_name: &str) -> String {
    match file_name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        Some(_) | None => file_name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slugs_are_derived_from_names() {
        for (name, slug) in [
            ("Summer 2026", "summer-2026"),
            ("  Élan / Vital  ", "elan-vital"),
            ("Bjørn's photos", "bjorns-photos"),
            ("!!!", "library"),
            ("Straße", "strasse"),
        ] {
            assert_eq!(Slug::derive(name).as_str(), slug);
        }
    }

    #[test]
    fn invalid_slugs_are_refused() {
        for text in ["", "-a", "a-", "A", "a b", "ä", &"a".repeat(65)] {
            assert!(Slug::parse(text).is_err(), "{text}");
        }
        assert!(Slug::parse(&"a".repeat(64)).is_ok());
    }

    #[test]
    fn tags_are_normalized_and_compared_without_case() {
        let tag = Tag::parse("  Golden \t Gate ").unwrap();
        assert_eq!((tag.as_str(), tag.folded()), ("Golden Gate", "golden gate"));
        assert_eq!(Tag::parse("Cafe\u{301}").unwrap().folded(), Tag::parse("CAFÉ").unwrap().folded());
        for refused in ["", "   ", "Index", "TRASH", &"x".repeat(65), "a\u{1B}b", "a\u{202E}b"] {
            assert!(Tag::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_name_is_the_file_name_without_its_last_extension() {
        for (file, name) in [("a.b.jpg", "a.b"), ("photo", "photo"), (".jpg", ".jpg"), ("x/y\\z.png", "z")] {
            assert_eq!(asset_name(&file_name(file)), name);
        }
        assert_eq!(file_name("a/"), "untitled");
        assert_eq!(file_name("a\u{202E}gpj.exe\0"), "a_gpj.exe_");
    }

    proptest! {
        #[test]
        fn every_derived_slug_is_valid(name in ".*", number in 2u32..100_000) {
            let slug = Slug::derive(&name);
            prop_assert!(Slug::parse(slug.as_str()).is_ok(), "{slug}");
            prop_assert!(Slug::parse(slug.numbered(number).as_str()).is_ok());
        }

        #[test]
        fn parsing_a_tag_twice_changes_nothing(text in ".*") {
            let once = Tag::read(&text);
            prop_assert_eq!(Tag::read(once.as_str()), once);
        }
    }
}
