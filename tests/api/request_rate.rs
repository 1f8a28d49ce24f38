//! How many requests a key may send: the same refusal on every transport, for that key alone.

use rasterd::core::model::Access;
use rasterd::testing::TestServer;

use crate::authorization::ask::Ask;
use crate::authorization::operations::operation;
use crate::authorization::values::Values;
use crate::authorization::world::{CallerKind, World};
use crate::support::Reply;

/// More requests than a machine answers in the time in which a key gets as many again.
const MANY: usize = 10_000;

/// A server whose keys may send few requests.
async fn world() -> World {
    World::on(TestServer::start_with(|settings, _| {
        settings.limits.requests_per_second_per_key = 1;
        settings.limits.request_burst_per_key = 2;
    }))
    .await
}

/// Sends requests until one is refused.
async fn refused(world: &World, ask: &Ask, kind: CallerKind) -> Reply {
    for _ in 0..MANY {
        let reply = world.send(ask, kind, &Values::default()).await;
        if reply.status == 429 {
            return reply;
        }
        assert!(ask.result(&reply).is_ok(), "{ask:?}");
    }
    panic!("no request was refused: {ask:?}")
}

#[tokio::test]
async fn a_key_that_sends_too_much_is_refused_alike_on_every_transport() {
    let world = world().await;
    for ask in operation("list_libraries").asks.iter().chain(&operation("whoami").asks) {
        let reply = refused(&world, ask, CallerKind::Reader).await;
        let failure = ask.result(&reply).unwrap_err();
        assert_eq!((failure.status, failure.code.as_str()), (429, "RATE_LIMITED"), "{ask:?}");
        assert!(failure.message.contains("more than 1 requests per second"), "{}", failure.message);
        assert_eq!(reply.header("retry-after"), "1", "{ask:?}");
        assert_eq!(reply.header("cache-control"), "private, no-store", "{ask:?}");
        let other = world.send(ask, CallerKind::NoGrant, &Values::default()).await;
        assert!(other.status == 200 || other.status == 429, "{ask:?}");
    }
}

#[tokio::test]
async fn a_stranger_neither_uses_up_a_keys_requests_nor_is_counted() {
    let world = world().await;
    let ask = &operation("whoami").asks[0];
    for _ in 0..20 {
        for kind in [CallerKind::UnknownKey, CallerKind::WrongChecksum, CallerKind::NoKey] {
            assert_eq!(world.send(ask, kind, &Values::default()).await.status, 401);
        }
    }
    assert_eq!(world.send(ask, CallerKind::Reader, &Values::default()).await.status, 200);
    refused(&world, ask, CallerKind::Reader).await;
    assert_eq!(world.send(ask, CallerKind::UnknownKey, &Values::default()).await.status, 401);
    assert_eq!(world.send(ask, CallerKind::Writer, &Values::default()).await.status, 200, "another key");
}

#[tokio::test]
async fn a_request_counts_once_however_often_its_key_is_checked() {
    let world = World::on(TestServer::start_with(|settings, _| {
        settings.limits.requests_per_second_per_key = 1;
        settings.limits.request_burst_per_key = 1;
    }))
    .await;
    // Each checks its key before the body, after it, and when it changes something.
    for name in ["rename_library", "upload_assets", "list_assets"] {
        for ask in &operation(name).asks {
            let key = world.server.key("acme", &[("photos", Access::Write)]).await;
            let authorization = format!("Bearer {}", key.token);
            let request = ask.request(&Values { tags: Vec::new(), ..Values::default() });
            let reply = request.send(&world.client, Some(&authorization)).await;
            assert!(ask.result(&reply).is_ok(), "{ask:?}");
        }
    }
}
