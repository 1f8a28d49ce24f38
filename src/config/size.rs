//! Sizes as people write them: `1048576`, `256 MB`, `1.5 GiB`. Knows no keys.

/// The units with their bytes. KB, MB and so on are decimal; KiB, MiB and so on are binary.
const UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("b", 1),
    ("kb", 1000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// A size in bytes. `None` for text that is not a size, or a size that is too large.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let whole = whole.parse::<u64>().ok()?.checked_mul(*bytes)?;
    whole.checked_add(fraction_of(fraction, *bytes)?)
}

/// The bytes of the digits after the decimal point, rounded down. More than nine digits are not accepted.
fn fraction_of(digits: &str, bytes: u64) -> Option<u64> {
    if digits.is_empty() {
        return Some(0);
    }
    if digits.len() > 9 {
        return None;
    }
    let numerator = digits.parse::<u64>().ok()?;
    let denominator = 10_u128.pow(u32::try_from(digits.len()).ok()?);
    u64::try_from(u128::from(numerator) * u128::from(bytes) / denominator).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_parsed_with_and_without_units() {
        for (text, bytes) in [
            ("0", 0),
            ("1_000", 1000),
            ("256 MB", 256_000_000),
            ("256mib", 256 << 20),
            (" 1.5 GiB ", 3 << 29),
            ("12B", 12),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn invalid_sizes_are_refused() {
        for text in
            ["", "MB", "1 M", "-1", "1.2.3 MB", ".5 MB", "1e3", "99999999999999999999", "99999999999 GB"]
        {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "[0-9._]{0,30} ?[a-zA-Z]{0,4}|.*") {
            let _size = parse_size(&text);
        }

        #[test]
        fn a_plain_number_is_a_number_of_bytes(bytes: u64) {
            prop_assert_eq!(parse_size(&bytes.to_string()), Some(bytes));
        }
    }
}
