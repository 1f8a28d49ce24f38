//! When a key expires: what is offered, what was chosen, what a list shows.

use std::time::SystemTime;

use crate::core::model::time::{Millis, millis};
use crate::error::{Error, Result};
use crate::webapp::format::times::Time;

const DAY: Millis = 24 * 60 * 60 * 1000;
/// How long before its end a key counts as expiring soon.
const SOON: Millis = 14 * DAY;

/// How long a new key is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyLifetime {
    /// Until it is deleted.
    #[default]
    Endless,
    /// This many days.
    Days(u16),
    /// To the end of a day.
    UntilDay,
}

impl KeyLifetime {
    /// What is offered, in this order.
    pub const ALL: [Self; 6] =
        [Self::Endless, Self::Days(7), Self::Days(30), Self::Days(90), Self::Days(365), Self::UntilDay];

    /// The choice of this name; an unknown one is none.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lifetime| lifetime.name() == name)
    }

    /// Its name in a form.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Endless => "never".to_owned(),
            Self::Days(days) => format!("{days}d"),
            Self::UntilDay => "date".to_owned(),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Endless => "Never".to_owned(),
            Self::Days(365) => "In a year".to_owned(),
            Self::Days(days) => format!("In {days} days"),
            Self::UntilDay => "On a date…".to_owned(),
        }
    }
}

/// What was chosen in a form: a lifetime, and a day if that needs one.
#[derive(Debug, Clone, Default)]
pub struct ChosenExpiry {
    /// The choice.
    pub lifetime: KeyLifetime,
    /// The day as it was typed, `2026-12-31`.
    pub day: String,
}

impl ChosenExpiry {
    /// Reads the two fields.
    #[must_use]
    pub fn read(lifetime: &str, day: &str) -> Self {
        Self { lifetime: KeyLifetime::named(lifetime).unwrap_or_default(), day: day.trim().to_owned() }
    }

    /// How long that is from now; `None` for a key that never expires.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a day that is not one or has passed.
    pub fn milliseconds(&self, now: Millis) -> Result<Option<Millis>> {
        match self.lifetime {
            KeyLifetime::Endless => Ok(None),
            KeyLifetime::Days(days) => Ok(Some(Millis::from(days) * DAY)),
            KeyLifetime::UntilDay => {
                let end = day(&self.day)
                    .ok_or_else(|| Error::bad_input("Choose the day on which the key expires."))?
                    .saturating_add(DAY);
                if end <= now {
                    return Err(Error::bad_input("That day is over. Choose a later one."));
                }
                Ok(Some(end - now))
            }
        }
    }
}

/// When a day begins, by UTC.
fn day(text: &str) -> Option<Millis> {
    let begins = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok()?;
    begins.duration_since(SystemTime::UNIX_EPOCH).ok().map(millis)
}

/// What a list shows of a key's expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It has none.
    Never,
    /// It is far off.
    Later(Time),
    /// It is near.
    Soon(Time),
    /// It is over.
    Over(Time),
}

impl Expiry {
    /// Of a key that ends then.
    #[must_use]
    pub fn of(end: Option<Millis>, now: Millis) -> Self {
        match end {
            None => Self::Never,
            Some(end) if end <= now => Self::Over(Time(end)),
            Some(end) if end - now < SOON => Self::Soon(Time(end)),
            Some(end) => Self::Later(Time(end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-24T12:00:00Z.
    const NOW: Millis = 1_795_521_600_000;

    #[test]
    fn a_day_lasts_to_its_end() {
        let until = |day: &str| ChosenExpiry::read("date", day).milliseconds(NOW);
        assert_eq!(until("2026-11-24").unwrap(), Some(DAY / 2));
        assert_eq!(until(" 2026-11-25 ").unwrap(), Some(DAY / 2 + DAY));
        for refused in ["2026-11-23", "", "tomorrow", "2026-02-30", "0000-01-01", "24.12.2026"] {
            until(refused).unwrap_err();
        }
    }

    #[test]
    fn each_choice_comes_back_by_its_name() {
        for lifetime in KeyLifetime::ALL {
            assert_eq!(ChosenExpiry::read(&lifetime.name(), "").lifetime, lifetime);
        }
        assert_eq!(ChosenExpiry::read("1h", "").milliseconds(NOW).unwrap(), None);
        assert_eq!(ChosenExpiry::read("30d", "").milliseconds(NOW).unwrap(), Some(30 * DAY));
    }

    #[test]
    fn an_end_is_near_for_two_weeks() {
        let at = |end: Millis| Expiry::of(Some(end), NOW);
        assert_eq!(Expiry::of(None, NOW), Expiry::Never);
        assert_eq!(at(NOW), Expiry::Over(Time(NOW)));
        assert_eq!(at(NOW + 1), Expiry::Soon(Time(NOW + 1)));
        assert_eq!(at(NOW + SOON), Expiry::Later(Time(NOW + SOON)));
    }

    proptest! {
        #[test]
        fn any_text_is_a_day_to_come_or_a_problem(text in "\\PC{0,14}|[0-9]{4}-[0-9]{2}-[0-9]{2}") {
            if let Ok(lifetime) = ChosenExpiry::read("date", &text).milliseconds(NOW) {
                prop_assert!(lifetime.is_some_and(|lifetime| lifetime > 0));
            }
        }
    }
}
