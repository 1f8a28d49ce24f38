//! The settings of the operations. Filled by `config.rs`; knows no files and no environment.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::fetch::{FetchLimits, FetchSettings};
use crate::pictures::MediaTools;

/// All settings that affect operations.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder that holds everything the server keeps.
    pub data_dir: PathBuf,
    /// The origin at which clients reach the server, such as `https://localhost:8443`, without a slash at its end.
    pub public_url: String,
    /// The size of the database's cache, in bytes.
    pub cache_bytes: usize,
    /// How much of the disk is kept free for what must go on when it is full, in bytes. 0 chooses by its size.
    pub reserve_bytes: u64,
    /// How long an asset stays in the trash.
    pub trash_keep: Duration,
    /// How long a file that is not in the database is kept.
    pub unnamed_keep: Duration,
    /// Whether a key that was sent over plain HTTP is deleted.
    pub revoke_exposed_keys: bool,
    /// The limits.
    pub limits: Limits,
    /// Uploads from urls.
    pub fetch: FetchSettings,
    /// Pictures in other sizes and formats.
    pub renditions: RenditionSettings,
    /// People who sign in.
    pub members: MemberSettings,
    /// The processing of uploaded files.
    pub media: MediaSettings,
    /// Backups.
    pub backup: BackupSettings,
    /// Within which time every file is read again and compared with its hash; zero is never.
    pub scrub: Duration,
}

/// Backups: when and where to without being asked, and what is in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupSettings {
    /// The folder of scheduled backups; none are made when there is none.
    pub dir: Option<PathBuf>,
    /// How often.
    pub every: Duration,
    /// How many snapshots are kept; 0 is all.
    pub keep: usize,
    /// The folder of the development authority, if there is one.
    pub authority: Option<PathBuf>,
}

/// The limits of every operation. Sizes are in bytes, lengths in characters, times in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Files in one upload.
    pub files_per_upload: usize,
    /// Assets in one delete, tag, untag or transfer.
    pub ids_per_call: usize,
    /// Tags in one tag or untag.
    pub tags_per_call: usize,
    /// Tags to filter a list by.
    pub tag_filter: usize,
    /// Entries on a page of a list.
    pub page_size: usize,
    /// Hits on a page of a search.
    pub search_page_size: usize,
    /// An uploaded file.
    pub file_bytes: u64,
    /// A file fetched from a url.
    pub url_bytes: u64,
    /// A whole fetch from a url.
    pub url_seconds: u64,
    /// Redirects of one fetch.
    pub url_redirects: usize,
    /// A body of JSON.
    pub json_bytes: usize,
    /// A body of MCP, which holds base64 files.
    pub mcp_bytes: usize,
    /// The picture with the most pixels that is accepted as an image, in pixels.
    pub image_pixels: u64,
    /// Tags of one asset.
    pub tags_per_asset: usize,
    /// Different tags of one library.
    pub tags_per_library: usize,
    /// A description.
    pub description_length: usize,
    /// A name of an organization, a library or a key.
    pub name_length: usize,
    /// Keys of one organization.
    pub keys_per_organization: usize,
    /// Bytes in memory of waiting requests and answers, in total.
    pub buffered_bytes: u64,
    /// The same of one address.
    pub address_buffered_bytes: u64,
    /// The same of one key.
    pub key_buffered_bytes: u64,
    /// A body of a key without grants.
    pub ungranted_body_bytes: usize,
    /// Bytes in temporary files of url fetches and large bodies, in all.
    pub temporary_bytes: u64,
    /// The same of one key.
    pub key_temporary_bytes: u64,
    /// Requests of one key in a second, on average. 0 is no limit.
    pub requests_per_second_per_key: u32,
    /// Requests that a key which sent none for a while may send at once.
    pub request_burst_per_key: u32,
    /// Requests of one key at a time.
    pub requests_per_key: u64,
    /// Uploads of one key at a time.
    pub uploads_per_key: u64,
    /// Fetches from urls of one key at a time.
    pub fetches_per_key: u64,
    /// Upload addresses of one key, or of one session of a person, that are open at a time.
    pub open_uploads_per_key: usize,
}

impl Limits {
    /// The limits of one fetch from a url.
    #[must_use]
    pub fn of_fetches(&self) -> FetchLimits {
        FetchLimits { time: Duration::from_secs(self.url_seconds), redirects: self.url_redirects }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files_per_upload: 20,
            ids_per_call: 100,
            tags_per_call: 20,
            tag_filter: 50,
            page_size: 500,
            search_page_size: 100,
            file_bytes: 1 << 30,
            url_bytes: 1 << 30,
            url_seconds: 60,
            url_redirects: 5,
            json_bytes: 1 << 20,
            mcp_bytes: 32 << 20,
            image_pixels: 200_000_000,
            tags_per_asset: 200,
            tags_per_library: 20_000,
            description_length: 10_000,
            name_length: 100,
            keys_per_organization: 100,
            buffered_bytes: 256 << 20,
            address_buffered_bytes: 128 << 20,
            key_buffered_bytes: 64 << 20,
            ungranted_body_bytes: 64 << 10,
            temporary_bytes: 16 << 30,
            key_temporary_bytes: 4 << 30,
            requests_per_second_per_key: 200,
            request_burst_per_key: 1000,
            requests_per_key: 64,
            uploads_per_key: 32,
            fetches_per_key: 32,
            open_uploads_per_key: 100,
        }
    }
}

/// How renditions are made and cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenditionSettings {
    /// The size of the cache, in bytes.
    pub cache_bytes: u64,
    /// How many are rendered at a time; 0 means half as many as cores.
    pub workers: usize,
    /// The memory for rendering one, in bytes; 0 means a part of the machine's memory.
    pub picture_bytes: u64,
    /// The program that renders them in processes with limits: this binary. With `None`, they are rendered in this
    /// process, which a hostile file can crash.
    pub program: Option<PathBuf>,
    /// The tools for types that are not decoded here. Only used with `program`.
    pub tools: MediaTools,
    /// A folder of fonts for text in vector images, in addition to the built-in ones.
    pub fonts: Option<PathBuf>,
}

impl Default for RenditionSettings {
    /// In this process.
    fn default() -> Self {
        Self {
            cache_bytes: 2_000_000_000,
            workers: 0,
            picture_bytes: 0,
            program: None,
            tools: MediaTools::default(),
            fonts: None,
        }
    }
}

/// Lifetimes of sessions, links and the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSettings {
    /// How long an unused session is valid.
    pub session_idle: Duration,
    /// How long a session is valid at most.
    pub session_life: Duration,
    /// How long an invitation or a link to set a password can be used.
    pub link_life: Duration,
    /// How long the audit log is kept.
    pub audit_keep: Duration,
    /// Whether attempts to sign in are limited.
    pub limit_sign_ins: bool,
    /// How expensive it is to guess a new password.
    pub password_cost: PasswordCost,
}

/// What argon2id needs to hash a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// How often it passes over it.
    pub passes: u32,
}

impl PasswordCost {
    /// Hardly anything, for passwords that protect nothing.
    pub const LEAST: Self = Self { memory_kib: 8, passes: 1 };
}

impl Default for PasswordCost {
    /// OWASP's recommendation for argon2id: 19 MiB, 2 passes, 1 lane.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

impl Default for MemberSettings {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            session_idle: Duration::from_secs(14 * DAY),
            session_life: Duration::from_secs(90 * DAY),
            link_life: Duration::from_secs(7 * DAY),
            audit_keep: Duration::from_secs(400 * DAY),
            limit_sign_ins: true,
            password_cost: PasswordCost::default(),
        }
    }
}

/// The processing of uploaded files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaSettings {
    /// Whether the caption in a file becomes the description of the asset, and its keywords tags.
    pub import_metadata: bool,
}

/// The proxies before the server, and how they say whose request it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// The addresses of those whose word is taken.
    pub trusted: Vec<IpNet>,
    /// Where they name the client.
    pub header: ForwardedHeader,
    /// Whether each connection begins with a header of the PROXY protocol.
    pub protocol: bool,
}

impl ProxySettings {
    /// Whether clients see the certificate of this server. Proxies show their own, unless they pass connections on, which
    /// takes the PROXY protocol.
    #[must_use]
    pub fn show_our_certificate(&self, has_unix_socket: bool) -> bool {
        self.protocol || (self.trusted.is_empty() && !has_unix_socket)
    }
}

/// The header in which proxies name the client. Only this one is read: a proxy that writes one of them passes the other on
/// as the client sent it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, which nearly every proxy writes.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The limits of a connection, against slow and greedy clients.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// Until the head of a request is complete, and until a TLS handshake is.
    pub head: Duration,
    /// Until a body is complete.
    pub body: Duration,
    /// The least bytes per second of a body, measured over ten seconds.
    pub body_rate: u64,
    /// The least bytes per second that a client must take of its answers, measured over the time of `idle`.
    pub answer_rate: u64,
    /// How long an idle connection is kept.
    pub idle: Duration,
    /// How long requests in flight may take to finish when the server stops.
    pub drain: Duration,
    /// Connections at a time, in all.
    pub connections: usize,
    /// Connections at a time from one address.
    pub connections_per_address: usize,
}
