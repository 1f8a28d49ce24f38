//! The history of an asset on its page: who did what to it, newest first.

use askama::Template;

use super::browsing::Browsing;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::history::AssetEvent;
use crate::core::model::audit::{Action, ActorKind};
use crate::core::model::name::Slug;
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
    newest: Vec<HistoryEntry>,
    older: Vec<HistoryEntry>,
}

/// One event: `who` `did` `what`.
struct HistoryEntry {
    when: Time,
    who: String,
    did: &'static str,
    what: String,
}

impl AssetHistory {
    /// The history of an asset of a library.
    ///
    /// # Errors
    /// Those of [`Core::asset_history`].
    pub fn of(core: &Core, caller: &Caller, browsing: &Browsing, id: &str) -> Result<Self> {
        let history = core.asset_history(caller, &browsing.path(), id, SHOWN)?;
        let library_name = |slug: &Slug| {
            let path = LibraryPath { organization: &browsing.organization, library: slug.as_str() };
            core.get_library(caller, &path).map_or_else(|_| slug.to_string(), |detail| detail.library.name)
        };
        let mut newest: Vec<HistoryEntry> =
            history.into_iter().map(|event| entry(event, library_name)).collect();
        let older = newest.split_off(newest.len().min(AT_ONCE));
        Ok(Self { newest, older })
    }
}

fn entry(event: AssetEvent, library_name: impl Fn(&Slug) -> String) -> HistoryEntry {
    let who = match event.by_kind {
        ActorKind::Key => format!("The key {}", event.by),
        ActorKind::Member => event.by,
        ActorKind::Local => "The server’s administrator".to_owned(),
        ActorKind::Stranger => "Somebody".to_owned(),
    };
    let library = event.library.as_ref().map(library_name);
    let (did, what) = words(event.action, event.what, library);
    HistoryEntry { when: Time(event.at), who, did, what }
}

/// What was done to the asset: the verb, and its object.
fn words(action: Action, what: String, library: Option<String>) -> (&'static str, String) {
    match action {
        Action::AssetsUploaded => ("uploaded it", String::new()),
        Action::VariantUploaded => ("uploaded the variant", what),
        Action::VariantPromoted => ("promoted the variant", what),
        Action::AssetsTagged => ("added the tags", what),
        Action::AssetsUntagged => ("removed the tags", what),
        Action::AssetDescribed => ("changed the description", String::new()),
        Action::ApprovalChanged => ("decided:", what),
        Action::AssetRenamed => ("renamed", what),
        Action::AssetsTrashed => ("moved it to the trash", String::new()),
        Action::AssetsRestored => ("restored it from the trash", String::new()),
        Action::AssetsTransferred => match library {
            Some(library) => ("transferred it to", library),
            None => ("transferred it", String::new()),
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
        | Action::FileDamaged => (action.name(), what),
    }
}
