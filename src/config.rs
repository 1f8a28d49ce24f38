//! The configuration: layered, validated, typed. Unknown keys and bad values refuse to start.
//! Reads the configuration file and the environment; opens and makes nothing.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::config::ConfigError;

use crate::app::pictures::Tools;
use crate::app::settings::{
    FetchSettings, Limits, MediaSettings, MemberSettings, RenditionSettings, Settings,
};
use crate::server::Patience;

mod address;
mod layers;
mod size;
#[cfg(test)]
mod tests;
mod tools;
mod values;

pub use address::Addresses;
pub use layers::Origin;
pub use values::Log;

use address::{Given, host_name};
use layers::{Layers, shown};
use values::Values;

/// Where the configuration file is when nobody says otherwise. It need not be there.
pub const SYSTEM_FILE: &str = "/etc/rasterd/config.toml";
const DAY: Duration = Duration::from_hours(24);

/// A value given on the command line.
#[derive(Debug, Clone)]
pub struct Flag {
    /// The flag as people know it, such as `--bind`.
    pub name: &'static str,
    /// The key that it sets.
    pub key: String,
    /// The value, as text.
    pub value: String,
}

/// Environment variables, by name.
#[derive(Debug, Clone, Default)]
pub struct Variables(pub HashMap<String, String>);

impl Variables {
    /// Those of this process. A value that is not UTF-8 has its strange bytes replaced, and so fits nothing.
    #[must_use]
    pub fn of_this_process() -> Self {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self(std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect())
    }
}

/// The configuration after all layers.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Host names where `/` is the MCP endpoint, too.
    pub mcp_hosts: Vec<String>,
    /// Whether GraphQL clients may ask for the schema.
    pub graphql_introspection: bool,
    /// How many threads answer; 0 is one a core.
    pub workers: usize,
    /// What slow or greedy clients may take.
    pub patience: Patience,
    /// The folder that holds everything the server keeps, absolute.
    pub data_dir: PathBuf,
    /// Where the certificate comes from.
    pub certificate: Certificate,
    /// What is logged, and how.
    pub log: Log,
    addresses: Given,
    cache_bytes: usize,
    trash_keep: Duration,
    revoke_exposed_keys: bool,
    limits: Limits,
    fetch: FetchSettings,
    renditions: RenditionSettings,
    members: MemberSettings,
    media: MediaSettings,
    shown: Vec<Shown>,
}

/// Where the server's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// Made by ourselves, in this folder.
    Development(PathBuf),
    /// Given, as PEM.
    Files {
        /// The chain, the server's own certificate first.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// A key as `rasterd config show` lists it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The key.
    pub key: String,
    /// Its value, as one would write it in the file.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// Everything that is wrong with a configuration, a line each.
#[derive(Debug)]
pub struct Invalid(Vec<String>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration can't be used")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Invalid {}

impl Config {
    /// Builds the configuration of the defaults, the file, the variables and the flags. Without `file` it is
    /// [`SYSTEM_FILE`], when that is there.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with the file, variable or flag, the key, and what is expected.
    pub fn load(file: Option<&Path>, variables: &Variables, flags: &[Flag]) -> Result<Self, Invalid> {
        let mut layers = Layers::defaults();
        layers.add_state_directory(variables);
        match file {
            Some(path) => add_file(&mut layers, path, true),
            None => add_file(&mut layers, Path::new(SYSTEM_FILE), false),
        }
        layers.add_variables(variables);
        layers.add_flags(flags);
        if !layers.problems.is_empty() {
            return Err(Invalid(layers.problems));
        }
        let values = read_values(&layers)?;
        let certificate = certificate(&values, &layers)?;
        let tools = tools::find(&values.media, &layers, variables)?;
        Ok(Self::new(values, certificate, tools, layers))
    }

    fn new(values: Values, certificate: Certificate, tools: Tools, layers: Layers) -> Self {
        let Values {
            server,
            data,
            limits,
            fetch,
            renditions,
            media,
            graphql,
            trash,
            members,
            audit,
            security,
            log,
            tls: _,
        } = values;
        let addresses = Given {
            public_url: server.public_url,
            allowed_hosts: server.allowed_hosts,
            allowed_origins: server.allowed_origins,
        };
        Self {
            bind: server.bind,
            mcp_hosts: server.mcp_hosts,
            graphql_introspection: graphql.introspection,
            workers: server.workers,
            patience: Patience {
                head: Duration::from_secs(server.head_seconds),
                body: Duration::from_secs(server.body_seconds),
                body_rate: server.body_rate_bytes,
                idle: Duration::from_secs(server.idle_seconds),
                drain: Duration::from_secs(server.drain_seconds),
                connections: server.connections,
                connections_per_address: server.connections_per_address,
            },
            data_dir: data.dir,
            certificate,
            log,
            shown: list_keys(layers, server.bind, &addresses),
            addresses,
            cache_bytes: data.cache_bytes,
            trash_keep: days(trash.keep_days),
            revoke_exposed_keys: security.revoke_exposed_keys,
            limits,
            fetch: FetchSettings { enabled: fetch.enabled, allow: fetch.allow },
            renditions: RenditionSettings {
                cache_bytes: renditions.cache_bytes,
                workers: renditions.workers,
                picture_bytes: renditions.picture_bytes,
                program: None,
                tools,
            },
            members: MemberSettings {
                session_idle: days(members.session_idle_days),
                session_life: days(members.session_days),
                link_life: days(members.link_days),
                audit_keep: days(audit.keep_days),
            },
            media: MediaSettings { import_metadata: media.import_metadata },
        }
    }

    /// The names of a server that listens on `bound`.
    #[must_use]
    pub fn addresses(&self, bound: SocketAddr) -> Addresses {
        self.addresses.complete(bound, &host_name())
    }

    /// What the operations need to know, for a server that listens on `bound`.
    #[must_use]
    pub fn settings(&self, bound: SocketAddr) -> Settings {
        Settings {
            data_dir: self.data_dir.clone(),
            public_url: self.addresses(bound).public_url,
            cache_bytes: self.cache_bytes,
            trash_keep: self.trash_keep,
            revoke_exposed_keys: self.revoke_exposed_keys,
            limits: self.limits.clone(),
            fetch: self.fetch.clone(),
            renditions: self.renditions.clone(),
            members: self.members.clone(),
            media: self.media.clone(),
        }
    }

    /// Every key with its value and where that came from, by name.
    #[must_use]
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }
}

fn add_file(layers: &mut Layers, path: &Path, required: bool) {
    let name = path.display();
    match fs::read_to_string(path) {
        Ok(text) => layers.add_file(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => {}
        Err(error) => layers.problems.push(format!("{name}: the configuration file can't be read: {error}")),
    }
}

fn read_values(layers: &Layers) -> Result<Values, Invalid> {
    let tree = layers.tree().map_err(|error| Invalid(vec![error.to_string()]))?;
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let key = error.path().to_string();
        let origin = layers.origin(&key);
        Invalid(vec![format!("{origin}: {key} {}", reason(error.inner()))])
    })
}

/// What our own parsers said, without what the library writes around it.
fn reason(error: &ConfigError) -> String {
    match error {
        ConfigError::At { error, .. } => reason(error),
        other => other.to_string(),
    }
}

fn certificate(values: &Values, layers: &Layers) -> Result<Certificate, Invalid> {
    let tls = &values.tls;
    let (cert, key) = (tls.cert_file.as_os_str(), tls.key_file.as_os_str());
    if cert.is_empty() && key.is_empty() {
        return Ok(Certificate::Development(tls.dir.clone()));
    }
    if cert.is_empty() || key.is_empty() {
        let (given, missing) = if key.is_empty() {
            ("tls.cert_file", "tls.key_file")
        } else {
            ("tls.key_file", "tls.cert_file")
        };
        let origin = layers.origin(given);
        return Err(Invalid(vec![format!(
            "{origin}: {given} is set and {missing} is not; set both, or none for a development certificate"
        )]));
    }
    let unreadable: Vec<String> = [("tls.cert_file", &tls.cert_file), ("tls.key_file", &tls.key_file)]
        .into_iter()
        .filter_map(|(key, path)| {
            let error = fs::File::open(path).err()?;
            Some(format!(
                "{}: {key} must be a file that can be read; {}: {error}",
                layers.origin(key),
                path.display()
            ))
        })
        .collect();
    if !unreadable.is_empty() {
        return Err(Invalid(unreadable));
    }
    Ok(Certificate::Files { cert: tls.cert_file.clone(), key: tls.key_file.clone() })
}

/// The keys as people may see them. Addresses that nobody set show what they come to, unless the port is not known yet.
fn list_keys(layers: Layers, bind: SocketAddr, addresses: &Given) -> Vec<Shown> {
    let derived = (bind.port() != 0).then(|| addresses.complete(bind, &host_name()));
    let entries = layers.into_entries().into_iter();
    entries
        .map(|(key, entry)| {
            let Some(set) = addresses.is_set(&key) else {
                return Shown { value: shown(&entry.value), key, origin: entry.origin };
            };
            let origin = if set { entry.origin } else { Origin::Derived };
            let value = derived.as_ref().and_then(|derived| derived.shown(&key));
            Shown { value: value.unwrap_or_else(|| shown(&entry.value)), key, origin }
        })
        .collect()
}

fn days(number: u64) -> Duration {
    DAY * u32::try_from(number).unwrap_or(u32::MAX)
}
