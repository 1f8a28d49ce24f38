//! The assets that a person selected on a page. Some may have been trashed or moved by others meanwhile.

use super::Core;
use super::assets::within;
use super::store::AssetQueries;
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::id::AssetId;
use crate::error::Result;

/// The selected assets, divided by whether they are still in the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The ids of those in the library, each once, in their order.
    pub present: Vec<String>,
    /// The others: by name if they are in its trash, by id otherwise.
    pub missing: Vec<String>,
}

impl Core {
    /// Finds the assets of a selection that are still in the library, and not in its trash.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `BAD_USER_INPUT` when it is empty or has more than one call may name.
    pub fn sort_selection(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        ids: &[String],
    ) -> Result<Selection> {
        let grant = caller.read(path)?;
        within("asset ids", ids.len(), 1, self.settings().limits.ids_per_call)?;
        let mut selection = Selection { present: Vec::new(), missing: Vec::new() };
        for id in ids {
            let found = match AssetId::parse(id) {
                Some(parsed) => caller.snapshot().asset_or_trashed(&grant, &parsed)?,
                None => None,
            };
            let (list, label) = match found {
                Some(asset) if asset.trashed.is_some() => (&mut selection.missing, asset.name),
                Some(_) => (&mut selection.present, id.clone()),
                None => (&mut selection.missing, id.clone()),
            };
            if !list.contains(&label) {
                list.push(label);
            }
        }
        Ok(selection)
    }
}
