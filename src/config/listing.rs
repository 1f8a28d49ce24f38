//! The keys as `rasterd config show` lists them.

use std::net::SocketAddr;

use super::address::{ConfiguredAddresses, Machine};
use super::certificate::Certificate;
use super::layers::Layers;
use super::origin::Origin;
use super::value_type::shown;

const TLS_DIR: &str = "tls.dir";

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The key.
    pub key: String,
    /// Its value, as in a configuration file.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// What the values that are not set are derived from.
pub(super) struct DerivedValues<'a> {
    pub bind: SocketAddr,
    pub addresses: &'a ConfiguredAddresses,
    pub certificate: &'a Certificate,
}

/// The keys for people. Those that are not set show their derived values, unless the port is not known yet.
pub(super) fn list_keys(layers: Layers, from: &DerivedValues<'_>) -> Vec<Shown> {
    let DerivedValues { bind, addresses, certificate } = from;
    let derived = (bind.port() != 0).then(|| addresses.complete(*bind, &Machine::this()));
    let entries = layers.into_entries().into_iter();
    entries
        .map(|(key, entry)| {
            if let (TLS_DIR, Certificate::Development { dir, former: Some(_) }) = (key.as_str(), certificate)
            {
                return Shown {
                    value: format!("{:?}", dir.display().to_string()),
                    key,
                    origin: Origin::Derived,
                };
            }
            let Some(set) = addresses.is_set(&key) else {
                return Shown { value: shown(&entry.value), key, origin: entry.origin };
            };
            let origin = if set { entry.origin } else { Origin::Derived };
            let value = derived.as_ref().and_then(|derived| derived.shown(&key));
            Shown { value: value.unwrap_or_else(|| shown(&entry.value)), key, origin }
        })
        .collect()
}
