//! Descriptions of assets.

use super::parse_id;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::Asset;
use crate::core::model::audit::Action;
use crate::core::model::text::{TextKind, expect_visible};
use crate::core::store::{AssetCommands, AssetQueries};
use crate::error::{Code, Error, Result};

/// The length of a description's mark, in characters: 64 bits, so that two descriptions of an asset never have the
/// same.
const MARK_LENGTH: usize = 16;
/// Why a description is not saved. Nobody overwrites another person's words unknowingly.
const DESCRIBED_SINCE: &str = "The description was changed since you opened this page, so yours was not saved. Copy what you wrote, reload the page to read the other, and save again.";

/// A short text that differs for different descriptions.
#[must_use]
pub fn description_mark(description: &str) -> String {
    blake3::hash(description.as_bytes()).to_hex().chars().take(MARK_LENGTH).collect()
}

impl Core {
    /// Sets or clears the description, verbatim, and returns the asset.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; `BAD_USER_INPUT` when it is too long or has invisible characters;
    /// `RESOURCE_NOT_FOUND`.
    pub async fn update_asset_description(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        id: &str,
        description: &str,
    ) -> Result<Asset> {
        self.describe(caller, path, id, None, description).await
    }

    /// [`Core::update_asset_description`] for a person who edits the description that they saw; `seen` is its
    /// [`description_mark`].
    ///
    /// # Errors
    /// The same; `CONFLICT` when the description has changed meanwhile.
    pub async fn revise_asset_description(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        id: &str,
        seen: &str,
        description: &str,
    ) -> Result<Asset> {
        self.describe(caller, path, id, Some(seen.to_owned()), description).await
    }

    /// Checks a description.
    pub(in crate::core) fn expect_description(&self, description: &str) -> Result<()> {
        let (length, most) = (description.chars().count(), self.settings().limits.description_length);
        if length > most {
            return Err(Error::bad_input(format!(
                "A description has at most {most} characters; this one has {length}."
            )));
        }
        expect_visible("A description", description, TextKind::Lines)
    }

    async fn describe(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        id: &str,
        seen: Option<String>,
        description: &str,
    ) -> Result<Asset> {
        let grant = caller.write(path)?;
        self.expect_description(description)?;
        let (id, description) = (parse_id(id)?, description.to_owned());
        self.change(&grant, move |tx, grant, now| {
            let mut asset = tx.asset(grant, &id)?;
            if asset.description != description {
                if seen.as_ref().is_some_and(|seen| *seen != description_mark(&asset.description)) {
                    return Err(Error::new(Code::Conflict, DESCRIBED_SINCE));
                }
                asset.description.clone_from(&description);
                asset.content.processing.keep_description();
                asset = asset.touched(now);
                tx.put_asset(grant, &asset)?;
                tx.record_assets_event(now, grant, Action::AssetDescribed, "", [&asset].into_iter())?;
            }
            Ok(asset)
        })
        .await
    }
}
