//! People who have an account on a test server.

use rasterd::core::members::{ClientInfo, NewMember};
use rasterd::core::model::Role;
use rasterd::testing::TestServer;

use crate::browser::Browser;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// Creates a member with this role in each of the organizations, and returns the e-mail.
pub async fn create_member(server: &TestServer, name: &str, organizations: &[&str], role: Role) -> String {
    let core = server.core();
    let email = format!("{}@example.org", name.split(' ').next().unwrap_or_default().to_lowercase());
    let mut signed_in = None;
    for organization in organizations {
        let invited = core.invite_member(server.administrator(), organization, role, "").await;
        let token = invited.unwrap().0.reveal().to_owned();
        let client = ClientInfo::default();
        match &signed_in {
            None => {
                let new = NewMember { email: &email, name, password: PASSWORD };
                signed_in = Some(core.join(&token, new, &client).await.unwrap().1);
            }
            Some(signed_in) => drop(core.join_as(signed_in, &token, &client).await.unwrap()),
        }
    }
    email
}

/// Creates Ada Lovelace, an owner of these organizations, and returns her e-mail.
pub async fn create_owner(server: &TestServer, organizations: &[&str]) -> String {
    create_member(server, "Ada Lovelace", organizations, Role::Owner).await
}

impl Browser {
    /// Signs somebody in, as they would.
    pub fn sign_in(&self, email: &str) {
        self.open("/app/sign-in");
        self.fill("E-mail address", email);
        self.fill("Password", PASSWORD);
        self.press("Enter");
        self.wait_until("!location.pathname.endsWith('/sign-in') && document.readyState === 'complete'");
    }
}
