//! The one error type and the one table of codes. Depends on nothing else in the crate.
//!
//! The message is for the client: one plain sentence that names no internals. The cause is for the log, written there
//! once, by the transport that answers. Both repeat what a client sent only as an [`excerpt`]; a message has at most
//! [`MAX_MESSAGE`] characters.

use std::borrow::Cow;
use std::path::Path;
use std::{fmt, io};

mod excerpt;

pub use excerpt::{Excerpt, MAX_EXCERPT, MAX_MESSAGE, excerpt, logged};

/// `Result` with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, as a client sees it: a code, a sentence, and (for the log only) a cause.
pub struct Error {
    code: Code,
    message: Cow<'static, str>,
    cause: Option<Cause>,
    retry_after: Option<u64>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $fixable:expr, $meaning:literal, $advice:literal;)+) => {
        /// Every failure that a client can meet. The same code, message and status on every transport.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code's name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status that goes with the code.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// What the code means, as the message of an answer could say it.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }

            /// What somebody who meets the code can do, in Markdown. The documentation shows it.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)+ }
            }

            /// Whether the person who made the request can fix it where they are, with other input.
            #[must_use]
            pub const fn is_user_fixable(self) -> bool {
                match self { $(Self::$variant => matches!($fixable, ByUser::Fixable),)+ }
            }
        }
    };
}

/// Whether a person can fix an error where they are, with other input.
enum ByUser {
    Fixable,
    NotFixable,
}
use ByUser::{Fixable, NotFixable};

// Name on the wire, status, whether the person who made the request can fix it, what it means to a client, and what to
// do. Every other list of codes is made from this one.
codes! {
    /// No `Authorization` header, or one that is not `Bearer`.
    Unauthenticated = "UNAUTHENTICATED", 401, NotFixable,
        "Send your API key in the header `Authorization: Bearer <key>`.",
        "Add the header `Authorization: Bearer pk_…` to the request. A key in the query string, in a cookie or in another header does not count.";
    /// Not a live key of the organization that the request names.
    InvalidApiKey = "INVALID_API_KEY", 401, NotFixable,
        "The API key is not valid for this organization.",
        "Compare the key with the one you were given, to its last character. It may have expired, or have been deleted or regenerated: an owner sees that in the web app, or with `rasterd key list`. A key works only in its own organization.";
    /// REST without `Api-Version`.
    ApiVersionRequired = "API_VERSION_REQUIRED", 400, NotFixable,
        "Send the header `Api-Version` with the version of the API.",
        "Add the header `Api-Version: 2026-07-08` to every REST request. GraphQL and MCP don't need it.";
    /// Plain HTTP.
    HttpsRequired = "HTTPS_REQUIRED", 403, NotFixable,
        "Use https.",
        "Write `https://` in the address. If the request had a key, anyone on the way may have read it: replace the key.";
    /// The one answer for a library that is unknown, foreign, not granted, or granted too low.
    LibraryNotAuthorized = "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY", 404, NotFixable,
        "API key not authorized for this library.",
        "Ask with `GET /me` or the tool `whoami` which libraries the key can access, and with which access. Take the library's id from there, not its name. If it is missing, or has Read where Write is needed, an owner has to grant it.";
    /// Creating a library needs Write on some library.
    ApiKeyReadOnly = "API_KEY_READ_ONLY", 403, NotFixable,
        "Creating a library needs a key with Write access to at least one library.",
        "Use a key with Write access to a library of the organization, or ask an owner to create the library.";
    /// Only a signed-in person sets an approval.
    ApprovalRequiresUser = "APPROVAL_REQUIRES_USER", 403, NotFixable,
        "Only a signed-in person can set an approval.",
        "Leave approvals to people. A key can read an approval, but not set it.";
    /// The server's configuration, or a person's role, does not allow it.
    Forbidden = "FORBIDDEN", 403, NotFixable,
        "This is not allowed here.",
        "The message says what is not allowed. Often it is a role: an owner can give you another one. Otherwise the server's administrator can change its configuration.";
    /// No such organization.
    OrganizationNotFound = "ORGANIZATION_NOT_FOUND", 404, NotFixable,
        "Organization not found.",
        "Take the organization's id from `GET /me` or the tool `whoami`. It is not the organization's name.";
    /// No such asset in that library.
    ResourceNotFound = "RESOURCE_NOT_FOUND", 404, NotFixable,
        "Asset not found.",
        "Check the id, and that the asset is in this library and not in the trash. An asset that was moved to another library is found there.";
    /// No such variant, key, member, link, session or passkey.
    NotFound = "NOT_FOUND", 404, NotFixable,
        "There is no such variant.",
        "Check the id. What you want to change may have been deleted meanwhile: list it again.";
    /// Unknown path.
    EndpointNotFound = "ENDPOINT_NOT_FOUND", 404, NotFixable,
        "There is no such endpoint. Check the path.",
        "Compare the path with the REST reference. Ids in a path must be encoded for urls.";
    /// Known path, other method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, NotFixable,
        "This endpoint does not support this method.",
        "Use one of the methods that the header `Allow` of the answer lists.";
    /// Anything wrong with parameters or body.
    BadUserInput = "BAD_USER_INPUT", 400, Fixable,
        "The message says which parameter or which part of the body is wrong, and how.",
        "Read the message: it names the parameter or the part of the body, and what is expected. Nothing was changed, so send the corrected request again.";
    /// A body or a file above its limit.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", 413, NotFixable,
        "The body, or a file in it, is larger than the server accepts.",
        "Send a smaller file, or fewer in one request. Large files go through REST and not through MCP. The server's administrator can raise the limit.";
    /// A library slug that is in use.
    LibraryUrlTaken = "LIBRARY_URL_TAKEN", 409, Fixable,
        "The slug is taken. Choose another.",
        "Choose another slug, or leave it out: then the server finds a free one.";
    /// Another change of the same thing is in progress.
    Conflict = "CONFLICT", 409, Fixable,
        "Another change of the same thing is in progress. Try again.",
        "Read the current state, and send the request again if it is still needed.";
    /// An organization's storage quota.
    StorageLimitExceeded = "STORAGE_LIMIT_EXCEEDED", 403, NotFixable,
        "The organization's storage is full.",
        "Delete assets and empty the trash, since variants and the trash count, too. Or ask the server's administrator to raise the limit with `rasterd org limit`.";
    /// An organization's number of libraries.
    LibraryLimitExceeded = "LIBRARY_LIMIT_EXCEEDED", 400, NotFixable,
        "The organization can't have more libraries.",
        "Use a library that exists, or ask the server's administrator to raise the limit with `rasterd org limit`.";
    /// The storage quota of an unclaimed organization.
    EphemeralStorageLimitExceeded = "EPHEMERAL_STORAGE_LIMIT_EXCEEDED", 403, NotFixable,
        "The organization's storage is full.",
        "Delete assets and empty the trash, or claim the organization.";
    /// The number of libraries of an unclaimed organization.
    EphemeralLibraryLimitExceeded = "EPHEMERAL_LIBRARY_LIMIT_EXCEEDED", 400, NotFixable,
        "The organization can't have more libraries.",
        "Use the library that exists, or claim the organization.";
    /// Too many requests; comes with `Retry-After`.
    RateLimited = "RATE_LIMITED", 429, NotFixable,
        "Too many requests. Wait as long as `Retry-After` says.",
        "Wait as many seconds as the header `Retry-After` says, and send the request again. Send fewer requests at once; the server's administrator can raise the limits of a key.";
    /// The server's disk has no room for what would be written.
    StorageFull = "STORAGE_FULL", 507, NotFixable,
        "The server's disk is full. What frees space, and reading, go on. Its administrator has to free some space.",
        "Delete what is not needed. The server's administrator has to free space on the disk; then everything works again without a restart.";
    /// Our fault; details are only in the log.
    Internal = "INTERNAL_SERVER_ERROR", 500, NotFixable,
        "Something went wrong on the server. The message has the request id.",
        "Try again. If it happens again, give the server's administrator the request id from the message: the log has the cause under it.";
    /// Draining, busy, or the store takes no writes for now.
    ServiceUnavailable = "SERVICE_UNAVAILABLE", 503, NotFixable,
        "The server is stopping, or its disk failed. Try again later.",
        "Wait a moment and send the request again. If it lasts, the server's administrator finds the reason at `/readyz` and in the log.";
}

impl Code {
    /// The code with this name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// Where the server's documentation explains the code: the path of an address on the server.
    #[must_use]
    pub fn documentation(self) -> String {
        format!("/docs/errors#{}", self.name())
    }
}

impl Error {
    /// An error with this code and message. Text from a client must go through [`excerpt`] first.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: excerpt::bounded(message.into()), cause: None, retry_after: None }
    }

    /// `BAD_USER_INPUT`; the message says what is wrong and what is expected.
    #[must_use]
    pub fn bad_input(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    /// `INTERNAL_SERVER_ERROR`; the cause goes to the log and never to the client.
    #[must_use]
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(Code::Internal, "Something went wrong on the server. Try again; if it happens again, give its administrator the request id.")
            .caused_by(cause)
    }

    /// The one answer for a library that this key has no access to, whatever the reason.
    #[must_use]
    pub fn library_not_authorized() -> Self {
        Self::new(Code::LibraryNotAuthorized, "API key not authorized for this library.")
    }

    /// The one answer for an asset that does not exist, is in another library, or is in the trash.
    #[must_use]
    pub fn asset_not_found() -> Self {
        Self::new(Code::ResourceNotFound, "Asset not found.")
    }

    /// The one answer for a key that is unknown, expired, deleted, or of another organization.
    #[must_use]
    pub fn invalid_api_key() -> Self {
        Self::new(Code::InvalidApiKey, "The API key is not valid for this organization.")
    }

    /// Ends the work for a client that has left. Nobody reads it.
    #[must_use]
    pub fn client_left() -> Self {
        Self::new(Code::ServiceUnavailable, "The connection was closed before the answer was ready.")
    }

    /// The answer for a person without a session: never signed in, signed out, or expired.
    #[must_use]
    pub fn signed_out() -> Self {
        Self::new(
            Code::Unauthenticated,
            "You are not signed in, or your session has ended. Sign in and try again.",
        )
    }

    /// The one answer for an organization that does not exist or that the caller has no access to.
    #[must_use]
    pub fn no_such_organization() -> Self {
        Self::new(Code::OrganizationNotFound, "Organization not found.")
    }

    /// The answer for a write that the server's disk has no room for.
    #[must_use]
    pub fn storage_full() -> Self {
        Self::new(
            Code::StorageFull,
            "The server's disk is full, so nothing was stored. Delete what you don't need, or ask the server's administrator to free some space; then try again.",
        )
    }

    /// The same error with another message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = excerpt::bounded(message.into());
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds after how many seconds the client may try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// After how many seconds the client may try again, if that is known.
    #[must_use]
    pub fn seconds_to_wait(&self) -> Option<u64> {
        self.retry_after
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Whether the person who made the request can fix it where they are, with other input.
    #[must_use]
    pub fn is_user_fixable(&self) -> bool {
        self.code.is_user_fixable()
    }

    /// The sentence for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The cause, for the log, if there is more to say than the message.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.cause.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("cause", &self.cause)
            .field("retry_after", &self.retry_after)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// An error with what caused it, on one line.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// The same error, which says what path it is about.
#[must_use]
pub fn io_error_at(path: &Path, cause: &io::Error) -> io::Error {
    io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
}

/// Whether the disk refused to write because it has no room: no blocks or inodes are left, or a quota is used up.
#[must_use]
pub fn is_out_of_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl From<io::Error> for Error {
    fn from(cause: io::Error) -> Self {
        if is_out_of_space(&cause) { Self::storage_full().caused_by(cause) } else { Self::internal(cause) }
    }
}
