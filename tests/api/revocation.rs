//! A key that is deleted, regenerated, expired or granted less is so for the very next request: on every transport,
//! on a connection that is open, after a handshake, and in the middle of an upload, which leaves nothing.

mod uploads;

use rasterd::core::model::Access;
use rasterd::error::Code;
use rasterd::testing::{TestKey, TestServer};
use serde_json::{Value, json};

use crate::authorization::ask::{Ask, REVISION, Request, json_rpc};
use crate::authorization::operations::operation;
use crate::authorization::values::Values;
use crate::authorization::world::World;
use crate::support::raw::Raw;

/// A change to a key.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    Delete,
    Regenerate,
    Withdraw,
    Lower,
}

impl Change {
    pub const ALL: [Self; 4] = [Self::Delete, Self::Regenerate, Self::Withdraw, Self::Lower];

    pub async fn make(self, server: &TestServer, key: &TestKey) {
        let (core, by) = (server.core(), server.administrator());
        let grant = |access| vec![("photos".to_owned(), access)];
        let done = match self {
            Self::Delete => core.delete_key(by, &key.id).await,
            Self::Regenerate => core.regenerate_key(by, &key.id, None).await.map(|(_, info)| info),
            Self::Withdraw => core.grant_key(by, &key.id, grant(None)).await,
            Self::Lower => core.grant_key(by, &key.id, grant(Some(Access::Read))).await,
        };
        done.unwrap();
    }

    /// The answer to a write afterwards.
    fn answer(self) -> Code {
        match self {
            Self::Delete | Self::Regenerate => Code::InvalidApiKey,
            Self::Withdraw | Self::Lower => Code::LibraryNotAuthorized,
        }
    }
}

/// One connection that stays open, and the key whose requests it carries.
struct Connection(Raw);

impl Connection {
    fn open(world: &World) -> Self {
        Self(Raw::open(&world.server))
    }

    /// Sends a request and returns the status and the body of its answer.
    fn ask(&mut self, request: &Request, token: &str) -> (u16, Value) {
        let head = request.head(&format!("Bearer {token}"));
        self.0.send([head.as_bytes(), &request.body].concat());
        self.answer()
    }

    fn answer(&mut self) -> (u16, Value) {
        let answer = self.0.answer();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
    }
}

/// Whether an answer of any transport has this error code.
fn has_code(answer: &(u16, Value), code: Code) -> bool {
    let (status, body) = answer;
    // A tool that fails says so in the result of a call that went well.
    let is_tool_error = body["result"]["isError"] == true;
    (is_tool_error || *status == code.status()) && body.to_string().contains(code.name())
}

fn went_well(answer: &(u16, Value)) -> bool {
    let (status, body) = answer;
    *status == 200 && body["result"]["isError"] != true && body.get("error").or(body.get("errors")).is_none()
}

#[tokio::test]
async fn the_next_request_on_an_open_connection_is_refused() {
    let world = World::new().await;
    let values = world.values().await;
    let rename = operation("rename_library");
    for change in Change::ALL {
        for ask in &rename.asks {
            let key = world.server.key("acme", &[("photos", Access::Write)]).await;
            let mut connection = Connection::open(&world);
            let request = ask.request(&values);
            for _ in 0..2 {
                let answer = connection.ask(&request, &key.token);
                assert!(went_well(&answer), "{ask:?}: {answer:?}");
            }
            change.make(&world.server, &key).await;
            let answer = connection.ask(&request, &key.token);
            assert!(has_code(&answer, change.answer()), "{change:?} over {ask:?}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_grant_works_with_the_next_request_on_an_open_connection() {
    let world = World::new().await;
    let values = world.values().await;
    for (read, write) in operation("list_tags").asks.iter().zip(&operation("rename_library").asks) {
        let key = world.server.key("acme", &[("photos", Access::Read)]).await;
        let mut connection = Connection::open(&world);
        assert!(went_well(&connection.ask(&read.request(&values), &key.token)), "{read:?}");
        let refused = Connection::open(&world).ask(&write.request(&values), &key.token);
        assert!(has_code(&refused, Code::LibraryNotAuthorized), "{write:?}: {refused:?}");
        let grants = vec![("photos".to_owned(), Some(Access::Write))];
        world.server.core().grant_key(world.server.administrator(), &key.id, grants).await.unwrap();
        let answer = connection.ask(&write.request(&values), &key.token);
        assert!(went_well(&answer), "{write:?}: {answer:?}");
    }
}

#[tokio::test]
async fn an_expired_key_is_refused_on_an_open_connection() {
    let world = World::new().await;
    let by = world.server.administrator();
    let hour =
        world.server.core().create_key(by, "acme", "brief", Vec::new(), Some(3_600_000)).await.unwrap();
    let token = hour.0.reveal();
    let mut connections: Vec<_> = operation("whoami")
        .asks
        .iter()
        .map(|ask| (ask, Connection::open(&world), ask.request(&Values::default())))
        .collect();
    for (ask, connection, request) in &mut connections {
        assert_eq!(connection.ask(request, token).0, 200, "{ask:?}");
    }
    world.server.clock().advance(std::time::Duration::from_hours(1));
    for (ask, connection, request) in &mut connections {
        assert!(has_code(&connection.ask(request, token), Code::InvalidApiKey), "{ask:?}");
    }
}

/// A handshake of MCP authenticates nothing: every request is authenticated by its own key.
#[tokio::test]
async fn after_a_handshake_each_request_is_authenticated_by_itself() {
    let world = World::new().await;
    let client_info = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": REVISION, "capabilities": {}, "clientInfo": client_info });
    let initialize = json_rpc("initialize", &params);
    let mut whoami = operation("whoami")
        .asks
        .iter()
        .find(|ask| matches!(ask, Ask::Tool { .. }))
        .unwrap()
        .request(&Values::default());
    whoami.headers.push(("Mcp-Session-Id", "made-up".to_owned()));
    let who = |answer: &(u16, Value)| answer.1["result"]["structuredContent"]["organizationId"].clone();

    let mut connection = Connection::open(&world);
    assert!(went_well(&connection.ask(&initialize, &world.writer.token)));
    assert_eq!(who(&connection.ask(&whoami, &world.writer.token)), "acme");
    assert_eq!(who(&connection.ask(&whoami, &world.stranger.token)), "other");
    assert_eq!(who(&connection.ask(&whoami, &world.writer.token)), "acme");

    let methods = ["tools/list", "resources/list", "resources/templates/list"];
    let requests = methods.map(|method| json_rpc(method, &json!({}))).into_iter().chain([whoami]);
    let mut conversations = Vec::new();
    for request in requests {
        let mut connection = Connection::open(&world);
        assert!(went_well(&connection.ask(&initialize, &world.writer.token)));
        assert!(went_well(&connection.ask(&request, &world.writer.token)));
        conversations.push((connection, request));
    }
    world.server.core().delete_key(world.server.administrator(), &world.writer.id).await.unwrap();
    for (mut connection, request) in conversations {
        let answer = connection.ask(&request, &world.writer.token);
        let asked = String::from_utf8_lossy(&request.body);
        assert_eq!((answer.0, &answer.1["error"]["code"]), (401, &json!("INVALID_API_KEY")), "{asked}");
    }
}
