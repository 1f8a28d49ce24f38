//! The layers of the configuration: defaults, file, environment, flags. Knows the keys and the type of each value, but
//! not what the values mean.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use ::config::{Environment, File, FileFormat, Source, Value, ValueKind};

use super::origin::Origin;
use super::value_type::{ValueType, shown};
use super::{CLIENT_VARIABLES, Flag, Variables};

/// The file with every key, its default and its explanation.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");
/// The prefix of our environment variables. The parts of the key follow, joined by `__`.
const PREFIX: &str = "RASTERD";
/// Set by systemd for a unit with `StateDirectory=`: where the service keeps its data.
const STATE_DIRECTORY: &str = "STATE_DIRECTORY";
/// Set by systemd for a unit with `LoadCredential=`: where the service finds secrets that only root can read elsewhere.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";
/// The name of the certificate among the credentials.
pub(super) const CERTIFICATE_CREDENTIAL: &str = "tls_fullchain.pem";
/// The files of the credential `tls`, a folder, with the keys that name them.
const CREDENTIALS: [(&str, &str); 2] =
    [("tls.cert_file", CERTIFICATE_CREDENTIAL), ("tls.key_file", "tls_privkey.pem")];
/// The same files in the folder itself.
const CERTIFICATE: [(&str, &str); 2] = [("tls.cert_file", "fullchain.pem"), ("tls.key_file", "privkey.pem")];
/// A key's value after all layers, in the form of its type.
#[derive(Debug, Clone)]
pub(super) struct LayeredValue {
    pub value: ValueKind,
    pub origin: Origin,
    value_type: ValueType,
}

/// The variable that sets a key.
pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}__{}", key.replace('.', "__").to_uppercase())
}

/// Whether a variable is not for the server: one that clients use, or one that Kubernetes sets in every container for a
/// service called `rasterd`.
fn is_not_for_server(name: &str, value: &str) -> bool {
    CLIENT_VARIABLES.contains(&name)
        || name.starts_with("RASTERD_SERVICE_")
        || name.starts_with("RASTERD_PORT_")
        || value.starts_with("tcp://")
}

/// Every key with its value, and everything that is wrong with the layers.
pub(super) struct Layers {
    entries: BTreeMap<String, LayeredValue>,
    pub problems: Vec<String>,
    /// What does not keep the server from starting but is probably a mistake.
    pub warnings: Vec<String>,
}

impl Layers {
    /// The lowest layer, which defines the keys.
    pub fn defaults() -> Self {
        let mut layers = Self { entries: BTreeMap::new(), problems: Vec::new(), warnings: Vec::new() };
        match File::from_str(DEFAULTS, FileFormat::Toml).collect() {
            Ok(table) => layers.define(flattened("", table)),
            Err(error) => layers.problems.push(format!("the built-in defaults: {error}")),
        }
        layers
    }

    fn define(&mut self, defaults: Vec<(String, Value)>) {
        for (key, default) in defaults {
            let value_type = ValueType::of(&key, &default.kind);
            match value_type.and_then(|value_type| Some((value_type, value_type.read(&key, &default.kind)?)))
            {
                Some((value_type, value)) => {
                    self.entries.insert(key, LayeredValue { value, origin: Origin::Default, value_type });
                }
                None => self.problems.push(format!("the built-in defaults: {key} has no usable value")),
            }
        }
    }

    /// Adds a configuration file.
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

    /// Adds the data directory from systemd.
    pub fn add_state_directory(&mut self, variables: &Variables) {
        let Some(folders) = variables.0.get(STATE_DIRECTORY) else { return };
        // A unit may have several, separated by colons; the first is the main one.
        let first = folders.split(':').next().unwrap_or_default();
        if !first.is_empty() {
            let origin = Origin::Variable(STATE_DIRECTORY.to_owned());
            self.add("data.dir", &Value::from(first.to_owned()), origin);
        }
    }

    /// Adds the certificate from systemd, when its files are there.
    pub fn add_credentials(&mut self, variables: &Variables) {
        let Some(folder) = variables.0.get(CREDENTIALS_DIRECTORY) else { return };
        let origin = Origin::Variable(CREDENTIALS_DIRECTORY.to_owned());
        self.add_existing(Path::new(folder), &CREDENTIALS, &origin);
    }

    /// Adds the certificate that a service gets from systemd, for a command beside it: from the folder where it is kept, or
    /// from where the service has it. Neither for the service itself, nor for who may not read them.
    pub fn add_certificate_of_service(&mut self, variables: &Variables, kept: &Path, loaded: &Path) {
        if variables.0.contains_key(CREDENTIALS_DIRECTORY) {
            return;
        }
        let is_kept = self.add_existing(kept, &CERTIFICATE, &Origin::File(kept.to_owned()));
        if !is_kept {
            self.add_existing(loaded, &CREDENTIALS, &Origin::File(loaded.to_owned()));
        }
    }

    /// Adds the files that are in a folder, and returns whether one is.
    fn add_existing(&mut self, folder: &Path, files: &[(&str, &str)], origin: &Origin) -> bool {
        let mut any = false;
        for (key, name) in files {
            let file = folder.join(name);
            if file.exists() {
                self.add(key, &Value::from(file.display().to_string()), origin.clone());
                any = true;
            }
        }
        any
    }

    /// Adds our environment variables. Empty ones are ignored, since compose files set them so.
    pub fn add_variables(&mut self, variables: &Variables) {
        let mut ours: HashMap<String, String> = variables.0.clone();
        ours.retain(|_, value| !value.is_empty());
        let source =
            Environment::with_prefix(PREFIX).prefix_separator("__").separator("__").source(Some(ours));
        match source.collect() {
            Ok(table) => {
                for (key, value) in table {
                    self.add(&key, &value, Origin::Variable(variable_of(&key)));
                }
            }
            Err(error) => self.problems.push(format!("the environment: {error}")),
        }
        let mut unknown: Vec<String> =
            variables.0.iter().filter_map(|(name, value)| self.unknown_variable(name, value)).collect();
        unknown.sort_unstable();
        self.warnings.append(&mut unknown);
    }

    /// The warning about a variable that begins like ours but is not one.
    fn unknown_variable(&self, name: &str, value: &str) -> Option<String> {
        let upper = name.to_uppercase();
        let rest = upper.strip_prefix(PREFIX)?.strip_prefix('_')?;
        if upper.starts_with(&format!("{PREFIX}__")) || is_not_for_server(&upper, value) {
            return None;
        }
        let written = |key: &str| key.replace('.', "_").to_uppercase();
        let nearest = self
            .entries
            .keys()
            .map(|key| (strsim::damerau_levenshtein(&written(key), rest), key))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance <= 3);
        let hint = nearest.map_or_else(
            || format!("the names of its variables begin with {PREFIX}__, with two underscores"),
            |(_, key)| format!("did you mean {}?", variable_of(key)),
        );
        Some(format!("the environment variable {name} is not one of rasterd's; {hint}"))
    }

    /// Adds the flags of the command line.
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
        match entry.value_type.read(key, &given.kind) {
            Some(value) => {
                entry.value = value;
                entry.origin = origin;
            }
            None => self.problems.push(format!(
                "{origin}: {key} must be {}; it is {}",
                entry.value_type.expected(key),
                shown(&given.kind)
            )),
        }
    }

    /// What the writer of an unknown key may have meant.
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
            // A key without its section may be one of several.
            (_, Some(_)) if last == key => {
                let known = self.entries.keys().filter(|known| known.rsplit('.').next() == Some(last));
                let known: Vec<&str> = known.map(String::as_str).collect();
                format!("; did you mean {}?", known.join(" or "))
            }
            (Some((distance, known)), _) if distance <= 3 => format!("; did you mean {known}?"),
            (_, Some(known)) => format!("; did you mean {known}?"),
            (_, None) => "; `rasterd config show` lists all keys".to_owned(),
        }
    }

    /// Resets a key to its default, so that the others can be checked. `false` when it has its default already.
    pub fn reset(&mut self, key: &str) -> bool {
        let defaults = Self::defaults();
        match (self.entries.get_mut(key), defaults.entries.get(key)) {
            (Some(entry), Some(default)) if entry.origin != Origin::Default => {
                *entry = default.clone();
                true
            }
            (None | Some(_), _) => false,
        }
    }

    /// Where a key's value came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.entries.get(key).map_or(Origin::Default, |entry| entry.origin.clone())
    }

    /// All keys with their final values, by name.
    pub fn into_entries(self) -> BTreeMap<String, LayeredValue> {
        self.entries
    }

    /// The values as one tree, to be deserialized.
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
        if let ValueKind::Table(inner) = value.kind {
            flat.extend(flattened(&key, inner));
        } else {
            flat.push((key, value));
        }
    }
    flat.sort_by(|(one, _), (other, _)| one.cmp(other));
    flat
}
