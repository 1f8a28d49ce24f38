//! The types of values in the configuration: how each is read, what it may be, and how it is shown.

use std::ops::RangeInclusive;

use ::config::{Value, ValueKind};

use super::size::parse_size;

/// One year: long enough for any timeout, and within the range of every clock.
const MAX_SECONDS: u64 = 31_536_000;
/// 2^53: up to here, every number is exact in every format.
const MAX_NUMBER: u64 = 1 << 53;

/// The type of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueType {
    Switch,
    Number,
    Size,
    Text,
    List,
}

impl ValueType {
    pub fn of(key: &str, default: &ValueKind) -> Option<Self> {
        match default {
            _ if key.ends_with("_bytes") => Some(Self::Size),
            ValueKind::Boolean(_) => Some(Self::Switch),
            ValueKind::I64(_) => Some(Self::Number),
            ValueKind::String(_) => Some(Self::Text),
            ValueKind::Array(_) => Some(Self::List),
            ValueKind::Nil
            | ValueKind::I128(_)
            | ValueKind::U64(_)
            | ValueKind::U128(_)
            | ValueKind::Float(_)
            | ValueKind::Table(_) => None,
        }
    }

    /// The value in the one form of this type; environment variables and flags give every value as text.
    pub fn read(self, key: &str, given: &ValueKind) -> Option<ValueKind> {
        match (self, given) {
            (Self::Switch, ValueKind::Boolean(on)) => Some(ValueKind::Boolean(*on)),
            (Self::Switch, ValueKind::String(text)) => text.trim().parse().ok().map(ValueKind::Boolean),
            (Self::Number | Self::Size, ValueKind::I64(number)) => {
                in_bounds(key, u64::try_from(*number).ok()?)
            }
            (Self::Number, ValueKind::String(text)) => in_bounds(key, text.trim().parse().ok()?),
            (Self::Size, ValueKind::String(text)) => in_bounds(key, parse_size(text)?),
            (Self::Text, ValueKind::String(text)) => Some(ValueKind::String(text.trim().to_owned())),
            (Self::List, ValueKind::String(text)) => Some(list(text.split(','))),
            (Self::List, ValueKind::Array(items)) => {
                let items: Option<Vec<&str>> = items.iter().map(text_of).collect();
                Some(list(items?.into_iter()))
            }
            (Self::Switch | Self::Number | Self::Size | Self::Text | Self::List, _) => None,
        }
    }

    /// What a value of this type has to be, to be read after "must be".
    pub fn expected(self, key: &str) -> String {
        let (least, most) = bounds(key).into_inner();
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Number => format!("a whole number from {least} to {most}"),
            Self::Size => {
                "a number of bytes, at least 1, or a text such as \"256 MB\" or \"1 GiB\"".to_owned()
            }
            Self::Text => "a text in quotes".to_owned(),
            Self::List => {
                "a list of texts, such as [\"one\", \"two\"]; in a variable or a flag: one,two".to_owned()
            }
        }
    }
}

fn in_bounds(key: &str, number: u64) -> Option<ValueKind> {
    let is_automatic = number == 0 && ["renditions.picture_bytes", "data.reserve_bytes"].contains(&key);
    (is_automatic || bounds(key).contains(&number)).then_some(ValueKind::U64(number))
}

fn bounds(key: &str) -> RangeInclusive<u64> {
    match key {
        "server.workers" | "renditions.workers" => 0..=1024,
        // Below that, hardly any photo could be opened.
        "renditions.picture_bytes" => (32 << 20)..=MAX_NUMBER,
        // Below that, hardly a transaction would have room.
        "data.reserve_bytes" => (1 << 20)..=MAX_NUMBER,
        "server.connections" | "server.connections_per_address" | "limits.request_burst_per_key" => {
            1..=1_000_000
        }
        "limits.url_redirects" => 0..=100,
        "limits.requests_per_second_per_key" => 0..=1_000_000,
        "trash.keep_days" => 0..=36_500,
        "backup.every_hours" => 1..=8_784,
        "backup.keep" => 0..=10_000,
        "scrub.days" => 0..=3_650,
        "audit.keep_days" | "data.unnamed_keep_days" => 1..=36_500,
        days if days.starts_with("members.") => 1..=36_500,
        seconds if seconds.ends_with("_seconds") => 1..=MAX_SECONDS,
        _ => 1..=MAX_NUMBER,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    if let ValueKind::String(text) = &value.kind { Some(text) } else { None }
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> ValueKind {
    let items = items.map(str::trim).filter(|item| !item.is_empty());
    ValueKind::Array(items.map(|item| Value::from(item.to_owned())).collect())
}

/// A value as in a configuration file.
pub(super) fn shown(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shown(&item.kind)).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Nil
        | ValueKind::Boolean(_)
        | ValueKind::I64(_)
        | ValueKind::I128(_)
        | ValueKind::U64(_)
        | ValueKind::U128(_)
        | ValueKind::Float(_)
        | ValueKind::Table(_) => value.to_string(),
    }
}
