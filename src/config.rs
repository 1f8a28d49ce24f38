//! The configuration: layered, validated, typed. The server does not start with unknown keys or invalid values.
//! Reads the configuration file and the environment; opens and creates nothing else.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, io};

use ::config::ConfigError;

use crate::core::settings::{
    BackupSettings, Limits, MediaSettings, MemberSettings, ProxySettings, RenditionSettings, Settings,
    Timeouts,
};
use crate::fetch::FetchSettings;
use crate::pictures::MediaTools;

mod acme;
mod address;
mod certificate;
mod conflicts;
mod documented;
mod layers;
mod listing;
mod media_tools;
mod origin;
mod parsing;
mod proxies;
mod sections;
mod size;
#[cfg(test)]
mod tests;
mod value_type;
mod values;

pub use address::Addresses;
pub use certificate::Certificate;
pub use documented::{DocumentedKey, DocumentedKeys, DocumentedSection, documented_keys};
pub use listing::Shown;
pub use origin::Origin;
pub use values::{LogSection, MetricsSection};

pub(crate) use size::parse_size;

use address::{ConfiguredAddresses, Machine};
use layers::Layers;
use listing::{DerivedValues, list_keys};
use values::Values;

/// The default path of the configuration file. The file may be missing.
pub const SYSTEM_FILE: &str = "/etc/rasterd/config.toml";
/// The folder from which the package's unit gives the service its certificate; only root may read it.
pub const SERVICE_CERTIFICATE: &str = "/etc/rasterd/tls";
/// Where a service that runs has what systemd gave it; its user and root may read it.
const SERVICE_CREDENTIALS: &str = "/run/credentials/rasterd.service";
/// The environment variable from which clients read their key. It does not configure the server.
pub const KEY_VARIABLE: &str = "RASTERD_API_KEY";
/// The environment variables by which `rasterd serve --ephemeral --export` informs clients how to reach it. They don't
/// configure the server, either.
pub const CLIENT_VARIABLES: [&str; 11] = [
    "RASTERD_URL",
    KEY_VARIABLE,
    "RASTERD_ORGANIZATION",
    "RASTERD_LIBRARY",
    "RASTERD_MCP_URL",
    "RASTERD_GRAPHQL_URL",
    "RASTERD_APP_URL",
    "RASTERD_CONTROL_URL",
    "RASTERD_CONTROL_TOKEN",
    "RASTERD_CA_FILE",
    "RASTERD_PID",
];

/// A value given on the command line.
#[derive(Debug, Clone)]
pub struct Flag {
    /// The name of the flag, such as `--bind`.
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
    /// Those of this process. Bytes that are not UTF-8 are replaced, so such a value is never valid.
    #[must_use]
    pub fn of_this_process() -> Self {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self(std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect())
    }
}

/// The configuration after all layers.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; port 0 chooses a free one.
    pub bind: SocketAddr,
    /// A Unix socket on which the server listens, too.
    pub unix_socket: Option<PathBuf>,
    /// The mode of its file.
    pub unix_socket_mode: u32,
    /// Host names for which `/` is the MCP endpoint, too.
    pub mcp_hosts: Vec<String>,
    /// Whether GraphQL answers introspection queries.
    pub graphql_introspection: bool,
    /// How many values one GraphQL request may ask for.
    pub graphql_cost: usize,
    /// How many threads answer; 0 is one per core.
    pub workers: usize,
    /// The limits for slow or greedy clients.
    pub timeouts: Timeouts,
    /// The proxies in front of the server.
    pub proxies: ProxySettings,
    /// The folder that holds everything the server keeps, absolute.
    pub data_dir: PathBuf,
    /// Where the certificate comes from.
    pub certificate: Certificate,
    /// The authority that clients have to trust, if it is configured.
    pub authority_file: Option<PathBuf>,
    /// The folder of what clients need to trust it.
    pub certificates_dir: PathBuf,
    /// What is logged, and how.
    pub log: LogSection,
    /// Where the metrics are, and who may read them.
    pub metrics: MetricsSection,
    /// Whether no connection to another machine may be opened, whatever else is configured.
    pub offline: bool,
    /// The address of the collector that gets traces; none where they are turned off.
    pub otlp_endpoint: Option<String>,
    addresses: ConfiguredAddresses,
    cache_bytes: usize,
    reserve_bytes: u64,
    trash_keep: Duration,
    unnamed_keep: Duration,
    revoke_exposed_keys: bool,
    limits: Limits,
    fetch: FetchSettings,
    renditions: RenditionSettings,
    members: MemberSettings,
    media: MediaSettings,
    backup: BackupSettings,
    scrub: Duration,
    shown: Vec<Shown>,
    warnings: Vec<String>,
}

/// Everything that is wrong with a configuration, a line each.
#[derive(Debug)]
pub struct Invalid {
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
    /// The configuration with defaults instead of what is wrong, if that is possible: more may be wrong with it.
    pub rest: Option<Box<Config>>,
}

impl Invalid {
    fn only(problems: Vec<String>) -> Self {
        Self { problems, rest: None }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration can't be used")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Invalid {}

/// Where the service has its copy of a certificate that the package's unit gives it, made when it started. `None` for any
/// other certificate.
#[must_use]
pub fn copy_of_service(cert: &Path) -> Option<PathBuf> {
    cert.starts_with(SERVICE_CERTIFICATE)
        .then(|| Path::new(SERVICE_CREDENTIALS).join(layers::CERTIFICATE_CREDENTIAL))
}

impl Config {
    /// Builds the configuration from the defaults, the file, the variables and the flags. Without `file`, the file is
    /// [`SYSTEM_FILE`], if it exists.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with the file, variable or flag, the key, and what is expected.
    pub fn load(file: Option<&Path>, variables: &Variables, flags: &[Flag]) -> Result<Self, Invalid> {
        let mut layers = Layers::defaults();
        layers.add_state_directory(variables);
        layers.add_credentials(variables);
        if let Some(path) = file {
            add_file(&mut layers, path, true);
        } else {
            let [kept, loaded] = [SERVICE_CERTIFICATE, SERVICE_CREDENTIALS].map(Path::new);
            layers.add_certificate_of_service(variables, kept, loaded);
            add_file(&mut layers, Path::new(SYSTEM_FILE), false);
        }
        layers.add_variables(variables);
        layers.add_flags(flags);
        let values = read_values(&mut layers)?;
        let certificate = certificate::certificate(&values, &mut layers);
        let tools = media_tools::find(&values.media, &layers, variables).unwrap_or_else(|problems| {
            layers.problems.extend(problems);
            MediaTools::default()
        });
        layers.problems.extend(media_tools::expect_fonts(&values.media, &layers).err());
        layers.problems.extend(proxies::problem(&values.server, &layers));
        layers.problems.extend(conflicts::problems(&values, &layers));
        layers.warnings.extend(proxies::warning(&values.server));
        let problems = std::mem::take(&mut layers.problems);
        let config = certificate.map(|certificate| Self::new(values, certificate, tools, layers));
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            rest => Err(Invalid { problems, rest: rest.map(Box::new) }),
        }
    }

    fn new(values: Values, certificate: Certificate, tools: MediaTools, layers: Layers) -> Self {
        let certificates_dir = certificate::folder(&values);
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
            backup,
            scrub,
            log,
            metrics,
            network,
            telemetry,
            tls,
        } = values;
        let (proxies, timeouts) = (proxies::settings(&server), sections::timeouts(&server));
        let addresses = ConfiguredAddresses {
            public_url: server.public_url,
            allowed_hosts: server.allowed_hosts,
            allowed_origins: server.allowed_origins,
        };
        Self {
            bind: server.bind,
            unix_socket: server.unix_socket,
            unix_socket_mode: server.unix_socket_mode,
            metrics,
            offline: network.offline,
            otlp_endpoint: telemetry.otlp_endpoint,
            mcp_hosts: server.mcp_hosts,
            graphql_introspection: graphql.introspection,
            graphql_cost: graphql.cost,
            workers: server.workers,
            timeouts,
            proxies,
            data_dir: data.dir.clone(),
            log,
            warnings: layers.warnings.clone(),
            shown: list_keys(
                layers,
                &DerivedValues { bind: server.bind, addresses: &addresses, certificate: &certificate },
            ),
            authority_file: tls.authority_file,
            certificates_dir,
            addresses,
            cache_bytes: data.cache_bytes,
            reserve_bytes: data.reserve_bytes,
            trash_keep: sections::days(trash.keep_days),
            unnamed_keep: sections::days(data.unnamed_keep_days),
            revoke_exposed_keys: security.revoke_exposed_keys,
            limits,
            fetch: sections::fetching(fetch, &network),
            renditions: sections::renditions(&renditions, &media, tools),
            members: sections::members(&members, &audit),
            media: MediaSettings { import_metadata: media.import_metadata },
            backup: sections::backup(backup, &certificate),
            certificate,
            scrub: sections::days(scrub.days),
        }
    }

    /// Whether clients reach the server through a proxy, and see the certificate of that.
    #[must_use]
    pub fn is_behind_a_proxy(&self) -> bool {
        !self.proxies.trusted.is_empty() || self.unix_socket.is_some()
    }

    /// The addresses of a server that listens on `bound`.
    #[must_use]
    pub fn addresses(&self, bound: SocketAddr) -> Addresses {
        self.addresses.complete(bound, &Machine::this())
    }

    /// The names in the certificate of a server that listens on `bound`, on this machine as it is now.
    #[must_use]
    pub fn certificate_names(&self, bound: SocketAddr) -> Vec<String> {
        self.addresses(bound).certificate_names(&self.mcp_hosts)
    }

    /// The host name that clients use for the server.
    #[must_use]
    pub fn public_host(&self) -> String {
        self.addresses(self.bind).public_host()
    }

    /// The settings of the operations, for a server that listens on `bound`.
    #[must_use]
    pub fn settings(&self, bound: SocketAddr) -> Settings {
        Settings {
            data_dir: self.data_dir.clone(),
            public_url: self.addresses(bound).public_url,
            cache_bytes: self.cache_bytes,
            reserve_bytes: self.reserve_bytes,
            trash_keep: self.trash_keep,
            unnamed_keep: self.unnamed_keep,
            revoke_exposed_keys: self.revoke_exposed_keys,
            limits: self.limits.clone(),
            fetch: self.fetch.clone(),
            renditions: self.renditions.clone(),
            members: self.members.clone(),
            media: self.media.clone(),
            backup: self.backup.clone(),
            scrub: self.scrub,
        }
    }

    /// What does not keep the server from starting but is probably a mistake, a sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Every key with its value and where the value came from, by name.
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

/// The values as types. An invalid one is reported and reset to its default, so that all are found at once.
fn read_values(layers: &mut Layers) -> Result<Values, Invalid> {
    loop {
        let tree = layers.tree().map_err(|error| Invalid::only(vec![error.to_string()]))?;
        let error = match serde_path_to_error::deserialize(tree) {
            Ok(values) => return Ok(values),
            Err(error) => error,
        };
        let key = error.path().to_string();
        layers.problems.push(format!("{}: {key} {}", layers.origin(&key), reason(error.inner())));
        if !layers.reset(&key) {
            return Err(Invalid::only(std::mem::take(&mut layers.problems)));
        }
    }
}

/// The message of our own parsers, without what the library adds.
fn reason(error: &ConfigError) -> String {
    match error {
        ConfigError::At { error, .. } => reason(error),
        other => other.to_string(),
    }
}
