//! The layers and where each value came from: defaults, file, environment, flags. Knows which keys there are and
//! what kind of value each takes; knows nothing of what the values mean.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use ::config::{Environment, File, FileFormat, Source, Value, ValueKind};

use super::size::parse_size;
use super::{Flag, Variables};

const DEFAULTS: &str = include_str!("../../config/default.toml");
/// What the names of our variables begin with; behind it come the parts of a key, also joined by `__`.
const PREFIX: &str = "RASTERD";
/// Set by systemd for a unit with `StateDirectory=`: where the service keeps its data.
const STATE_DIRECTORY: &str = "STATE_DIRECTORY";
/// One year: long enough for any wait, short enough for every clock.
const LONGEST_SECONDS: u64 = 31_536_000;
/// 2^53, up to which every number is exact in every format.
const LARGEST: u64 = 1 << 53;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// Worked out from other values, because it was left empty.
    Derived,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag on the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Derived => f.write_str("derived"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A key's value after all layers, in the form that its kind has.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub value: ValueKind,
    pub origin: Origin,
    kind: Kind,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Switch,
    Number,
    Size,
    Text,
    List,
}

impl Kind {
    fn of(key: &str, default: &ValueKind) -> Option<Self> {
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

    /// The value in this kind's one form; environment variables and flags give everything as text.
    fn read(self, key: &str, given: &ValueKind) -> Option<ValueKind> {
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

    fn expected(self, key: &str) -> String {
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
    bounds(key).contains(&number).then_some(ValueKind::U64(number))
}

fn bounds(key: &str) -> RangeInclusive<u64> {
    match key {
        "server.workers" | "renditions.workers" => 0..=1024,
        // Below that, hardly a photograph could be opened.
        "renditions.picture_bytes" => (32 << 20)..=LARGEST,
        "server.connections" | "server.connections_per_address" => 1..=1_000_000,
        "limits.url_redirects" => 0..=100,
        "trash.keep_days" => 0..=36_500,
        "audit.keep_days" => 1..=36_500,
        days if days.starts_with("members.") => 1..=36_500,
        seconds if seconds.ends_with("_seconds") => 1..=LONGEST_SECONDS,
        _ => 1..=LARGEST,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::String(text) => Some(text),
        ValueKind::Nil
        | ValueKind::Boolean(_)
        | ValueKind::I64(_)
        | ValueKind::I128(_)
        | ValueKind::U64(_)
        | ValueKind::U128(_)
        | ValueKind::Float(_)
        | ValueKind::Table(_)
        | ValueKind::Array(_) => None,
    }
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> ValueKind {
    let items = items.map(str::trim).filter(|item| !item.is_empty());
    ValueKind::Array(items.map(|item| Value::from(item.to_owned())).collect())
}

/// Every key with its value, and everything that was wrong with a layer.
pub(super) struct Layers {
    entries: BTreeMap<String, Entry>,
    pub problems: Vec<String>,
}

impl Layers {
    /// The lowest layer, which says what keys there are.
    pub fn defaults() -> Self {
        let mut layers = Self { entries: BTreeMap::new(), problems: Vec::new() };
        match File::from_str(DEFAULTS, FileFormat::Toml).collect() {
            Ok(table) => layers.define(flattened("", table)),
            Err(error) => layers.problems.push(format!("the built-in defaults: {error}")),
        }
        layers
    }

    fn define(&mut self, defaults: Vec<(String, Value)>) {
        for (key, default) in defaults {
            let kind = Kind::of(&key, &default.kind);
            match kind.and_then(|kind| Some((kind, kind.read(&key, &default.kind)?))) {
                Some((kind, value)) => {
                    self.entries.insert(key, Entry { value, origin: Origin::Default, kind });
                }
                None => self.problems.push(format!("the built-in defaults: {key} has no usable value")),
            }
        }
    }

    /// Lays a configuration file over it.
    pub fn add_file(&mut self, path: &Path, text: &str) {
        let origin = Origin::File(path.to_owned());
        match File::from_str(text, FileFormat::Toml).collect() {
            Ok(table) => {
                for (key, value) in flattened("", table) {
                    self.add(&key, &value, origin.clone());
                }
            }
            Err(error) => self.problems.push(format!("{origin} is not valid TOML: {error}")),
        }
    }

    /// Lays systemd's idea of where the data is over the default.
    pub fn add_state_directory(&mut self, variables: &Variables) {
        let Some(folders) = variables.0.get(STATE_DIRECTORY) else { return };
        // A unit may have several, joined by colons; the first is the one that it is named for.
        let first = folders.split(':').next().unwrap_or_default();
        if !first.is_empty() {
            let origin = Origin::Variable(STATE_DIRECTORY.to_owned());
            self.add("data.dir", &Value::from(first.to_owned()), origin);
        }
    }

    /// Lays our environment variables over it.
    pub fn add_variables(&mut self, variables: &Variables) {
        let ours: HashMap<String, String> = variables.0.clone();
        let source =
            Environment::with_prefix(PREFIX).prefix_separator("__").separator("__").source(Some(ours));
        match source.collect() {
            Ok(table) => {
                for (key, value) in table {
                    let name = format!("{PREFIX}__{}", key.replace('.', "__").to_uppercase());
                    self.add(&key, &value, Origin::Variable(name));
                }
            }
            Err(error) => self.problems.push(format!("the environment: {error}")),
        }
    }

    /// Lays the flags of the command line over it.
    pub fn add_flags(&mut self, flags: &[Flag]) {
        for flag in flags {
            self.add(&flag.key, &Value::from(flag.value.clone()), Origin::Flag(flag.name));
        }
    }

    fn add(&mut self, key: &str, given: &Value, origin: Origin) {
        let Some(entry) = self.entries.get_mut(key) else {
            let hint = self.hint(key);
            self.problems.push(format!("{origin}: there is no key {key}{hint}"));
            return;
        };
        match entry.kind.read(key, &given.kind) {
            Some(value) => {
                entry.value = value;
                entry.origin = origin;
            }
            None => self.problems.push(format!(
                "{origin}: {key} must be {}; it is {}",
                entry.kind.expected(key),
                shown(&given.kind)
            )),
        }
    }

    /// What a person who wrote an unknown key may have meant.
    fn hint(&self, key: &str) -> String {
        let section = format!("{key}.");
        if self.entries.keys().any(|known| known.starts_with(&section)) {
            return format!("; it is a section, so write its keys under [{key}]");
        }
        let nearest = self
            .entries
            .keys()
            .map(|known| (strsim::damerau_levenshtein(known, key), known))
            .min_by_key(|(distance, _)| *distance);
        let last = key.rsplit('.').next().unwrap_or(key);
        let elsewhere = self.entries.keys().find(|known| known.rsplit('.').next() == Some(last));
        match (nearest, elsewhere) {
            (Some((distance, known)), _) if distance <= 3 => format!("; did you mean {known}?"),
            (_, Some(known)) => format!("; did you mean {known}?"),
            (_, None) => "; `rasterd config show` lists all keys".to_owned(),
        }
    }

    /// Where a key's value came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.entries.get(key).map_or(Origin::Default, |entry| entry.origin.clone())
    }

    /// All keys, by name, as they are after the layers.
    pub fn into_entries(self) -> BTreeMap<String, Entry> {
        self.entries
    }

    /// The values as one tree, to be read into types.
    pub fn tree(&self) -> Result<::config::Config, ::config::ConfigError> {
        let mut tree = ::config::Config::builder();
        for (key, entry) in &self.entries {
            tree = tree.set_override(key, entry.value.clone())?;
        }
        tree.build()
    }
}

fn flattened(prefix: &str, table: ::config::Map<String, Value>) -> Vec<(String, Value)> {
    let mut flat = Vec::new();
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value.kind {
            ValueKind::Table(inner) => flat.extend(flattened(&key, inner)),
            ValueKind::Nil
            | ValueKind::Boolean(_)
            | ValueKind::I64(_)
            | ValueKind::I128(_)
            | ValueKind::U64(_)
            | ValueKind::U128(_)
            | ValueKind::Float(_)
            | ValueKind::String(_)
            | ValueKind::Array(_) => flat.push((key, value)),
        }
    }
    flat.sort_by(|(one, _), (other, _)| one.cmp(other));
    flat
}

/// A value as one would write it in the file.
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
