//! A full disk, and one that fails. What would make something larger is refused with one code on every transport; reading,
//! deleting, revoking and signing in go on; and all of it works again without a restart when the disk does.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use rasterd::core::access::LibraryPath;
use rasterd::core::doctor::{Area, DoctorOptions};
use rasterd::core::long_work::Reporter;
use rasterd::core::members::{ClientInfo, NewMember};
use rasterd::core::model::{Access, Role};
use rasterd::error::Code;
use rasterd::testing::{TestDisk, TestKey, TestServer};

use crate::authorization::ask::Ask;
use crate::authorization::operations::{OPERATIONS, operation};
use crate::authorization::values::Values;
use crate::authorization::world::{CallerKind, World};
use crate::support::raw::DEADLINE;
use crate::support::{Client, Reply};

/// The operations that go on when the disk is full, by name. All others are refused.
const GOING_ON: [&str; 9] = [
    "whoami",
    "list_libraries",
    "get_library",
    "list_assets",
    "get_asset",
    "search_assets",
    "list_tags",
    "delete_assets",
    "untag_assets",
];

const PASSWORD: &str = "a ladder beside nine clouds";
const PAUSE: Duration = Duration::from_millis(20);

async fn world_on(disk: &TestDisk) -> World {
    World::on(TestServer::builder().disk(disk).start()).await
}

/// Sends a request as a key that may write everywhere.
async fn code_of(world: &World, ask: &Ask, values: &Values) -> Result<(), (u64, String)> {
    let reply = world.send(ask, CallerKind::WriterOfBoth, values).await;
    ask.result(&reply).map(drop).map_err(|failure| (failure.status, failure.code))
}

/// Uploads a file by REST.
async fn upload(world: &World) -> Result<(), (u64, String)> {
    code_of(world, &operation("upload_assets").asks[0], &Values::default()).await
}

/// Asks `/readyz` until it has this status.
async fn readyz(world: &World, status: u16) -> Reply {
    let until = Instant::now() + DEADLINE;
    loop {
        let reply = world.client.get("/readyz").await;
        if reply.status == status {
            return reply;
        }
        assert!(Instant::now() < until, "/readyz is {}: {:?}", reply.status, reply.json());
        tokio::time::sleep(PAUSE).await;
    }
}

/// Uploads until that works again.
async fn uploads_again(world: &World) {
    let until = Instant::now() + DEADLINE;
    while let Err(refused) = upload(world).await {
        assert!(Instant::now() < until, "uploads are still refused: {refused:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_grows_on_every_transport_and_nothing_else() {
    let disk = TestDisk::default();
    let world = world_on(&disk).await;
    let full = (507, Code::StorageFull.name().to_owned());
    for operation in OPERATIONS.iter().filter(|operation| operation.name != "set_asset_approval") {
        for ask in &operation.asks {
            disk.repair();
            let mut values = world.values().await;
            // What is asked for is possible, and changes something.
            let core = world.server.core();
            let caller = core.authenticate(&world.writer_of_both.token).unwrap();
            let path = LibraryPath { organization: "acme", library: "photos" };
            if operation.name == "untag_assets" {
                core.tag_assets(&caller, &path, &values.assets, &values.tags).await.unwrap();
            }
            values.name = "New name".into();
            disk.leave_room(0);
            let expected = if GOING_ON.contains(&operation.name) { Ok(()) } else { Err(full.clone()) };
            assert_eq!(code_of(&world, ask, &values).await, expected, "{ask:?}");
        }
    }
}

#[tokio::test]
async fn a_full_disk_tells_nothing_about_libraries_out_of_reach() {
    let disk = TestDisk::default();
    let world = world_on(&disk).await;
    let values = world.values().await;
    disk.leave_room(0);
    for ask in operation("upload_assets").asks.iter().chain(&operation("tag_assets").asks) {
        let unknown = world.send(ask, CallerKind::UnknownLibrary, &values).await;
        let no_grant = world.send(ask, CallerKind::NoGrant, &values).await;
        assert_eq!(ask.result(&unknown), ask.result(&no_grant), "{ask:?}");
        assert_eq!(ask.result(&unknown).unwrap_err().code, Code::LibraryNotAuthorized.name());
    }
}

#[tokio::test]
async fn keys_are_revoked_and_people_sign_in_when_the_disk_is_full_also_after_a_restart() {
    let disk = TestDisk::default();
    let mut world = world_on(&disk).await;
    let ada = NewMember { email: "ada@example.org", name: "Ada", password: PASSWORD };
    let browser = ClientInfo::default();
    let invited = world.server.core().invite_member(world.server.administrator(), "acme", Role::Owner, "");
    let (token, _) = invited.await.unwrap();
    world.server.core().join(token.reveal(), ada, &browser).await.unwrap();
    for restart in [false, true] {
        disk.repair();
        let [leaked, regenerated] = [photographer(&world).await, photographer(&world).await];
        disk.leave_room(0);
        if restart {
            world.server.restart();
            world.client = Client::new(&world.server);
        }
        let (core, by) = (world.server.core(), world.server.administrator());
        core.delete_key(by.clone(), &leaked.id).await.unwrap();
        core.regenerate_key(by, &regenerated.id, None).await.unwrap();
        assert!(core.authenticate(&leaked.token).is_err());
        assert!(core.authenticate(&regenerated.token).is_err());
        let (_, signed_in) = core.sign_in("ada@example.org", PASSWORD, &browser).await.unwrap();
        core.sign_out(signed_in).await.unwrap();
        assert_eq!(upload(&world).await.unwrap_err().0, 507);
    }
    disk.repair();
    uploads_again(&world).await;
}

/// A key that may write to `photos`.
async fn photographer(world: &World) -> TestKey {
    world.server.key("acme", &[("photos", Access::Write)]).await
}

#[tokio::test]
async fn a_full_disk_is_told_by_readyz_and_over_when_there_is_room() {
    let disk = TestDisk::default();
    let world = world_on(&disk).await;
    readyz(&world, 200).await;
    disk.leave_room(0);
    let told = readyz(&world, 503).await.json();
    assert!(told.to_string().contains("its disk is full"), "{told}");
    disk.repair();
    readyz(&world, 200).await;
    upload(&world).await.unwrap();
}

#[tokio::test]
async fn not_even_the_reserve_is_needed_for_ever() {
    for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
        let disk = TestDisk::default();
        let world = world_on(&disk).await;
        disk.fail_writes(Some(kind));
        // The reserve is used up by the first write, and then nothing can be written.
        assert_eq!(upload(&world).await.unwrap_err().0, 507, "{kind}");
        let by = world.server.administrator();
        let key = &world.reader.id;
        assert!(world.server.core().delete_key(by.clone(), key).await.is_err(), "{kind}");
        disk.repair();
        uploads_again(&world).await;
        world.server.core().delete_key(by, key).await.unwrap();
    }
}

#[tokio::test]
async fn a_failed_disk_acknowledges_nothing_and_is_used_again_when_it_works() {
    for kind in [ErrorKind::Other, ErrorKind::ReadOnlyFilesystem] {
        let disk = TestDisk::default();
        let world = world_on(&disk).await;
        let values = world.values().await;
        let rename = &operation("rename_library").asks[0];
        disk.fail_syncs(Some(kind));
        if kind == ErrorKind::ReadOnlyFilesystem {
            disk.fail_writes(Some(kind));
        }
        assert_eq!(code_of(&world, rename, &values).await.unwrap_err().0, 503, "{kind}");
        assert!(upload(&world).await.is_err(), "{kind}");
        let told = readyz(&world, 503).await.json();
        assert!(told.to_string().contains("its disk failed"), "{told}");
        // Reading goes on, with a new key check for each request.
        let until = Instant::now() + DEADLINE;
        let get = &operation("get_asset").asks[0];
        while let Err(refused) = code_of(&world, get, &values).await {
            assert!(Instant::now() < until, "reading fails: {refused:?}");
            tokio::time::sleep(PAUSE).await;
        }
        disk.repair();
        uploads_again(&world).await;
        readyz(&world, 200).await;
        code_of(&world, get, &values).await.unwrap();
    }
}

#[tokio::test]
async fn the_doctor_says_that_the_disk_is_full_and_does_not_fill_it() {
    let disk = TestDisk::default();
    let world = world_on(&disk).await;
    disk.leave_room(0);
    let (core, options) = (world.server.core(), DoctorOptions { quick: false, repair: false });
    let found = core.run_doctor(&world.server.administrator(), options, &Reporter::default()).await.unwrap();
    let text = |area| found.findings.iter().find(|finding| finding.area == area).unwrap().text.clone();
    assert!(text(Area::Space).contains("is full except for the reserve"), "{found:?}");
    assert!(text(Area::Pages).contains("has no room for a copy"), "{found:?}");
}
