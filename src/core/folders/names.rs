//! The names of exported files: safe on every system, and never twice, also where case makes no difference.

use std::collections::HashSet;

use crate::pictures::media::MediaType;

/// How the names of files begin that are still being written.
pub const UNFINISHED: &str = ".rasterd-unfinished-";
/// The longest name without its number and its extension, in bytes. Most file systems take 255 in all.
const MAX_BYTES: usize = 200;
/// Names that Windows keeps for devices.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The names that are taken.
#[derive(Default)]
pub struct TakenNames(HashSet<String>);

impl TakenNames {
    /// Takes a name, unless it is taken.
    pub fn take(&mut self, name: &str) -> bool {
        self.0.insert(name.to_lowercase())
    }

    /// Takes a name for an asset: its own, or with a number where that is taken. `is_free` has the last word.
    pub fn take_for(
        &mut self,
        name: &str,
        media_type: MediaType,
        mut is_free: impl FnMut(&str) -> bool,
    ) -> String {
        let (stem, extension) = (safe(name), extension(media_type));
        let mut number = 1_u64;
        loop {
            let candidate = match number {
                1 => format!("{stem}.{extension}"),
                more => format!("{stem}-{more}.{extension}"),
            };
            if self.take(&candidate) && is_free(&candidate) {
                return candidate;
            }
            number += 1;
        }
    }
}

/// A name without what has a meaning in paths, or that some system does not accept.
fn safe(name: &str) -> String {
    let has_meaning = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    let plain: String = name.chars().map(|c| if has_meaning(c) { '_' } else { c }).collect();
    let mut end = plain.len().min(MAX_BYTES);
    while !plain.is_char_boundary(end) {
        end -= 1;
    }
    let plain = plain.get(..end).unwrap_or_default().trim_end_matches(['.', ' ']);
    // A name that begins with a dot is hidden, and would be left out of an import.
    let hidden = plain.starts_with('.') || plain.is_empty();
    let lower = plain.to_lowercase();
    let is_port = |word: &str| lower.strip_prefix(word).is_some_and(|rest| rest.len() == 1);
    let device = DEVICES.contains(&lower.as_str()) || is_port("com") || is_port("lpt");
    if hidden || device { format!("_{plain}") } else { plain.to_owned() }
}

/// The usual extension of a type.
const fn extension(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Jpeg => "jpg",
        MediaType::Png => "png",
        MediaType::Gif => "gif",
        MediaType::WebP => "webp",
        MediaType::Avif => "avif",
        MediaType::Tiff => "tif",
        MediaType::Bmp => "bmp",
        MediaType::Svg => "svg",
        MediaType::Heic => "heic",
        MediaType::Mp4 => "mp4",
        MediaType::Mov => "mov",
        MediaType::WebM => "webm",
        MediaType::Pdf => "pdf",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken_for(taken: &mut TakenNames, name: &str) -> String {
        taken.take_for(name, MediaType::Png, |_| true)
    }

    #[test]
    fn names_are_kept_apart() {
        let mut taken = TakenNames::default();
        assert_eq!(taken_for(&mut taken, "beach"), "beach.png");
        assert_eq!(taken_for(&mut taken, "Beach"), "Beach-2.png");
        assert_eq!(taken_for(&mut taken, "beach-2"), "beach-2-2.png");
        assert_eq!(taken.take_for("beach", MediaType::Jpeg, |name| name != "beach.jpg"), "beach-2.jpg");
    }

    #[test]
    fn what_has_a_meaning_is_replaced() {
        for (name, file) in [
            ("../../etc/passwd", "_.._.._etc_passwd.png"),
            ("..", "_.png"),
            (".hidden", "_.hidden.png"),
            ("", "_.png"),
            ("a:b*c", "a_b_c.png"),
            ("CON", "_CON.png"),
            ("com1", "_com1.png"),
            ("a. .", "a.png"),
            ("a\nb", "a_b.png"),
        ] {
            assert_eq!(taken_for(&mut TakenNames::default(), name), file, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_stays_in_its_folder(name in "\\PC{0,300}|[./\\\\a]{0,9}") {
            let file = taken_for(&mut TakenNames::default(), &name);
            let path = std::path::Path::new(&file);
            prop_assert_eq!(path.components().count(), 1);
            prop_assert!(path.file_name().is_some_and(|found| found == file.as_str()));
            prop_assert!(!file.starts_with('.') && file.len() <= 255);
        }
    }
}
