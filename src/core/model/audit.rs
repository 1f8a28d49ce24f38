//! What the audit log holds: who did what, when, and from where. Never a key, a password or a token.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::time::Millis;
use super::{Key, Member};

/// How many characters of a search count.
const MOST_CHARACTERS: usize = 200;
/// How many words of a search count.
const MOST_WORDS: usize = 16;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What they are.
    pub kind: ActorKind,
    /// A key's public id, or a person's e-mail; empty otherwise.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// Where the request came from; none at the machine itself.
    pub address: Option<IpAddr>,
}

/// What can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// An API key.
    Key,
    /// A person who is signed in.
    Member,
    /// Anyone who holds the data directory, or the server by itself.
    #[serde(rename = "box")]
    Local,
    /// Nobody that the server knows.
    Stranger,
}

impl ActorKind {
    /// The word for it.
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

    /// Anyone who holds the data directory, or the server by itself.
    #[must_use]
    pub fn local() -> Self {
        let name = "rasterd on this machine".to_owned();
        Self { kind: ActorKind::Local, id: String::new(), name, address: None }
    }

    /// Somebody who could not show who they are.
    #[must_use]
    pub fn stranger(address: Option<IpAddr>) -> Self {
        Self { kind: ActorKind::Stranger, id: String::new(), name: "somebody".to_owned(), address }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)+) => {
        /// What can be done. Stored by its place here: new ones come last.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Action { $($(#[$doc])* $variant,)+ }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name: what it was done to, and the verb.
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
    /// A wrong password, a passkey that was not accepted, or one or an e-mail that nobody has.
    SignInRefused "member.sign_in_refused",
    /// A person signed out, or ended another of their sessions.
    SignedOut "member.signed_out",
    /// A link into the organization was made.
    Invited "member.invited",
    /// Such a link was withdrawn.
    InvitationWithdrawn "member.invitation_withdrawn",
    /// A person joined by a link.
    Joined "member.joined",
    /// A person got another role.
    RoleChanged "member.role_changed",
    /// A person was taken out of the organization.
    MemberRemoved "member.removed",
    /// A link to set a new password was made.
    ResetRequested "member.reset_requested",
    /// A person's password is another now.
    PasswordChanged "member.password_changed",
    /// A key was made.
    KeyCreated "key.created",
    /// A key got another name.
    KeyRenamed "key.renamed",
    /// A key's grants are others now.
    KeyGranted "key.granted",
    /// A key got a new value.
    KeyRegenerated "key.regenerated",
    /// A key was deleted.
    KeyDeleted "key.deleted",
    /// Requests came with a key that opens nothing.
    KeyRefused "key.refused",
    /// A live key was sent in the clear.
    KeyExposed "key.exposed",
    /// The organization got another name, or was made.
    OrganizationChanged "organization.changed",
    /// A library was made.
    LibraryCreated "library.created",
    /// A library got another name.
    LibraryRenamed "library.renamed",
    /// A library was deleted with everything in it.
    LibraryDeleted "library.deleted",
    /// Assets went into the trash.
    AssetsTrashed "assets.trashed",
    /// Assets came back out of the trash.
    AssetsRestored "assets.restored",
    /// Assets were deleted for good.
    AssetsPurged "assets.purged",
    /// Assets went over to another library.
    AssetsTransferred "assets.transferred",
    /// A person added a passkey to sign in with.
    PasskeyAdded "member.passkey_added",
    /// A person removed one of their passkeys.
    PasskeyRemoved "member.passkey_removed",
    /// A person chose another name.
    MemberRenamed "member.renamed",
    /// A link to set a new password was withdrawn.
    ResetWithdrawn "member.reset_withdrawn",
    /// A key goes on working although the owner who made it is not one any more.
    KeyKept "key.kept",
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Millis,
    /// By whom.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To what: the name or the slug of a key, a library, a person.
    pub target: String,
    /// More about it, for a person; empty when there is no more.
    pub detail: String,
}

/// Words that events are searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventWords(Vec<String>);

impl EventWords {
    /// The words of a text; what is behind the first 200 characters or the first 16 words does not count.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text: String = text.chars().take(MOST_CHARACTERS).collect();
        Self(text.to_lowercase().split_whitespace().take(MOST_WORDS).map(str::to_owned).collect())
    }
}

/// Which events are asked for.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only those in which each of these words occurs, in any case: in the action, the actor, the address, the
    /// target, the detail.
    pub words: EventWords,
    /// Only those before this one, as an earlier answer told it.
    pub before: Option<u64>,
    /// At most so many.
    pub most: usize,
}

impl EventFilter {
    /// Whether this event is asked for.
    pub(in crate::core) fn takes(&self, event: &Event) -> bool {
        let EventWords(wanted) = &self.words;
        if wanted.is_empty() {
            return true;
        }
        let Event { actor: Actor { id, name, address, .. }, action, target, detail, .. } = event;
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let action = action.name();
        // The action as it is written in the log, and its words.
        let words = action.replace(['.', '_'], " ");
        let text = [action, &words, id, name, &address, target, detail].join("\n").to_lowercase();
        wanted.iter().all(|word| text.contains(word))
    }
}

/// Some events, newest first, each with its number, and whether there are older ones that were not looked at.
#[derive(Debug, Clone, Default)]
pub struct EventPage {
    /// The events.
    pub events: Vec<(u64, Event)>,
    /// What to ask for to get the next of them.
    pub before: Option<u64>,
}

/// Some names in a sentence: all when they are few, the first ones and how many more otherwise.
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
    fn an_event_is_found_by_all_the_words_in_it_and_by_no_others() {
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
        assert_eq!(many.len(), MOST_WORDS);
        let EventWords(long) = EventWords::parse(&"Ä".repeat(300));
        assert_eq!(long, ["ä".repeat(MOST_CHARACTERS)]);
    }

    #[test]
    fn names_that_are_many_are_cut_short() {
        let names = |count: usize| some_of(vec!["a"; count].into_iter());
        assert_eq!(names(1), "a");
        assert_eq!(names(7), "a, a, a, a, a and 2 more");
    }
}
