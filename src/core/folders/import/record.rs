//! The records of imported files: what the manifest says, or else what the file and its folders do.

use std::collections::HashSet;
use std::path::Path;

use super::{Candidate, Import, ManifestPosition};
use crate::core::folders::manifest::{ManifestAsset, ManifestFile};
use crate::core::model::id::AssetId;
use crate::core::model::name::{Tag, asset_name, file_name};
use crate::core::model::text::{TextKind, expect_visible};
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
        place: Option<ManifestPosition>,
    ) -> std::result::Result<Asset, String> {
        let settings = self.core.settings();
        let Inspected { media_type, width, height } = inspected;
        let mut processing =
            work_on_upload(media_type, self.core.renderable_types(), settings.media.import_metadata);
        let parent = match place {
            Some((number, Some(_))) => {
                Some(self.originals.get(&number).copied().ok_or("its original is missing")?)
            }
            Some((_, None)) | None => None,
        };
        if place.is_some() {
            // The manifest has what the file's own metadata had become, and what people made of it.
            processing.keep_description();
            processing.keep_tags();
        }
        let file = place.and_then(|place| self.manifest_file(place));
        let now = self.core.now();
        let last = candidate.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (name, created, uploaded_by) = match file {
            Some(file) => (file_name(&file.name), file.created.min(now), one_line(&file.uploaded_by)),
            None => (asset_name(&file_name(&last)).clone(), now.max(self.latest + 1), None),
        };
        let original = match place {
            Some((number, None)) => self.manifest_asset(number),
            Some((_, Some(_))) | None => None,
        };
        let description = original.map(|asset| asset.description.clone()).unwrap_or_default();
        expect_description(&description, settings.limits.description_length)?;
        let tags = match original {
            Some(asset) => unique(
                asset
                    .tags
                    .iter()
                    .map(|tag| Tag::parse(tag))
                    .collect::<Result<_>>()
                    .map_err(|error| in_words(&error))?,
            ),
            None if self.options.tags_from_folders && place.is_none() => self.folder_tags(&candidate.path),
            None => Vec::new(),
        };
        if tags.len() > settings.limits.tags_per_asset {
            return Err(format!("it has more than {} tags", settings.limits.tags_per_asset));
        }
        if place.is_none() {
            self.latest = created;
        }
        Ok(Asset {
            id: AssetId::random(),
            library: self.library.id,
            parent,
            name,
            content: Content {
                hash: candidate.hash,
                size: candidate.size,
                media_type,
                width,
                height,
                processing,
            },
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
