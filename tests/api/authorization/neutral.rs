//! What a key does not reach looks like what does not exist: compared byte for byte, on every transport.

use rasterd::error::Code;
use rasterd::testing::TestKey;

use super::ask::{Ask, Failure};
use super::operations::{Needs, OPERATIONS, Operation};
use super::values::Values;
use super::world::World;
use crate::support::Reply;

const UNKNOWN_ASSET: &str = "0000000000000000";

/// The differences between two answers that count: everything but the id of the request, the time, and the order of the
/// headers, which differ between any two.
#[derive(Debug, PartialEq, Eq)]
struct ComparedReply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl ComparedReply {
    fn of(reply: &Reply) -> Self {
        let headers = reply.headers.iter().filter(|(name, _)| *name != "x-request-id" && *name != "date");
        let mut headers: Vec<_> =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        headers.sort();
        Self { status: reply.status, headers, body: String::from_utf8(reply.body.clone()).unwrap() }
    }

    /// The same, without the library that the client named in the uri that the answer repeats.
    fn without_name(mut self, library: &str) -> Self {
        self.body = self.body.replace(&format!("/libraries/{library}/"), "/libraries/<library>/");
        self
    }
}

async fn send(world: &World, key: &TestKey, ask: &Ask, values: &Values) -> Reply {
    send_to(world, key, "", ask, values).await
}

/// Sends a request whose address ends with this query.
async fn send_to(world: &World, key: &TestKey, query: &str, ask: &Ask, values: &Values) -> Reply {
    let mut request = ask.request(values);
    request.path += query;
    request.send(&world.client, Some(&format!("Bearer {}", key.token))).await
}

/// The values of a request in which everything except its libraries is wrong. MCP refuses some of that by the schema of
/// the tool, before anything is looked up; those values are correct there.
fn wrong(values: &Values, ask: &Ask) -> Values {
    let fits = match ask {
        Ask::Tool { .. } => values.number,
        Ask::Rest { .. }
        | Ask::RestUpload { .. }
        | Ask::GraphQl(_)
        | Ask::GraphQlUpload(_)
        | Ask::Resource(_) => -1,
    };
    Values {
        assets: vec!["no-id".into()],
        parent: Some("no-id".into()),
        tags: vec!["index".into(); 20],
        name: String::new(),
        description: "x".repeat(10_001),
        number: fits,
        files: vec![("notes.png".into(), b"no picture".to_vec())],
        ..values.clone()
    }
}

/// Libraries without access, each named in a request: all get the same answer as one that does not exist, whether the
/// rest of the request is right or wrong.
async fn all_answer_alike(
    world: &World,
    (key, query): (&TestKey, &str),
    operation: &Operation,
    libraries: &[&str],
    naming: impl Fn(Values, &str) -> Values,
) {
    let good = world.values().await;
    let neutral = Failure::new(Code::LibraryNotAuthorized, "API key not authorized for this library.");
    for ask in operation.asks.iter().filter(|ask| query.is_empty() || ask.is_mcp()) {
        for values in [good.clone(), wrong(&good, ask)] {
            for library in libraries {
                // As long as the other name, because a failed resource repeats the client's own uri.
                let nothing = "x".repeat(library.len());
                let unknown = send_to(world, key, query, ask, &naming(values.clone(), &nothing)).await;
                assert_eq!(ask.result(&unknown), Err(neutral.clone()), "{} over {ask:?}", operation.name);
                let reply = send_to(world, key, query, ask, &naming(values.clone(), library)).await;
                assert_eq!(
                    ComparedReply::of(&reply).without_name(library),
                    ComparedReply::of(&unknown).without_name(&nothing),
                    "{library}: {} over {ask:?}",
                    operation.name
                );
            }
        }
    }
}

/// `archive` is not granted (and another organization has one, too), `theirs` is only there, `photos` is granted only
/// at Read for a change, and `NO_SLUG` can't be the name of a library.
#[tokio::test]
async fn a_library_without_access_answers_like_one_that_does_not_exist() {
    let world = World::new().await;
    let mut asked = 0;
    for operation in OPERATIONS.iter() {
        let libraries = match operation.needs {
            Needs::Key | Needs::Organization | Needs::WriteSomewhere => continue,
            Needs::Read | Needs::Person => &["archive", "vault", "theirs", "NO_SLUG"][..],
            Needs::Write | Needs::WriteBoth => &["archive", "vault", "theirs", "NO_SLUG", "photos"][..],
        };
        let naming = |values, library: &str| Values { library: library.to_owned(), ..values };
        all_answer_alike(&world, (&world.reader, ""), operation, libraries, naming).await;
        asked += 1;
    }
    assert!(asked > 8, "the table has lost its rows");
}

/// Over a connection that is narrowed to `photos`, `archive` is like one that does not exist, although the key may write
/// there; over one that only reads, a library is like one with a grant for Read.
#[tokio::test]
async fn a_library_that_a_connection_gave_up_answers_like_one_that_does_not_exist() {
    let world = World::new().await;
    let naming = |values, library: &str| Values { library: library.to_owned(), ..values };
    for operation in OPERATIONS.iter() {
        let of_all = ["archive", "vault", "theirs"];
        let changes = match operation.needs {
            Needs::Key | Needs::Organization | Needs::WriteSomewhere => continue,
            Needs::Read | Needs::Person => false,
            Needs::Write | Needs::WriteBoth => true,
        };
        let key = &world.writer_of_both;
        all_answer_alike(&world, (key, "?libraries=photos"), operation, &of_all, naming).await;
        if changes {
            let all = ["photos", "archive", "vault"];
            all_answer_alike(&world, (key, "?readonly=1"), operation, &all, naming).await;
        }
    }
}

/// The same for the target of a transfer: `archive` is granted at Read.
#[tokio::test]
async fn a_target_without_access_answers_like_one_that_does_not_exist() {
    let world = World::new().await;
    let rows: Vec<_> = OPERATIONS.iter().filter(|operation| operation.needs == Needs::WriteBoth).collect();
    assert!(!rows.is_empty(), "the table has lost its rows");
    for operation in rows {
        let naming = |values, library: &str| Values { target: library.to_owned(), ..values };
        let libraries = ["archive", "vault", "theirs", "NO_SLUG"];
        all_answer_alike(&world, (&world.writer, ""), operation, &libraries, naming).await;
    }
}

/// The wrong requests of the tests above are wrong: a key with access to the library gets an error that says so.
#[tokio::test]
async fn a_caller_with_access_is_told_what_is_wrong_with_the_rest() {
    let world = World::new().await;
    let good = world.values().await;
    for operation in OPERATIONS.iter().filter(|operation| operation.needs != Needs::WriteSomewhere) {
        for ask in &operation.asks {
            let values = wrong(&good, ask);
            if ask.request(&values).body == ask.request(&good).body
                && ask.request(&values).path == ask.request(&good).path
            {
                continue;
            }
            let case = format!("{} over {ask:?}", operation.name);
            // The words of a search and the filter of a list can't be wrong.
            let only_words =
                matches!((operation.name, ask), ("search_assets" | "list_assets", Ask::Tool { .. }));
            match ask.result(&send(&world, &world.writer_of_both, ask, &values).await) {
                Ok(_) => assert!(only_words, "{case}"),
                Err(failure) => {
                    // A key that asks for what only a person may do gets that error, whatever else is wrong.
                    let codes = if operation.needs == Needs::Person {
                        &["APPROVAL_REQUIRES_USER"][..]
                    } else {
                        &["BAD_USER_INPUT", "RESOURCE_NOT_FOUND"]
                    };
                    assert!(codes.contains(&failure.code.as_str()), "{case}: {failure:?}");
                }
            }
        }
    }
}

/// An asset in another library (with or without access), in another organization, or in the trash gets the same answer
/// as one that does not exist.
#[tokio::test]
async fn an_asset_elsewhere_answers_like_one_that_does_not_exist() {
    let world = World::new().await;
    let server = world.server.core();
    let vault = vec![("vault".to_owned(), Some(rasterd::core::model::Access::Write))];
    let (token, info) =
        server.create_key(world.server.administrator(), "acme", "vault", vault, None).await.unwrap();
    let keeper = TestKey { id: info.key.id, token: token.reveal().to_owned() };
    let trashed = world.asset(&world.writer, "acme", "photos").await;
    let caller = server.authenticate(&world.writer.token).unwrap();
    let photos = rasterd::core::access::LibraryPath { organization: "acme", library: "photos" };
    server.delete_assets(&caller, &photos, std::slice::from_ref(&trashed)).await.unwrap();
    drop(caller);
    let elsewhere = [
        ("in a library out of reach", world.asset(&keeper, "acme", "vault").await),
        ("in another library", world.asset(&world.writer_of_both, "acme", "archive").await),
        ("in another organization", world.asset(&world.stranger, "other", "photos").await),
        ("no id", "no-id".to_owned()),
        ("in the trash", trashed),
    ];
    let good = world.values().await;
    let mut asked = 0;
    for operation in OPERATIONS.iter() {
        let asks = operation.asks.iter().filter(|ask| ask.names_assets() || operation.name == "upload_asset");
        for ask in asks {
            let about = |id: &str| Values {
                assets: vec![id.to_owned()],
                parent: Some(id.to_owned()),
                ..good.clone()
            };
            let key = &world.writer_of_both;
            let unknown = send(&world, key, ask, &about(UNKNOWN_ASSET)).await;
            let case = format!("{} over {ask:?}", operation.name);
            let failure = ask.result(&unknown).expect_err(&case);
            // A key that calls an operation for people is refused before the asset is looked up.
            let code = if operation.needs == Needs::Person {
                Code::ApprovalRequiresUser
            } else {
                Code::ResourceNotFound
            };
            assert_eq!(failure.code, code.name(), "{case}");
            if operation.needs != Needs::Person {
                assert_eq!(failure, Failure::new(code, "Asset not found."), "{case}");
            }
            for (place, id) in &elsewhere {
                // A deletion skips what is in the trash already.
                if *place == "in the trash" && operation.name == "delete_assets" {
                    continue;
                }
                let reply = send(&world, key, ask, &about(id)).await;
                assert_eq!(ComparedReply::of(&reply), ComparedReply::of(&unknown), "{place}: {case}");
            }
            asked += 1;
        }
    }
    assert!(asked >= 25, "the table has lost its rows: {asked}");
}
