//! The events of the audit log: who did what, when, and from where. Never a key, a password or a token.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::time::Millis;
use super::{Key, Member};

mod chain;

pub use chain::{AuditChain, AuditEntry, ChainCheck, ChainDamage, ChainHash, ChainedEvent};

/// The most characters of a search; later ones are ignored.
const MAX_CHARACTERS: usize = 200;
/// The most words of a search; later ones are ignored.
const MAX_WORDS: usize = 16;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The kind of actor.
    pub kind: ActorKind,
    /// A key's public id, or a person's e-mail; empty otherwise.
    pub id: String,
    /// Their name.
    pub name: String,
    /// The address of the request; none for the administrator of the machine.
    pub address: Option<IpAddr>,
}

/// The kinds of actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// An API key.
    Key,
    /// A signed-in person.
    Member,
    /// The administrator of the machine, or the server itself.
    #[serde(rename = "box")]
    Local,
    /// Somebody unknown.
    Stranger,
}

impl ActorKind {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Member => "member",
            Self::Local => "box",
            Self::Stranger => "stranger",
        }
    }
}

impl Actor {
    /// A key.
    #[must_use]
    pub fn key(key: &Key, address: Option<IpAddr>) -> Self {
        Self { kind: ActorKind::Key, id: key.id.to_string(), name: key.name.clone(), address }
    }

    /// A person.
    #[must_use]
    pub fn member(member: &Member, address: Option<IpAddr>) -> Self {
        Self { kind: ActorKind::Member, id: member.email.clone(), name: member.name.clone(), address }
    }

    /// The administrator of the machine, or the server itself.
    #[must_use]
    pub fn local() -> Self {
        let name = "rasterd on this machine".to_owned();
        Self { kind: ActorKind::Local, id: String::new(), name, address: None }
    }

    /// Somebody who could not be authenticated.
    #[must_use]
    pub fn stranger(address: Option<IpAddr>) -> Self {
        Self { kind: ActorKind::Stranger, id: String::new(), name: "somebody".to_owned(), address }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)+) => {
        /// Everything that can be done. Stored by its position here: new variants go to the end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Action { $($(#[$doc])* $variant,)+ }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name: the kind of target, and the verb.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

actions! {
    /// A person signed in.
    SignedIn "member.signed_in",
    /// A wrong password, a passkey that was not accepted, or an unknown passkey or e-mail.
    SignInRefused "member.sign_in_refused",
    /// A person signed out, or ended another of their sessions.
    SignedOut "member.signed_out",
    /// An invitation was created.
    Invited "member.invited",
    /// An invitation was withdrawn.
    InvitationWithdrawn "member.invitation_withdrawn",
    /// A person joined by a link.
    Joined "member.joined",
    /// A person's role was changed.
    RoleChanged "member.role_changed",
    /// A person was removed from the organization.
    MemberRemoved "member.removed",
    /// A link for a new password was created.
    ResetRequested "member.reset_requested",
    /// A person's password was changed.
    PasswordChanged "member.password_changed",
    /// A key was created.
    KeyCreated "key.created",
    /// A key was renamed.
    KeyRenamed "key.renamed",
    /// A key's grants were changed.
    KeyGranted "key.granted",
    /// A key got a new value.
    KeyRegenerated "key.regenerated",
    /// A key was deleted.
    KeyDeleted "key.deleted",
    /// Requests came with an invalid key.
    KeyRefused "key.refused",
    /// A live key was sent unencrypted.
    KeyExposed "key.exposed",
    /// The organization was renamed or created.
    OrganizationChanged "organization.changed",
    /// A library was created.
    LibraryCreated "library.created",
    /// A library was renamed.
    LibraryRenamed "library.renamed",
    /// A library was deleted with everything in it.
    LibraryDeleted "library.deleted",
    /// Assets were moved to the trash.
    AssetsTrashed "assets.trashed",
    /// Assets were restored from the trash.
    AssetsRestored "assets.restored",
    /// Assets were deleted permanently.
    AssetsPurged "assets.purged",
    /// Assets were transferred to another library.
    AssetsTransferred "assets.transferred",
    /// A person added a passkey to sign in with.
    PasskeyAdded "member.passkey_added",
    /// A person removed one of their passkeys.
    PasskeyRemoved "member.passkey_removed",
    /// A person changed their name.
    MemberRenamed "member.renamed",
    /// A link for a new password was withdrawn.
    ResetWithdrawn "member.reset_withdrawn",
    /// A key keeps working although its creator is no longer an owner.
    KeyKept "key.kept",
    /// A file of assets was found damaged or missing.
    FileDamaged "file.damaged",
    /// An asset was renamed.
    AssetRenamed "assets.renamed",
    /// A person decided about assets.
    ApprovalChanged "assets.approval_changed",
    /// Assets were uploaded.
    AssetsUploaded "assets.uploaded",
    /// A variant of an asset was uploaded.
    VariantUploaded "assets.variant_uploaded",
    /// A variant became the default of its asset.
    VariantPromoted "assets.variant_promoted",
    /// Tags were added to assets.
    AssetsTagged "assets.tagged",
    /// Tags were removed from assets.
    AssetsUntagged "assets.untagged",
    /// The description of an asset was changed.
    AssetDescribed "assets.described",
    /// Files were imported from a folder on the server's machine.
    AssetsImported "assets.imported",
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Millis,
    /// The actor.
    pub actor: Actor,
    /// The action.
    pub action: Action,
    /// The target: the name or the slug of a key, a library or a person.
    pub target: String,
    /// Details for a person; may be empty.
    pub detail: String,
}

/// The words of a search for events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventWords(Vec<String>);

impl EventWords {
    /// The words of a text: the first 200 characters, and the first 16 words of those.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text: String = text.chars().take(MAX_CHARACTERS).collect();
        Self(text.to_lowercase().split_whitespace().take(MAX_WORDS).map(str::to_owned).collect())
    }
}

/// A query for events.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only events in which each of these words occurs, in any case: in the action, the actor, the address, the target
    /// or the details.
    pub words: EventWords,
    /// Only events before this number, from an earlier result.
    pub before: Option<u64>,
    /// The most events.
    pub most: usize,
}

impl EventFilter {
    /// Whether this event matches.
    pub(in crate::core) fn takes(&self, event: &Event) -> bool {
        let EventWords(wanted) = &self.words;
        if wanted.is_empty() {
            return true;
        }
        let Event { actor: Actor { id, name, address, .. }, action, target, detail, .. } = event;
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let action = action.name();
        // The action as in the log, and as separate words.
        let words = action.replace(['.', '_'], " ");
        let text = [action, &words, id, name, &address, target, detail].join("\n").to_lowercase();
        wanted.iter().all(|word| text.contains(word))
    }
}

/// Some events, newest first, each with its number, and where to continue.
#[derive(Debug, Clone, Default)]
pub struct EventPage {
    /// The events.
    pub events: Vec<(u64, Event)>,
    /// The number to continue before; none at the end.
    pub before: Option<u64>,
}

/// Names in a sentence: all if they are few, else the first ones and the number of the others.
#[must_use]
pub fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            at: 1,
            actor: Actor {
                kind: ActorKind::Member,
                id: "ada@example.org".to_owned(),
                name: "Ada".to_owned(),
                address: Some([192, 0, 2, 7].into()),
            },
            action: Action::KeyDeleted,
            target: "Website (k1)".to_owned(),
            detail: String::new(),
        }
    }

    #[test]
    fn an_event_matches_exactly_the_words_in_it() {
        let is_found = |text: &str| {
            EventFilter { words: EventWords::parse(text), ..EventFilter::default() }.takes(&event())
        };
        for found in ["", "  ", "ADA", "192.0.2.7", "key.deleted", "key deleted", "website ada"] {
            assert!(is_found(found), "{found}");
        }
        for missed in ["grace", "ada grace", "signed in"] {
            assert!(!is_found(missed), "{missed}");
        }
    }

    #[test]
    fn only_the_start_of_a_long_search_counts() {
        let EventWords(many) = EventWords::parse(&"a ".repeat(50));
        assert_eq!(many.len(), MAX_WORDS);
        let EventWords(long) = EventWords::parse(&"Ä".repeat(300));
        assert_eq!(long, ["ä".repeat(MAX_CHARACTERS)]);
    }

    #[test]
    fn long_lists_of_names_are_shortened() {
        let names = |count: usize| some_of(vec!["a"; count].into_iter());
        assert_eq!(names(1), "a");
        assert_eq!(names(7), "a, a, a, a, a and 2 more");
    }
}
