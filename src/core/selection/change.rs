//! What a change of a selection does to each asset.

use super::{ChangedAsset, LeftOutReason, MadeDecision, SelectionChange};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath, WriteGrant};
use crate::core::approvals::Decision;
use crate::core::assets::{expect_tag_room, names, parse_id, within};
use crate::core::model::Asset;
use crate::core::model::audit::Action;
use crate::core::model::name::{Tag, fold};
use crate::core::model::time::Millis;
use crate::core::store::{AssetCommands, AssetQueries, ReserveUse, TagQueries, TrashCommands, Tx};
use crate::error::{Error, Result};

/// A change whose values are valid.
pub(super) enum ParsedChange {
    Tag { tags: Vec<Tag>, most: usize, most_in_library: usize },
    Untag { tags: Vec<Tag> },
    Describe { text: String, only_after: Option<String> },
    Approve { decision: Decision, only_after: Option<MadeDecision> },
    Transfer { target: WriteGrant, most_in_library: usize },
    Trash,
    Restore,
}

/// What a change did to one asset.
pub(super) enum Applied {
    Changed(ChangedAsset),
    /// It was as wanted before.
    Same,
    Refused(LeftOutReason),
}

impl ParsedChange {
    pub(super) fn of(
        core: &Core,
        caller: &Caller,
        grant: &WriteGrant,
        change: &SelectionChange,
    ) -> Result<Self> {
        let limits = &core.settings().limits;
        let parse = |tags: &[String], read: fn(&str) -> Result<Tag>| -> Result<Vec<Tag>> {
            within("tags", tags.len(), 1, limits.tags_per_call)?;
            let mut parsed: Vec<Tag> = Vec::new();
            for tag in tags {
                let tag = read(tag)?;
                if parsed.iter().all(|known| known.folded() != tag.folded()) {
                    parsed.push(tag);
                }
            }
            Ok(parsed)
        };
        Ok(match change {
            SelectionChange::Tag(tags) => Self::Tag {
                tags: parse(tags, Tag::parse)?,
                most: limits.tags_per_asset,
                most_in_library: limits.tags_per_library,
            },
            SelectionChange::Untag(tags) => Self::Untag { tags: parse(tags, Tag::find)? },
            SelectionChange::Describe { text, only_after } => {
                core.expect_description(text)?;
                Self::Describe { text: text.clone(), only_after: only_after.clone() }
            }
            SelectionChange::Approve { decision, only_after } => {
                Self::Approve { decision: decision.checked()?, only_after: *only_after }
            }
            SelectionChange::Transfer(library) => {
                let organization = caller.organization().slug.as_str();
                let target = caller.write(&LibraryPath { organization, library })?;
                if target.library() == grant.library() {
                    return Err(Error::bad_input(
                        "The assets are already in that library. Choose another one to transfer them to.",
                    ));
                }
                Self::Transfer { target, most_in_library: limits.tags_per_library }
            }
            SelectionChange::Trash => Self::Trash,
            SelectionChange::Restore => Self::Restore,
        })
    }

    /// Whether it goes on when the disk is full.
    pub(super) fn reserve_use(&self) -> ReserveUse {
        match self {
            Self::Untag { .. } | Self::Trash | Self::Restore => ReserveUse::Allowed,
            Self::Tag { .. } | Self::Describe { .. } | Self::Approve { .. } | Self::Transfer { .. } => {
                ReserveUse::Never
            }
        }
    }

    /// Checks the other library again; returns how many tags the library has whose tags may become more.
    pub(super) fn begin(&self, tx: &Tx<'_>, grant: &WriteGrant, now: Millis) -> Result<u64> {
        match self {
            Self::Transfer { target, .. } => {
                target.confirm(tx, now)?;
                tx.expect_library(target)?;
                tx.tag_total(target)
            }
            Self::Tag { .. } => tx.tag_total(grant),
            Self::Untag { .. }
            | Self::Describe { .. }
            | Self::Approve { .. }
            | Self::Trash
            | Self::Restore => Ok(0),
        }
    }

    /// The asset of an id, if it is where the change applies; otherwise what to call it.
    pub(super) fn present(&self, tx: &Tx<'_>, grant: &WriteGrant, id: &str) -> Result<Result<Asset, String>> {
        let Ok(parsed) = parse_id(id) else { return Ok(Err(id.to_owned())) };
        let Some(found) = tx.asset_or_trashed(grant, &parsed)? else { return Ok(Err(id.to_owned())) };
        let is_present = match self {
            Self::Restore => tx.trashed_alone(grant, &found.id)?.is_some(),
            Self::Tag { .. }
            | Self::Untag { .. }
            | Self::Describe { .. }
            | Self::Approve { .. }
            | Self::Transfer { .. }
            | Self::Trash => found.is_listed(),
        };
        Ok(if is_present { Ok(found) } else { Err(found.name) })
    }

    pub(super) fn apply(
        &self,
        tx: &Tx<'_>,
        grant: &WriteGrant,
        asset: &Asset,
        now: Millis,
    ) -> Result<Applied> {
        let changed = || ChangedAsset { id: asset.id, tags: Vec::new(), description: None, decision: None };
        match self {
            Self::Tag { tags, most, .. } => {
                let new = tags.iter().filter(|tag| asset.tags.iter().all(|text| fold(text) != tag.folded()));
                if new.clone().count() + asset.tags.len() > (*most).max(asset.tags.len()) {
                    return Ok(Applied::Refused(LeftOutReason::TooManyTags));
                }
                let mut after = asset.clone();
                for tag in new.clone() {
                    tx.tag_asset(grant, &mut after, tag)?;
                }
                put_tagged(tx, grant, after, new.map(|tag| tag.as_str().to_owned()).collect(), now)
            }
            Self::Untag { tags } => {
                let has = |tag: &&Tag| asset.tags.iter().any(|text| fold(text) == tag.folded());
                let mut after = asset.clone();
                let mut removed = Vec::new();
                for tag in tags.iter().filter(has) {
                    tx.untag_asset(grant, &mut after, tag)?;
                    removed.push(tag.as_str().to_owned());
                }
                put_tagged(tx, grant, after, removed, now)
            }
            Self::Describe { text, .. } if *text == asset.description => Ok(Applied::Same),
            Self::Describe { only_after: Some(made), .. } if *made != asset.description => Ok(Applied::Same),
            Self::Describe { text, .. } => {
                let mut after = Asset { description: text.clone(), ..asset.clone() };
                after.content.processing.keep_description();
                tx.put_asset(grant, &after.touched(now))?;
                let description = Some(asset.description.clone());
                Ok(Applied::Changed(ChangedAsset { description, ..changed() }))
            }
            Self::Approve { only_after: Some(made), .. } if MadeDecision::about(asset) != *made => {
                Ok(Applied::Same)
            }
            Self::Approve { decision, .. } => {
                let before = Decision::of(asset.approval.as_ref());
                let decided = decision.record(tx, grant, asset, now)?;
                Ok(decided.map_or(Applied::Same, |decided| {
                    let decision = Some((before, MadeDecision::about(&decided)));
                    Applied::Changed(ChangedAsset { decision, ..changed() })
                }))
            }
            Self::Transfer { target, .. } => {
                tx.move_asset(grant, target, asset.clone(), now).map(|_| Applied::Changed(changed()))
            }
            Self::Trash => tx.trash_asset(grant, asset.clone(), now).map(|()| Applied::Changed(changed())),
            Self::Restore => {
                tx.restore_asset(grant, asset.clone(), now).map(|()| Applied::Changed(changed()))
            }
        }
    }

    /// Refuses the whole change where a library would have too many different tags, and records it in the audit log.
    pub(super) fn end(
        &self,
        tx: &Tx<'_>,
        grant: &WriteGrant,
        tags_before: u64,
        changed: &[Asset],
        now: Millis,
    ) -> Result<()> {
        let record = |grant: &WriteGrant, action, what: &str| {
            tx.record_assets_event(now, grant, action, what, changed.iter())
        };
        match self {
            Self::Tag { tags, most_in_library, .. } => {
                expect_tag_room(tx, grant, tags_before, *most_in_library)?;
                record(grant, Action::AssetsTagged, &names(tags))
            }
            Self::Untag { tags } => record(grant, Action::AssetsUntagged, &names(tags)),
            Self::Describe { .. } => record(grant, Action::AssetDescribed, ""),
            Self::Approve { decision, .. } => decision.record_event(tx, grant, changed.iter(), now),
            Self::Transfer { target, most_in_library } => {
                expect_tag_room(tx, target, tags_before, *most_in_library)?;
                record(target, Action::AssetsTransferred, "")
            }
            Self::Trash => record(grant, Action::AssetsTrashed, ""),
            Self::Restore => record(grant, Action::AssetsRestored, ""),
        }
    }
}

/// Writes an asset whose tags changed.
fn put_tagged(
    tx: &Tx<'_>,
    grant: &WriteGrant,
    after: Asset,
    tags: Vec<String>,
    now: Millis,
) -> Result<Applied> {
    if tags.is_empty() {
        return Ok(Applied::Same);
    }
    let id = after.id;
    tx.put_asset(grant, &after.touched(now))?;
    Ok(Applied::Changed(ChangedAsset { id, tags, description: None, decision: None }))
}
