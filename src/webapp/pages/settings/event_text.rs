//! An event of the audit log as a sentence: who did what to what.

use super::library_names::LibraryNames;
use crate::core::model::audit::{Action, Actor, ActorKind, Event};
use crate::webapp::format::times::Time;

/// An event as a page shows it: `who` `did` `what` `joint` `more`.
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
    /// What joins it to the rest.
    pub joint: &'static str,
    /// The rest of the sentence; may be empty.
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
    /// The sentence for an event of an organization with these libraries.
    #[must_use]
    pub fn of(event: Event, libraries: &LibraryNames) -> Self {
        let Event { at, actor, action, target, detail } = event;
        let target = if is_of_library(action) { libraries.name(&target).to_owned() } else { target };
        let is_access = matches!(action, Action::KeyCreated | Action::KeyGranted);
        let detail = if is_access { access_text(detail, libraries) } else { detail };
        let (did, what, joint, more) = words(action, target, detail);
        Self {
            when: Time(at),
            who: who(&actor, action),
            who_id: actor.id,
            did,
            what,
            joint,
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

/// What was done: the verb, the object, what joins it to the rest, and the rest.
type Words = (&'static str, String, &'static str, String);

fn words(action: Action, target: String, detail: String) -> Words {
    let nothing = String::new;
    match action {
        Action::SignedIn => ("signed in", nothing(), " ", detail),
        // Attempts with unknown e-mails are counted, not named.
        Action::SignInRefused if target.is_empty() => ("failed to sign in", target, " ", detail),
        Action::SignInRefused => ("failed to sign in as", target, ", ", detail),
        Action::SignedOut => ("signed out, or ended a session", nothing(), " ", detail),
        Action::Invited => ("invited", whom(target), " ", detail),
        Action::InvitationWithdrawn => ("withdrew the invitation", target, " ", detail),
        Action::ResetWithdrawn => ("withdrew the link for a new password", target, " ", detail),
        Action::Joined => ("joined", nothing(), " ", detail),
        Action::RoleChanged => ("changed the role of", target, " ", detail),
        Action::MemberRemoved => ("removed", target, " ", "from the organization".to_owned()),
        Action::ResetRequested => ("made a link for a new password of", target, " ", detail),
        Action::PasswordChanged => ("chose a new password", nothing(), " ", detail),
        Action::KeyCreated => ("generated the key", target, " with ", detail),
        Action::KeyRenamed => ("renamed the key", target, " ", detail),
        Action::KeyGranted => ("changed the access of the key", target, " to ", detail),
        Action::KeyRegenerated => ("regenerated the key", target, " ", detail),
        Action::KeyDeleted => ("deleted the key", target, " ", detail),
        Action::KeyKept => ("kept the key", target, " ", detail),
        Action::KeyRefused => ("was refused:", nothing(), " ", detail),
        Action::KeyExposed => ("exposed the key", target, ": ", detail),
        Action::OrganizationChanged if detail == "made" => {
            ("created the organization", target, "", nothing())
        }
        Action::OrganizationChanged => ("changed the organization", target, ": ", detail),
        Action::LibraryCreated => ("created the library", target, " ", detail),
        Action::LibraryRenamed => ("renamed the library", target, " to ", detail),
        Action::LibraryDeleted => ("deleted the library", target, " ", detail),
        Action::AssetsTrashed => ("moved to the trash of", target, ": ", detail),
        Action::AssetsRestored => ("restored from the trash of", target, ": ", detail),
        Action::AssetsImported => ("imported files into the library", target, ": ", detail),
        Action::AssetsPurged => ("deleted for good from", target, ": ", detail),
        Action::AssetRenamed => ("renamed an asset of", target, ": ", detail),
        Action::AssetsTransferred => ("transferred to the library", target, ": ", detail),
        Action::AssetsUploaded => ("uploaded to", target, ": ", detail),
        Action::VariantUploaded => ("uploaded a variant to", target, ": ", detail),
        Action::VariantPromoted => ("promoted a variant in", target, ": ", detail),
        Action::AssetsTagged => ("added tags in", target, ": ", detail),
        Action::AssetsUntagged => ("removed tags in", target, ": ", detail),
        Action::AssetDescribed => ("changed the description in", target, ": ", detail),
        Action::ApprovalChanged => ("decided about assets in", target, ": ", detail),
        Action::PasskeyAdded => ("added the passkey", detail, "", nothing()),
        Action::PasskeyRemoved => ("removed the passkey", detail, "", nothing()),
        Action::FileDamaged => ("found that the file", target, " ", detail),
        Action::MemberRenamed => ("changed their name", nothing(), " ", detail),
    }
}

/// Whether what an action is done to is a library, recorded by its slug. A renamed library keeps the slug: its name was
/// another one then.
const fn is_of_library(action: Action) -> bool {
    matches!(
        action,
        Action::LibraryCreated
            | Action::AssetsTrashed
            | Action::AssetsRestored
            | Action::AssetsImported
            | Action::AssetsPurged
            | Action::AssetRenamed
            | Action::AssetsTransferred
            | Action::AssetsUploaded
            | Action::VariantUploaded
            | Action::VariantPromoted
            | Action::AssetsTagged
            | Action::AssetsUntagged
            | Action::AssetDescribed
            | Action::ApprovalChanged
    )
}

/// The access of a key, recorded as `photos=read drafts=write`: `Photographs: read, Drafts: write`.
fn access_text(detail: String, libraries: &LibraryNames) -> String {
    let grants: Option<Vec<_>> = detail.split(' ').map(|grant| grant.split_once('=')).collect();
    let Some(grants) = grants else { return detail };
    let named = |(slug, access)| format!("{}: {access}", libraries.name(slug));
    grants.into_iter().map(named).collect::<Vec<_>>().join(", ")
}

/// An invitation for nobody in particular is recorded by its id.
fn whom(target: String) -> String {
    if target.contains('@') { target } else { "anyone who has the link".to_owned() }
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
        let libraries = LibraryNames::from_iter([("photos".to_owned(), "Photographs".to_owned())]);
        let Sentence { who, did, what, joint, more, .. } = Sentence::of(event, &libraries);
        let what = if what.is_empty() { what } else { format!(" {what}") };
        let more = if more.is_empty() { more } else { format!("{joint}{more}") };
        format!("{who} {did}{what}{more}")
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
                said(ActorKind::Member, "Ada", Action::KeyGranted, "Website (k1)", "photos=read gone=write"),
                "Ada changed the access of the key Website (k1) to Photographs: read, gone: write",
            ),
            (
                said(ActorKind::Key, "Website", Action::AssetsTrashed, "photos", "a, b"),
                "The key Website moved to the trash of Photographs: a, b",
            ),
            (
                said(ActorKind::Member, "Ada", Action::KeyCreated, "Website (k1)", "no library"),
                "Ada generated the key Website (k1) with no library",
            ),
            (
                said(ActorKind::Member, "Ada", Action::LibraryRenamed, "photos", "Photographs"),
                "Ada renamed the library photos to Photographs",
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
