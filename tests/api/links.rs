//! Links of every purpose stop working with each way in which their creator loses the right to make them.

use rasterd::core::access::Administrator;
use rasterd::core::members::{ClientInfo, KeyDecisions, NewMember, SignedIn};
use rasterd::core::model::Role;
use rasterd::core::model::token::Token;
use rasterd::testing::TestServer;

use crate::support::Client;

const PASSWORD: &str = "correct horse battery";
const CREATOR: &str = "creator@example.org";
const OTHER: &str = "other@example.org";

/// What a link is for.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Join(Role),
    JoinOf(Role),
    Reset,
}

/// How its creator loses the right to make it.
#[derive(Debug, Clone, Copy)]
enum Loss {
    DemotedToEditor,
    DemotedToViewer,
    Removed,
    /// Loses the organization of the link, and stays an owner of another one.
    RemovedButOwnerElsewhere,
    PasswordReset,
}

const PURPOSES: [Purpose; 5] = [
    Purpose::Join(Role::Viewer),
    Purpose::Join(Role::Editor),
    Purpose::Join(Role::Owner),
    Purpose::JoinOf(Role::Owner),
    Purpose::Reset,
];
const LOSSES: [Loss; 5] = [
    Loss::DemotedToEditor,
    Loss::DemotedToViewer,
    Loss::Removed,
    Loss::RemovedButOwnerElsewhere,
    Loss::PasswordReset,
];

struct Place {
    server: TestServer,
    client: Client,
    creator: SignedIn,
}

impl Place {
    async fn new() -> Self {
        let server = TestServer::start();
        server.organization("Acme").await;
        server.organization("Elsewhere").await;
        let creator = join(&server, "acme", CREATOR).await;
        join(&server, "acme", OTHER).await;
        Self { client: Client::new(&server), server, creator }
    }

    fn admin(&self) -> Administrator {
        self.server.administrator()
    }

    async fn link(&self, purpose: Purpose) -> Token {
        let core = self.server.core();
        let by = core.member_caller(&self.creator, "acme").unwrap().administer().unwrap();
        match purpose {
            Purpose::Join(role) => core.invite_member(by, "acme", role, "").await.unwrap().0,
            Purpose::JoinOf(role) => core.invite_member(by, "acme", role, "new@example.org").await.unwrap().0,
            Purpose::Reset => core.request_password_reset(by, OTHER).await.unwrap().0,
        }
    }

    async fn lose(&self, loss: Loss) {
        let (core, by, none) = (self.server.core(), self.admin(), KeyDecisions::Missing);
        let role = |role| core.set_member_role(by.clone(), "acme", CREATOR, role, none.clone());
        match loss {
            Loss::DemotedToEditor => role(Role::Editor).await.unwrap(),
            Loss::DemotedToViewer => role(Role::Viewer).await.unwrap(),
            Loss::Removed => core.remove_member(by, "acme", CREATOR, none).await.unwrap(),
            Loss::RemovedButOwnerElsewhere => {
                let (link, _) = core.invite_member(by.clone(), "elsewhere", Role::Owner, "").await.unwrap();
                core.join_as(&self.creator, link.reveal(), &ClientInfo::default()).await.unwrap();
                core.remove_member(by, "acme", CREATOR, none).await.unwrap();
            }
            Loss::PasswordReset => {
                let (link, _) = core.request_password_reset(by, CREATOR).await.unwrap();
                let new = "another horse battery";
                core.reset_password(link.reveal(), new, &ClientInfo::default()).await.unwrap();
            }
        }
    }

    async fn page(&self, link: &Token) -> u16 {
        self.client.get(&format!("/app/welcome/{}", link.reveal())).await.status
    }

    /// Whether somebody gets in with the link.
    async fn lets_in(&self, purpose: Purpose, link: &Token) -> bool {
        let (core, client) = (self.server.core(), ClientInfo::default());
        let new = NewMember { email: "new@example.org", name: "New", password: PASSWORD };
        match purpose {
            Purpose::Join(_) | Purpose::JoinOf(_) => core.join(link.reveal(), new, &client).await.is_ok(),
            Purpose::Reset => {
                core.reset_password(link.reveal(), "a third horse battery", &client).await.is_ok()
            }
        }
    }
}

async fn join(server: &TestServer, organization: &str, email: &str) -> SignedIn {
    let (core, by) = (server.core(), server.administrator());
    let (link, _) = core.invite_member(by, organization, Role::Owner, "").await.unwrap();
    let new = NewMember { email, name: "Ada", password: PASSWORD };
    core.join(link.reveal(), new, &ClientInfo::default()).await.unwrap().1
}

#[tokio::test]
async fn a_link_ends_with_the_right_of_its_creator() {
    for loss in LOSSES {
        let place = Place::new().await;
        let mut links = Vec::new();
        for purpose in PURPOSES {
            let link = place.link(purpose).await;
            assert_eq!(place.page(&link).await, 200, "{purpose:?}");
            links.push((purpose, link));
        }
        place.lose(loss).await;
        for (purpose, link) in &links {
            assert_eq!(place.page(link).await, 404, "{purpose:?} after {loss:?}");
            assert!(!place.lets_in(*purpose, link).await, "{purpose:?} after {loss:?}");
        }
        let open = place.server.core().list_links(&place.admin(), "acme").unwrap();
        assert!(open.is_empty(), "{loss:?}: {open:?}");
    }
}

#[tokio::test]
async fn a_link_stays_dead_when_its_creator_gets_the_right_back() {
    for loss in [Loss::DemotedToEditor, Loss::DemotedToViewer] {
        let place = Place::new().await;
        let mut links = Vec::new();
        for purpose in PURPOSES {
            links.push((purpose, place.link(purpose).await));
        }
        place.lose(loss).await;
        let (core, none) = (place.server.core(), KeyDecisions::Missing);
        core.set_member_role(place.admin(), "acme", CREATOR, Role::Owner, none).await.unwrap();
        for (purpose, link) in &links {
            assert!(!place.lets_in(*purpose, link).await, "{purpose:?} after {loss:?}");
        }
    }
}

#[tokio::test]
async fn a_link_works_while_its_creator_has_the_right() {
    for purpose in PURPOSES {
        let place = Place::new().await;
        let link = place.link(purpose).await;
        // What others lose is nothing to it.
        let (core, none) = (place.server.core(), KeyDecisions::Missing);
        if !matches!(purpose, Purpose::Reset) {
            core.remove_member(place.admin(), "acme", OTHER, none).await.unwrap();
        }
        assert!(place.lets_in(purpose, &link).await, "{purpose:?}");
    }
}
