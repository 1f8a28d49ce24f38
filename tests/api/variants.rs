//! Variants: the same behaviour on every transport, and promotion where it exists.

mod api;
mod promotion;

use std::path::Path;
use std::time::Duration;

use crate::rest::{Scene, picture, text};
use crate::support::Reply;
use api::Api;

/// An asset in the library of the [`Scene`], and its only variant.
struct Pair {
    original: String,
    original_bytes: Vec<u8>,
    variant: String,
    variant_bytes: Vec<u8>,
}

impl Pair {
    /// Uploads an original and, through a transport, a variant of it.
    async fn upload(scene: &Scene, api: &Api, name: &str) -> Self {
        let original = scene.writer.uploaded(name).await;
        let variant_bytes = picture(&format!("variant of {name}"));
        let made = api.upload_variant(&original, "blue.png", &variant_bytes).await;
        assert_eq!(made["parentId"], *original);
        Self { original, original_bytes: picture(name), variant: text(&made["id"]), variant_bytes }
    }

    async fn served(&self, scene: &Scene, library: &str) -> [Reply; 2] {
        let original = format!("/cdn/acme/{library}/{}", self.original);
        [scene.anyone.get(&original).await, scene.anyone.get(&format!("{original}/{}", self.variant)).await]
    }
}

/// The stored files of a server.
fn files(scene: &Scene) -> usize {
    fn count(dir: &Path) -> usize {
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    // One is the marker, which belongs to no asset.
    count(&scene.server.data_dir().join("files")) - 1
}

/// Advances the clock past the retention of the trash and the grace period for files.
async fn purge(scene: &Scene) {
    for later in [Duration::from_hours(24 * 31), Duration::from_hours(2)] {
        scene.server.clock().advance(later);
        scene.server.core().maintenance_pass().await;
    }
}

#[tokio::test]
async fn a_variant_is_listed_with_its_original_and_has_its_own_url() {
    let scene = Scene::new().await;
    for api in Api::all(&scene) {
        let pair = Pair::upload(&scene, &api, api.name()).await;
        let original = api.asset("photos", &pair.original).await.unwrap();
        let shown = &original[api.variants()][0];
        assert_eq!((&shown["id"], &shown["parentId"]), (&pair.variant.as_str().into(), &original["id"]));
        assert_eq!(text(&shown["url"]), format!("{}/{}", text(&original["url"]), pair.variant));

        let alone = api.asset("photos", &pair.variant).await.unwrap();
        assert_eq!((&alone["url"], &alone["type"]), (&shown["url"], &"variant".into()), "{}", api.name());
        assert_eq!((&alone["name"], &alone[api.variants()]), (&"blue".into(), &serde_json::json!([])));
        let listed = api.listed("photos").await;
        assert!(listed.contains(&pair.original) && !listed.contains(&pair.variant), "{}", api.name());
        let [first, second] = pair.served(&scene, "photos").await;
        assert!(first.body == pair.original_bytes && second.body == pair.variant_bytes, "{}", api.name());
    }
}

#[tokio::test]
async fn a_variant_is_moved_and_trashed_with_its_original() {
    let scene = Scene::new().await;
    for api in Api::all(&scene) {
        let pair = Pair::upload(&scene, &api, api.name()).await;
        assert_eq!(api.transfer(&pair.variant).await.unwrap_err(), "BAD_USER_INPUT", "{}", api.name());
        api.transfer(&pair.original).await.unwrap();
        for id in [&pair.original, &pair.variant] {
            assert!(api.asset("photos", id).await.is_none(), "{}", api.name());
            assert!(api.asset("archive", id).await.is_some(), "{}", api.name());
        }
        let original = api.asset("archive", &pair.original).await.unwrap();
        assert_eq!(original[api.variants()][0]["id"], *pair.variant);
        for library in ["photos", "archive"] {
            let [first, second] = pair.served(&scene, library).await;
            assert!(first.body == pair.original_bytes && second.body == pair.variant_bytes);
        }

        assert_eq!(api.delete("archive", &[&pair.original]).await, [pair.original.as_str()]);
        assert!(api.asset("archive", &pair.variant).await.is_none(), "{}", api.name());
        assert_eq!(pair.served(&scene, "archive").await.map(|reply| reply.status), [404, 404]);
    }
}

#[tokio::test]
async fn a_variant_can_be_trashed_on_its_own() {
    let scene = Scene::new().await;
    for api in Api::all(&scene) {
        let pair = Pair::upload(&scene, &api, api.name()).await;
        let before = api.asset("photos", &pair.original).await.unwrap();
        assert_eq!(api.delete("photos", &[&pair.variant]).await, [pair.variant.as_str()]);
        let after = api.asset("photos", &pair.original).await.unwrap();
        assert_eq!(after[api.variants()], serde_json::json!([]), "{}", api.name());
        assert!(after["updated"].as_f64() > before["updated"].as_f64(), "{}", api.name());
        assert!(api.asset("photos", &pair.variant).await.is_none());
        assert_eq!(pair.served(&scene, "photos").await.map(|reply| reply.status), [200, 404]);
        assert!(api.delete("photos", &[&pair.variant]).await.is_empty(), "{}", api.name());
    }
}

#[tokio::test]
async fn an_original_and_its_variant_are_trashed_together_in_either_order() {
    let scene = Scene::new().await;
    let api = Api::rest(&scene);
    for name in ["one.png", "two.png"] {
        let Pair { original, variant, .. } = Pair::upload(&scene, &api, name).await;
        let ids = if name == "one.png" { [&original, &variant] } else { [&variant, &original] };
        assert_eq!(api.delete("photos", &ids.map(String::as_str)).await, ids.map(String::as_str));
    }
    purge(&scene).await;
    assert_eq!(files(&scene), 0);
}

#[tokio::test]
async fn a_trashed_variant_is_deleted_in_time_wherever_its_original_is() {
    let scene = Scene::new().await;
    let api = Api::rest(&scene);
    let pair = Pair::upload(&scene, &api, "one.png").await;
    api.delete("photos", &[&pair.variant]).await;
    api.transfer(&pair.original).await.unwrap();
    purge(&scene).await;
    assert_eq!(files(&scene), 1, "the original's");
    assert_eq!(pair.served(&scene, "archive").await.map(|reply| reply.status), [200, 404]);
}
