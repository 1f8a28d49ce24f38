//! Variants: which of an asset's files is the default. The code for uploading, moving and trashing is the same as for
//! assets.
//!
//! An id does not belong to a file. The asset's id and url always serve the default; promoting a variant swaps the two
//! files, and with them the file names under which they are downloaded. Description, tags, uploader and `created` stay
//! with the ids. So no url breaks, every file keeps its name, and promoting the same variant again undoes it.

use super::Core;
use super::assets::{AssetDetail, parse_id};
use super::model::Asset;
use super::store::{AssetCommands, AssetQueries};
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::audit::Action;
use crate::core::model::id::AssetId;
use crate::error::{Code, Error, Result};

impl Core {
    /// Makes a variant's file the default of its asset; the former default becomes the variant's file.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; `RESOURCE_NOT_FOUND` for the asset; `NOT_FOUND` when the variant is unknown, in the
    /// trash, or another asset's; `CONFLICT` when another promotion of the asset or the variant was committed after
    /// this caller's snapshot.
    pub async fn promote_variant(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        asset: &str,
        variant: &str,
    ) -> Result<AssetDetail> {
        let grant = caller.write(path)?;
        let seen = caller.snapshot().asset(&grant, &parse_id(asset)?)?;
        let variant = AssetId::parse(variant).ok_or_else(no_such_variant)?;
        let seen_variant = variant_of(&seen, caller.snapshot().asset_or_trashed(&grant, &variant)?)?;
        let (asset, variants) = self
            .change(&grant, move |tx, grant, now| {
                let asset = tx.asset(grant, &seen.id)?;
                let variant = variant_of(&asset, tx.asset_or_trashed(grant, &seen_variant.id)?)?;
                // The files were swapped meanwhile: promoting would undo the other caller's promotion.
                if asset.content.hash != seen.content.hash
                    || variant.content.hash != seen_variant.content.hash
                {
                    return Err(promoted_meanwhile());
                }
                let (asset, variants) = tx.promote_variant(grant, asset, variant, now)?;
                let promoted = [&asset].into_iter();
                tx.record_assets_event(now, grant, Action::VariantPromoted, &asset.name, promoted)?;
                Ok((asset, variants))
            })
            .await?;
        let organization = caller.organization().slug.clone();
        let library = grant.slug().clone();
        Ok(AssetDetail { asset, variants, organization, library, renderable_types: self.renderable_types() })
    }
}

/// The asset found under a variant's id, if it is a variant of this asset and not in the trash.
fn variant_of(asset: &Asset, found: Option<Asset>) -> Result<Asset> {
    found
        .filter(|found| found.parent == Some(asset.id) && found.trashed.is_none())
        .ok_or_else(no_such_variant)
}

fn no_such_variant() -> Error {
    Error::new(Code::NotFound, "The asset has no such variant. Take the id from the asset's variants.")
}

fn promoted_meanwhile() -> Error {
    Error::new(
        Code::Conflict,
        "Another variant of the asset was promoted at the same time. Look at the asset and try again.",
    )
}
