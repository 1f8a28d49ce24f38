//! What is known of the request that is being answered: its id, and the key it came with. For the log and for
//! messages; nothing decides by it.

use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;

use crate::app::id::{KeyId, random_base62};

/// A request's id: 16 random base-62 characters, in `X-Request-Id` and in every line of the log about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// Draws a new id. A client's own is never taken over.
    #[must_use]
    pub fn random() -> Self {
        Self(random_base62())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The request that the running task answers.
pub struct Record {
    pub id: RequestId,
    pub key: OnceCell<KeyId>,
}

tokio::task_local! {
    /// Set while a request is answered, on the task that answers it; a task spawned from there has none.
    pub static RECORD: Rc<Record>;
}

/// The id of the request that the running task answers.
#[must_use]
pub fn request_id() -> Option<RequestId> {
    RECORD.try_with(|record| record.id).ok()
}

/// Notes which key a request came with.
pub fn note_key(key: &KeyId) {
    // Outside a request there is nobody to note it for; a second key of one request is not noted.
    let _ = RECORD.try_with(|record| record.key.set(key.clone()));
}
