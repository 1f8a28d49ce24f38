//! The chain of an organization's audit log: each event has the hash of the one before it, so that a changed or removed
//! event shows. How the hash is computed is in the guide `audit`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Actor, Event};
use crate::core::model::time::Millis;

/// The hash of an event together with all events before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// What comes before the first event.
    pub const START: Self = Self([0; 32]);

    /// The hash in hexadecimal.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text.trim()).ok().map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

/// An event as it is hashed and exported: its compact JSON, with the fields in this order, is what the hash covers. New
/// fields must be left out where they are empty, so that the JSON of older events stays the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, which grows over the whole server.
    pub number: u64,
    /// When, in unix milliseconds.
    pub at: Millis,
    /// Who.
    pub actor: Actor,
    /// The action's name.
    pub action: String,
    /// The target.
    pub target: String,
    /// Details for a person; may be empty.
    pub detail: String,
}

impl AuditEntry {
    /// The entry of an event.
    #[must_use]
    pub fn new(number: u64, event: Event) -> Self {
        let Event { at, actor, action, target, detail } = event;
        Self { number, at, actor, action: action.name().to_owned(), target, detail }
    }
}

/// What is stored about a chain beside its events: enough to notice that the first or the last ones are missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChain {
    /// How many events there are.
    pub entries: u64,
    /// How many were deleted because of their age.
    pub pruned: u64,
    /// The number of the last event; 0 before the first.
    pub last: u64,
    /// The hash of the last event that was deleted because of its age.
    pub anchor: ChainHash,
    /// The hash of the last event.
    pub head: ChainHash,
}

impl Default for AuditChain {
    fn default() -> Self {
        Self { entries: 0, pruned: 0, last: 0, anchor: ChainHash::START, head: ChainHash::START }
    }
}

/// An event with its place in the chain, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainedEvent {
    /// The event.
    pub entry: AuditEntry,
    /// The hash of the event before it.
    pub previous: ChainHash,
    /// Its hash; none when that is missing.
    pub hash: Option<ChainHash>,
}

/// The result of checking a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainCheck {
    /// What is stored about the chain.
    pub chain: AuditChain,
    /// How many events were found whole.
    pub whole: u64,
    /// The time of the first event.
    pub from: Option<Millis>,
    /// The time of the last event that was found whole.
    pub to: Option<Millis>,
    /// The first event that is not whole, and what is wrong with it.
    pub damage: Option<(u64, ChainDamage)>,
    /// Whether the expected hash is in the chain; true when none was expected.
    pub has_expected: bool,
}

/// What is wrong with a chain at some event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainDamage {
    /// The event can't be read.
    Unreadable,
    /// The event does not match its hash: it was changed, or one before it was removed or added.
    Changed,
    /// The chain ends before this event, which was the last one.
    Missing,
}

impl ChainDamage {
    /// What is wrong, as the end of a sentence about the event.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "can't be read",
            Self::Changed => {
                "does not match its hash: it was changed, or events before it were removed or added"
            }
            Self::Missing => "is missing, and possibly others before it: the newest events were removed",
        }
    }
}
