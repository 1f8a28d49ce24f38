//! Numbers as people read them.

/// A whole number in groups of three: `12,345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many there are of something: `1 asset`, `12,345 assets`.
#[must_use]
pub fn counted(number: u64, one: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {one}{ending}", grouped(number))
}

/// The size of a file, in decimal units as file managers show them: `3.4 MB`.
#[must_use]
pub fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "KB")];
    let Some((size, unit)) = UNITS.into_iter().find(|(size, _)| number >= *size) else {
        return counted(number, "byte");
    };
    let (whole, tenths) = (number / size, number % size / (size / 10));
    if whole >= 100 || tenths == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenths} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        let texts = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((counted(1, "asset"), counted(0, "asset")), ("1 asset".into(), "0 assets".into()));
    }

    #[test]
    fn sizes_have_a_unit() {
        for (number, text) in [
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1 KB"),
            (3_449_999, "3.4 MB"),
            (123_456_789, "123 MB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }
}
