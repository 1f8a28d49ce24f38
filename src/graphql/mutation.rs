//! The fields that change. Each finds out anew who asks, so that it sees what the one before it did, also to the
//! key; then it reads its arguments, calls one operation and shows what came back.

use std::net::IpAddr;

use async_graphql::{Context, ID, Object};

use super::parts::Files;
use super::types::{
    DeleteAssetsResult, Library, TagAssetsResult, TransferAssetsResult, UntagAssetsResult,
    UpdateAssetDescriptionResult, Upload, UploadAssetsResult,
};
use crate::app::App;
use crate::app::access::{Caller, LibraryPath};
use crate::app::name::parse_name;
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
pub struct Writing {
    /// The operations.
    pub app: App,
    /// The key that the request came with.
    pub token: String,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The files that the request brings along.
    pub files: Files,
}

impl Writing {
    fn caller(&self) -> Result<Caller> {
        Ok(self.app.authenticate(&self.token)?.from_address(self.address))
    }
}

fn writing<'a>(context: &Context<'a>) -> Result<&'a Writing> {
    context.data().map_err(|error| Error::internal(error.message))
}

fn texts(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}

/// The changes.
pub struct Mutation;

/// What can be changed. Several changes in one request run one after the other.
#[Object]
impl Mutation {
    /// Uploads 1 to 20 files by the multipart request convention. A file that can't be accepted is left out and named
    /// in responseText. With parentId, the one file becomes a variant of that asset.
    async fn upload_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        files: Vec<Upload>,
        email: Option<String>,
        parent_id: Option<ID>,
    ) -> Result<Option<UploadAssetsResult>> {
        let writing = writing(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        // In a statement of its own: nobody's snapshot is kept while waiting for the client.
        let mut upload = writing.app.begin_upload(&writing.caller()?, &path)?;
        if let Some(parent) = parent_id.filter(|parent| !parent.is_empty()) {
            upload.set_parent(&parent)?;
        }
        if let Some(email) = email.filter(|email| !email.trim().is_empty()) {
            upload.set_uploader(&parse_name(&email, EMAIL_LENGTH)?);
        }
        writing.files.receive(&mut upload, files).await?;
        let uploaded = upload.finish().await?;
        Ok(Some(UploadAssetsResult::new(uploaded, &writing.app.settings().public_url)))
    }

    /// Moves 1 to 100 assets to the trash. Those already there are skipped.
    async fn delete_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        assets: Vec<ID>,
    ) -> Result<Option<DeleteAssetsResult>> {
        let writing = writing(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let moved = writing.app.delete_assets(&writing.caller()?, &path, &texts(assets)).await?;
        Ok(Some(DeleteAssetsResult(moved.into())))
    }

    /// Adds 1 to 20 tags to 1 to 100 assets, all or nothing.
    async fn tag_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        asset_ids: Vec<ID>,
        tags: Vec<String>,
    ) -> Result<TagAssetsResult> {
        let writing = writing(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let tagged = writing.app.tag_assets(&writing.caller()?, &path, &texts(asset_ids), &tags).await?;
        Ok(TagAssetsResult { tagged_count: tagged })
    }

    /// Takes 1 to 20 tags off 1 to 100 assets, all or nothing.
    async fn untag_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        asset_ids: Vec<ID>,
        tags: Vec<String>,
    ) -> Result<UntagAssetsResult> {
        let writing = writing(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let untagged = writing.app.untag_assets(&writing.caller()?, &path, &texts(asset_ids), &tags).await?;
        Ok(UntagAssetsResult { untagged_count: untagged })
    }

    /// Moves 1 to 100 assets with their variants to another library of the organization, all or nothing. Their urls
    /// keep serving.
    async fn transfer_assets(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        source_library_id: ID,
        target_library_id: ID,
        asset_ids: Vec<ID>,
    ) -> Result<TransferAssetsResult> {
        let writing = writing(context)?;
        let source = LibraryPath { organization: &organization_id, library: &source_library_id };
        let target = LibraryPath { organization: &organization_id, library: &target_library_id };
        let done =
            writing.app.transfer_assets(&writing.caller()?, &source, &target, &texts(asset_ids)).await?;
        Ok(TransferAssetsResult {
            transferred_count: done.count,
            source_library_id: done.source.into(),
            target_library_id: done.target.into(),
        })
    }

    /// Sets an asset's description, verbatim; an empty one clears it.
    async fn update_asset_description(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        asset_id: ID,
        description: String,
    ) -> Result<UpdateAssetDescriptionResult> {
        let writing = writing(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        let asset =
            writing.app.update_asset_description(&writing.caller()?, &path, &asset_id, &description).await?;
        Ok(UpdateAssetDescriptionResult { asset_id: asset.id.into(), description: asset.description })
    }

    /// Makes a library, which the key may write to. Its id is the slug, or is made of the name.
    async fn create_library(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        name: String,
        slug: Option<String>,
    ) -> Result<Library> {
        let writing = writing(context)?;
        let created =
            writing.app.create_library(&writing.caller()?, &organization_id, &name, slug.as_deref()).await?;
        Ok(created.into())
    }

    /// Gives a library another name; its id stays.
    async fn rename_library(
        &self,
        context: &Context<'_>,
        organization_id: ID,
        library_id: ID,
        name: String,
    ) -> Result<Library> {
        let writing = writing(context)?;
        let path = LibraryPath { organization: &organization_id, library: &library_id };
        Ok(writing.app.rename_library(&writing.caller()?, &path, &name).await?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_that_are_never_null_are_those_of_the_schema() {
        let sdl = crate::graphql::sdl();
        let mutation = sdl.split("type Mutation {").nth(1).unwrap().split("\n}").next().unwrap();
        let never_null = mutation.lines().filter(|line| line.ends_with('!') && line.contains("): "));
        let names: Vec<&str> = never_null.map(|line| line.trim().split('(').next().unwrap()).collect();
        assert_eq!(names, NEVER_NULL);
    }
}
