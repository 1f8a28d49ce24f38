//! The history of an asset on its page: who did what to it, newest first.

use askama::Template;

use super::browsing::Browsing;
use crate::core::Core;
use crate::core::access::Caller;
use crate::core::history::AssetEvent;
use crate::core::model::audit::{Action, ActorKind};
use crate::error::Result;
use crate::webapp::format::times::Time;

/// How many events the page shows.
const SHOWN: usize = 50;
/// How many of them are visible at once.
const AT_ONCE: usize = 5;

/// The history of an asset.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/asset_history.html")]
pub struct AssetHistory {
    newest: Vec<Entry>,
    older: Vec<Entry>,
}

/// One event: `who` `did`.
struct Entry {
    when: Time,
    who: String,
    did: String,
}

impl AssetHistory {
    /// The history of an asset of a library.
    ///
    /// # Errors
    /// Those of [`Core::asset_history`].
    pub fn of(core: &Core, caller: &Caller, browsing: &Browsing, id: &str) -> Result<Self> {
        let history = core.asset_history(caller, &browsing.path(), id, SHOWN)?;
        let mut newest: Vec<Entry> = history.iter().map(entry).collect();
        let older = newest.split_off(newest.len().min(AT_ONCE));
        Ok(Self { newest, older })
    }
}

fn entry(event: &AssetEvent) -> Entry {
    let who = match event.by_kind {
        ActorKind::Key => format!("The key {}", event.by),
        ActorKind::Member => event.by.clone(),
        ActorKind::Local => "The server’s administrator".to_owned(),
        ActorKind::Stranger => "Somebody".to_owned(),
    };
    Entry { when: Time(event.at), who, did: did(event) }
}

/// What was done to the asset.
fn did(event: &AssetEvent) -> String {
    let with = |verb: &str| {
        if event.what.is_empty() { verb.to_owned() } else { format!("{verb} {}", event.what) }
    };
    match event.action {
        Action::AssetsUploaded => "uploaded it".to_owned(),
        Action::VariantUploaded => with("uploaded the variant"),
        Action::VariantPromoted => with("promoted the variant"),
        Action::AssetsTagged => with("added the tags"),
        Action::AssetsUntagged => with("removed the tags"),
        Action::AssetDescribed => "changed the description".to_owned(),
        Action::ApprovalChanged => with("decided:"),
        Action::AssetRenamed => with("renamed"),
        Action::AssetsTrashed => "moved it to the trash".to_owned(),
        Action::AssetsRestored => "restored it from the trash".to_owned(),
        Action::AssetsTransferred => match &event.library {
            Some(library) => format!("transferred it to {library}"),
            None => "transferred it".to_owned(),
        },
        // No other action is recorded in the history of an asset.
        Action::SignedIn
        | Action::SignInRefused
        | Action::SignedOut
        | Action::Invited
        | Action::InvitationWithdrawn
        | Action::Joined
        | Action::RoleChanged
        | Action::MemberRemoved
        | Action::ResetRequested
        | Action::PasswordChanged
        | Action::KeyCreated
        | Action::KeyRenamed
        | Action::KeyGranted
        | Action::KeyRegenerated
        | Action::KeyDeleted
        | Action::KeyRefused
        | Action::KeyExposed
        | Action::OrganizationChanged
        | Action::LibraryCreated
        | Action::LibraryRenamed
        | Action::LibraryDeleted
        | Action::AssetsPurged
        | Action::PasskeyAdded
        | Action::PasskeyRemoved
        | Action::MemberRenamed
        | Action::ResetWithdrawn
        | Action::KeyKept
        | Action::AssetsImported
        | Action::FileDamaged => with(event.action.name()),
    }
}
