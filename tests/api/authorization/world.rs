//! Two organizations whose libraries share their names, and every kind of caller.

use std::time::Duration;

use rasterd::core::access::LibraryPath;
use rasterd::core::model::Access;
use rasterd::core::model::api_key::PlainKey;
use rasterd::core::model::page::PageRequest;
use rasterd::testing::{TestKey, TestServer};

use super::ask::Ask;
use super::values::Values;
use crate::rest::picture;
use crate::support::{Client, Reply};

const BOTH: [(&str, Access); 2] = [("photos", Access::Write), ("archive", Access::Write)];
/// More assets than a test creates.
const ALL: PageRequest = PageRequest { offset: 0, size: 10_000 };

/// The callers of requests to `acme`, whose libraries are `photos` (the one that requests name), `archive` (the target
/// of transfers) and `vault` (to which no key has access).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    NoKey,
    OtherScheme,
    SchemeAlone,
    TokenAlone,
    MalformedKey,
    WrongChecksum,
    UnknownKey,
    ExpiredKey,
    DeletedKey,
    /// The value that a key had before it was regenerated.
    RegeneratedKey,
    /// A key that is not live, in an organization that does not exist.
    DeadKeyOfNobody,
    /// A live key of the other organization, with Write on libraries of the same slugs there.
    OtherOrganization,
    /// A live key, in an organization that does not exist.
    UnknownOrganization,
    NoGrant,
    /// Write on both libraries; requests one that does not exist.
    UnknownLibrary,
    Reader,
    /// Read on the library, Write on the other one.
    WriterElsewhere,
    /// Write on the library, Read on the other one.
    Writer,
    WriterOfBoth,
    /// Write on both libraries, over a connection of MCP that only reads.
    NarrowedToReading,
    /// Write on both libraries, over a connection that has only the one that requests name.
    NarrowedToLibrary,
    /// Write on both libraries, over a connection that has only the other one.
    NarrowedToOther,
    /// Write on both libraries, over a connection that names only one that does not exist.
    NarrowedToNothing,
    /// Read on the library, over a connection that names both: it adds nothing.
    NarrowedReader,
}

impl CallerKind {
    /// The query of the endpoint of MCP, if it narrows this caller.
    pub fn narrowing(self) -> Option<&'static str> {
        match self {
            Self::NarrowedToReading => Some("?readonly=1"),
            Self::NarrowedToLibrary => Some("?libraries=photos"),
            Self::NarrowedToOther => Some("?libraries=archive,theirs"),
            Self::NarrowedToNothing => Some("?libraries=nothing"),
            Self::NarrowedReader => Some("?libraries=photos,archive,vault&readonly=0"),
            _ => None,
        }
    }
}

pub struct World {
    pub server: TestServer,
    pub client: Client,
    pub reader: TestKey,
    pub writer: TestKey,
    pub writer_of_both: TestKey,
    pub stranger: TestKey,
    no_grant: TestKey,
    writer_elsewhere: TestKey,
    unknown: String,
    expired: String,
    deleted: String,
    regenerated: String,
}

impl World {
    pub async fn new() -> Self {
        Self::on(TestServer::start()).await
    }

    pub async fn on(server: TestServer) -> Self {
        for (organization, libraries) in
            [("Acme", ["Photos", "Archive", "Vault"]), ("Other", ["Photos", "Archive", "Theirs"])]
        {
            let organization = server.organization(organization).await;
            for library in libraries {
                server.library(&organization, library).await;
            }
        }
        let by = server.administrator();
        let grants = BOTH.map(|(library, access)| (library.to_owned(), Some(access))).to_vec();
        let minute =
            server.core().create_key(by.clone(), "acme", "brief", grants, Some(60_000)).await.unwrap();
        server.clock().advance(Duration::from_mins(1));
        let deleted = server.key("acme", &BOTH).await;
        server.core().delete_key(by.clone(), &deleted.id).await.unwrap();
        let regenerated = server.key("acme", &BOTH).await;
        server.core().regenerate_key(by, &regenerated.id, None).await.unwrap();
        let read_and = |photos, archive| [("photos", photos), ("archive", archive)];
        Self {
            client: Client::new(&server),
            reader: server.key("acme", &[("photos", Access::Read)]).await,
            writer: server.key("acme", &read_and(Access::Write, Access::Read)).await,
            writer_of_both: server.key("acme", &BOTH).await,
            stranger: server.key("other", &BOTH).await,
            no_grant: server.key("acme", &[]).await,
            writer_elsewhere: server.key("acme", &read_and(Access::Read, Access::Write)).await,
            unknown: PlainKey::random().reveal().to_owned(),
            expired: minute.0.reveal().to_owned(),
            deleted: deleted.token,
            regenerated: regenerated.token,
            server,
        }
    }

    /// Values for a request about a new asset of `photos`, which is granted to every caller with the right.
    pub async fn values(&self) -> Values {
        let (server, key) = (&self.server, &self.writer_of_both);
        let asset = server.upload(key, "acme", "photos", "beach.png", &picture("beach")).await;
        let variant =
            server.upload_under(key, "acme", "photos", "dusk.png", &picture("dusk"), Some(&asset)).await;
        Values { assets: vec![asset.to_string()], variant: variant.to_string(), ..Values::default() }
    }

    /// A new asset.
    pub async fn asset(&self, key: &TestKey, organization: &str, library: &str) -> String {
        let id = self.server.upload(key, organization, library, "beach.png", &picture("beach")).await;
        id.as_str().to_owned()
    }

    /// Sends a request as this caller.
    pub async fn send(&self, ask: &Ask, kind: CallerKind, values: &Values) -> Reply {
        let mut values = values.clone();
        if matches!(kind, CallerKind::UnknownOrganization | CallerKind::DeadKeyOfNobody) {
            values.organization = "nobody".into();
        }
        if kind == CallerKind::UnknownLibrary {
            values.library = "nothing".into();
        }
        let mut request = ask.request(&values);
        request.path += kind.narrowing().unwrap_or_default();
        request.send(&self.client, self.authorization(kind).as_deref()).await
    }

    /// The value of `Authorization` of this caller.
    pub fn authorization(&self, kind: CallerKind) -> Option<String> {
        let live = &self.writer_of_both.token;
        let token = match kind {
            CallerKind::NoKey => return None,
            CallerKind::OtherScheme => return Some(format!("Basic {live}")),
            CallerKind::SchemeAlone => return Some("Bearer".to_owned()),
            CallerKind::TokenAlone => return Some(live.clone()),
            CallerKind::MalformedKey => "pk_short",
            CallerKind::WrongChecksum => return Some(format!("Bearer {}", with_other_end(live))),
            CallerKind::UnknownKey | CallerKind::DeadKeyOfNobody => &self.unknown,
            CallerKind::ExpiredKey => &self.expired,
            CallerKind::DeletedKey => &self.deleted,
            CallerKind::RegeneratedKey => &self.regenerated,
            CallerKind::OtherOrganization => &self.stranger.token,
            CallerKind::NoGrant => &self.no_grant.token,
            CallerKind::Reader | CallerKind::NarrowedReader => &self.reader.token,
            CallerKind::WriterElsewhere => &self.writer_elsewhere.token,
            CallerKind::Writer => &self.writer.token,
            CallerKind::UnknownOrganization
            | CallerKind::UnknownLibrary
            | CallerKind::WriterOfBoth
            | CallerKind::NarrowedToReading
            | CallerKind::NarrowedToLibrary
            | CallerKind::NarrowedToOther
            | CallerKind::NarrowedToNothing => live,
        };
        Some(format!("Bearer {token}"))
    }

    /// Everything that a request could have changed, as text, after the work on uploads is done.
    pub async fn everything(&self) -> String {
        self.server.processed().await;
        let by = self.server.administrator();
        let core = self.server.core();
        let libraries =
            ["acme", "other"].map(|organization| core.list_libraries_as_admin(&by, organization).unwrap());
        let assets =
            [(&self.writer_of_both, "acme"), (&self.stranger, "other")].map(|(key, organization)| {
                let caller = core.authenticate(&key.token).unwrap();
                ["photos", "archive"].map(|library| {
                    core.list_assets(&caller, &LibraryPath { organization, library }, &[], ALL).unwrap()
                })
            });
        format!("{libraries:?} {assets:?}")
    }
}

/// The same key with another last character.
fn with_other_end(key: &str) -> String {
    let (start, end) = key.split_at(key.len() - 1);
    format!("{start}{}", if end == "0" { "1" } else { "0" })
}
