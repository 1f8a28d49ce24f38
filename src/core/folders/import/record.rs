//! The records of imported files: what the manifest says, or else what the file and its folders do.

use std::collections::HashSet;
use std::path::Path;

use super::{Candidate, Import, ManifestPosition};
use crate::core::folders::manifest::{ManifestAsset, ManifestFile};
use crate::core::model::id::AssetId;
use crate::core::model::name::{Tag, asset_name, file_name};
use crate::core::model::text::{TextKind, expect_visible};
use crate::core::model::time::Millis;
use crate::core::model::{Asset, Content};
use crate::core::processing::work_on_upload;
use crate::error::{Error, Result};
use crate::pictures::media::Inspected;

impl Import<'_> {
    /// The record of a file, or why there can be none.
    pub(super) fn asset(
        &mut self,
        candidate: &Candidate,
        inspected: Inspected,
        position: Option<ManifestPosition>,
    ) -> std::result::Result<Asset, String> {
        let parent = self.parent(position)?;
        let description = self.description(position)?;
        let tags = self.tags(candidate, position)?;
        let (name, created, uploaded_by) = self.name_and_creation(candidate, position);
        if position.is_none() {
            self.latest = created;
        }
        Ok(Asset {
            id: AssetId::random(),
            library: self.library.id,
            parent,
            name,
            content: self.content(candidate, inspected, position.is_some()),
            description,
            tags,
            created,
            updated: created,
            uploaded_by: uploaded_by.unwrap_or_else(|| self.by.actor().name.clone()),
            trashed: None,
            approval: None,
            perceptual_hash: None,
        })
    }

    /// The original of a variant in the manifest.
    fn parent(&self, position: Option<ManifestPosition>) -> std::result::Result<Option<AssetId>, String> {
        let Some((number, Some(_))) = position else { return Ok(None) };
        let original = self.originals.get(&number).copied();
        original.map(Some).ok_or_else(|| "its original is missing".to_owned())
    }

    /// The name, when it was created, and who uploaded it if that is known.
    fn name_and_creation(
        &self,
        candidate: &Candidate,
        position: Option<ManifestPosition>,
    ) -> (String, Millis, Option<String>) {
        let now = self.core.now();
        if let Some(file) = position.and_then(|position| self.manifest_file(position)) {
            return (file_name(&file.name), file.created.min(now), one_line(&file.uploaded_by));
        }
        let last = candidate.path.file_name().unwrap_or_default().to_string_lossy();
        (asset_name(&file_name(&last)), now.max(self.latest + 1), None)
    }

    fn content(&self, candidate: &Candidate, inspected: Inspected, is_in_manifest: bool) -> Content {
        let Inspected { media_type, width, height } = inspected;
        let import_metadata = self.core.settings().media.import_metadata;
        let mut processing = work_on_upload(media_type, self.core.renderable_types(), import_metadata);
        if is_in_manifest {
            // The manifest has what the file's own metadata had become, and what people made of it.
            processing.keep_description();
            processing.keep_tags();
        }
        Content { hash: candidate.hash, size: candidate.size, media_type, width, height, processing }
    }

    fn description(&self, position: Option<ManifestPosition>) -> std::result::Result<String, String> {
        let description = self.manifest_original(position).map(|asset| asset.description.clone());
        let description = description.unwrap_or_default();
        expect_description(&description, self.core.settings().limits.description_length)?;
        Ok(description)
    }

    fn tags(
        &mut self,
        candidate: &Candidate,
        position: Option<ManifestPosition>,
    ) -> std::result::Result<Vec<String>, String> {
        let tags = if let Some(original) = self.manifest_original(position) {
            let tags: Result<_> = original.tags.iter().map(|tag| Tag::parse(tag)).collect();
            unique(tags.map_err(|error| in_words(&error))?)
        } else if self.options.tags_from_folders && position.is_none() {
            self.folder_tags(&candidate.path)
        } else {
            Vec::new()
        };
        let most = self.core.settings().limits.tags_per_asset;
        if tags.len() > most {
            return Err(format!("it has more than {most} tags"));
        }
        Ok(tags)
    }

    /// The names of the folders that a file is in, as tags.
    fn folder_tags(&mut self, file: &Path) -> Vec<String> {
        let mut tags = Vec::new();
        for folder in file.parent().into_iter().flat_map(Path::ancestors) {
            let Some(name) = folder.file_name() else { break };
            match Tag::parse(&name.to_string_lossy()) {
                Ok(tag) => tags.push(tag),
                Err(error) => {
                    let named = &mut self.summary.tags_left_out;
                    if !named.files.iter().any(|problem| problem.path == folder) {
                        named.add(folder, in_words(&error));
                    }
                }
            }
        }
        tags.reverse();
        unique(tags)
    }

    /// The asset at a position that is not one of a variant.
    fn manifest_original(&self, position: Option<ManifestPosition>) -> Option<&ManifestAsset> {
        match position? {
            (number, None) => self.manifest_asset(number),
            (_, Some(_)) => None,
        }
    }

    fn manifest_asset(&self, number: usize) -> Option<&ManifestAsset> {
        self.manifest.as_ref()?.assets.get(number)
    }

    pub(super) fn manifest_file(&self, (number, variant): ManifestPosition) -> Option<&ManifestFile> {
        let asset = self.manifest_asset(number)?;
        variant.map_or(Some(&asset.file), |variant| asset.variants.get(variant))
    }
}

/// Each tag once, as it was first written.
fn unique(tags: Vec<Tag>) -> Vec<String> {
    let mut seen = HashSet::new();
    let first = tags.into_iter().filter(|tag| seen.insert(tag.folded().to_owned()));
    first.map(|tag| tag.as_str().to_owned()).collect()
}

fn one_line(name: &str) -> Option<String> {
    expect_visible("A name", name, TextKind::Line)
        .is_ok()
        .then(|| name.to_owned())
        .filter(|name| !name.is_empty())
}

fn expect_description(description: &str, most: usize) -> std::result::Result<(), String> {
    if description.chars().count() > most {
        return Err(format!("its description has more than {most} characters"));
    }
    expect_visible("A description", description, TextKind::Lines).map_err(|error| in_words(&error))
}

fn in_words(error: &Error) -> String {
    error.message().to_owned()
}
