//! Who may do what: every operation on every transport, for every kind of caller, against one table of outcomes.
//! `operations.rs` makes the rows from the declarations of the operations.

mod apart;
pub mod ask;
mod narrowed;
mod neutral;
pub mod operations;
pub mod values;
pub mod world;

use rasterd::error::Code;
use serde_json::json;

use ask::Failure;
use operations::{Needs, OPERATIONS};
use world::{CallerKind, World};

use Outcome::{No, Yes};

/// The result of a request. A refusal is one sentence for each code, so that it says no more than the
/// code does.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Yes,
    No(Code, &'static str),
}

const ANON: Outcome =
    No(Code::Unauthenticated, "Send your API key in the header `Authorization: Bearer <key>`.");
const DEAD: Outcome = No(Code::InvalidApiKey, "The API key is not valid for this organization.");
const NO_ORG: Outcome = No(Code::OrganizationNotFound, "Organization not found.");
const NO_LIB: Outcome = No(Code::LibraryNotAuthorized, "API key not authorized for this library.");
const PERSON: Outcome = No(
    Code::ApprovalRequiresUser,
    "Only a signed-in person can set an approval; an API key can't. Ask a person to do it.",
);
const TOO_LOW: Outcome =
    No(Code::ApiKeyReadOnly, "Creating a library needs a key with Write access to at least one library.");

/// The outcome for each caller, by what the operation needs, in the order of [`Needs`].
#[rustfmt::skip]
const OUTCOMES: [(CallerKind, [Outcome; 7]); 24] = [
    //                             Key     Organization Read    Write   WriteBoth WriteSomewhere Person
    (CallerKind::NoKey,               [ANON,   ANON,        ANON,   ANON,   ANON,     ANON, ANON]),
    (CallerKind::OtherScheme,         [ANON,   ANON,        ANON,   ANON,   ANON,     ANON, ANON]),
    (CallerKind::SchemeAlone,         [ANON,   ANON,        ANON,   ANON,   ANON,     ANON, ANON]),
    (CallerKind::TokenAlone,          [ANON,   ANON,        ANON,   ANON,   ANON,     ANON, ANON]),
    (CallerKind::MalformedKey,        [DEAD,   DEAD,        DEAD,   DEAD,   DEAD,     DEAD, DEAD]),
    (CallerKind::WrongChecksum,       [DEAD,   DEAD,        DEAD,   DEAD,   DEAD,     DEAD, DEAD]),
    (CallerKind::UnknownKey,          [DEAD,   DEAD,        DEAD,   DEAD,   DEAD,     DEAD, DEAD]),
    (CallerKind::ExpiredKey,          [DEAD,   DEAD,        DEAD,   DEAD,   DEAD,     DEAD, DEAD]),
    (CallerKind::DeletedKey,          [DEAD,   DEAD,        DEAD,   DEAD,   DEAD,     DEAD, DEAD]),
    (CallerKind::RegeneratedKey,      [DEAD,   DEAD,        DEAD,   DEAD,   DEAD,     DEAD, DEAD]),
    (CallerKind::DeadKeyOfNobody,     [DEAD,   DEAD,        DEAD,   DEAD,   DEAD,     DEAD, DEAD]),
    (CallerKind::OtherOrganization,   [Yes,    DEAD,        DEAD,   DEAD,   DEAD,     DEAD, DEAD]),
    (CallerKind::UnknownOrganization, [Yes,    NO_ORG,      NO_ORG, NO_ORG, NO_ORG,   NO_ORG, NO_ORG]),
    (CallerKind::NoGrant,             [Yes,    Yes,         NO_LIB, NO_LIB, NO_LIB,   TOO_LOW, NO_LIB]),
    (CallerKind::UnknownLibrary,      [Yes,    Yes,         NO_LIB, NO_LIB, NO_LIB,   Yes, NO_LIB]),
    (CallerKind::Reader,              [Yes,    Yes,         Yes,    NO_LIB, NO_LIB,   TOO_LOW, PERSON]),
    (CallerKind::WriterElsewhere,     [Yes,    Yes,         Yes,    NO_LIB, NO_LIB,   Yes, PERSON]),
    (CallerKind::Writer,              [Yes,    Yes,         Yes,    Yes,    NO_LIB,   Yes, PERSON]),
    (CallerKind::WriterOfBoth,        [Yes,    Yes,         Yes,    Yes,    Yes,      Yes, PERSON]),
    (CallerKind::NarrowedToReading,   [Yes,    Yes,         Yes,    NO_LIB, NO_LIB,   TOO_LOW, PERSON]),
    (CallerKind::NarrowedToLibrary,   [Yes,    Yes,         Yes,    Yes,    NO_LIB,   TOO_LOW, PERSON]),
    (CallerKind::NarrowedToOther,     [Yes,    Yes,         NO_LIB, NO_LIB, NO_LIB,   TOO_LOW, NO_LIB]),
    (CallerKind::NarrowedToNothing,   [Yes,    Yes,         NO_LIB, NO_LIB, NO_LIB,   TOO_LOW, NO_LIB]),
    (CallerKind::NarrowedReader,      [Yes,    Yes,         Yes,    NO_LIB, NO_LIB,   TOO_LOW, PERSON]),
];

/// The rows for a transport: only connections of MCP can be narrowed.
fn rows(ask: &ask::Ask) -> impl Iterator<Item = &'static (CallerKind, [Outcome; 7])> {
    let is_mcp = ask.is_mcp();
    OUTCOMES.iter().filter(move |(kind, _)| is_mcp || kind.narrowing().is_none())
}

fn outcome(outcomes: &[Outcome; 7], needs: Needs) -> Outcome {
    let [key, organization, read, write, write_both, write_somewhere, person] = *outcomes;
    match needs {
        Needs::Key => key,
        Needs::Organization => organization,
        Needs::Read => read,
        Needs::Write => write,
        Needs::WriteBoth => write_both,
        Needs::WriteSomewhere => write_somewhere,
        Needs::Person => person,
    }
}

/// Every operation × every transport × every caller. A refused request has the code and the status of the table and the
/// same message on every transport, and changes nothing.
#[tokio::test]
async fn every_operation_answers_every_caller_as_the_table_says() {
    let world = World::new().await;
    for operation in OPERATIONS.iter() {
        for ask in &operation.asks {
            let values = world.values().await;
            let before = world.everything().await;
            for (kind, outcomes) in rows(ask) {
                let No(code, message) = outcome(outcomes, operation.needs) else { continue };
                let case = format!("{} by {kind:?} over {ask:?}", operation.name);
                let reply = world.send(ask, *kind, &values).await;
                let failure = ask.result(&reply).expect_err(&case);
                assert_eq!(failure, Failure::new(code, message), "{case}");
                // A tool call that is refused for its organization succeeds as an HTTP request.
                let challenge = if reply.status == 401 { "Bearer" } else { "" };
                assert_eq!(reply.header("www-authenticate"), challenge, "{case}");
                assert_eq!(reply.header("cache-control"), "private, no-store", "{case}");
            }
            assert_eq!(
                world.everything().await,
                before,
                "a refused {} over {ask:?} changed something",
                operation.name
            );
            for (kind, outcomes) in rows(ask) {
                let Yes = outcome(outcomes, operation.needs) else { continue };
                // Some operations consume their asset.
                let values = if ask.names_assets() { world.values().await } else { values.clone() };
                let result = ask.result(&world.send(ask, *kind, &values).await);
                assert!(result.is_ok(), "{} by {kind:?} over {ask:?}: {result:?}", operation.name);
            }
        }
    }
}

/// The other methods of MCP need a live key, too, and are refused before the protocol begins.
#[tokio::test]
async fn no_mcp_method_works_without_a_live_key() {
    let world = World::new().await;
    let methods = [
        (
            "initialize",
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}),
        ),
        ("tools/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/resource", "uri": "raster://organizations/{orgId}/libraries"}, "argument": {"name": "orgId", "value": ""}}),
        ),
        ("nonsense", json!({})),
    ];
    for (method, params) in methods {
        let request = ask::json_rpc(method, &params);
        for (kind, outcomes) in &OUTCOMES {
            let reply = request.send(&world.client, world.authorization(*kind).as_deref()).await;
            match outcome(outcomes, Needs::Key) {
                Yes => assert_eq!(reply.status, 200, "{method} by {kind:?}"),
                No(code, _) => {
                    let found = (reply.status, reply.error_code());
                    assert_eq!(found, (code.status(), code.name().to_owned()), "{method} by {kind:?}");
                }
            }
        }
    }
}
