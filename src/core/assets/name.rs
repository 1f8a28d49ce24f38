//! Renames assets. An asset's url does not depend on its name; downloads are saved under it.

use super::parse_id;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::Asset;
use crate::core::model::audit::Action;
use crate::core::model::name::{FILE_NAME_LENGTH, parse_name};
use crate::core::store::{AssetCommands, AssetQueries, AuditCommands};
use crate::error::Result;

impl Core {
    /// Renames an asset or a variant, and returns it.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; `BAD_USER_INPUT` when the name is empty, too long or has invisible characters;
    /// `RESOURCE_NOT_FOUND`.
    pub async fn rename_asset(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        id: &str,
        name: &str,
    ) -> Result<Asset> {
        let grant = caller.write(path)?;
        let (id, name) = (parse_id(id)?, parse_name(name, FILE_NAME_LENGTH)?);
        self.change(&grant, move |tx, grant, now| {
            let mut asset = tx.asset(grant, &id)?;
            if asset.name != name {
                let what = format!("“{}” to “{name}”", asset.name);
                asset.name.clone_from(&name);
                asset = asset.touched(now);
                tx.put_asset(grant, &asset)?;
                // The name of a variant is part of the history of its original.
                let history = [(asset.parent.unwrap_or(asset.id), what.as_str())];
                tx.record_asset_event(now, grant, Action::AssetRenamed, what.clone(), &history)?;
            }
            Ok(asset)
        })
        .await
    }
}
