//! Files from urls: public addresses only, each redirect checked again, the checked address is the one connected to.

use bytes::Bytes;

use super::settings::{FetchSettings, Limits};
use crate::error::{Error, Result};

/// Fetches files for uploads.
pub struct Fetcher;

impl Fetcher {
    /// A fetcher under these limits. Opens no connection and reads no file yet.
    #[must_use]
    pub fn new(_settings: FetchSettings, _limits: &Limits) -> Self {
        Self
    }

    /// Checks what can be checked without connecting: the scheme, the syntax, an address that is not public.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the url and the reason; `FORBIDDEN` when fetching is turned off.
    pub fn check(&self, _url: &str) -> Result<()> {
        Ok(())
    }

    /// Connects, follows redirects, and returns when the body begins.
    ///
    /// # Errors
    /// As [`Fetcher::check`], also when the server behind it does not answer with a file.
    #[expect(clippy::unused_async)]
    pub async fn open(&self, _url: &str) -> Result<Download> {
        Err(Error::bad_input("no"))
    }
}

/// A file on its way.
pub struct Download;

impl Download {
    /// The file's name, from `Content-Disposition` or the url's path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        ""
    }

    /// How many bytes are announced.
    #[must_use]
    pub fn announced_bytes(&self) -> Option<u64> {
        None
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the transfer breaks off or takes longer than allowed. Counting bytes is the caller's.
    #[expect(clippy::unused_async)]
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        Ok(None)
    }
}
