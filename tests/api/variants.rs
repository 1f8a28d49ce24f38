//! Variants: the same behaviour on every transport, and promotion where it exists.

mod door;
mod promotion;

use std::path::Path;
use std::time::Duration;

use crate::rest::{Scene, picture, text};
use crate::support::Reply;
use door::Door;

/// An asset in the library of the [`Scene`], and its only variant.
struct Pair {
    original: String,
    original_bytes: Vec<u8>,
    variant: String,
    variant_bytes: Vec<u8>,
}

impl Pair {
    /// Uploads an original and, over a transport, a variant of it.
    async fn upload(scene: &Scene, door: &Door, name: &str) -> Self {
        let original = scene.writer.uploaded(name).await;
        let variant_bytes = picture(&format!("variant of {name}"));
        let made = door.upload_variant(&original, "blue.png", &variant_bytes).await;
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
    for door in Door::all(&scene) {
        let pair = Pair::upload(&scene, &door, door.name()).await;
        let original = door.asset("photos", &pair.original).await.unwrap();
        let shown = &original[door.variants()][0];
        assert_eq!((&shown["id"], &shown["parentId"]), (&pair.variant.as_str().into(), &original["id"]));
        assert_eq!(text(&shown["url"]), format!("{}/{}", text(&original["url"]), pair.variant));

        let alone = door.asset("photos", &pair.variant).await.unwrap();
        assert_eq!((&alone["url"], &alone["type"]), (&shown["url"], &"variant".into()), "{}", door.name());
        assert_eq!((&alone["name"], &alone[door.variants()]), (&"blue".into(), &serde_json::json!([])));
        let listed = door.listed("photos").await;
        assert!(listed.contains(&pair.original) && !listed.contains(&pair.variant), "{}", door.name());
        let [first, second] = pair.served(&scene, "photos").await;
        assert!(first.body == pair.original_bytes && second.body == pair.variant_bytes, "{}", door.name());
    }
}

#[tokio::test]
async fn a_variant_is_moved_and_trashed_with_its_original() {
    let scene = Scene::new().await;
    for door in Door::all(&scene) {
        let pair = Pair::upload(&scene, &door, door.name()).await;
        assert_eq!(door.transfer(&pair.variant).await.unwrap_err(), "BAD_USER_INPUT", "{}", door.name());
        door.transfer(&pair.original).await.unwrap();
        for id in [&pair.original, &pair.variant] {
            assert!(door.asset("photos", id).await.is_none(), "{}", door.name());
            assert!(door.asset("archive", id).await.is_some(), "{}", door.name());
        }
        let original = door.asset("archive", &pair.original).await.unwrap();
        assert_eq!(original[door.variants()][0]["id"], *pair.variant);
        for library in ["photos", "archive"] {
            let [first, second] = pair.served(&scene, library).await;
            assert!(first.body == pair.original_bytes && second.body == pair.variant_bytes);
        }

        assert_eq!(door.delete("archive", &[&pair.original]).await, [pair.original.as_str()]);
        assert!(door.asset("archive", &pair.variant).await.is_none(), "{}", door.name());
        assert_eq!(pair.served(&scene, "archive").await.map(|reply| reply.status), [404, 404]);
    }
}

#[tokio::test]
async fn a_variant_can_be_trashed_on_its_own() {
    let scene = Scene::new().await;
    for door in Door::all(&scene) {
        let pair = Pair::upload(&scene, &door, door.name()).await;
        let before = door.asset("photos", &pair.original).await.unwrap();
        assert_eq!(door.delete("photos", &[&pair.variant]).await, [pair.variant.as_str()]);
        let after = door.asset("photos", &pair.original).await.unwrap();
        assert_eq!(after[door.variants()], serde_json::json!([]), "{}", door.name());
        assert!(after["updated"].as_f64() > before["updated"].as_f64(), "{}", door.name());
        assert!(door.asset("photos", &pair.variant).await.is_none());
        assert_eq!(pair.served(&scene, "photos").await.map(|reply| reply.status), [200, 404]);
        assert!(door.delete("photos", &[&pair.variant]).await.is_empty(), "{}", door.name());
    }
}

#[tokio::test]
async fn an_original_and_its_variant_are_trashed_together_in_either_order() {
    let scene = Scene::new().await;
    let door = Door::rest(&scene);
    for name in ["one.png", "two.png"] {
        let Pair { original, variant, .. } = Pair::upload(&scene, &door, name).await;
        let ids = if name == "one.png" { [&original, &variant] } else { [&variant, &original] };
        assert_eq!(door.delete("photos", &ids.map(String::as_str)).await, ids.map(String::as_str));
    }
    purge(&scene).await;
    assert_eq!(files(&scene), 0);
}

#[tokio::test]
async fn a_trashed_variant_is_deleted_in_time_wherever_its_original_is() {
    let scene = Scene::new().await;
    let door = Door::rest(&scene);
    let pair = Pair::upload(&scene, &door, "one.png").await;
    door.delete("photos", &[&pair.variant]).await;
    door.transfer(&pair.original).await.unwrap();
    purge(&scene).await;
    assert_eq!(files(&scene), 1, "the original's");
    assert_eq!(pair.served(&scene, "archive").await.map(|reply| reply.status), [200, 404]);
}
