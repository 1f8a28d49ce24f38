//! Any text as a query of a search, as the tags of a list and as a search in the audit log, on a server with some assets.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rasterd::core::access::LibraryPath;
use rasterd::core::model::Access;
use rasterd::core::model::audit::EventWords;
use rasterd::core::model::page::PageRequest;
use rasterd::testing::{TestKey, TestServer};
use tokio::runtime::Runtime;

const PHOTO: &[u8] = include_bytes!("../../fixtures/seeding.png");
const FIRST: PageRequest = PageRequest { offset: 0, size: 20 };

struct Scene {
    server: TestServer,
    key: TestKey,
    runtime: Runtime,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (server, key) = runtime.block_on(async {
        let server = TestServer::start();
        server.organization("Acme").await;
        server.library("acme", "Photos").await;
        let key = server.key("acme", &[("photos", Access::Write)]).await;
        for name in ["beach at dusk.png", "Ärzte 2024.png", "日本の山.png", "a.png"] {
            server.upload(&key, "acme", "photos", name, PHOTO).await;
        }
        (server, key)
    });
    Scene { server, key, runtime }
});

fuzz_target!(|text: &str| {
    let Scene { server, key, runtime } = &*SCENE;
    let core = server.core();
    let caller = core.authenticate(&key.token).expect("the key is live");
    runtime.block_on(async {
        let found =
            core.search_assets(&caller, "acme", text, &[], FIRST).await.expect("a search finds or not");
        assert!(found.total <= 4 && found.hits.len() <= 4);
    });
    let library = LibraryPath { organization: "acme", library: "photos" };
    let _refused = core.list_assets(&caller, &library, &[text.to_owned()], FIRST);
    let _words = EventWords::parse(text);
});
