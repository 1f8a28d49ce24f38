//! Filters of a library's list, kept in its address, and the page of duplicates. Without a browser: every filter is a link or
//! a form.

use std::collections::BTreeSet;

use rasterd::core::model::{Access, Role};
use reqwest::Method;

use super::test_library::{TestLibrary, fixture};
use crate::http_client::{HttpClient, send, signed_in};
use crate::people::create_member;

/// The names of the assets on a page.
fn names(page: &str) -> BTreeSet<&str> {
    let tiles = page.split("aria-label=\"Select ").skip(1);
    tiles.map(|rest| rest.split('"').next().unwrap()).collect()
}

struct Scene {
    library: TestLibrary,
    client: HttpClient,
    session: String,
    token: String,
}

impl Scene {
    async fn new() -> Self {
        let library = TestLibrary::with_fixtures().await;
        let client = HttpClient::new(&library.server);
        let editor = create_member(&library.server, "Grace Hopper", &["acme"], Role::Editor).await;
        let (session, token) = signed_in(&client, &editor).await;
        Self { library, client, session, token }
    }

    async fn page(&self, query: &str) -> String {
        let answer = self.client.get(&format!("/app/acme/photos{query}"), &self.session).await;
        assert_eq!(answer.status, 200, "{query}");
        answer.text
    }

    async fn upload(&self, name: &str, bytes: &[u8]) -> String {
        let (server, key) = (&self.library.server, &self.library.key);
        server.upload(key, "acme", "photos", name, bytes).await.to_string()
    }
}

#[tokio::test]
async fn each_filter_shows_the_assets_that_fit() {
    let scene = Scene::new().await;
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>"#;
    scene.upload("plan.svg", svg).await;
    scene.upload("card.heic", &std::fs::read(fixture("card.heic")).unwrap()).await;
    let robot = scene.library.server.key("acme", &[("photos", Access::Write)]).await;
    let bytes = std::fs::read(fixture("wine.jpg")).unwrap();
    scene.library.server.upload(&robot, "acme", "photos", "red wine.jpg", &bytes).await;
    let core = scene.library.server.core();
    let uploader =
        core.get_key(&scene.library.server.administrator(), &scene.library.key.id).unwrap().key.name;
    let day = humantime::format_rfc3339_seconds(
        std::time::UNIX_EPOCH + std::time::Duration::from_millis(scene.library.server.clock().now()),
    )
    .to_string();
    let day = day.split('T').next().unwrap();
    let all = names(&scene.page("").await).len();
    assert_eq!(all, 8);
    for (query, expected) in [
        ("?type=jpeg", &["picos-de-europa", "sunset", "wine", "red wine"][..]),
        ("?type=heic", &["card"]),
        ("?type=vector&type=heic", &["plan", "card"]),
        ("?type=video", &[]),
        ("?orientation=square", &["plan"]),
        ("?type=png&untagged=1", &["seeding"]),
        ("?q=heic", &["card"]),
        ("?q=jpg+wine", &["wine", "red wine"]),
        ("?q=wine&type=jpeg", &["wine", "red wine"]),
        ("?q=wine&type=png", &[]),
        ("?approval=approved", &[]),
        ("?from=2100-01-01", &[]),
        ("?to=2000-01-01", &[]),
        ("?by=Nobody", &[]),
    ] {
        let page = scene.page(query).await;
        assert_eq!(names(&page), expected.iter().copied().collect(), "{query}");
        for sort in ["newest", "oldest", "name", "size"] {
            assert_eq!(
                names(&scene.page(&format!("{query}&sort={sort}")).await),
                names(&page),
                "{query} {sort}"
            );
        }
    }
    for query in [format!("?from={day}&to={day}"), "?approval=none".to_owned(), "?untagged=1".to_owned()] {
        assert_eq!(names(&scene.page(&query).await).len(), all, "{query}");
    }
    let by = format!("?by={}", uploader.replace(' ', "+"));
    assert_eq!(names(&scene.page(&by).await).len(), if uploader == "test" { 8 } else { 7 }, "{uploader}");
}

#[tokio::test]
async fn tags_are_combined_as_any_or_as_all() {
    let scene = Scene::new().await;
    let [one, two, three] = [
        scene.upload("one.gif", GIF).await,
        scene.upload("two.gif", GIF).await,
        scene.upload("three.gif", GIF).await,
    ];
    scene.library.tag(&[&one, &two], &["Sea"]).await;
    scene.library.tag(&[&two, &three], &["Sky"]).await;
    for (query, expected) in [
        ("?tag=sea&tag=Sky", &["one", "two", "three"][..]),
        ("?tag=sea&tag=Sky&tags=all", &["two"]),
        ("?tag=sea&tags=all", &["one", "two"]),
        ("?tag=sea&tag=none&tags=all", &[]),
        ("?tag=sea&untagged=1", &[]),
        ("?untagged=1&type=gif", &[]),
    ] {
        assert_eq!(names(&scene.page(query).await), expected.iter().copied().collect(), "{query}");
    }
}

/// A picture of one pixel.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02L\x01\0;";

/// Each filter that applies is a chip: a link to the same list without it.
#[tokio::test]
async fn every_chip_removes_its_filter_and_nothing_else() {
    let scene = Scene::new().await;
    let parameters = [
        "q=sun",
        "type=jpeg",
        "type=image",
        "tags=all",
        "untagged=1",
        "by=Ada",
        "from=2020-01-01",
        "to=2030-01-01",
        "orientation=landscape",
        "approval=none",
        "sort=name",
    ];
    let page = scene.page(&format!("?{}", parameters.join("&"))).await;
    let chips: Vec<&str> = page
        .split("<nav class=\"chips filter-chips\" aria-label=\"Filters that apply\">")
        .nth(1)
        .and_then(|rest| rest.split("</nav>").next())
        .unwrap()
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|href| href.contains('?'))
        .collect();
    assert_eq!(chips.len(), 9, "{chips:?}");
    let all: BTreeSet<&str> = parameters.into_iter().collect();
    let mut removed = BTreeSet::new();
    for chip in chips {
        let chip = chip.replace("&#38;", "&").replace("&amp;", "&");
        let query = chip.split_once('?').unwrap().1;
        let left: BTreeSet<&str> = query.split('&').collect();
        let gone: Vec<&&str> = all.difference(&left).collect();
        assert_eq!((gone.len(), left.len()), (1, all.len() - 1), "{query}");
        removed.insert((*gone[0]).to_owned());
        scene.page(&format!("?{query}")).await;
    }
    assert_eq!(removed.len(), 9, "{removed:?}");
}

/// Following the pages of a filtered list shows each asset once, and an asset's page leads to its neighbours in it.
#[tokio::test]
async fn a_filtered_list_is_paged_and_has_neighbours() {
    let scene = Scene::new().await;
    for number in 0..70 {
        scene.upload(&format!("{number:02}.gif"), GIF).await;
    }
    for sort in ["", "&sort=oldest", "&sort=name"] {
        let (mut seen, mut path) = (Vec::new(), format!("?type=gif{sort}"));
        loop {
            let page = scene.page(&path).await;
            assert!(page.contains("70 assets found"), "{path}");
            seen.extend(names(&page).into_iter().map(str::to_owned));
            let Some(next) = page.split("id=\"next\" href=\"/app/acme/photos").nth(1) else { break };
            path = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        }
        assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (70, 70), "{sort}");
    }
    let page = scene.page("?type=png").await;
    let asset = page.split("data-id=\"").nth(1).unwrap().split('"').next().unwrap();
    let alone = scene.page(&format!("/{asset}?type=png")).await;
    assert!(!alone.contains("id=\"before\"") && !alone.contains("id=\"after\""));
    assert!(
        scene.page(&format!("/{asset}?type=image")).await.contains("rel=\"next\" href=\"/app/acme/photos/")
    );
}

#[tokio::test]
async fn what_is_there_several_times_is_found_by_its_file_and_by_its_look() {
    let scene = Scene::new().await;
    let sunset = std::fs::read(fixture("sunset.jpg")).unwrap();
    scene.upload("copy.jpg", &sunset).await;
    let original = scene.library.upload_as("sunset.jpg", "Original.jpg").await;
    let path = format!("/cdn/acme/photos/{original}?w=800&fm=png");
    let smaller = scene.client.request(Method::GET, &path).send().await.unwrap().bytes().await.unwrap();
    scene.upload("smaller.png", &smaller).await;
    // The same in another library concerns nobody here.
    let server = &scene.library.server;
    server.library("acme", "Press kit").await;
    let key = server.key("acme", &[("press-kit", Access::Write)]).await;
    server.upload(&key, "acme", "press-kit", "elsewhere.jpg", &sunset).await;
    server.upload(&key, "acme", "press-kit", "elsewhere small.png", &smaller).await;
    scene.library.server.processed().await;
    let page = scene.page("/duplicates").await;
    let (same, alike) = page.split_once("id=\"look-alike\"").unwrap();
    assert_eq!(names(same), ["sunset", "copy", "Original"].into());
    assert!(names(alike).contains("smaller") && !names(alike).contains("wine"), "{:?}", names(alike));
    assert!(!page.contains("elsewhere"));
    // One of each group can be trashed from there.
    let copy = same.split("aria-label=\"Select copy\"").next().unwrap().rsplit("value=\"").next().unwrap();
    let id = copy.split('"').next().unwrap();
    let body = format!("csrf={}&do=trash&id={id}&next=/app/acme/photos/duplicates", scene.token);
    let answer = send(scene.client.form("/app/acme/photos/selected", &scene.session, &body)).await;
    assert_eq!(answer.status, 303);
    let page = scene.page("/duplicates").await;
    assert_eq!(names(page.split_once("id=\"look-alike\"").unwrap().0), ["sunset", "Original"].into());
}

/// The menu, the chips and the page of duplicates in light, in dark and on a phone.
#[tokio::test]
async fn filters_and_duplicates_look_right_everywhere() {
    let library = TestLibrary::with_fixtures().await;
    library.upload_as("sunset.jpg", "Copy of sunset.jpg").await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos?type=jpeg&orientation=landscape&approval=none");
    browser.check("library-filtered");
    browser.evaluate("document.getElementById('filters').open = true");
    browser.check("library-filters");
    browser.open("/app/acme/photos/duplicates");
    browser.check("library-duplicates");
}
