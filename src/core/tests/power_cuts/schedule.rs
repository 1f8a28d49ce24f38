//! A random schedule of operations. Each is one that users run, on what the earlier ones made.

use base64::Engine;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::core::Core;
use crate::core::access::{Administrator, Caller, LibraryPath};
use crate::core::model::id::KeyId;
use crate::core::model::{Access, Role};
use crate::core::uploads::UploadSource;

/// The libraries of a schedule, all in the organization `acme`.
const LIBRARIES: [&str; 2] = ["one", "two"];

/// A schedule, and what it knows of what it made.
pub struct Schedule<'a> {
    core: &'a Core,
    random: StdRng,
    by: Administrator,
    /// A key that may write everywhere.
    key: String,
    /// Other keys.
    keys: Vec<KeyId>,
    /// Assets in no trash, each with its library.
    assets: Vec<(String, usize)>,
    /// Variants, each with its original and library.
    variants: Vec<(String, String, usize)>,
    trashed: Vec<(String, usize)>,
    begun: usize,
}

impl<'a> Schedule<'a> {
    /// Begins the schedule with this number.
    pub fn begin(core: &'a Core, seed: u64) -> Self {
        Self {
            core,
            random: StdRng::seed_from_u64(seed),
            by: Administrator::local(),
            key: String::new(),
            keys: Vec::new(),
            assets: Vec::new(),
            variants: Vec::new(),
            trashed: Vec::new(),
            begun: 0,
        }
    }

    /// Runs the next operation and returns its name.
    pub async fn step(&mut self) -> String {
        self.begun += 1;
        match self.begun {
            1 => self.create_organization().await,
            2 | 3 => self.create_library(self.begun - 2).await,
            4 => self.create_first_key().await,
            5 => self.upload(3).await,
            _ => self.any_operation().await,
        }
        .to_owned()
    }

    async fn any_operation(&mut self) -> &'static str {
        match self.random.random_range(0..17) {
            0 | 1 => self.upload(1).await,
            2 => self.upload(3).await,
            3 => self.upload_variant().await,
            4 => self.promote_variant().await,
            5 | 6 => self.tag().await,
            7 => self.describe().await,
            8 => self.transfer().await,
            9 => self.trash().await,
            10 => self.restore().await,
            11 => self.purge().await,
            12 => self.sweep().await,
            13 => self.create_key().await,
            14 => self.regenerate_key().await,
            15 => self.delete_key().await,
            _ => self.invite_member().await,
        }
    }

    async fn create_organization(&mut self) -> &'static str {
        self.core.create_organization(self.by.clone(), "Acme", Some("acme")).await.unwrap();
        "create an organization"
    }

    async fn create_library(&mut self, index: usize) -> &'static str {
        let slug = LIBRARIES[index];
        self.core.create_library_as_admin(self.by.clone(), "acme", slug, Some(slug)).await.unwrap();
        "create a library"
    }

    async fn create_first_key(&mut self) -> &'static str {
        let grants = LIBRARIES.map(|slug| (slug.to_owned(), Some(Access::Write))).to_vec();
        let (plain, _) = self.core.create_key(self.by.clone(), "acme", "writer", grants, None).await.unwrap();
        plain.reveal().clone_into(&mut self.key);
        "create the first key"
    }

    fn caller(&self) -> Caller {
        self.core.authenticate(&self.key).unwrap()
    }

    fn any_library(&mut self) -> usize {
        self.random.random_range(0..LIBRARIES.len())
    }

    /// One of the assets that are in no trash, or nothing.
    fn any_asset(&mut self) -> Option<(String, usize)> {
        self.assets.choose(&mut self.random).cloned()
    }

    /// A picture. Few are different, so that several assets share a file.
    fn picture(&mut self) -> UploadSource {
        let colour: u8 = self.random.random_range(0..12);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 2);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[colour; 4]).unwrap();
        writer.finish().unwrap();
        UploadSource::Base64 {
            filename: format!("{colour}.png"),
            mime_type: String::new(),
            data: base64::engine::general_purpose::STANDARD.encode(bytes),
        }
    }

    async fn upload(&mut self, files: usize) -> &'static str {
        let library = self.any_library();
        let sources = (0..files).map(|_| self.picture()).collect();
        let uploaded =
            self.core.upload_sources(self.caller(), &path(library), sources, None, |_| {}).await.unwrap();
        self.assets.extend(uploaded.assets.iter().map(|asset| (asset.asset.id.to_string(), library)));
        "upload"
    }

    async fn upload_variant(&mut self) -> &'static str {
        let Some((parent, library)) = self.any_asset() else { return "nothing" };
        let sources = vec![self.picture()];
        let uploaded = self
            .core
            .upload_sources(self.caller(), &path(library), sources, Some(&parent), |_| {})
            .await
            .unwrap();
        self.variants.push((uploaded.assets[0].asset.id.to_string(), parent, library));
        "upload a variant"
    }

    async fn promote_variant(&mut self) -> &'static str {
        let Some((variant, parent, library)) = self.variants.choose(&mut self.random).cloned() else {
            return "nothing";
        };
        self.core.promote_variant(&self.caller(), &path(library), &parent, &variant).await.unwrap();
        "promote a variant"
    }

    async fn tag(&mut self) -> &'static str {
        let Some((id, library)) = self.any_asset() else { return "nothing" };
        let (ids, tags) = (vec![id], vec![format!("tag {}", self.random.random_range(0..4))]);
        if self.random.random() {
            self.core.tag_assets(&self.caller(), &path(library), &ids, &tags).await.unwrap();
            "tag"
        } else {
            self.core.untag_assets(&self.caller(), &path(library), &ids, &tags).await.unwrap();
            "untag"
        }
    }

    async fn describe(&mut self) -> &'static str {
        let Some((id, library)) = self.any_asset() else { return "nothing" };
        let text = "long ".repeat(self.random.random_range(0..500));
        self.core.update_asset_description(&self.caller(), &path(library), &id, &text).await.unwrap();
        "describe"
    }

    async fn transfer(&mut self) -> &'static str {
        let Some((id, library)) = self.any_asset() else { return "nothing" };
        let target = 1 - library;
        let ids = [id.clone()];
        self.core.transfer_assets(&self.caller(), &path(library), &path(target), &ids).await.unwrap();
        self.assets.iter_mut().filter(|asset| asset.0 == id).for_each(|asset| asset.1 = target);
        self.variants.iter_mut().filter(|variant| variant.1 == id).for_each(|variant| variant.2 = target);
        "transfer"
    }

    async fn trash(&mut self) -> &'static str {
        let Some((id, library)) = self.any_asset() else { return "nothing" };
        self.core.delete_assets(&self.caller(), &path(library), std::slice::from_ref(&id)).await.unwrap();
        self.assets.retain(|asset| asset.0 != id);
        self.variants.retain(|variant| variant.1 != id);
        self.trashed.push((id, library));
        "trash"
    }

    /// One of the assets in the trash, which is taken from the list.
    fn any_trashed(&mut self) -> Option<(String, usize)> {
        let index = (0..self.trashed.len()).collect::<Vec<_>>().choose(&mut self.random).copied()?;
        Some(self.trashed.remove(index))
    }

    async fn restore(&mut self) -> &'static str {
        let Some((id, library)) = self.any_trashed() else { return "nothing" };
        self.core.restore_assets(&self.caller(), &path(library), std::slice::from_ref(&id)).await.unwrap();
        self.assets.push((id, library));
        "restore"
    }

    async fn purge(&mut self) -> &'static str {
        let Some((id, library)) = self.any_trashed() else { return "nothing" };
        self.core.purge_assets(&self.caller(), &path(library), &[id]).await.unwrap();
        "purge"
    }

    /// Deletes the files that nobody has any more, as if their time had come.
    async fn sweep(&mut self) -> &'static str {
        let core = self.core.clone();
        tokio::task::spawn_blocking(move || core.blobs().sweep(core.store(), u64::MAX))
            .await
            .unwrap()
            .unwrap();
        "delete unused files"
    }

    async fn create_key(&mut self) -> &'static str {
        let grants = vec![(LIBRARIES[self.any_library()].to_owned(), Some(Access::Read))];
        let (_, info) = self.core.create_key(self.by.clone(), "acme", "reader", grants, None).await.unwrap();
        self.keys.push(info.key.id);
        "create a key"
    }

    async fn regenerate_key(&mut self) -> &'static str {
        let Some(id) = self.keys.choose(&mut self.random) else { return "nothing" };
        self.core.regenerate_key(self.by.clone(), id, None).await.unwrap();
        "regenerate a key"
    }

    async fn delete_key(&mut self) -> &'static str {
        let Some(id) = self.keys.pop() else { return "nothing" };
        self.core.delete_key(self.by.clone(), &id).await.unwrap();
        "delete a key"
    }

    async fn invite_member(&mut self) -> &'static str {
        self.core.invite_member(self.by.clone(), "acme", Role::Viewer, "ada@example.org").await.unwrap();
        "invite a member"
    }
}

fn path(library: usize) -> LibraryPath<'static> {
    LibraryPath { organization: "acme", library: LIBRARIES[library] }
}
