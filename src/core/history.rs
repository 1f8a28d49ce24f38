//! The history of an asset: who did what to it, from the audit log. For people; what owners see of the whole organization is in
//! `audit.rs`.

use super::Core;
use super::assets::parse_id;
use super::store::{AssetEventQueries, AssetQueries};
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::Asset;
use crate::core::model::audit::{Action, Actor, ActorKind, Event};
use crate::core::model::name::Slug;
use crate::core::model::time::Millis;
use crate::error::{Code, Error, Result};

/// One event in the history of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetEvent {
    /// When.
    pub at: Millis,
    /// The kind of actor.
    pub by_kind: ActorKind,
    /// The actor's name.
    pub by: String,
    /// The action.
    pub action: Action,
    /// What it did to this asset, such as the tags that were added; may be empty.
    pub what: String,
    /// The library in which it happened, or to which it was transferred, if the caller has access to it.
    pub library: Option<Slug>,
}

impl Core {
    /// The history of an asset, newest first, at most `most` events. Its upload is there even if it is older than the
    /// audit log.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `FORBIDDEN` for a key; `RESOURCE_NOT_FOUND` when it is missing or elsewhere.
    pub fn asset_history(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        id: &str,
        most: usize,
    ) -> Result<Vec<AssetEvent>> {
        let grant = caller.read(path)?;
        if caller.role().is_none() {
            return Err(Error::new(Code::Forbidden, "Only people can read the history of an asset."));
        }
        let id = parse_id(id)?;
        let asset = caller.snapshot().asset_or_trashed(&grant, &id)?.ok_or_else(Error::asset_not_found)?;
        let events = caller.snapshot().asset_events(&grant, &id, most)?;
        let mut history: Vec<AssetEvent> =
            events.into_iter().map(|(event, what)| asset_event(caller, event, what)).collect();
        let is_upload = |event: &AssetEvent| event.action == Action::AssetsUploaded;
        if history.len() < most && !history.last().is_some_and(is_upload) {
            history.push(upload_of(&asset));
        }
        Ok(history)
    }
}

fn asset_event(caller: &Caller, event: Event, what: String) -> AssetEvent {
    let Event { at, actor: Actor { kind, name, .. }, action, target, .. } = event;
    let granted = caller.grants().iter().find(|grant| grant.slug.as_str() == target);
    AssetEvent { at, by_kind: kind, by: name, action, what, library: granted.map(|grant| grant.slug.clone()) }
}

/// The upload of an asset, as its record tells it.
fn upload_of(asset: &Asset) -> AssetEvent {
    AssetEvent {
        at: asset.created,
        by_kind: ActorKind::Member,
        by: asset.uploaded_by.clone(),
        action: Action::AssetsUploaded,
        what: String::new(),
        library: None,
    }
}
