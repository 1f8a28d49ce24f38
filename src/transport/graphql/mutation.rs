//! The mutations. Each authenticates the key again, so that it sees what the one before it changed, even the key itself;
//! then it reads its arguments, calls one operation and returns the result.
#![expect(
    clippy::doc_markdown,
    reason = "clients read these descriptions, with the configured numbers in place of the placeholders"
)]

use std::net::IpAddr;

use async_graphql::{Context, ID, Object};

use super::multipart::IncomingFiles;
use super::types::{
    DeleteAssetsResult, Library, TagAssetsResult, TransferAssetsResult, UntagAssetsResult,
    UpdateAssetDescriptionResult, Upload, UploadAssetsResult,
};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::cancellation::Cancellation;
use crate::core::model::name::parse_name;
use crate::error::{Error, Result};

/// The longest e-mail address there is, in characters.
const EMAIL_LENGTH: usize = 254;

/// The fields whose type says that they are never null.
pub const NEVER_NULL: [&str; 6] = [
    "tagAssets",
    "untagAssets",
    "transferAssets",
    "updateAssetDescription",
    "createLibrary",
    "renameLibrary",
];

/// What the fields of one mutation share.
pub struct MutationContext {
    /// The operations.
    pub core: Core,
    /// The key that the request came with.
    pub token: String,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// Cancelled when the client disconnects.
    pub cancellation: Cancellation,
    /// The files of the request.
    pub files: IncomingFiles,
}

impl MutationContext {
    fn caller(&self) -> Result<Caller> {
        Ok(self.core.authenticate(&self.token)?.from_address(self.address).until(self.cancellation.clone()))
    }
}

fn mutation_context<'a>(context: &Context<'a>) -> Result<&'a MutationContext> {
    context.data().map_err(|error| Error::internal(error.message))
}

fn texts(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}

/// The root of mutations.
pub struct Mutation;

/// The mutations. Several in one request run one after the other.
#[Object]
impl Mutation {
    /// Uploads 1 to {limits.files_per_upload} files by the multipart request convention. A file that can't be accepted
    /// is left out and named in responseText. With parentId, the one file becomes a variant of that asset.
    async fn upload_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        files: Vec<Upload>,
        email: Option<String>,
        parent_id: Option<ID>,
    ) -> Result<Option<UploadAssetsResult>> {
        let mutation_context = mutation_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        // The caller is dropped at the end of this statement: no snapshot is kept while waiting for the client.
        let mut upload = mutation_context.core.begin_upload(&mutation_context.caller()?, &path)?;
        if let Some(parent) = parent_id.filter(|parent| !parent.is_empty()) {
            upload.set_parent(&parent)?;
        }
        if let Some(email) = email.filter(|email| !email.trim().is_empty()) {
            upload.set_uploader(&parse_name(&email, EMAIL_LENGTH)?);
        }
        mutation_context.files.receive(&mut upload, files).await?;
        let uploaded = upload.finish().await?;
        Ok(Some(UploadAssetsResult::new(uploaded, &mutation_context.core.settings().public_url)))
    }

    /// Moves 1 to {limits.ids_per_call} assets to the trash. Those already there are skipped.
    async fn delete_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        assets: Vec<ID>,
    ) -> Result<Option<DeleteAssetsResult>> {
        let mutation_context = mutation_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let moved =
            mutation_context.core.delete_assets(&mutation_context.caller()?, &path, &texts(assets)).await?;
        Ok(Some(DeleteAssetsResult(moved.into())))
    }

    /// Adds 1 to {limits.tags_per_call} tags to 1 to {limits.ids_per_call} assets, all or nothing.
    async fn tag_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        asset_ids: Vec<ID>,
        tags: Vec<String>,
    ) -> Result<TagAssetsResult> {
        let mutation_context = mutation_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let tagged = mutation_context
            .core
            .tag_assets(&mutation_context.caller()?, &path, &texts(asset_ids), &tags)
            .await?;
        Ok(TagAssetsResult { tagged_count: tagged })
    }

    /// Removes 1 to {limits.tags_per_call} tags from 1 to {limits.ids_per_call} assets, all or nothing.
    async fn untag_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        asset_ids: Vec<ID>,
        tags: Vec<String>,
    ) -> Result<UntagAssetsResult> {
        let mutation_context = mutation_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let untagged = mutation_context
            .core
            .untag_assets(&mutation_context.caller()?, &path, &texts(asset_ids), &tags)
            .await?;
        Ok(UntagAssetsResult { untagged_count: untagged })
    }

    /// Moves 1 to {limits.ids_per_call} assets with their variants to another library of the organization, all or
    /// nothing. Their urls keep serving.
    async fn transfer_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        source_library_id: ID,
        target_library_id: ID,
        asset_ids: Vec<ID>,
    ) -> Result<TransferAssetsResult> {
        let mutation_context = mutation_context(context)?;
        let source = LibraryPath { organization: &organization_id, library: &source_library_id };
        let target = LibraryPath { organization: &organization_id, library: &target_library_id };
        let done = mutation_context
            .core
            .transfer_assets(&mutation_context.caller()?, &source, &target, &texts(asset_ids))
            .await?;
        Ok(TransferAssetsResult {
            transferred_count: done.count,
            source_library_id: done.source.into(),
            target_library_id: done.target.into(),
        })
    }

    /// Sets an asset's description, verbatim, at most {limits.description_length} characters; an empty one clears it.
    async fn update_asset_description(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        asset_id: ID,
        description: String,
    ) -> Result<UpdateAssetDescriptionResult> {
        let mutation_context = mutation_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let asset = mutation_context
            .core
            .update_asset_description(&mutation_context.caller()?, &path, &asset_id, &description)
            .await?;
        Ok(UpdateAssetDescriptionResult { asset_id: asset.id.into(), description: asset.description })
    }

    /// Creates a library that the key may write to. Its name has 1 to {limits.name_length} characters; its id is the
    /// slug, or is made from the name.
    async fn create_library(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        name: String,
        slug: Option<String>,
    ) -> Result<Library> {
        let mutation_context = mutation_context(context)?;
        let created = mutation_context
            .core
            .create_library(&mutation_context.caller()?, &organization_id, &name, slug.as_deref())
            .await?;
        Ok(created.into())
    }

    /// Changes the name of a library, to 1 to {limits.name_length} characters; its id stays.
    async fn rename_library(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        name: String,
    ) -> Result<Library> {
        let mutation_context = mutation_context(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        Ok(mutation_context.core.rename_library(&mutation_context.caller()?, &path, &name).await?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_that_are_never_null_are_those_of_the_schema() {
        let sdl = crate::transport::graphql::SCHEMA.sdl();
        let mutation = sdl.split("type Mutation {").nth(1).unwrap().split("\n}").next().unwrap();
        let never_null = mutation.lines().filter(|line| line.ends_with('!') && line.contains("): "));
        let names: Vec<&str> = never_null.map(|line| line.trim().split('(').next().unwrap()).collect();
        assert_eq!(names, NEVER_NULL);
    }
}
