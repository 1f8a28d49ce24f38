//! Identifiers: parsed and created. Numbers stay inside the server; clients see slugs and base-62 strings.

use std::fmt;

use rand::RngExt;
use serde::{Deserialize, Serialize};

mod seeded;

pub use seeded::{IdCounts, SeededIds};

/// The base-62 alphabet of asset ids and keys.
pub const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `N` random base-62 characters from the thread's cryptographic generator.
#[must_use]
pub fn random_base62<const N: usize>() -> [u8; N] {
    let mut rng = rand::rng();
    std::array::from_fn(|_| BASE62[rng.random_range(0..BASE62.len())])
}

/// `N` base-62 characters for something new of this kind: random, unless the ids of this process are seeded.
#[must_use]
pub fn new_base62<const N: usize>(kind: &'static str) -> [u8; N] {
    SeededIds::of_this_process().map_or_else(random_base62, |seeded| seeded.next(kind))
}

macro_rules! internal_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u64);
    };
}

internal_id! {
    /// An organization's number inside the store. Never on the wire.
    OrganizationId
}
internal_id! {
    /// A library's number inside the store, unique over all organizations. Never on the wire.
    LibraryId
}

internal_id! {
    /// A person's number inside the store.
    MemberId
}

/// An asset's id: 16 random base-62 characters (95 bits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssetId([u8; 16]);

impl AssetId {
    /// A new random id.
    #[must_use]
    pub fn random() -> Self {
        Self(new_base62("asset"))
    }

    /// Parses a client's id. `None` for anything that can't be an id: there is no such asset.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// The id as bytes, as in the keys of the store.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 16]) -> Self {
        Self(*bytes)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(String);

        impl $name {
            /// A new random id: its prefix and 12 base-62 characters.
            #[must_use]
            pub fn random() -> Self {
                let id: String = new_base62::<12>($prefix).iter().map(|&byte| char::from(byte)).collect();
                Self(format!(concat!($prefix, "_{}"), id))
            }

            /// An id as a person typed it, not checked: a wrong one is simply not found.
            #[must_use]
            pub fn from_text(text: &str) -> Self {
                Self(text.to_owned())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

public_id! {
    /// A key's public id, safe to show and to log.
    KeyId "key"
}
public_id! {
    /// A session's public id, safe to show.
    SessionId "session"
}
public_id! {
    /// The public id of an invitation or a reset, safe to show.
    LinkId "link"
}
public_id! {
    /// The public id of a passkey, safe to show. Not its id on the device.
    PasskeyId "passkey"
}

public_id! {
    /// The id of an open upload inside the store, which names its partial file. Never on the wire.
    UploadId "upload"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_asset_id_can_be_parsed() {
        let id = AssetId::random();
        assert_eq!(AssetId::parse(id.as_str()), Some(id));
    }

    #[test]
    fn invalid_asset_ids_are_none() {
        for text in ["", "short", "seventeen-chars-x", "ééééééééé", "0123456789abcde/", "0123456789abcdef0"]
        {
            assert_eq!(AssetId::parse(text), None, "{text}");
        }
    }
}
