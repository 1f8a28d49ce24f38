//! The one error type and the one table of codes. Depends on nothing else in the crate.
//!
//! The message is for the client: one plain sentence that names no internals. The cause is for the
//! log and is written there once, at the edge of the transport that answers.

use std::borrow::Cow;
use std::fmt;

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
    ($($(#[$doc:meta])* $variant:ident $name:literal $status:literal,)+) => {
        /// Every failure a client can meet. The same code, message and status on every transport.
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
        }
    };
}

codes! {
    /// No `Authorization` header, or one that is not `Bearer`.
    Unauthenticated "UNAUTHENTICATED" 401,
    /// Not a live key of the organization that the request names.
    InvalidApiKey "INVALID_API_KEY" 401,
    /// REST without `Api-Version`.
    ApiVersionRequired "API_VERSION_REQUIRED" 400,
    /// Plain HTTP.
    HttpsRequired "HTTPS_REQUIRED" 403,
    /// The one answer for a library that is unknown, foreign, not granted, or granted too low.
    LibraryNotAuthorized "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY" 404,
    /// Creating a library needs Write on some library.
    ApiKeyReadOnly "API_KEY_READ_ONLY" 403,
    /// Only a signed-in person sets an approval.
    ApprovalRequiresUser "APPROVAL_REQUIRES_USER" 403,
    /// The server's configuration, or a person's role, does not allow it.
    Forbidden "FORBIDDEN" 403,
    /// No such organization.
    OrganizationNotFound "ORGANIZATION_NOT_FOUND" 404,
    /// No such asset in that library.
    ResourceNotFound "RESOURCE_NOT_FOUND" 404,
    /// No such variant to promote.
    NotFound "NOT_FOUND" 404,
    /// Unknown path.
    EndpointNotFound "ENDPOINT_NOT_FOUND" 404,
    /// Known path, other method.
    MethodNotAllowed "METHOD_NOT_ALLOWED" 405,
    /// Anything wrong with parameters or body.
    BadUserInput "BAD_USER_INPUT" 400,
    /// A body or a file above its limit.
    PayloadTooLarge "PAYLOAD_TOO_LARGE" 413,
    /// A library slug that is in use.
    LibraryUrlTaken "LIBRARY_URL_TAKEN" 409,
    /// Another change of the same thing is in progress.
    Conflict "CONFLICT" 409,
    /// An organization's storage quota.
    StorageLimitExceeded "STORAGE_LIMIT_EXCEEDED" 403,
    /// An organization's number of libraries.
    LibraryLimitExceeded "LIBRARY_LIMIT_EXCEEDED" 400,
    /// The storage quota of an unclaimed organization.
    EphemeralStorageLimitExceeded "EPHEMERAL_STORAGE_LIMIT_EXCEEDED" 403,
    /// The number of libraries of an unclaimed organization.
    EphemeralLibraryLimitExceeded "EPHEMERAL_LIBRARY_LIMIT_EXCEEDED" 400,
    /// Too many requests; comes with `Retry-After`.
    RateLimited "RATE_LIMITED" 429,
    /// Our fault; details are only in the log.
    Internal "INTERNAL_SERVER_ERROR" 500,
    /// Draining, disk full, or the store is closed to writes.
    ServiceUnavailable "SERVICE_UNAVAILABLE" 503,
}

impl Error {
    /// An error with this code and message.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), cause: None, retry_after: None }
    }

    /// `BAD_USER_INPUT` with a sentence that says what is wrong and what is expected.
    #[must_use]
    pub fn bad_input(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    /// `INTERNAL_SERVER_ERROR`; the cause goes to the log and never to the client.
    #[must_use]
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(Code::Internal, "Something went wrong on the server. Try again; if it stays, give its administrator the request id.")
            .caused_by(cause)
    }

    /// The one answer for a library that this key can't reach, for whatever reason.
    #[must_use]
    pub fn library_not_authorized() -> Self {
        Self::new(Code::LibraryNotAuthorized, "API key not authorized for this library.")
    }

    /// The one answer for an asset that is missing, elsewhere or trashed.
    #[must_use]
    pub fn asset_not_found() -> Self {
        Self::new(Code::ResourceNotFound, "Asset not found.")
    }

    /// The one answer for a key that is unknown, expired, deleted, or of another organization.
    #[must_use]
    pub fn invalid_api_key() -> Self {
        Self::new(Code::InvalidApiKey, "The API key is not valid for this organization.")
    }

    /// The answer for a person whose session is not there: never begun, ended, or too old.
    #[must_use]
    pub fn signed_out() -> Self {
        Self::new(Code::Unauthenticated, "You are not signed in, or not any more. Sign in and try again.")
    }

    /// The one answer for an organization that is unknown or has nothing to do with the caller.
    #[must_use]
    pub fn no_such_organization() -> Self {
        Self::new(Code::OrganizationNotFound, "Organization not found.")
    }

    /// Adds what the log should say about the reason.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds in how many seconds it is worth another try.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// In how many seconds it is worth another try, where that is known.
    #[must_use]
    pub fn seconds_to_wait(&self) -> Option<u64> {
        self.retry_after
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the log should say, if there is more than the message.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
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

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        if cause.kind() == std::io::ErrorKind::StorageFull {
            return Self::new(
                Code::ServiceUnavailable,
                "The server's disk is full. Free some space and try again.",
            )
            .caused_by(cause);
        }
        Self::internal(cause)
    }
}
