//! An event of the audit log as a sentence: who did what to what.

use crate::core::model::audit::{Action, Actor, ActorKind, Event};
use crate::webapp::format::times::Time;

/// An event as a page shows it: `who` `did` `what` `more`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// When it was.
    pub when: Time,
    /// Who did it.
    pub who: String,
    /// Who that is under any name: an e-mail, a key's id; empty if unknown.
    pub who_id: String,
    /// The verb, up to the object.
    pub did: &'static str,
    /// The object; empty where the verb says it all.
    pub what: String,
    /// What comes after it.
    pub more: String,
    /// The address of the request; empty for this machine.
    pub from: String,
    /// The action's name in the log.
    pub action: &'static str,
    /// An icon for it.
    pub icon: &'static str,
    /// Whether somebody should look into it.
    pub is_alarming: bool,
}

impl Sentence {
    /// The sentence for an event.
    #[must_use]
    pub fn of(event: Event) -> Self {
        let Event { at, actor, action, target, detail } = event;
        let (did, what, more) = words(action, target, detail);
        Self {
            when: Time(at),
            who: who(&actor, action),
            who_id: actor.id,
            did,
            what,
            more,
            from: actor.address.map(|address| address.to_string()).unwrap_or_default(),
            action: action.name(),
            icon: icon(action),
            is_alarming: matches!(
                action,
                Action::SignInRefused | Action::KeyRefused | Action::KeyExposed | Action::FileDamaged
            ),
        }
    }
}

fn who(actor: &Actor, action: Action) -> String {
    match (actor.kind, action) {
        (ActorKind::Stranger, _) | (ActorKind::Key, Action::KeyExposed) => "Somebody".to_owned(),
        (ActorKind::Key, _) => format!("The key {}", actor.name),
        (ActorKind::Member, _) => actor.name.clone(),
        (ActorKind::Local, Action::AssetsPurged | Action::FileDamaged) => "The server".to_owned(),
        (ActorKind::Local, _) => "The server’s administrator".to_owned(),
    }
}

/// The verb, the object, and what comes after it.
fn words(action: Action, target: String, detail: String) -> (&'static str, String, String) {
    match action {
        Action::SignedIn => ("signed in", String::new(), detail),
        // Attempts with unknown e-mails are counted, not named.
        Action::SignInRefused if target.is_empty() => ("failed to sign in", target, detail),
        Action::SignInRefused => ("failed to sign in as", target, after(", ", detail)),
        Action::SignedOut => ("signed out, or ended a session", String::new(), detail),
        Action::Invited => ("invited", whom(target), detail),
        Action::InvitationWithdrawn => ("withdrew the invitation", target, detail),
        Action::ResetWithdrawn => ("withdrew the link for a new password", target, detail),
        Action::Joined => ("joined", String::new(), detail),
        Action::RoleChanged => ("changed the role of", target, detail),
        Action::MemberRemoved => ("removed", target, "from the organization".to_owned()),
        Action::ResetRequested => ("made a link for a new password of", target, detail),
        Action::PasswordChanged => ("chose a new password", String::new(), detail),
        Action::KeyCreated => ("generated the key", target, after("with ", detail)),
        Action::KeyRenamed => ("renamed the key", target, detail),
        Action::KeyGranted => ("changed the access of the key", target, after("to ", detail)),
        Action::KeyRegenerated => ("regenerated the key", target, detail),
        Action::KeyDeleted => ("deleted the key", target, detail),
        Action::KeyKept => ("kept the key", target, detail),
        Action::KeyRefused => ("was refused:", String::new(), detail),
        Action::KeyExposed => ("exposed the key", target, after(": ", detail)),
        Action::OrganizationChanged if detail == "made" => {
            ("created the organization", target, String::new())
        }
        Action::OrganizationChanged => ("changed the organization", target, after(": ", detail)),
        Action::LibraryCreated => ("created the library", target, detail),
        Action::LibraryRenamed => ("renamed the library", target, after("to ", detail)),
        Action::LibraryDeleted => ("deleted the library", target, detail),
        Action::AssetsTrashed => ("moved to the trash of", target, after(": ", detail)),
        Action::AssetsRestored => ("restored from the trash of", target, after(": ", detail)),
        Action::AssetsImported => ("imported files into the library", target, after(": ", detail)),
        Action::AssetsPurged => ("deleted for good from", target, after(": ", detail)),
        Action::AssetRenamed => ("renamed an asset of", target, after(": ", detail)),
        Action::AssetsTransferred => ("transferred to the library", target, after(": ", detail)),
        Action::AssetsUploaded => ("uploaded to", target, after(": ", detail)),
        Action::VariantUploaded => ("uploaded a variant to", target, after(": ", detail)),
        Action::VariantPromoted => ("promoted a variant in", target, after(": ", detail)),
        Action::AssetsTagged => ("added tags in", target, after(": ", detail)),
        Action::AssetsUntagged => ("removed tags in", target, after(": ", detail)),
        Action::AssetDescribed => ("changed the description in", target, after(": ", detail)),
        Action::ApprovalChanged => ("decided about assets in", target, after(": ", detail)),
        Action::PasskeyAdded => ("added the passkey", detail, String::new()),
        Action::PasskeyRemoved => ("removed the passkey", detail, String::new()),
        Action::FileDamaged => ("found that the file", target, detail),
        Action::MemberRenamed => ("changed their name", String::new(), detail),
    }
}

/// An invitation for nobody in particular is recorded by its id.
fn whom(target: String) -> String {
    if target.contains('@') { target } else { "anyone who has the link".to_owned() }
}

fn after(start: &str, detail: String) -> String {
    if detail.is_empty() { detail } else { format!("{start}{detail}") }
}

const fn icon(action: Action) -> &'static str {
    match action {
        Action::SignedIn
        | Action::SignedOut
        | Action::PasswordChanged
        | Action::PasskeyAdded
        | Action::PasskeyRemoved
        | Action::MemberRenamed => "circle-user",
        Action::SignInRefused | Action::KeyRefused | Action::KeyExposed | Action::FileDamaged => {
            "triangle-alert"
        }
        Action::Invited
        | Action::InvitationWithdrawn
        | Action::Joined
        | Action::RoleChanged
        | Action::MemberRemoved
        | Action::ResetRequested
        | Action::ResetWithdrawn => "users",
        Action::KeyCreated
        | Action::KeyRenamed
        | Action::KeyGranted
        | Action::KeyRegenerated
        | Action::KeyKept
        | Action::KeyDeleted => "key-round",
        Action::OrganizationChanged => "building-2",
        Action::LibraryCreated | Action::LibraryRenamed | Action::LibraryDeleted => "images",
        Action::AssetsTrashed | Action::AssetsPurged => "trash-2",
        Action::AssetsRestored => "archive-restore",
        Action::AssetsTransferred | Action::AssetsImported => "folder-input",
        Action::AssetsUploaded | Action::VariantUploaded => "upload",
        Action::VariantPromoted => "star",
        Action::AssetsTagged | Action::AssetsUntagged => "tag",
        Action::AssetRenamed | Action::AssetDescribed => "pencil",
        Action::ApprovalChanged => "circle-check",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: ActorKind, name: &str, action: Action, target: &str, detail: &str) -> String {
        let actor = Actor { kind, id: String::new(), name: name.to_owned(), address: None };
        let event = Event { at: 1, actor, action, target: target.to_owned(), detail: detail.to_owned() };
        let Sentence { who, did, what, more, .. } = Sentence::of(event);
        let words = [who.as_str(), did, &what, &more].into_iter().filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ").replace(" :", ":").replace(" ,", ",")
    }

    #[test]
    fn every_action_is_a_sentence_of_its_own() {
        let all: Vec<String> =
            Action::ALL.iter().map(|action| said(ActorKind::Member, "Ada", *action, "it", "so")).collect();
        for (place, sentence) in all.iter().enumerate() {
            assert!(sentence.starts_with("Ada ") && !all[..place].contains(sentence), "{sentence}");
        }
    }

    #[test]
    fn sentences_read_well() {
        for (sentence, expected) in [
            (said(ActorKind::Member, "Ada", Action::SignedIn, "ada@example.org", ""), "Ada signed in"),
            (
                said(ActorKind::Member, "Ada", Action::KeyGranted, "Website (k1)", "photos=read"),
                "Ada changed the access of the key Website (k1) to photos=read",
            ),
            (
                said(ActorKind::Key, "Website", Action::AssetsTrashed, "photos", "a, b"),
                "The key Website moved to the trash of photos: a, b",
            ),
            (
                said(ActorKind::Local, "", Action::OrganizationChanged, "Acme", "made"),
                "The server’s administrator created the organization Acme",
            ),
            (
                said(ActorKind::Member, "Grace", Action::MemberRenamed, "a@b", "from \"Ada\""),
                "Grace changed their name from \"Ada\"",
            ),
            (
                said(
                    ActorKind::Stranger,
                    "",
                    Action::KeyRefused,
                    "",
                    "3 requests with a key that is not valid",
                ),
                "Somebody was refused: 3 requests with a key that is not valid",
            ),
            (
                said(ActorKind::Local, "", Action::Invited, "link_0", "as owner"),
                "The server’s administrator invited anyone who has the link as owner",
            ),
        ] {
            assert_eq!(sentence, expected);
        }
    }
}
