//! Changes of the assets that a person selected on a page: some of them by id, or all that a query finds. Some may have
//! been trashed or moved by others meanwhile, so each change does what it can, and names what it left out.

use super::Core;
use super::approvals::Decision;
use super::assets::within;
use super::browse::{AssetQuery, BrowseCursor, Order};
use super::model::time::Millis;
use super::model::{ApprovalState, Asset};
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::id::AssetId;
use crate::error::Result;

mod change;

use change::{Applied, ParsedChange};

/// A change of several assets of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectionChange {
    /// Add these tags.
    Tag(Vec<String>),
    /// Remove these tags.
    Untag(Vec<String>),
    /// Set the description.
    Describe {
        /// The description.
        text: String,
        /// The description that they must have for that, if it is not any.
        only_after: Option<String>,
    },
    /// Decide about them, which only people can.
    Approve {
        /// The decision.
        decision: Decision,
        /// The decision that it must be about for that, if it is not any.
        only_after: Option<MadeDecision>,
    },
    /// Move them to the library with this slug, in the same organization.
    Transfer(String),
    /// Move them to the trash.
    Trash,
    /// Take them out of the trash.
    Restore,
}

/// A decision that was made, by what tells it from a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeDecision {
    /// Where it stands; none when an approval was taken back.
    pub state: Option<ApprovalState>,
    /// When it was made; none with the state.
    pub at: Option<Millis>,
}

impl MadeDecision {
    /// The decision about an asset.
    #[must_use]
    pub fn about(asset: &Asset) -> Self {
        Self { state: asset.approval_state(), at: asset.approval.as_ref().map(|approval| approval.at) }
    }
}

/// What a change did to the assets of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectionOutcome {
    /// The assets that are different now.
    pub changed: Vec<ChangedAsset>,
    /// The names of those that were as wanted before.
    pub unchanged: Vec<String>,
    /// Those that could not be changed.
    pub left_out: Vec<LeftOut>,
}

/// A changed asset, and what undoes the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedAsset {
    /// The asset.
    pub id: AssetId,
    /// The tags that it has, or lacks, only since then.
    pub tags: Vec<String>,
    /// The description before, if that is what changed.
    pub description: Option<String>,
    /// The decision before, and the one that was made, if that is what changed.
    pub decision: Option<(Decision, MadeDecision)>,
}

/// An asset that was not changed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name; the id where the library does not know it.
    pub name: String,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why an asset was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOutReason {
    /// It is no longer in the library, or in its trash.
    Gone,
    /// It would have more tags than an asset may have.
    TooManyTags,
}

/// A part of a selection that one call may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectionPart {
    /// The ids.
    pub ids: Vec<String>,
    /// The position after which the next part begins, if there is more.
    pub next: Option<BrowseCursor>,
}

impl Core {
    /// The next part of a selection by query: at most as many assets as one call may change. Newest first, so that what is
    /// uploaded meanwhile is not part of it. Also returns the caller.
    ///
    /// # Errors
    /// Those of [`Core::browse`].
    pub async fn selection_part(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        query: &AssetQuery,
        except: &[String],
        after: Option<&BrowseCursor>,
    ) -> Result<(Caller, SelectionPart)> {
        let query = AssetQuery { order: Some(Order::Newest), ..query.clone() };
        let most = self.settings().limits.ids_per_call;
        let (caller, page) = self.browse(caller, path, &query, after, most).await?;
        let ids = page.assets.iter().map(|found| found.detail.asset.id.to_string());
        let ids = ids.filter(|id| !except.contains(id)).collect();
        Ok((caller, SelectionPart { ids, next: page.next }))
    }

    /// Changes assets of a library, in one transaction. Those that are no longer there, and those that can't be changed, are
    /// left out.
    ///
    /// # Errors
    /// Those of [`Caller::write`], or of [`Caller::approve`] for a decision; those of [`Caller::write`] for the other library of a transfer, too; `BAD_USER_INPUT` for the number of assets, for
    /// tags and for a description.
    pub async fn change_selection(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        ids: &[String],
        change: &SelectionChange,
    ) -> Result<SelectionOutcome> {
        let grant = match change {
            SelectionChange::Approve { .. } => caller.approve(path)?,
            SelectionChange::Tag(_)
            | SelectionChange::Untag(_)
            | SelectionChange::Describe { .. }
            | SelectionChange::Transfer(_)
            | SelectionChange::Trash
            | SelectionChange::Restore => caller.write(path)?,
        };
        within("asset ids", ids.len(), 1, self.settings().limits.ids_per_call)?;
        let change = ParsedChange::of(self, caller, &grant, change)?;
        let ids = ids.to_vec();
        self.change_as(change.reserve_use(), &grant, move |tx, grant, now| {
            let before = change.begin(tx, grant, now)?;
            let mut outcome = SelectionOutcome::default();
            let mut changed: Vec<Asset> = Vec::new();
            for asset in distinct(&ids, |id| change.present(tx, grant, id), &mut outcome)? {
                match change.apply(tx, grant, &asset, now)? {
                    Applied::Changed(undo) => {
                        outcome.changed.push(undo);
                        changed.push(asset);
                    }
                    Applied::Same => outcome.unchanged.push(asset.name),
                    Applied::Refused(reason) => {
                        outcome.left_out.push(LeftOut { name: asset.name, reason });
                    }
                }
            }
            change.end(tx, grant, before, &changed, now)?;
            Ok(outcome)
        })
        .await
    }
}

/// The assets that are where a change applies, each once. The others are left out.
fn distinct(
    ids: &[String],
    present: impl Fn(&str) -> Result<Result<Asset, String>>,
    outcome: &mut SelectionOutcome,
) -> Result<Vec<Asset>> {
    let mut assets: Vec<Asset> = Vec::new();
    for id in ids {
        match present(id)? {
            Ok(asset) if assets.iter().any(|known| known.id == asset.id) => {}
            Ok(asset) => assets.push(asset),
            Err(name) => outcome.left_out.push(LeftOut { name, reason: LeftOutReason::Gone }),
        }
    }
    Ok(assets)
}

#[cfg(test)]
mod tests;
